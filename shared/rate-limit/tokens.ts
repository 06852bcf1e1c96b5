/** What a call costs beyond the token that each costs: by how much it makes the bus read and write. */
import type { Deps } from "../ports.ts";

/** Records that are read and written for a token; an event is about as many. */
const RECORDS_PER_TOKEN = 5;

/** @param records that are read and written */
export const tokensBeyondOne = (records: number): number => Math.max(0, Math.ceil(records / RECORDS_PER_TOKEN) - 1);

/** Takes what a call costs where only its work shows how much that is. @throws BusError `rate_limited` */
export function payFor({ limiter }: Pick<Deps, "limiter">, agentId: string, records: number): Promise<void> {
  return limiter.take(agentId, tokensBeyondOne(records), 1);
}
