/** The operator `cidr`: a range of IPv4 or IPv6 addresses, as `10.0.0.0/24` or `2001:db8::/32`. */
import type { Report, ValueTest } from "./value-test.ts";

/** EventBridge wants more than one address in a range: at most 31 bits of a mask for IPv4, 127 for IPv6. */
export function cidrTest(argument: unknown, pointer: string, report: Report): ValueTest | null {
  if (typeof argument !== "string") return report(pointer, "expected a string like 10.0.0.0/24");
  const [address = "", mask = "", ...rest] = argument.split("/");
  const first = readAddress(address);
  if (first === null || rest.length > 0)
    return report(pointer, "expected an IPv4 or IPv6 address, a slash and a mask, as in 10.0.0.0/24");
  const maxBits = first.length * 8 - 1;
  if (!/^\d{1,3}$/.test(mask) || Number(mask) > maxBits)
    return report(pointer, `expected a mask from 0 to ${maxBits} bits`);
  const last = withHostBitsSet(first, Number(mask));
  return (value) => {
    const bytes = typeof value === "string" ? readAddress(value) : null;
    // From the address as written, as EventBridge has it, even when that is not the first of its network.
    return bytes?.length === first.length && compare(bytes, first) >= 0 && compare(bytes, last) <= 0;
  };
}

function withHostBitsSet(address: readonly number[], maskBits: number): number[] {
  return address.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, maskBits - 8 * i))));
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return 0;
}

/** The longest form of an address has 39 characters. */
const MAX_ADDRESS_CHARS = 39;

/** The alternatives of a field are tried on one value after the other: each needs to be read only once. */
let lastRead: { readonly text: string; readonly address: readonly number[] | null } = { text: "", address: null };

function readAddress(text: string): readonly number[] | null {
  if (text.length > MAX_ADDRESS_CHARS) return null;
  if (text !== lastRead.text) lastRead = { text, address: parseAddress(text) };
  return lastRead.address;
}

/** The 4 or 16 bytes of an address, or null. An IPv4 address in IPv6 form is an IPv4 address. */
function parseAddress(text: string): number[] | null {
  if (!text.includes(":")) return parseV4(text);
  const bytes = parseV6(text);
  const isMapped = bytes?.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff)) === true;
  return isMapped ? (bytes?.slice(12) ?? null) : bytes;
}

function parseV4(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 0xff) ? bytes : null;
}

/** Eight groups; one `::` may stand for as many zero groups as are missing. */
function parseV6(text: string): number[] | null {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...before, ...Array<number>(missing).fill(0), ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(text: string): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : null;
}
