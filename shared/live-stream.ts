/**
 * The live stream: events as they come, from a cursor on, without a gap or a duplicate.
 *
 * Events may become visible out of order: a slow write, a lagging index, clocks that differ. For a few seconds after
 * its time a stretch is therefore read again and again, and what was already delivered from it is remembered by id.
 * Behind that the watermark moves on, and nothing needs to be remembered. A cursor is the watermark with a digest of what
 * was delivered beyond it.
 */

import type { Agent } from "./agents/agent.ts";
import { allows } from "./agents/policy.ts";
import { LAST_POSITION, type Page, readPage, type Selection } from "./history-page.ts";
import { LEASE_MS, LEASE_RENEW_MS, STREAM_POLL_MS } from "./limits.ts";
import { type Deps, eventsTopic } from "./ports.ts";
import { readEvents } from "./read-events.ts";
import type { EventRecord, ListenerLease } from "./records.ts";
import { StreamPlace } from "./stream-place.ts";

const PAGE = 200;

/** Why what goes on for a stream ends with it. Made once: an abort without a reason makes one each time, with a stack. */
const STREAM_ENDED = new Error("The stream has ended.");

/** What a stream works with beside what everything does. */
export interface StreamDeps extends Deps {
  /** Where all events pass through this process, which so knows what is new. */
  readonly arrivals?: Arrivals;
}

/** The events of a process in the order in which they were recorded. */
export interface Arrivals {
  /** The moment, for `since`. */
  mark(): number;
  /** The positions of what was recorded since a mark, in any order; null when that is not known for certain. */
  since(mark: number, selection: Selection): readonly string[] | null;
}

export interface StreamOptions {
  /** Whose stream it is: of all types, it gets those that it may subscribe to. */
  readonly agent: Agent;
  readonly selection: Selection;
  /** The stream counts as a subscriber of this name while it is open. */
  readonly as?: string | undefined;
  /** Where to go on, as `StreamPlace` wrote it; without it, from now. */
  readonly place?: string | undefined;
  /** How long it may stay open, in milliseconds. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
}

/** `opened` once the stream counts and misses nothing any more; then the events. */
export type StreamStep =
  | { readonly kind: "opened"; readonly place: StreamPlace }
  | { readonly kind: "event"; readonly record: EventRecord; readonly place: StreamPlace };

/** Events as they come, until the client is gone or the time is up. @throws what the store throws, when it goes on failing */
export async function* streamEvents(deps: StreamDeps, options: StreamOptions): AsyncGenerator<StreamStep, void> {
  const endAt = deps.monotonic() + options.holdMs;
  const place = await startOf(deps, options);
  const lease = options.as === undefined ? null : new Lease(deps, leaseFor(deps, options.as, options));
  // From the lease on, askers count on this stream: it begins before the stream is said to be open.
  await lease?.renew();
  const ended = new AbortController();
  const end = (): void => ended.abort(STREAM_ENDED);
  options.signal.addEventListener("abort", end, { once: true });
  try {
    yield { kind: "opened", place };
    const looks = new Looks(deps, options.selection, place);
    let failingSince: number | null = null;
    while (!options.signal.aborted && deps.monotonic() < endAt) {
      // Begun before the look: what is recorded while it goes on ends the pause, and is not slept through.
      const pause = deps.pause(
        Math.min(STREAM_POLL_MS, endAt - deps.monotonic()),
        eventsTopic(options.selection.type),
        ended.signal,
      );
      try {
        await lease?.renew();
        for await (const record of looks.next()) {
          if (allows(options.agent.policy, "subscribe", record.event.type)) yield { kind: "event", record, place };
          // There may be much to catch up on, and a reader may be slow.
          if (options.signal.aborted || deps.monotonic() >= endAt) return;
          await lease?.renew();
        }
        failingSince = null;
      } catch (error) {
        // A throttled read must not send all streams off to connect anew; one that lasts must.
        failingSince ??= deps.monotonic();
        if (deps.monotonic() - failingSince > LEASE_MS) throw error;
        deps.log.warn("a stream could not look for events", { error: String(error) });
      }
      await pause;
    }
  } finally {
    // No pause outlives the stream.
    options.signal.removeEventListener("abort", end);
    end();
    // Out of time, the client comes back within the lease, and was a subscriber all the while.
    if (deps.monotonic() < endAt) await lease?.giveBack();
  }
}

/** The lease under which a stream counts as a subscriber. */
class Lease {
  private readonly deps: Deps;
  private readonly lease: Omit<ListenerLease, "leasedUntil">;
  private renewAt = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps, lease: Omit<ListenerLease, "leasedUntil">) {
    this.deps = deps;
    this.lease = lease;
  }

  /** Renews it when it is time to. */
  async renew(): Promise<void> {
    if (this.deps.monotonic() < this.renewAt) return;
    await this.deps.store.putListener({ ...this.lease, leasedUntil: this.deps.now() + LEASE_MS });
    this.renewAt = this.deps.monotonic() + LEASE_RENEW_MS;
  }

