/**
 * How many waits an agent may have open: requests that are pending and whose deadline is still to come, whether anybody is
 * there to hear the answer or not. Each is in an index by its deadline until it ends, so nothing has to be counted up or
 * down, and nothing that died can be forgotten in the count.
 */
import { BusError } from "./errors.ts";
import { LONGEST_TOLD_WAIT_MS } from "./limits.ts";
import type { Deps } from "./ports.ts";
import { type Cap, whileThereIsRoom } from "./room.ts";
import { isoAt } from "./time.ts";

type WaitDeps = Pick<Deps, "store" | "limits" | "now">;

/** Opens a wait if its agent may have one more. @throws BusError `rate_limited` with the time when one ends for certain */
export async function openWait<T>(deps: WaitDeps, agentId: string, open: () => Promise<T>): Promise<T> {
  const most = deps.limits.openWaitsPerAgent;
  let firstEndsAt: string | null = null;
  const cap: Cap = {
    of: `wait ${agentId}`,
    most,
    async count() {
      const held = await deps.store.countHeld("wait", agentId, isoAt(deps.now()), most);
      firstEndsAt = held.firstEndsAt;
      return held.count;
    },
    refusal: () => tooMany(deps, most, firstEndsAt),
  };
  return whileThereIsRoom(deps.store, [cap], open);
}

/** An answer may end one at any moment, so nobody is sent away for longer than a minute. */
function tooMany({ now }: WaitDeps, most: number, firstEndsAt: string | null): BusError {
  const leftMs = firstEndsAt === null ? 0 : Date.parse(firstEndsAt) - now();
  const detail = `An agent may have ${most} waits open; an answer, a cancellation or a deadline ends one.`;
  return new BusError("rate_limited", detail, {
    retryAfterMs: Math.min(LONGEST_TOLD_WAIT_MS, Math.max(SHORTEST_TOLD_WAIT_MS, leftMs)),
  });
}

/** Those that are being opened at this moment have no deadline yet to go by. */
const SHORTEST_TOLD_WAIT_MS = 1_000;
