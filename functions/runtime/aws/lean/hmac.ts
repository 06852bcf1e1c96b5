/**
 * HMAC-SHA-256 (RFC 2104) under a key that is used often, as two plain hashes: on Node 24 a `createHmac` takes 8 microseconds,
 * and the two 1.
 */
import { createHmac, hash } from "node:crypto";

/** Of SHA-256. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** What is signed has some 150 characters; longer texts take the ordinary way. */
const MAX_TEXT_BYTES = 1_024;

export class HmacSha256 {
  private readonly key: Buffer;
  private readonly inner: Buffer;
  /** Its second part is the inner hash of the text at hand: nothing here waits, so one is enough. */
  private readonly outer: Buffer;

  /** @param key of at most 64 bytes: a longer one would have to be hashed first */
  constructor(key: Buffer) {
    if (key.length > BLOCK_BYTES) throw new RangeError(`A key has at most ${BLOCK_BYTES} bytes.`);
    this.key = key;
    this.inner = Buffer.concat([blockOf(key, 0x36), Buffer.alloc(MAX_TEXT_BYTES)]);
    this.outer = Buffer.concat([blockOf(key, 0x5c), Buffer.alloc(DIGEST_BYTES)]);
  }

  /** Of a text in UTF-8, in lower-case hexadecimal. */
  hexOf(text: string): string {
    // Three bytes are the most that a unit of a string becomes.
    if (text.length * 3 > MAX_TEXT_BYTES) return createHmac("sha256", this.key).update(text).digest("hex");
    const end = BLOCK_BYTES + this.inner.write(text, BLOCK_BYTES);
    hash("sha256", this.inner.subarray(0, end), "buffer").copy(this.outer, BLOCK_BYTES);
    return hash("sha256", this.outer);
  }
}

/** The key, filled up with zeros, each byte of it crossed with another. */
function blockOf(key: Buffer, cross: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, cross);
  key.forEach((byte, i) => {
    block[i] = byte ^ cross;
  });
  return block;
}
