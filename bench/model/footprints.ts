/**
 * What each operation asks of AWS: calls, write units of the table and of each index, read units. Written down as the bus is
 * built; a test carries the operations out and compares (`test/unit/bench/model-counts.test.ts`).
 */
import { INDEX_SHARDS, RATE_CREDIT } from "../../shared/limits.ts";
import { type Counts, NO_COUNTS, sumOf, times } from "../counted/tally.ts";
import { type Change, type Item, indexEntry, itemBytes, unitsOfRead, writeUnits } from "../counted/units.ts";
import type { Shape, Subscriber } from "./items.ts";
import * as items from "./items.ts";

/** PutEvents takes 10 entries, and so does SendMessageBatch. */
const ENTRIES_PER_CALL = 10;
/** Events that a page reads at once. */
const PORTION = 50;

const write = (operation: "PutItem" | "UpdateItem", change: Change): Counts => ({
  ...NO_COUNTS,
  calls: { [`dynamodb ${operation}`]: 1 },
  writeUnits: writeUnits(change),
});
const put = (after: Item): Counts => write("PutItem", { before: null, after });

/** One call that reads some items together, or finds none. */
const read = (operation: "GetItem" | "Query", found: readonly (Item | null)[], isConsistent = true): Counts => ({
  ...NO_COUNTS,
  calls: { [`dynamodb ${operation}`]: 1 },
  readUnits: unitsOfRead(
    found.reduce((sum, item) => sum + (item === null ? 0 : itemBytes(item)), 0),
    isConsistent,
  ),
});
const get = (item: Item | null): Counts => read("GetItem", [item]);
/** Together in one call; what never changes is read at half the price. */
const getEach = (found: readonly Item[], changes: "may change" | "never change"): Counts => ({
  ...NO_COUNTS,
  calls: { "dynamodb BatchGetItem": 1 },
  readUnits: found.reduce((sum, item) => sum + unitsOfRead(itemBytes(item), changes === "may change"), 0),
});

const inBatches = (operation: string, entries: number): Counts => ({
  ...NO_COUNTS,
  calls: { [operation]: Math.ceil(entries / ENTRIES_PER_CALL) },
  entries: { [operation]: entries },
});

/** An event's own items, and its publication; `BODY` only where the data is large. */
function recorded(shape: Shape, kind: "event" | "request"): Counts {
  const { meta, body } = items.eventItems(shape, kind);
  return sumOf([
    ...(body === null ? [] : [put(body)]),
    put(meta),
    write("UpdateItem", { before: meta, after: items.published(meta) }),
  ]);
}

/** A look at the conversation's budget; one event in `weight` is counted there. */
function joined({ conversation }: Shape, weight: number): Counts {
  if (conversation === undefined) return NO_COUNTS;
  const budget: Item = { pk: { S: `CONVERSATION#${conversation}` }, sk: { S: "BUDGET" }, events: { N: "1" } };
  return sumOf([
    read("GetItem", [null], false),
    times(1 / weight, write("UpdateItem", { before: budget, after: budget })),
  ]);
}

/** @param weight of the events that a conversation's budget counts, one in so many is */
export const emit = (shape: Shape, weight: number): Counts =>
  sumOf([joined(shape, weight), recorded(shape, "event"), inBatches("eventbridge PutEvents", 1)]);

/** Events that share calls of PutEvents. What is over 256 KB together takes more of them: left out. */
export const emitBatch = (shape: Shape, weight: number, count: number): Counts =>
  sumOf([
    times(count, sumOf([joined(shape, weight), recorded(shape, "event")])),
    inBatches("eventbridge PutEvents", count),
  ]);

export interface Wait {
  /** How often the record is read. */
  readonly reads: number;
  /** Waits that the agent has open already, beside this one. */
  readonly openWaits: number;
  /** `handed over`: it goes on elsewhere, with 202. */
  readonly end: "answered" | "timed out" | "handed over";
}

/** Who can answer, how many waits there are; then the record, the event, the wait, and what came of it. */
export function ask(shape: Shape, weight: number, { reads, openWaits, end }: Wait): Counts {
  const request = items.requestItem(shape);
  const held = Array.from({ length: openWaits }, () => indexEntry(request, "by_agent"));
  const ends: Readonly<Record<Wait["end"], Counts>> = {
    answered: get(items.responseItem(shape)),
    "timed out": write("UpdateItem", { before: request, after: items.ended(request) }),
    "handed over": NO_COUNTS,
  };
  return sumOf([
    joined(shape, weight),
    read("Query", []),
    read("Query", []),
    get(null),
    read("Query", held, false),
    put(request),
    recorded(shape, "request"),
    inBatches("eventbridge PutEvents", 1),
    times(reads, get(request)),
    ends[end],
  ]);
}

