/**
 * Emit: check, record, publish; then mark as published.
 *
 * The event record is the commit point and the idempotency record (I1, I5). A failed publication is not a failed emit:
 * the relay (`reconcile.ts`) sends what stayed unpublished.
 */
import * as v from "valibot";
import { countEvent } from "./conversation-budget.ts";
import {
  draftEvent,
  type EventIdentity,
  EventInput,
  identify,
  requireSamePayload,
  type Sender,
} from "./draft-event.ts";
import { BusError, type Problem, toProblem } from "./errors.ts";
import { deliveredCopy } from "./event.ts";
import { readInput } from "./input.ts";
import { MAX_BATCH } from "./limits.ts";
import { type Locate, relocated } from "./locate.ts";
import { loggingAbout } from "./log.ts";
import type { Deps } from "./ports.ts";
import type { EventRecord } from "./records.ts";

/** The acknowledgement of an event: it will not be lost. */
export interface EmitReceipt {
  readonly event_id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly correlation_id: string;
  /** False: recorded, and sent to its subscribers within 90 s. */
  readonly published: boolean;
  /** The same key and payload as before: nothing new happened. */
  readonly replayed: boolean;
}

/** A result with what is left to do once the caller has it. */
export interface WithAfterwards<T> {
  readonly result: T;
  /** Never throws: what fails here is caught up by the relay. */
  readonly afterwards: () => Promise<void>;
}

export interface BatchReceipt {
  /** In the order of the batch. */
  readonly events: readonly (EmitReceipt | Refused)[];
  readonly accepted: number;
  readonly rejected: number;
}

const Batch = v.strictObject({
  events: v.pipe(
    v.array(v.unknown(), "an array of events was expected"),
    v.minLength(1, "at least one event was expected"),
    v.maxLength(MAX_BATCH, `at most ${MAX_BATCH} events were expected`),
  ),
});

/** An event in the bus's own form, and who sends it. */
export interface Submission {
  /** Not checked yet. */
  readonly body: unknown;
  readonly sender: Sender;
  /** Where a fault of the body is told, if it was sent in another form or as a part of something. */
  readonly locate?: Locate | undefined;
}

/** Emits one event. @throws BusError of any code but those of requests and responses */
export async function emit(
  deps: Deps,
  body: unknown,
  sender: Sender,
  locate?: Locate,
): Promise<WithAfterwards<EmitReceipt>> {
  const entry = await record(deps, { body, sender, locate });
  const [published] = await publish(deps, [entry]);
  return {
    result: receiptOf(entry, published === true),
    afterwards: () => settle(deps, entry, published === true),
  };
}

/** Emits up to 100 events; each is acknowledged or refused by itself. @throws BusError `invalid_request` */
export async function emitBatch(deps: Deps, body: unknown, sender: Sender): Promise<WithAfterwards<BatchReceipt>> {
  const { events } = readInput(Batch, body);
  return emitEach(deps, events, (event, batchIndex) => ({
    body: event,
    sender: { ...sender, batchIndex },
    locate: (pointer) => (pointer === "" || pointer.startsWith("/") ? `/events/${batchIndex}${pointer}` : pointer),
  }));
}

/**
 * Emits several events; each is acknowledged or refused by itself. Never throws for one of them.
 *
 * @param read the event in what was sent; throws BusError when there is none
 */
export async function emitEach<Sent>(
  deps: Deps,
  sent: readonly Sent[],
  read: (one: Sent, index: number) => Submission,
): Promise<WithAfterwards<BatchReceipt>> {
  const entries = await Promise.all(
    sent.map(async (one, index): Promise<Recorded | Refused> => {
      const own = loggingAbout(deps, { batch_index: index });
      try {
        return await record(own, read(one, index));
      } catch (error) {
        if (!(error instanceof BusError)) own.log.error("an event of a batch failed", { error: String(error) });
        return { error: toProblem(error) };
      }
    }),
  );
  const recorded = entries.filter((entry): entry is Recorded => !("error" in entry));
  const published = new Map((await publish(deps, recorded)).map((isPublished, i) => [recorded[i], isPublished]));
  const receipts = entries.map((entry) => ("error" in entry ? entry : receiptOf(entry, published.get(entry) === true)));
  return {
    result: { events: receipts, accepted: recorded.length, rejected: entries.length - recorded.length },
    afterwards: async () => {
      await Promise.all(recorded.map((entry) => settle(deps, entry, published.get(entry) === true)));
    },
  };
}

