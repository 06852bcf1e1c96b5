/**
 * base64 (RFC 4648): the plain alphabet with padding (section 4), and the one without that is safe in a URL and in a
 * header (section 5).
 */

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** @throws Error when it is not base64 */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @throws Error when it is not base64url */
export function fromBase64Url(text: string): Uint8Array {
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}

/** Text as base64url of its UTF-8. */
export const textToBase64Url = (text: string): string => toBase64Url(new TextEncoder().encode(text));

/** @throws Error when it is not base64url */
export const textFromBase64Url = (text: string): string => new TextDecoder().decode(fromBase64Url(text));
