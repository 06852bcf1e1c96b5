/**
 * Where a URL leads: its name is resolved once, every address is judged, and the connection goes to one of these and
 * nowhere else. What a name server says a moment later makes no difference (DNS rebinding).
 */
import { isIP } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "./public-address.ts";
import { type AllowedUrl, NOT_PUBLIC, type RefusedUrl, readWebhookUrl } from "./webhook-url.ts";

/** The addresses of a host name, in the order in which they are to be tried. Throws when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface Destination extends AllowedUrl {
  /** Judged; at least one. */
  readonly addresses: readonly string[];
}

/**
 * The destination of a URL, or why it may not be called.
 *
 * @param signal when to give a name server up
 */
export async function findDestination(
  text: string,
  { allowLoopback, resolve }: { allowLoopback: boolean; resolve: Resolve },
  signal: AbortSignal,
): Promise<Destination | RefusedUrl> {
  const allowed = readWebhookUrl(text, { allowLoopback });
  if (allowed.kind === "refused") return allowed;
  const addresses = isIP(allowed.host) === 0 ? await resolveWithin(allowed.host, resolve, signal) : [allowed.host];
  if (addresses.length === 0) return { kind: "refused", reason: "the host name cannot be resolved" };
  // One that is not public is enough: with several, which one is called would be the name server's choice.
  const isFine = allowed.isLoopback ? isLoopbackAddress : isPublicAddress;
  return addresses.every(isFine) ? { ...allowed, addresses } : { kind: "refused", reason: NOT_PUBLIC };
}

/** No addresses when there are none, and when it takes too long. */
async function resolveWithin(host: string, resolve: Resolve, signal: AbortSignal): Promise<readonly string[]> {
  let giveUp = (): void => {};
  const tooLate = new Promise<readonly string[]>((done) => {
    giveUp = () => done([]);
    signal.addEventListener("abort", giveUp, { once: true });
  });
  try {
    return await Promise.race([resolve(host), tooLate]);
  } catch {
    return [];
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
