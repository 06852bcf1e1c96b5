/** Events by their positions, in portions: what is large is never held in memory all at once. */
import type { EventStore } from "./ports.ts";
import type { EventRecord } from "./records.ts";

/** A page of the usual size; at most 10 MB, if all are as large as they may be. */
const PORTION = 50;

export interface PlacedEvent {
  readonly position: string;
  /** Null when it has expired since. */
  readonly record: EventRecord | null;
}

export const eventIdAt = (position: string): string => position.slice(position.indexOf("#") + 1);

/** In their order. */
export async function* readEvents(store: EventStore, positions: readonly string[]): AsyncGenerator<PlacedEvent> {
  for await (const portion of readPortions(store, positions)) yield* portion;
}

/** The same, portion by portion. */
export async function* readPortions(
  store: EventStore,
  positions: readonly string[],
): AsyncGenerator<readonly PlacedEvent[]> {
  for (let at = 0; at < positions.length; at += PORTION) {
    const portion = positions.slice(at, at + PORTION);
    const records = await store.getEvents(portion.map(eventIdAt));
    const byId = new Map(records.map((record) => [record.event.id, record]));
    yield portion.map((position) => ({ position, record: byId.get(eventIdAt(position)) ?? null }));
  }
}
