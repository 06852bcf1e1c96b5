/**
 * What could not be brought to a deployed subscriber: its delivery is recorded as dead (I7), beside those of run-time
 * subscriptions, where it is listed and can be redriven.
 */

import { expiryOf } from "../draft-event.ts";
import type { BusEvent } from "../event.ts";
import type { Deps } from "../ports.ts";
import { DEPLOYED_OWNER, deployedId } from "../subscriptions/records.ts";
import { isoAt } from "../time.ts";
import { dead, newDelivery } from "./delivery.ts";

/** A dead letter, as whoever gave it up tells it. */
export interface DeadLetter {
  /** The deployed subscriber's name. */
  readonly subscriber: string;
  readonly event: Pick<BusEvent, "id" | "type">;
  readonly reason: string;
  /** How often it was tried, as far as that is known. */
  readonly attempts: number;
}

/** @throws BusError `unavailable`: record it again */
export async function recordDeadLetter(
  deps: Pick<Deps, "store" | "now" | "newToken" | "limits" | "log">,
  { subscriber, event, reason, attempts }: DeadLetter,
): Promise<void> {
  const nowMs = deps.now();
  const at = isoAt(nowMs);
  const entry = {
    subscriptionId: deployedId(subscriber),
    owner: DEPLOYED_OWNER,
    name: subscriber,
    kind: "deployed",
  } as const;
  const begun = newDelivery(event, entry, {
    nowMs,
    fence: deps.newToken(),
    expiresAt: expiryOf(deps, nowMs),
  });
  const end = { at, reason, fence: deps.newToken(), attempt: { at, outcome: reason } };
  const put = await deps.store.createDelivery({ ...dead(begun, end), attempts });
  const isKnown = put.kind === "exists" && put.record.state === "DEAD";
  if (put.kind === "exists") {
    // It was redriven, and is dead again; or it is told twice, or is dead again before it was marked as redriven: then
    // the mark must not be set any more.
    const next = isKnown ? { ...put.record, fence: end.fence } : { ...dead(put.record, end), attempts };
    await deps.store.replaceDelivery(next, put.record.fence);
  }
  if (!isKnown)
    deps.log.warn("a delivery to a deployed subscriber is dead", { subscriber, event_id: event.id, reason });
}
