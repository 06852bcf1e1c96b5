/**
 * Works the webhook queue off as the real one is: each task when it is time to, and again as long as it is not done. What
 * waits long stays in this queue; `dropLong` makes it as forgetful as the one on AWS.
 */
import { LONGEST_HIDDEN_MS } from "../../shared/limits.ts";
import { deliverWebhook } from "../../shared/webhooks/deliver.ts";
import type { BusInMemory } from "./bus-in-memory.ts";

/** A message whose worker died comes back to the queue after this. */
const VISIBILITY_MS = 90_000;

/** Makes every attempt that is due by now. @returns how many tasks were taken up */
export async function workDue(bus: BusInMemory): Promise<number> {
  let taken = 0;
  while (await workNext(bus, bus.clock.nowMs)) taken++;
  return taken;
}

/** Makes every attempt as it falls due, time passing in between, until the queue is empty or for so long. */
export async function workOff(bus: BusInMemory, forMs = Number.POSITIVE_INFINITY): Promise<void> {
  const untilMs = bus.clock.nowMs + forMs;
  while (await workNext(bus, untilMs));
  if (Number.isFinite(untilMs)) await bus.clock.pause(untilMs - bus.clock.nowMs);
}

/** Forgets what waits for longer than a queue on AWS hides it: the reconciler is to send for it. */
export function dropLong({ webhookQueue: { waiting }, clock }: BusInMemory): void {
  const kept = waiting.filter(({ visibleAtMs }) => visibleAtMs - clock.nowMs <= LONGEST_HIDDEN_MS);
  waiting.splice(0, waiting.length, ...kept);
}

/** Takes up the next task that is due before a moment, waiting for it. */
async function workNext(bus: BusInMemory, untilMs: number): Promise<boolean> {
  const { waiting } = bus.webhookQueue;
  waiting.sort((a, b) => a.visibleAtMs - b.visibleAtMs);
  const next = waiting[0];
  if (next === undefined || next.visibleAtMs > untilMs) return false;
  waiting.shift();
  if (next.visibleAtMs > bus.clock.nowMs) await bus.clock.pause(next.visibleAtMs - bus.clock.nowMs);
  const again = (afterMs: number): void => {
    waiting.push({ task: next.task, visibleAtMs: bus.clock.nowMs + afterMs });
  };
  try {
    const outcome = await deliverWebhook(bus.deps, next.task);
    if (outcome.kind === "again") again(outcome.afterMs);
  } catch {
    again(VISIBILITY_MS);
  }
  return true;
}
