/** UUIDv7 (RFC 9562, section 5.7): 48 bits of time, a 12-bit counter against order lost within a millisecond, 62 random bits. */
import { randomBytes } from "./random.ts";

let lastMs = 0;
let counter = 0;

/** A fresh id; ids of one process sort in the order in which they were made. */
export function uuidv7(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // The upper bit is left free, so that the counter seldom runs over (RFC 9562, section 6.2).
    counter = randomBytes(2).readUInt16BE() & 0x7ff;
  } else if (++counter > 0xfff) {
    lastMs++;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, "0");
  const random = randomBytes(8);
  random[0] = ((random[0] as number) & 0x3f) | 0x80;
  const tail = random.toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
