/** Hashes and ids derived from content. */
import { hmacOf, sha256Of } from "#sha256";
import type { JsonValue } from "./json.ts";

const utf8 = new TextEncoder();

/** SHA-256 in lower-case hexadecimal. */
export const sha256 = (text: string): string => sha256Of(text);

/** HMAC-SHA-256 (RFC 2104) in lower-case hexadecimal. */
export function hmacSha256(secret: string, text: string): string {
  const bytes = hmacOf(utf8.encode(secret), text);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** HMAC-SHA-256 (RFC 2104) with a key that is no text. */
export const hmacSha256Bytes = (key: Uint8Array, text: string): Uint8Array => hmacOf(key, text);

/** The hash of a JSON value, whatever the order of its keys. */
export const hashOf = (value: JsonValue): string => sha256(canonicalJson(value));

/** JSON with sorted keys and without white space: equal values, equal text. Fields that are undefined are left out. */
export function canonicalJson(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  let members = "";
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/**
 * A UUIDv8 (RFC 9562, section 5.8) from the parts that identify something, so that the same parts always give the same
 * id. `purpose` keeps ids of different kinds apart.
 */
export function derivedId(purpose: string, ...parts: readonly (string | number)[]): string {
  const hex = sha256(JSON.stringify([purpose, ...parts]));
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