/** What was learned of a type's answer times, told to all others: one write for so many answers. */
export function learning({ type }: Shape, answers: number): Counts {
  const known: Item = { pk: { S: `ANSWER_TIMES#${type}` }, sk: { S: "ANSWER_TIMES" }, version: { N: "1" } };
  return times(1 / answers, write("UpdateItem", { before: known, after: known }));
}

/** A wait that was handed over is taken up again: its record is read once more. */
export const resume = (shape: Shape): Counts => get(items.requestItem(shape));

/** The answer to a request, the first. */
export function answer(shape: Shape): Counts {
  const request = items.requestItem(shape);
  return sumOf([
    get(request),
    put(items.responseItem(shape)),
    write("UpdateItem", { before: request, after: items.answered(request) }),
  ]);
}

/**
 * An event on its way to run-time subscriptions, of which nothing has changed since the one before.
 *
 * @param lookUps who subscribes is looked up once for all events of a type that come in one batch: an event's part of it
 */
export function dispatch(shape: Shape, subscribers: readonly Subscriber[], lookUps = 1): Counts {
  const webhooks = subscribers.filter(({ kind }) => kind === "webhook").length;
  return sumOf([
    times(lookUps, get(null)),
    ...subscribers.map((subscriber) => put(items.deliveryItems(shape, subscriber).begun)),
    ...(webhooks === 0 ? [] : [inBatches("sqs SendMessageBatch", webhooks)]),
  ]);
}

/** A poll that finds so many messages, and takes them. */
export function poll(shape: Shape, subscriber: Subscriber, messages: number): Counts {
  const { begun, taken } = items.deliveryItems(shape, subscriber);
  const { meta, body } = items.eventItems(shape, "event");
  const each = <T>(one: T): T[] => Array.from({ length: messages }, () => one);
  return sumOf([
    get(items.subscriptionItem(shape, subscriber)),
    put(items.presenceItem(shape, subscriber)),
    read("Query", each(indexEntry(begun, "work")), false),
    getEach(each(begun), "may change"),
    getEach(each(items.published(meta)), "never change"),
    ...(body === null ? [] : [getEach(each(body), "never change")]),
    times(messages, write("PutItem", { before: begun, after: taken })),
  ]);
}

/** Messages that are acknowledged together. */
export function acknowledge(shape: Shape, subscriber: Subscriber, messages: number): Counts {
  const { taken, done } = items.deliveryItems(shape, subscriber);
  return sumOf([
    get(items.subscriptionItem(shape, subscriber)),
    times(messages, sumOf([get(taken), write("PutItem", { before: taken, after: done })])),
  ]);
}

/** An attempt of a webhook that is the first and goes well. */
export function attempt(shape: Shape, subscriber: Subscriber): Counts {
  const { begun, taken, done } = items.deliveryItems(shape, subscriber);
  const { meta, body } = items.eventItems(shape, "event");
  return sumOf([
    get(begun),
    get(items.subscriptionItem(shape, subscriber)),
    get(items.published(meta)),
    ...(body === null ? [] : [get(body)]),
    write("PutItem", { before: begun, after: taken }),
    write("PutItem", { before: taken, after: done }),
  ]);
}

/** A page of history that is full, of a selection that is spread over all shards: one slice of each, and its events. */
export function page(shape: Shape, events: number): Counts {
  const { meta, body } = items.eventItems(shape, "event");
  const perShard = events / INDEX_SHARDS;
  // As much more than its share as chance may give a shard (`shared/history-partition.ts`).
  const entries = Math.ceil(perShard + 3 * Math.sqrt(perShard)) + 2;
  const slice = Array.from({ length: entries }, () => indexEntry(meta, "by_time"));
  const portions = Array.from({ length: Math.ceil(events / PORTION) }, (_, i) =>
    Math.min(PORTION, events - i * PORTION),
  );
  const portion = (item: Item, count: number): Counts =>
    getEach(
      Array.from({ length: count }, () => item),
      "never change",
    );
  return sumOf([
    times(INDEX_SHARDS, read("Query", slice, false)),
    ...portions.map((count) => portion(items.published(meta), count)),
    ...(body === null ? [] : portions.map((count) => portion(body, count))),
  ]);
}

/** A call's part of what its agent pays with: one write for all that an instance served on credit, and the call after. */
export function payment(agent: string, tokens: number): Counts {
  const bucket: Item = {
    pk: { S: `RATE#${agent}` },
    sk: { S: "BUCKET" },
    full_at: { N: "1780315200123" },
    expires_at: { N: "1780401610" },
    v: { N: "1" },
  };
  const callsPerWrite = Math.floor(RATE_CREDIT / tokens) + 1;
  return times(1 / callsPerWrite, write("UpdateItem", { before: bucket, after: bucket }));
}