  /** What cannot be given back runs out by itself. */
  async giveBack(): Promise<void> {
    await this.deps.store.deleteListener(this.lease).catch(() => undefined);
  }
}

function startOf(deps: Deps, { selection, place }: StreamOptions): Promise<StreamPlace> {
  if (place === undefined) return placeNow(deps, selection);
  return StreamPlace.resume(place, async (after, upTo) => {
    const positions: string[] = [];
    // A tilde sorts after all that a position holds: the bound is exclusive, and `upTo` is to be read too.
    for await (const page of pagesOf(deps, selection, after, `${upTo}~`)) positions.push(...page);
    return positions;
  });
}

/** From now on: what is visible already counts as delivered, whatever the clocks that stamped it. */
async function placeNow(deps: Deps, selection: Selection): Promise<StreamPlace> {
  const place = StreamPlace.at(settledTime(deps));
  for await (const position of unseen(deps, selection, place)) place.add(position, place.start);
  return place;
}

function leaseFor(
  deps: Deps,
  name: string,
  { agent, selection: { type, correlation_id } }: Pick<StreamOptions, "agent" | "selection">,
): Omit<ListenerLease, "leasedUntil"> {
  return {
    eventType: type ?? "*",
    name,
    streamId: deps.newId(),
    kind: "stream",
    owner: agent.id,
    ...(correlation_id === undefined ? {} : { correlationId: correlation_id }),
  };
}

/** Before this nothing new appears. In whole seconds, so that streams that look at the same time ask for the same. */
function settledTime({ now, indexSettleMs }: Pick<Deps, "now" | "indexSettleMs">): number {
  return Math.floor((now() - indexSettleMs) / 1_000) * 1_000;
}

/** Looks for what is new, one after the other. */
class Looks {
  private readonly deps: StreamDeps;
  private readonly selection: Selection;
  private readonly place: StreamPlace;
  /** What had been recorded by then was looked at; null when that is not known. */
  private seenTo: number | null = null;
  private wholeLookAt = Number.NEGATIVE_INFINITY;

  constructor(deps: StreamDeps, selection: Selection, place: StreamPlace) {
    this.deps = deps;
    this.selection = selection;
    this.place = place;
  }

  /** One look: the events that were not delivered, and the place moves on behind them. */
  async *next(): AsyncGenerator<EventRecord> {
    const { deps, place } = this;
    const mark = deps.arrivals?.mark() ?? null;
    const positions = this.arrived() ?? this.all();
    // Until it has come to its end it may have missed some.
    this.seenTo = null;
    const settledUpTo = new Date(settledTime(deps)).toISOString();
    let batch: string[] = [];
    for await (const position of positions) {
      batch.push(position);
      if (batch.length < PAGE) continue;
      yield* deliver(deps, batch, place, settledUpTo);
      batch = [];
    }
    yield* deliver(deps, batch, place, settledUpTo);
    place.settle(settledUpTo);
    this.seenTo = mark;
  }

  /** What is known to have come since the last look, in order; null when it is time to look for oneself. */
  private arrived(): readonly string[] | null {
    const { deps, selection, place, seenTo, wholeLookAt } = this;
    if (seenTo === null || deps.monotonic() - wholeLookAt >= STREAM_POLL_MS) return null;
    const positions = deps.arrivals?.since(seenTo, selection) ?? null;
    return positions?.filter((position) => !place.has(position)).sort() ?? null;
  }

  /** All after the watermark that was not delivered, in order. */
  private all(): AsyncIterable<string> {
    this.wholeLookAt = this.deps.monotonic();
    return unseen(this.deps, this.selection, this.place);
  }
}

async function* deliver(
  deps: Deps,
  positions: readonly string[],
  place: StreamPlace,
  settledUpTo: string,
): AsyncGenerator<EventRecord> {
  for await (const { position, record } of readEvents(deps.store, positions)) {
    // The cursor that goes out with an event says that it was delivered.
    place.add(position, settledUpTo);
    if (record !== null) yield record;
  }
}

/** The positions after the watermark that were not delivered, in order. */
async function* unseen(deps: Deps, selection: Selection, place: StreamPlace): AsyncGenerator<string> {
  for await (const page of pagesOf(deps, selection, place.start, LAST_POSITION))
    for (const position of page) if (!place.has(position)) yield position;
}

/** The positions of a stretch, both bounds exclusive, in order. */
async function* pagesOf(
  deps: Deps,
  selection: Selection,
  start: string,
  before: string,
): AsyncGenerator<readonly string[]> {
  for (let after: string | null = start; after !== null; ) {
    const page: Page = await readPage(deps.store, { selection, order: "asc", after, before, limit: PAGE });
    yield page.positions;
    after = page.next;
  }
}
