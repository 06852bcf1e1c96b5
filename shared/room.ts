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

/** Whatever is being made in this process at this moment, by what it counts as: an index does not show it yet. */
const begun = new WeakMap<EventStore, Map<string, Set<Promise<void>>>>();

/**
 * Makes something if there is room under all caps. In one process no cap is exceeded, and none refuses what there is room
 * for, however many come at the same moment. Machines do not see what others are making at that moment: so many more than
 * the cap there can be.
 *
 * @throws BusError what a cap says
 */
export async function whileThereIsRoom<T>(store: EventStore, caps: readonly Cap[], make: () => Promise<T>): Promise<T> {
  const inProcess = begun.get(store) ?? new Map<string, Set<Promise<void>>>();
  begun.set(store, inProcess);
  const ofCap = caps.map(({ of }) => {
    const making = inProcess.get(of) ?? new Set<Promise<void>>();
    inProcess.set(of, making);
    return making;
  });
  const before = ofCap.map((making) => [...making]);
  let done = (): void => {};
  const mine = new Promise<void>((resolve) => {
    done = resolve;
  });
  for (const making of ofCap) making.add(mine);
  try {
    await Promise.all(caps.map((cap, i) => requireRoom(cap, before[i] ?? [])));
    return await make();
  } finally {
    for (const [i, making] of ofCap.entries()) {
      making.delete(mine);
      if (making.size === 0) inProcess.delete(caps[i]?.of ?? "");
    }
    done();
  }
}

async function requireRoom(cap: Cap, before: readonly Promise<void>[]): Promise<void> {
  const count = await cap.count();
  if (count + before.length < cap.most) return;
  if (count >= cap.most) throw cap.refusal();
  // It is close: those who came before are let finish, and are counted then, or have failed.
  await Promise.all(before);
  if ((await cap.count()) >= cap.most) throw cap.refusal();
}
