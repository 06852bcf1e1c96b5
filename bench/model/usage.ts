/** What a load makes of each operation, for an average event. */
import { DEFAULT_LIMITS } from "../../shared/limits.ts";
import { type Counts, NO_COUNTS, sumOf, times } from "../counted/tally.ts";
import * as footprints from "./footprints.ts";
import type { Shape, Subscriber } from "./items.ts";
import type { Load } from "./load.ts";
import { ASSUMED } from "./prices-and-quotas.ts";
import { type Waits, waitsOf } from "./waits.ts";

/** Parts of the bus that are counted by themselves. */
export type Part =
  | "emit"
  | "ask"
  | "resume"
  | "answer"
  | "dispatch"
  | "webhooks"
  | "polls"
  | "acknowledgements"
  | "history";

/** What a function does for an average event. */
export interface PartUse {
  /** Calls of the function. */
  readonly invocations: number;
  /** How long one takes. */
  readonly ms: number;
  readonly memoryMb: number;
  /** What it asks of AWS. */
  readonly counts: Counts;
  /** Bytes that leave to the internet. */
  readonly bytesOut: number;
}

export interface Usage {
  readonly parts: Readonly<Record<Part, PartUse>>;
  readonly waits: Waits;
  /** Requests to SQS that the platform makes: it brings messages there, takes them and deletes them. */
  readonly platformSqs: number;
  /** Events that EventBridge brings to targets. */
  readonly deliveries: number;
}

/** A token that an agent pays with, for a call of each part. */
const TOKENS: Readonly<Record<Exclude<Part, "dispatch" | "webhooks">, number>> = {
  emit: 1,
  ask: 2,
  resume: 2,
  answer: 1,
  polls: 2,
  acknowledgements: 1,
  history: 1,
};

const AGENT = "arn:aws:sts::111122223333:assumed-role/agent-of-the-team";
const DISPATCH_MEMORY_MB = 512;
/** Answers that an environment tells of together (`shared/wait-policy/known-answer-times.ts`). */
export const TOLD_TOGETHER = 20;
/** One event in so many is counted in its conversation's budget. */
export const BUDGET_WEIGHT = Math.max(1, Math.floor(DEFAULT_LIMITS.eventsPerConversation / 1_000));

export const shapeOf = ({ dataBytes }: Pick<Load, "dataBytes">): Shape => ({
  type: "UPGRADE_REQUESTED",
  agent: AGENT,
  dataBytes,
  agentType: "BILLING",
});
export const QUEUE: Subscriber = { owner: AGENT, name: "billing", kind: "queue" };
export const WEBHOOK: Subscriber = { owner: AGENT, name: "billing", kind: "webhook" };

const { dynamoMs, putEventsMs, sqsMs, ownMs, endpointMs, taken, answerBytes } = ASSUMED;

