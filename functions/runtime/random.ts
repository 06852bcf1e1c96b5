/**
 * Random bytes for ids and tokens, fetched from the system some hundreds of ids at a time: one call for each would take as
 * long as the rest of an id.
 *
 * None are fetched before the first are needed: an environment that is started from a snapshot must not have the random
 * bytes of its siblings.
 */
import { randomFillSync } from "node:crypto";

const POOL_BYTES = 8_192;

let pool: Buffer | null = null;
let used = POOL_BYTES;

/** So many fresh bytes, up to 64, of which nobody else has had any. They are the caller's to keep and to change. */
export function randomBytes(count: number): Buffer {
  if (pool === null || used + count > POOL_BYTES) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(POOL_BYTES));
    used = 0;
  }
  const fresh = pool.subarray(used, used + count);
  used += count;
  return fresh;
}
