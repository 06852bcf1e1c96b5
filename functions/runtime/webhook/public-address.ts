/**
 * Which addresses belong to the public internet. Whatever is not known to is refused: what IANA lists as special, even
 * where parts of it can be reached (https://www.iana.org/assignments/iana-ipv4-special-registry,
 * https://www.iana.org/assignments/iana-ipv6-special-registry), and what carries an IPv4 address inside, which would
 * reach that one.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * The only IPv6 addresses given to anybody (RFC 4291, section 2.4). It leaves out what ipaddr.js takes for unicast: IPv4
 * inside (`::a.b.c.d`), `100:0:0:1::/64` (RFC 9780), and all that is not in use yet.
 */
const GLOBAL_UNICAST: readonly [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** The middle of an ISATAP address (RFC 5214, section 6.1), before the IPv4 address that it leads to. */
const ISATAP = { high: [0x0000, 0x0200], low: 0x5efe } as const;

/** Whether it is a public unicast address. @param address IPv4 or IPv6 as text; anything else is not */
export function isPublicAddress(address: string): boolean {
  const parsed = parse(address);
  if (parsed === null || parsed.range() !== "unicast") return false;
  return parsed instanceof ipaddr.IPv4 || (parsed.match([...GLOBAL_UNICAST]) && !isIsatap(parsed));
}

/** Whether it is 127.0.0.0/8 or ::1. @param address IPv4 or IPv6 as text; anything else is not */
export function isLoopbackAddress(address: string): boolean {
  return parse(address)?.range() === "loopback";
}

/** Only the standard spellings: ipaddr.js would read 127.1 and 0x7f.1 too, and has to mean what the socket means. */
function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  // A zone (`%eth0`) says through which interface, which is never the internet.
  return isIP(address) === 0 || address.includes("%") ? null : ipaddr.parse(address);
}

function isIsatap({ parts }: ipaddr.IPv6): boolean {
  const [, , , , high, low] = parts;
  return low === ISATAP.low && ISATAP.high.some((value) => value === high);
}
