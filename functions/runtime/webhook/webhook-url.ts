/** Which URLs may be called at all, by what stands in them. */
import { isIP } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "./public-address.ts";

/** What common clients and servers take; and it stands in a record. */
const MAX_URL_CHARS = 2_048;

const TOO_LONG = `up to ${MAX_URL_CHARS} characters were expected`;

/** The same for an address and for a name, and whatever the address: it must not tell what a network looks like. */
export const NOT_PUBLIC = "the address is not public";

/** White space, control characters and backslashes, which the WHATWG parser would drop or take for something else. */
const FORGIVEN = /[\s\p{Cc}\\]/u;

/** Letters, digits and hyphens as in RFC 1123; underscores, which occur. At least two labels, none empty. */
const QUALIFIED_NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Names that mean something inside a network only: localhost (RFC 6761), local and what private networks use (RFC 6762
 * with its appendix G), home.arpa (RFC 8375). What they resolve to is judged all the same; this says it earlier.
 */
const PRIVATE_NAMES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
] as const;

export interface AllowedUrl {
  readonly kind: "allowed";
  readonly url: URL;
  /** A name in lower case and Punycode, or an address without brackets. */
  readonly host: string;
  /** It leads to this machine, and may: so must what its name resolves to. */
  readonly isLoopback: boolean;
}

export interface RefusedUrl {
  readonly kind: "refused";
  /** A few words for whoever wants it called. */
  readonly reason: string;
}

/**
 * Reads a URL as the WHATWG URL standard says, which makes one spelling of all (`0x7f.1`, `%31`, full-width letters), and
 * judges what comes out.
 *
 * @param allowLoopback http and https to this machine are fine too, on any port
 */
export function readWebhookUrl(text: string, { allowLoopback }: { allowLoopback: boolean }): AllowedUrl | RefusedUrl {
  if (text.length > MAX_URL_CHARS) return refused(TOO_LONG);
  if (FORGIVEN.test(text) || !URL.canParse(text)) return refused("a URL was expected");
  const url = new URL(text);
  if (url.href.length > MAX_URL_CHARS) return refused(TOO_LONG);
  if (url.username !== "" || url.password !== "") return refused("a URL without a user name and password was expected");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (allowLoopback && isLoopbackUrl(url, host)) return { kind: "allowed", url, host, isLoopback: true };

  if (url.protocol !== "https:") return refused("a URL with https was expected");
  if (url.port !== "") return refused("port 443 was expected");
  const reason = isIP(host) === 0 ? whyNotName(host) : whyNotAddress(host);
  return reason === null ? { kind: "allowed", url, host, isLoopback: false } : refused(reason);
}

function isLoopbackUrl({ protocol }: URL, host: string): boolean {
  return (protocol === "http:" || protocol === "https:") && (host === "localhost" || isLoopbackAddress(host));
}

function whyNotName(host: string): string | null {
  if (PRIVATE_NAMES.some((name) => host === name || host.endsWith(`.${name}`)))
    return "the host name belongs to private networks";
  return QUALIFIED_NAME.test(host) ? null : "a fully qualified host name was expected";
}

const whyNotAddress = (host: string): string | null => (isPublicAddress(host) ? null : NOT_PUBLIC);

const refused = (reason: string): RefusedUrl => ({ kind: "refused", reason });
