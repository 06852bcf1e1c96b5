/**
 * Works through items, a few at once: each lane takes the next item when it is done with one, as long as it may. When
 * one fails the others finish what they are at, and the failure is thrown.
 */
export async function inLanes<T>(
  lanes: number,
  items: Iterable<T>,
  run: (item: T) => Promise<void>,
  mayGoOn: () => boolean = () => true,
): Promise<void> {
  const left = items[Symbol.iterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    // An item that is drawn is worked through: whoever may not go on leaves it to the others.
    while (!failed && mayGoOn()) {
      const next = left.next();
      if (next.done === true) return;
      try {
        await run(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
