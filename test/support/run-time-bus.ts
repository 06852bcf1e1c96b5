/** What tests of run-time subscriptions do over and over: subscribe, publish, ask, and bring it to who wants it. */
import { openAgent } from "../../shared/agents/agent.ts";
import { dispatchEvent } from "../../shared/deliveries/dispatch.ts";
import { type Message, type TakeOptions, takeMessages } from "../../shared/deliveries/message-queue.ts";
import { acknowledge } from "../../shared/deliveries/message-receipts.ts";
import { emit } from "../../shared/emit.ts";
import type { DeliveredEvent } from "../../shared/event.ts";
import type { JsonObject } from "../../shared/json.ts";
import { type ReconcileReport, reconcile } from "../../shared/reconcile.ts";
import type { RequestRecord } from "../../shared/records.ts";
import { openRequest } from "../../shared/request.ts";
import { subscribe } from "../../shared/subscriptions/subscribe.ts";
import type { BusInMemory } from "./bus-in-memory.ts";
import { HOOK } from "./scripted-webhooks.ts";

/** Who subscribes, and who publishes. */
export const OWNER = "owner";
export const EMITTER = { agent: openAgent("emitter") };

/** An event type without deployed subscribers. */
export const TYPE = "UPGRADE_REQUESTED";

/** A subscription to a webhook; what is given replaces its fields. */
export const webhookInput = (change: object = {}): object => ({
  name: "hook",
  event_types: [TYPE],
  target: { kind: "webhook", url: HOOK },
  ...change,
});

/** A subscription to a queue. */
export const queueInput = (change: object = {}): object => ({
  name: "queue",
  event_types: [TYPE],
  target: { kind: "queue" },
  ...change,
});

/** @returns the id of the new subscription */
export async function subscribed({ deps }: BusInMemory, input: object, owner = OWNER): Promise<string> {
  return (await subscribe(deps, input, openAgent(owner))).subscription.subscription_id;
}

/** Publishes an event and brings it to who wants it. @returns its id */
export async function publish(bus: BusInMemory, data: JsonObject = {}, type = TYPE): Promise<string> {
  const event = await published(bus, data, type);
  await dispatchEvent(bus.deps, event);
  return event.id;
}

/** Publishes an event, which is not dispatched yet. @returns it as it is to be dispatched */
export async function published(bus: BusInMemory, data: JsonObject = {}, type = TYPE): Promise<DeliveredEvent> {
  const { afterwards } = await emit(bus.deps, { type, data }, EMITTER);
  await afterwards();
  return lastPublished(bus);
}

/** Asks, and brings the question to who wants it; nobody waits for the answer yet. */
export async function ask(bus: BusInMemory, change: object = {}): Promise<RequestRecord> {
  const { request, settled } = await openRequest(bus.deps, { type: TYPE, data: {}, timeout: 60, ...change }, EMITTER);
  await settled;
  await dispatchEvent(bus.deps, lastPublished(bus));
  return request;
}

function lastPublished({ publisher }: BusInMemory): DeliveredEvent {
  const event = publisher.published.at(-1);
  if (event === undefined) throw new Error("Nothing was published.");
  return event;
}

/** Takes messages, without waiting for any unless told to. */
export function take(
  { deps }: BusInMemory,
  subscriptionId: string,
  options: Partial<TakeOptions> = {},
): Promise<Message[]> {
  const { signal } = new AbortController();
  return takeMessages(deps, subscriptionId, OWNER, { waitMs: 0, max: 10, signal, ...options });
}

/** The message that is there, alone. */
export async function takeOne(bus: BusInMemory, subscriptionId: string): Promise<Message> {
  const [message, ...others] = await take(bus, subscriptionId);
  if (message === undefined || others.length > 0) throw new Error(`${others.length} messages more than one.`);
  return message;
}

/** What becomes of a receipt that is acknowledged. */
export async function ack({ deps }: BusInMemory, subscriptionId: string, receipt: string): Promise<string | undefined> {
  return (await acknowledge(deps, subscriptionId, OWNER, [receipt]))[0]?.status;
}

/** A run of the reconciler with a minute to go. */
export const reconciled = ({ deps }: BusInMemory): Promise<ReconcileReport> =>
  reconcile(deps, { untilMs: deps.monotonic() + 60_000 });

/** Time passes, and the reconciler runs every minute meanwhile. */
export async function minutesPass(bus: BusInMemory, minutes: number): Promise<void> {
  for (let i = 0; i < minutes; i++) {
    await bus.clock.pause(60_000);
    await reconciled(bus);
  }
}
