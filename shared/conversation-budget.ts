/**
 * The event budget of a conversation: stops loops that have lost their causation (I10).
 *
 * Counting every event would cost one more write each. Instead one event in `w` is counted, and counts for `w`, with
 * `w` a thousandth of the budget: all for budgets up to 1,000, and within about 3 % (one standard deviation,
 * sqrt(1/1000)) for larger ones. It is counted once the event is acknowledged, so what comes at the same moment is let
 * through: it is a loop's end that matters, not the last event. Which event is counted follows from its id, so a replay counts the same.
 */
import { BusError } from "./errors.ts";
import { shardOf } from "./keys.ts";
import type { Deps } from "./ports.ts";
import type { EventRecord } from "./records.ts";

/** @throws BusError `loop_detected` when the conversation has had its events */
export async function checkBudget(deps: Pick<Deps, "store" | "limits">, correlationId: string): Promise<void> {
  const budget = deps.limits.eventsPerConversation;
  if ((await deps.store.getConversationCount(correlationId)) < budget) return;
  throw new BusError(
    "loop_detected",
    `This conversation has had its ${budget} events, as a loop would. What is new may begin another conversation.`,
    {
      errors: [{ pointer: "/correlation_id", detail: "none, or a conversation with events left, was expected" }],
    },
  );
}

/** Counts an event that joined a conversation. One that begins its own is not counted: it costs nothing extra. */
export async function countEvent(deps: Pick<Deps, "store" | "limits">, record: EventRecord): Promise<void> {
  const { id, correlation_id } = record.event;
  if (correlation_id === id) return;
  const weight = Math.max(1, Math.floor(deps.limits.eventsPerConversation / 1_000));
  if (shardOf(id, weight) !== 0) return;
  await deps.store.addToConversationCount(correlation_id, weight, record.expiresAt);
}
