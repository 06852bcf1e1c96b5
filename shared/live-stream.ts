/**
 * The live stream: events as they come, from a cursor on, without a gap or a duplicate.
 *
 * Events may become visible out of order: a slow write, a lagging index, clocks that differ. For INDEX_SETTLE_MS after
 * its time a stretch is therefore read again and again, and what was already delivered from it is remembered by id.
 * Behind that the watermark moves on, and nothing needs to be remembered. A cursor is the watermark with those ids.
 */

import { eventIdAt, FIRST_POSITION, LAST_POSITION } from "./history.ts";
import { readPage, type Selection } from "./history-page.ts";
import type { JsonValue } from "./json.ts";
import { INDEX_SETTLE_MS, LEASE_MS, LEASE_RENEW_MS, MAX_UNSETTLED_IDS, STREAM_POLL_MS } from "./limits.ts";
import { type Deps, EVENTS_TOPIC, type EventRecord, type ListenerLease } from "./ports.ts";

const PAGE = 200;

/** Where a stream is. */
export class StreamPlace {
  /** Everything up to this position was delivered, or came before the stream. */
  private watermark: string;
  /** What was delivered beyond it: fingerprint to position. */
  private readonly unsettled: Map<string, string>;

  private constructor(watermark: string, unsettled: Map<string, string>) {
    this.watermark = watermark;
    this.unsettled = unsettled;
  }

  static at(timeMs: number): StreamPlace {
    return new StreamPlace(new Date(timeMs).toISOString(), new Map());
  }

  /**
   * The place as a cursor carries it. Of more ids than fit, the oldest are left out: a stream resumed from there may
   * repeat them, and leaves nothing out.
   */
  toJson(): JsonValue {
    return [this.watermark, [...this.unsettled.keys()].slice(-MAX_UNSETTLED_IDS).join("")];
  }

  static fromJson(place: JsonValue, nowMs: number): StreamPlace {
    const [watermark = FIRST_POSITION, joined = ""] = place as string[];
    const fingerprints = joined.match(/.{16}/g) ?? [];
    // Their positions are not known until they are met again, but none of them lies ahead of now.
    const latest = new Date(nowMs).toISOString();
    return new StreamPlace(watermark, new Map(fingerprints.map((fingerprint) => [fingerprint, latest])));
  }

  get start(): string {
    return this.watermark;
  }

  has(position: string): boolean {
    return this.unsettled.has(fingerprintOf(position));
  }

  /** Takes note of a delivery; positions come in order within a sweep. */
  add(position: string, settledUpTo: string): void {
    if (position < settledUpTo) this.settle(position);
    else this.unsettled.set(fingerprintOf(position), position);
  }

  /** Nothing new can appear up to a position any more. */
  settle(upTo: string): void {
    if (upTo <= this.watermark) return;
    this.watermark = upTo;
    for (const [fingerprint, position] of this.unsettled) if (position <= upTo) this.unsettled.delete(fingerprint);
  }

  /** Gives a resumed id its position back when it is met again. */
  recall(position: string): void {
    this.unsettled.set(fingerprintOf(position), position);
  }
}

/** The last 64 bits of the event's id, all of them random or hashed. */
function fingerprintOf(position: string): string {
  return position.replaceAll("-", "").slice(-16);
}

export interface StreamOptions {
  readonly selection: Selection;
  /** The stream counts as a subscriber of this name while it is open. */
  readonly as?: string | undefined;
  /** Where to go on; without it, from now. */
  readonly place?: StreamPlace | undefined;
  /** How long it may stay open, in milliseconds. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
}

/** `opened` once the stream counts and misses nothing any more; then the events. */
export type StreamStep =
  | { readonly kind: "opened"; readonly place: StreamPlace }
  | { readonly kind: "event"; readonly record: EventRecord; readonly place: StreamPlace };

/** Events as they come, until the client is gone or the time is up. */
export async function* streamEvents(deps: Deps, options: StreamOptions): AsyncGenerator<StreamStep, void> {
  const endAt = deps.monotonic() + options.holdMs;
  const place = options.place ?? (await placeNow(deps, options.selection));
  const lease = options.as === undefined ? null : leaseFor(deps, options.as, options.selection);
  let renewAt = Number.NEGATIVE_INFINITY;
  try {
    for (let isOpen = false; !options.signal.aborted && deps.monotonic() < endAt; ) {
      // From the lease on, askers count on this stream: it begins before the stream is said to be open.
      if (lease !== null && deps.monotonic() >= renewAt) {
        renewAt = deps.monotonic() + LEASE_RENEW_MS;
        await deps.store.putListener({ ...lease, leasedUntil: deps.now() + LEASE_MS });
      }
      if (!isOpen) yield { kind: "opened", place };
      isOpen = true;
      for await (const record of sweep(deps, options.selection, place)) yield { kind: "event", record, place };
      await deps.pause(Math.max(0, Math.min(STREAM_POLL_MS, endAt - deps.monotonic())), EVENTS_TOPIC, options.signal);
    }
  } finally {
    if (lease !== null) await deps.store.deleteListener(lease).catch(() => undefined);
  }
}

/** From now on: what is visible already counts as delivered, whatever the clocks that stamped it. */
async function placeNow(deps: Deps, selection: Selection): Promise<StreamPlace> {
  const place = StreamPlace.at(deps.now() - INDEX_SETTLE_MS);
  for await (const position of unseen(deps, selection, place)) place.add(position, place.start);
  return place;
}

function leaseFor(deps: Deps, name: string, { type, correlation_id }: Selection): Omit<ListenerLease, "leasedUntil"> {
  return {
    eventType: type ?? "*",
    name,
    streamId: deps.newId(),
    ...(correlation_id === undefined ? {} : { correlationId: correlation_id }),
  };
}

/** One look at everything after the watermark. */
async function* sweep(deps: Deps, selection: Selection, place: StreamPlace): AsyncGenerator<EventRecord> {
  const settledUpTo = new Date(deps.now() - INDEX_SETTLE_MS).toISOString();
  let batch: string[] = [];
  for await (const position of unseen(deps, selection, place)) {
    batch.push(position);
    if (batch.length < PAGE) continue;
    yield* deliver(deps, batch, place, settledUpTo);
    batch = [];
  }
  yield* deliver(deps, batch, place, settledUpTo);
  place.settle(settledUpTo);
}

async function* deliver(
  deps: Deps,
  positions: readonly string[],
  place: StreamPlace,
  settledUpTo: string,
): AsyncGenerator<EventRecord> {
  if (positions.length === 0) return;
  const records = new Map(
    (await deps.store.getEvents(positions.map(eventIdAt))).map((record) => [record.event.id, record]),
  );
  for (const position of positions) {
    const record = records.get(eventIdAt(position));
    // The cursor that goes out with an event says that it was delivered.
    place.add(position, settledUpTo);
    if (record !== undefined) yield record;
  }
}

/** The positions after the watermark that were not delivered, in order. */
async function* unseen(deps: Deps, selection: Selection, place: StreamPlace): AsyncGenerator<string> {
  let after: string | null = place.start;
  while (after !== null) {
    const page: { positions: readonly string[]; next: string | null } = await readPage(deps.store, {
      selection,
      order: "asc",
      after,
      before: LAST_POSITION,
      limit: PAGE,
    });
    for (const position of page.positions) {
      if (place.has(position)) place.recall(position);
      else yield position;
    }
    after = page.next;
  }
}