/** An event in the record; `fresh` when this call put it there and so has to publish it. */
interface Recorded {
  readonly record: EventRecord;
  readonly fresh: boolean;
}

interface Refused {
  readonly error: Problem;
}

async function record(deps: Deps, { body, sender, locate }: Submission): Promise<Recorded> {
  try {
    return await recordInput(deps, readInput(EventInput, body), sender);
  } catch (error) {
    throw error instanceof BusError && locate !== undefined ? relocated(error, locate) : error;
  }
}

async function recordInput(deps: Deps, input: EventInput, sender: Sender): Promise<Recorded> {
  const identity = identify(deps, input, sender);
  try {
    return await putOnce(deps, await draftEvent(deps, input, sender, identity), identity);
  } catch (error) {
    const isRefusal = error instanceof BusError && !error.retryable;
    const earlier = isRefusal ? await findEarlier(deps, identity, sender) : null;
    if (earlier === null) throw error;
    return earlier;
  }
}

/**
 * I5: what was acknowledged once is acknowledged again, although it would be refused by now: its conversation may have
 * spent its budget since, or its type another schema.
 */
async function findEarlier(deps: Deps, identity: EventIdentity, sender: Sender): Promise<Recorded | null> {
  if (sender.idempotencyKey === undefined) return null;
  const earlier = await deps.store.getEvent(identity.id);
  return earlier?.payloadHash === identity.payloadHash ? { record: earlier, fresh: false } : null;
}

/** Commits an event (I1), or finds the one that the key stands for (I5). @throws BusError `idempotency_conflict` */
export async function putOnce(
  deps: Pick<Deps, "store">,
  draft: EventRecord,
  identity: EventIdentity,
): Promise<Recorded> {
  const put = await deps.store.putEvent(draft);
  if (put.kind === "created") return { record: draft, fresh: true };
  requireSamePayload(put.record, put.record.event.timestamp, identity);
  // The same commit id means that this very write had got through before its acknowledgement was lost.
  return { record: put.record, fresh: put.record.commitId === draft.commitId };
}

/** Publishes what is fresh; whether each entry is known to be published. */
export async function publish(deps: Pick<Deps, "publisher">, entries: readonly Recorded[]): Promise<boolean[]> {
  const fresh = entries.filter((entry) => entry.fresh);
  const outcomes =
    fresh.length === 0
      ? []
      : await deps.publisher.publish(
          fresh.map(({ record: { event, replyToken } }) => deliveredCopy(event, replyToken)),
        );
  const sent = new Set(fresh.filter((_, i) => outcomes[i]?.kind === "published"));
  return entries.map((entry) => sent.has(entry) || (!entry.fresh && entry.record.published));
}

/** Marks what was published, so that the relay leaves it alone, and counts it. Never throws. */
export async function settle(
  deps: Pick<Deps, "store" | "limits" | "log">,
  entry: Recorded,
  published: boolean,
): Promise<void> {
  if (!entry.fresh) return;
  const eventId = entry.record.event.id;
  const work = [countEvent(deps, entry.record), ...(published ? [deps.store.markPublished(eventId)] : [])];
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === "rejected")
      deps.log.warn("an event was not settled; the relay will", { event_id: eventId, error: String(outcome.reason) });
  }
}

function receiptOf({ record, fresh }: Recorded, published: boolean): EmitReceipt {
  const { id, type, timestamp, correlation_id } = record.event;
  return { event_id: id, type, timestamp, correlation_id, published, replayed: !fresh };
}
