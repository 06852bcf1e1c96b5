/** Items as the bus writes them, of a typical size: the bus's own code makes them, of records with everything in them. */
import { eventToItems, listenerToItem, requestToItem, responseToItem } from "../../functions/runtime/dynamo/items.ts";
import { deliveryToItem, subscriptionToItem } from "../../functions/runtime/dynamo/subscription-items.ts";
import { delivered, newDelivery, takenOn } from "../../shared/deliveries/delivery.ts";
import { DELIVERY_OVERDUE_MS } from "../../shared/limits.ts";
import type { EventRecord, RequestRecord, ResponseRecord } from "../../shared/records.ts";
import type { DeliveryRecord, SubscriptionRecord, SubscriptionTarget } from "../../shared/subscriptions/records.ts";
import { isoAt } from "../../shared/time.ts";
import type { Item } from "../counted/units.ts";

/** What the size of items depends on. */
export interface Shape {
  readonly type: string;
  /** The ids of who sends, asks and answers. */
  readonly agent: string;
  /** Of the events' `data`, and of answers. */
  readonly dataBytes: number;
  readonly agentType?: string | undefined;
  /** The conversation that it joins; its own when not given. */
  readonly conversation?: string | undefined;
}

const NOW_MS = Date.parse("2026-06-01T12:00:00.123Z");
const AT = isoAt(NOW_MS);
const EVENT_ID = "01979a3e-0000-7000-8000-000000000001";
const OTHER_ID = "01979a3e-0000-8000-8000-000000000002";
const HASH = "0".repeat(64);
/** 128 bits. */
const TOKEN = "A".repeat(22);
const EXPIRES_AT = Math.ceil(NOW_MS / 1_000) + 1_234_567;

const dataOf = (bytes: number): { text: string } => ({ text: "x".repeat(Math.max(0, bytes - '{"text":""}'.length)) });

/** `META` as it is put, and `BODY` where the data is large. */
export function eventItems(shape: Shape, kind: EventRecord["kind"]): { meta: Item; body: Item | null } {
  const { type, agent, agentType, conversation, dataBytes } = shape;
  return eventToItems({
    event: {
      id: EVENT_ID,
      type,
      data: dataOf(dataBytes),
      ...(agentType === undefined ? {} : { agent_type: agentType }),
      timestamp: AT,
      correlation_id: conversation ?? EVENT_ID,
      hops: 0,
      source: agent,
      ...(kind === "request" ? { deadline: AT } : {}),
    },
    kind,
    payloadHash: HASH,
    replyToken: TOKEN,
    commitId: TOKEN,
    published: false,
    relayAttempts: 0,
    expiresAt: EXPIRES_AT,
  });
}

/** The same once it is published: out of the index of work. */
export const published = (meta: Item): Item => ({ ...without(meta, WORK), published: { BOOL: true } });

export function requestItem({ type, agent }: Shape): Item {
  const record: RequestRecord = {
    eventId: EVENT_ID,
    eventType: type,
    state: "PENDING",
    expect: { mode: "first" },
    expected: [],
    speakers: [],
    requester: agent,
    createdAt: AT,
    deadline: AT,
    payloadHash: HASH,
    replyToken: TOKEN,
    acceptedIds: [],
    answeredBy: [],
    progressCount: 0,
  };
  return requestToItem(record);
}

/** A request that has ended: nobody's work, and nobody's open wait. */
export const ended = (request: Item): Item => ({
  ...without(request, [...WORK, "agent_pk", "time_sk"]),
  state: { S: "TIMED_OUT" },
  ended_at: { S: AT },
  expires_at: { N: String(EXPIRES_AT) },
});

/** The same by an answer. */
export const answered = (request: Item): Item => ({
  ...ended(request),
  state: { S: "ANSWERED" },
  answers: { N: "1" },
  accepted_ids: { SS: [OTHER_ID] },
});

export function responseItem({ agent, dataBytes }: Shape): Item {
  const record: ResponseRecord = {
    responseId: OTHER_ID,
    eventId: EVENT_ID,
    response: dataOf(dataBytes),
    status: "ok",
    sender: agent,
    afterEnd: false,
    timestamp: AT,
    payloadHash: HASH,
    expiresAt: EXPIRES_AT,
  };
  return responseToItem(record);
}

/** A subscriber made at run time. */
export interface Subscriber {
  readonly owner: string;
  readonly name: string;
  readonly kind: SubscriptionTarget["kind"];
}

/** A delivery at its beginning, taken on, and done. */
export function deliveryItems({ type }: Shape, { owner, name, kind }: Subscriber): Record<DeliveryStep, Item> {
  const to = { subscriptionId: OTHER_ID, owner, name, kind };
  const begun = newDelivery({ id: EVENT_ID, type }, to, { nowMs: NOW_MS, fence: TOKEN, expiresAt: EXPIRES_AT });
  const untilMs = NOW_MS + DELIVERY_OVERDUE_MS;
  const tendAt = kind === "webhook" ? isoAt(untilMs + 1) : undefined;
  const taken = takenOn(begun, { fence: TOKEN, untilMs, tendAt });
  const done = delivered(taken, { at: AT, outcome: kind === "webhook" ? "HTTP 204" : "acknowledged" });
  const items: Record<DeliveryStep, DeliveryRecord> = { begun, taken, done };
  return { begun: deliveryToItem(items.begun), taken: deliveryToItem(items.taken), done: deliveryToItem(items.done) };
}

export type DeliveryStep = "begun" | "taken" | "done";

const TARGETS: Readonly<Record<Subscriber["kind"], SubscriptionTarget>> = {
  queue: { kind: "queue", visibilitySeconds: 30, maxAttempts: 5 },
  webhook: { kind: "webhook", url: "https://agent.example.com/events", format: "event" },
};

export function subscriptionItem({ type }: Shape, { owner, name, kind }: Subscriber): Item {
  const record: SubscriptionRecord = {
    subscriptionId: OTHER_ID,
    owner,
    name,
    eventTypes: [type],
    target: TARGETS[kind],
    answers: true,
    status: "active",
    secrets: kind === "webhook" ? [{ secret: `whsec_${"A".repeat(44)}` }] : [],
    createdAt: AT,
    updatedAt: AT,
    activeSince: AT,
    version: 1,
    indexedTypes: [type],
    isIndexed: true,
  };
  return subscriptionToItem(record);
}

/** The presence of who polls a queue. */
export const presenceItem = ({ type }: Shape, { name }: Subscriber): Item =>
  listenerToItem({ eventType: type, name, streamId: OTHER_ID, kind: "queue", leasedUntil: NOW_MS });

const WORK: readonly string[] = ["work_pk", "work_sk"];

const without = (item: Item, names: readonly string[]): Item =>
  Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)));
