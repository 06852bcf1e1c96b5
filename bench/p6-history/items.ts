/** The items of a table, as the bus writes them: made by the same code, in the state in which its own writes leave them. */
import { eventToItems, requestToItem, responseToItem } from "../../functions/runtime/dynamo/items.ts";
import { deliveryToItem } from "../../functions/runtime/dynamo/subscription-items.ts";
import type { Item } from "../../functions/runtime/dynamo/table.ts";
import type { BusEvent } from "../../shared/event.ts";
import type { EventRecord, RequestRecord, ResponseRecord } from "../../shared/records.ts";
import type { DeliveryRecord } from "../../shared/subscriptions/records.ts";
import { EXPIRES_AT, eventAt, isDead, isQuestion, isQueued } from "./events.ts";

/** Whose deliveries these are. */
export const OWNER = "agent-1";
export const DEAD_SUBSCRIPTION = "dead-subscription";
export const QUEUE_SUBSCRIPTION = "queue-subscription";

/** The event of an age, and what came of it. @param count how many events the table has */
export function itemsAt(age: number, count: number): Item[] {
  const record = eventAt(age, count);
  const { meta, body } = eventToItems(record);
  const { event } = record;
  return [
    meta,
    ...(body === null ? [] : [body]),
    ...(isQuestion(age) ? [answeredRequestItem(record), responseToItem(responseTo(record))] : []),
    ...(isDead(age) ? [deliveryToItem(deadDelivery(event))] : []),
    ...(isQueued(age) ? [deliveryToItem(queuedMessage(event))] : []),
  ];
}

export const requestOf = ({ event, payloadHash, replyToken }: EventRecord): RequestRecord => ({
  eventId: event.id,
  eventType: event.type,
  state: "PENDING",
  expect: { mode: "first" },
  expected: ["alice"],
  requester: event.source,
  createdAt: event.timestamp,
  deadline: event.timestamp,
  payloadHash,
  replyToken,
  acceptedIds: [],
  answeredBy: [],
  progressCount: 0,
});

export const responseTo = ({ event, payloadHash }: EventRecord): ResponseRecord => ({
  responseId: "answer",
  eventId: event.id,
  response: { ok: true },
  status: "ok",
  sender: "agent-2",
  subscriber: "alice",
  afterEnd: false,
  timestamp: event.timestamp,
  payloadHash,
  expiresAt: EXPIRES_AT,
});

/** What the write that accepts the answer makes of the request's item. */
function answeredRequestItem(record: EventRecord): Item {
  const { work_pk, work_sk, agent_pk, time_sk, ...item } = requestToItem(requestOf(record));
  return {
    ...item,
    state: { S: "ANSWERED" },
    answers: { N: "1" },
    ended_at: { S: record.event.timestamp },
    expires_at: { N: String(EXPIRES_AT) },
    accepted_ids: { SS: ["answer"] },
    answered_by: { SS: ["alice"] },
  };
}

const delivery = ({ id, type, timestamp }: BusEvent) => ({
  eventId: id,
  eventType: type,
  owner: OWNER,
  name: "billing",
  fence: "fence",
  log: [],
  createdAt: timestamp,
  nextAttemptAt: timestamp,
  redrives: 0,
  expiresAt: EXPIRES_AT,
});

export const deadDelivery = (event: BusEvent): DeliveryRecord => ({
  ...delivery(event),
  subscriptionId: DEAD_SUBSCRIPTION,
  kind: "webhook",
  state: "DEAD",
  attempts: 8,
  endedAt: event.timestamp,
  reason: "HTTP 503",
});

export const queuedMessage = (event: BusEvent): DeliveryRecord => ({
  ...delivery(event),
  subscriptionId: QUEUE_SUBSCRIPTION,
  kind: "queue",
  state: "PENDING",
  attempts: 0,
});
