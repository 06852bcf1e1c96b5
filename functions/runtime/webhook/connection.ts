/** A connection to a destination's judged addresses, with TLS that is checked against the name in the URL. */
import { isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContextOptions } from "node:tls";
import type { Destination } from "./destination.ts";

/** For one address: long enough for two lost packets at the beginning, short enough to try another one. */
const CONNECT_LIMIT_MS = 5_000;

/** Opens a TCP connection to an address. It is never given a name, so there is nothing left to be resolved. */
export type Connect = (address: string, port: number) => Socket;

export interface ConnectionSettings {
  readonly connect: Connect;
  /** The certificate authorities to trust, in PEM; without it, those that Node brings. */
  readonly ca?: SecureContextOptions["ca"];
}

/**
 * @param signal when the attempt is over: the connection ends then at the latest, and so does what is under way
 * @throws Error with a code of Node's, when no address can be reached or TLS fails
 */
export async function openConnection(
  { url, host, addresses }: Destination,
  { connect, ca }: ConnectionSettings,
  signal: AbortSignal,
): Promise<Socket> {
  const isSecure = url.protocol === "https:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  const socket = await firstReached(addresses, (address) => connect(address, port), signal);
  return isSecure ? secured(socket, host, ca) : socket;
}

/** One after the other: where there is no IPv6, or one of several machines is down, the next one serves. */
async function firstReached(
  addresses: readonly string[],
  connect: (address: string) => Socket,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown;
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await opened(connect(address), signal);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function opened(socket: Socket, signal: AbortSignal): Promise<Socket> {
  const cut = (): unknown => socket.destroy(new Error("the attempt is over"));
  signal.addEventListener("abort", cut, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", cut));
  const timer = setTimeout(() => socket.destroy(timedOut()), CONNECT_LIMIT_MS);
  try {
    await reaching(socket, "connect");
    return socket;
  } finally {
    clearTimeout(timer);
  }
}

async function secured(socket: Socket, host: string, ca: SecureContextOptions["ca"]): Promise<Socket> {
  const secure = connectTls({
    socket,
    // The certificate has to be for this name, or address; only a name may be sent along (RFC 6066, section 3).
    host,
    servername: isIP(host) === 0 ? host : "",
    ALPNProtocols: ["http/1.1"],
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
  });
  await reaching(secure, "secureConnect");
  return secure;
}

/** Ends with the event, or fails when the socket does before. */
function reaching(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    // It stays: an error that comes later is told by other means, and without a listener it would end the process.
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}

const timedOut = (): Error => Object.assign(new Error("no connection"), { code: "ETIMEDOUT" });