export function usageOf(load: Load): Usage {
  const waits = waitsOf(load);
  const ownShape = shapeOf(load);
  const joinedShape: Shape = { ...ownShape, conversation: "01979a3e-0000-7000-8000-000000000009" };
  /** Some events join a conversation, the others begin their own. */
  const mixed = (of: (shape: Shape) => Counts): Counts =>
    sumOf([times(load.joining, of(joinedShape)), times(1 - load.joining, of(ownShape))]);
  const joinMs = load.joining * dynamoMs.value;
  const emits = (1 - load.asked) / load.eventsPerCall;
  const openWaits = Math.min(
    DEFAULT_LIMITS.openWaitsPerAgent,
    Math.round((load.eventsPerSecond * load.asked * load.busiestAgent * waits.heldMs) / 1_000),
  );
  const asking = (end: "answered" | "timed out"): Counts =>
    mixed((shape) => footprints.ask(shape, BUDGET_WEIGHT, { reads: waits.reads, openWaits, end }));
  const called =
    emits === 0 ? NO_COUNTS : mixed((shape) => footprints.emitBatch(shape, BUDGET_WEIGHT, load.eventsPerCall));
  const polls = load.queues / load.messagesPerPoll;
  const dispatched = dispatchCounts(load, ownShape);

  return {
    waits,
    platformSqs: platformSqs(load),
    deliveries: 1 + load.deployed,
    parts: {
      emit: part(emits, {
        ms: ownMs.value * load.eventsPerCall + joinMs + 2 * dynamoMs.value + putEventsMs.value,
        memoryMb: load.memoryMb,
        counts: paid(called, "emit", load.eventsPerCall),
        bytesOut: answerBytes.value * load.eventsPerCall,
      }),
      ask: part(load.asked, {
        ms: ownMs.value + joinMs + 5 * dynamoMs.value + putEventsMs.value + waits.heldMs,
        memoryMb: load.waitMemoryMb,
        counts: paid(
          sumOf([
            times(waits.answered, sumOf([asking("answered"), footprints.learning(ownShape, TOLD_TOGETHER)])),
            times(1 - waits.answered, asking("timed out")),
          ]),
          "ask",
        ),
        bytesOut: answerBytes.value + load.dataBytes,
      }),
      // The time for which it is held is counted where it was asked.
      resume: part(load.asked * waits.handOvers, {
        ms: ownMs.value + dynamoMs.value,
        memoryMb: load.waitMemoryMb,
        counts: paid(footprints.resume(ownShape), "resume"),
        bytesOut: answerBytes.value,
      }),
      answer: part(load.asked * waits.answered, {
        ms: ownMs.value + 3 * dynamoMs.value,
        memoryMb: load.memoryMb,
        counts: paid(footprints.answer(ownShape), "answer"),
        bytesOut: answerBytes.value,
      }),
      dispatch: part(1 / taken.value, {
        ms: ownMs.value * (taken.value + load.queues + load.webhooks) + 2 * dynamoMs.value + sqsMs.value,
        memoryMb: DISPATCH_MEMORY_MB,
        counts: times(taken.value, dispatched),
        bytesOut: 0,
      }),
      webhooks: part(load.webhooks / taken.value, {
        ms: ownMs.value * taken.value + 4 * dynamoMs.value + endpointMs.value,
        memoryMb: load.memoryMb,
        counts: times(taken.value, footprints.attempt(ownShape, WEBHOOK)),
        bytesOut: taken.value * (load.dataBytes + answerBytes.value),
      }),
      polls: part(polls, {
        ms: ownMs.value + 5 * dynamoMs.value,
        memoryMb: load.waitMemoryMb,
        counts: paid(footprints.poll(ownShape, QUEUE, load.messagesPerPoll), "polls"),
        bytesOut: answerBytes.value + load.messagesPerPoll * (load.dataBytes + answerBytes.value),
      }),
      acknowledgements: part(polls, {
        ms: ownMs.value + 3 * dynamoMs.value,
        memoryMb: load.memoryMb,
        counts: paid(footprints.acknowledge(ownShape, QUEUE, load.messagesPerPoll), "acknowledgements"),
        bytesOut: answerBytes.value,
      }),
      history: part(load.pagesPerEvent, {
        ms: ownMs.value * (1 + load.pageSize / 50) + dynamoMs.value * (1 + load.pageSize / 50),
        memoryMb: load.memoryMb,
        counts: paid(footprints.page(ownShape, load.pageSize), "history"),
        bytesOut: load.pageSize * (load.dataBytes + answerBytes.value),
      }),
    },
  };
}

/** With a call's part of what its agent pays. */
const paid = (counts: Counts, name: keyof typeof TOKENS, calls = 1): Counts =>
  sumOf([counts, footprints.payment(AGENT, TOKENS[name] * calls)]);

const part = (invocations: number, use: Omit<PartUse, "invocations">): PartUse => ({ invocations, ...use });

/** Messages for webhooks go in tens; on average there may be a part of one. */
function dispatchCounts({ queues, webhooks, busiestType }: Load, shape: Shape): Counts {
  const lookUps = typesOfBatch(busiestType) / taken.value;
  const ofQueue = less(footprints.dispatch(shape, [QUEUE]), footprints.dispatch(shape, []));
  const toWebhooks = (count: number): Counts =>
    footprints.dispatch(
      shape,
      Array.from({ length: count }, () => WEBHOOK),
      lookUps,
    );
  const whole = Math.floor(webhooks);
  const part = webhooks - whole;
  return sumOf([times(queues, ofQueue), times(1 - part, toWebhooks(whole)), times(part, toWebhooks(whole + 1))]);
}

/** Different types among the events of a batch, if all were as frequent as the busiest. */
const typesOfBatch = (busiestType: number): number =>
  busiestType === 0 ? taken.value : shareOfBatches(busiestType) / busiestType;

/** The share of batches that have an event of the busiest type. */
export const shareOfBatches = (busiestType: number): number => 1 - (1 - busiestType) ** taken.value;

const less = (counts: Counts, other: Counts): Counts => sumOf([counts, times(-1, other)]);

/**
 * A message is sent, and taken and deleted with nine others: to dispatch, to each deployed subscriber (all behind queues),
 * and to webhooks, for which the bus sends itself.
 */
const platformSqs = ({ deployed, webhooks }: Load): number =>
  (1 + deployed) * (1 + 2 / taken.value) + (2 * webhooks) / taken.value;

/** For an average event, all together. */
export const countsOf = ({ parts }: Usage): Counts =>
  sumOf(Object.values(parts).map(({ invocations, counts }) => times(invocations, counts)));

/** Environments that are busy while one event comes each second. */
export const concurrencyOf = ({ invocations, ms }: PartUse): number => (invocations * ms) / 1_000;
