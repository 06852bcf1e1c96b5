/** What goes on after a process has died: queues bring again, the reconciler runs each minute, agents poll. */

import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import { workDue } from "../../support/webhook-worker.ts";
import type { DyingProcess } from "./dying-process.ts";
import type { Stage } from "./stage.ts";

/** Longer than everything that anybody leaves to somebody else: leases, grace times, retries of a webhook. */
const MINUTES = 14;

export async function recover(stage: Stage): Promise<void> {
  const { bus } = stage;
  let dispatched = 0;
  for (let minute = 0; minute < MINUTES; minute++) {
    for (; dispatched < stage.published.length; dispatched++)
      await dispatchEvent(bus.deps, stage.published[dispatched] as DeliveredEvent);
    await workDue(bus);
    for (const subscriptionId of stage.activeQueues) await drainQueue(stage, subscriptionId);
    await bus.clock.pause(60_000);
    await reconcile(bus.deps, { untilMs: bus.deps.monotonic() + 60_000 });
  }
}

/** Takes and acknowledges what is there. */
async function drainQueue(stage: Stage, subscriptionId: string): Promise<void> {
  for (;;) {
    const receipts = await take(stage, stage.lasting, subscriptionId);
    if (receipts.length === 0) return;
    await acknowledge(stage, stage.lasting, subscriptionId, receipts);
  }
}

type Process = Pick<DyingProcess, "deps" | "isDead">;

/** @returns the receipts of what the agent got */
export async function take(stage: Stage, process: Process, subscriptionId: string): Promise<string[]> {
  const outcome = await stage.call(
    process,
    "owner",
    ["take", { subscriptionId }],
    ["GET", `/subscriptions/${subscriptionId}/messages`],
    ({ messages }: { messages: { event: { id: string }; receipt: string; attempt: number }[] }) =>
      messages.map(({ event, receipt, attempt }) => ({ eventId: event.id, receipt, attempt })),
  );
  if (outcome.kind !== "ok") return [];
  stage.handOvers.push(...outcome.answer.map(({ eventId }) => ({ subscriptionId, eventId })));
  return outcome.answer.map(({ receipt }) => receipt);
}

export async function acknowledge(
  stage: Stage,
  process: Process,
  subscriptionId: string,
  receipts: readonly string[],
): Promise<string> {
  const path = `/subscriptions/${subscriptionId}/ack`;
  const outcome = await stage.call(
    process,
    "owner",
    ["acknowledge", { subscriptionId, receipts }],
    ["POST", path, { receipts }],
    ({ results }: { results: { receipt: string; status: "ok" | "expired" }[] }) => results,
  );
  if (outcome.kind !== "ok") return outcome.kind;
  return outcome.answer.every(({ status }) => status === "ok") ? "ok" : "expired";
}
