/** The operator `cidr`: a range of IPv4 or IPv6 addresses, as `10.0.0.0/24` or `2001:db8::/32`. And single addresses. */
import type { Report, Scalar, ValueTest } from "./value-test.ts";

const BITS_PER_DIGIT = 4;

/** EventBridge wants more than one address in a range: at most 31 bits of a mask for IPv4, 127 for IPv6. */
export function cidrTest(argument: unknown, pointer: string, report: Report): ValueTest | null {
  if (typeof argument !== "string") return report(pointer, "expected a string like 10.0.0.0/24");
  const [address = "", mask = "", ...rest] = argument.split("/");
  const digits = readAddress(address);
  if (digits === null || rest.length > 0)
    return report(pointer, "expected an IPv4 or IPv6 address, a slash and a mask, as in 10.0.0.0/24");
  const maxBits = digits.length * BITS_PER_DIGIT - 1;
  if (!/^\d{1,3}$/.test(mask) || Number(mask) > maxBits)
    return report(pointer, `expected a mask from 0 to ${maxBits} bits`);
  const { first, last } = rangeOf(digits, Number(mask));
  return (value) => {
    const given = digitsOf(value);
    return given !== null && given >= first && given.slice(0, last.length) <= last;
  };
}

function rangeOf(digits: string, maskBits: number): { first: string; last: string } {
  const kept = Math.floor(maskBits / BITS_PER_DIGIT);
  const network = digits.slice(0, kept);
  const divided = Number.parseInt(digits.charAt(kept), 16);
  const hostBits = 0xf >> (maskBits % BITS_PER_DIGIT);
  return {
    first: `${network}${hex(divided & ~hostBits, 1)}`.padEnd(digits.length, "0"),
    last: `${network}${hex(divided | hostBits, 1)}`.padEnd(digits.length, "F"),
  };
}

/**
 * What EventBridge compares with a range: digits, whatever the family of the address, so that `10.0.0.0/8` takes
 * `a00::1`. It takes a number for digits, too.
 */
function digitsOf(value: Scalar): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? readAddress(value) : null;
}

/** The test of a single address, which EventBridge takes however it is spelt; null for text that is no address. */
export function addressTest(text: string): ValueTest | null {
  const address = readAddress(text);
  return address === null ? null : (value) => typeof value === "string" && readAddress(value) === address;
}

/** The longest form of an address has 39 characters. */
const MAX_ADDRESS_CHARS = 39;

/** The alternatives of a field are tried on one value after the other: each needs to be read only once. */
let lastRead: { readonly text: string; readonly address: string | null } = { text: "", address: null };

function readAddress(text: string): string | null {
  if (text.length > MAX_ADDRESS_CHARS) return null;
  if (text !== lastRead.text) lastRead = { text, address: text.includes(":") ? readV6(text) : readV4(text) };
  return lastRead.address;
}

/** The eight hexadecimal digits of an address, or null. */
function readV4(text: string): string | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 0xff) ? bytes.map((byte) => hex(byte, 2)).join("") : null;
}

const V4_IN_V6 = `${"0".repeat(20)}FFFF`;

/** The 32 digits of eight groups; one `::` may stand for as many zero groups as are missing. Eight for `::ffff:a00:1`. */
function readV6(text: string): string | null {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const digits = [...before, ...Array<string>(missing).fill("0000"), ...after].join("");
  return digits.startsWith(V4_IN_V6) ? digits.slice(V4_IN_V6.length) : digits;
}

function groupsOf(text: string): string[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => group.toUpperCase().padStart(4, "0"))
    : null;
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}
