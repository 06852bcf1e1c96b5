/**
 * SHA-256 for `#sha256` where there is no Node: by a library that is synchronous and runs everywhere. Web Crypto is neither (a
 * page that is not served over TLS has none).
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** SHA-256 of a text in UTF-8, in lower-case hexadecimal. */
export const sha256Of = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** HMAC-SHA-256 (RFC 2104) of a text in UTF-8. */
export const hmacOf = (key: Uint8Array, text: string): Uint8Array => hmac(sha256, key, utf8ToBytes(text));
