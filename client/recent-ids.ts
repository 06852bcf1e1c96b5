/** The ids that came last: a memory that does not grow. */
export interface RecentIds {
  has(id: string): boolean;
  add(id: string): void;
}

/** @param size how many are remembered */
export function recentIds(size: number): RecentIds {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.add(id);
      // A set keeps the order of its entries: the first is the oldest.
      if (ids.size > size) ids.delete(ids.values().next().value as string);
    },
  };
}
