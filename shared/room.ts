/** Making something only while there is room for it: caps on what an agent, or a type, may have at once (I10). */
import type { BusError } from "./errors.ts";
import type { EventStore } from "./ports.ts";

/** At most so many of a kind. */
export interface Cap {
  /** What is counted, and whose. */
  readonly of: string;
  readonly most: number;
  /** How many there are, counted up to `most`; may lag behind. */
  count(): Promise<number>;
  /** What to say when there is no room. */
  refusal(): BusError;
}

/** What is being made in this process at this moment, by what it counts as: an index does not show it yet. */
const begun = new WeakMap<EventStore, Map<string, number>>();

/**
 * Makes something if there is room under all caps. In one process a cap is never exceeded: what was begun before counts,
 * and of many who come at the same moment so many get through as there is room for, or fewer. Machines that make
 * something at the same moment do not see each other's: so many more than the cap there can be.
 *
 * @throws BusError what a cap says
 */
export async function whileThereIsRoom<T>(store: EventStore, caps: readonly Cap[], make: () => Promise<T>): Promise<T> {
  const counts = begun.get(store) ?? new Map<string, number>();
  begun.set(store, counts);
  const before = caps.map(({ of }) => counts.get(of) ?? 0);
  for (const [i, { of }] of caps.entries()) counts.set(of, (before[i] ?? 0) + 1);
  try {
    await Promise.all(
      caps.map(async (cap, i) => {
        if ((await cap.count()) + (before[i] ?? 0) >= cap.most) throw cap.refusal();
      }),
    );
    return await make();
  } finally {
    for (const { of } of caps) leave(counts, of);
  }
}

function leave(counts: Map<string, number>, of: string): void {
  const left = (counts.get(of) ?? 1) - 1;
  if (left > 0) counts.set(of, left);
  else counts.delete(of);
}
