import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { FIRST_POSITION, LAST_POSITION, readPage, type Selection } from "../../shared/history-page.ts";
import { timeKey } from "../../shared/keys.ts";
import { isoAt } from "../../shared/time.ts";
import { CountingHistory } from "../support/counting-history.ts";

/** So few entries that many a page ends early. */
const { MAX_ENTRIES } = vi.hoisted(() => ({ MAX_ENTRIES: 40 }));
vi.mock(import("../../shared/limits.ts"), async (original) => ({
  ...(await original()),
  MAX_ENTRIES_PER_PAGE: MAX_ENTRIES as 5_000,
}));

interface Said {
  readonly type: string;
  readonly agent_type?: string;
  readonly correlation_id: string;
}

/** Events a millisecond apart; some in the same one. @returns their positions, oldest first */
async function historyOf(store: CountingHistory, said: readonly Said[]): Promise<string[]> {
  const positions: string[] = [];
  for (const [i, one] of said.entries()) {
    const id = `00000000-0000-7000-8000-${String(i).padStart(12, "0")}`;
    const timestamp = isoAt(1_780_000_000_000 + Math.floor(i / 2));
    positions.push(timeKey(timestamp, id));
    await store.putEvent({
      event: { id, data: {}, timestamp, hops: 0, source: "agent", ...one },
      kind: "event",
      payloadHash: "hash",
      replyToken: "token",
      commitId: "commit",
      published: true,
      relayAttempts: 0,
      expiresAt: 4_000_000_000,
    });
  }
  return positions;
}

/** Mostly the first. */
const skewed = (...names: string[]) =>
  fc.oneof(...names.map((name, i) => ({ weight: 10 ** (names.length - i), arbitrary: fc.constant(name) })));

const SAID = fc.record(
  { type: skewed("A", "B", "C"), agent_type: skewed("x", "y", "z"), correlation_id: skewed("long", "short") },
  { requiredKeys: ["type", "correlation_id"] },
);
const SELECTION = fc.record(
  { type: skewed("C", "B", "A"), agent_type: skewed("z", "y", "x"), correlation_id: skewed("short", "long") },
  { requiredKeys: [] },
);

it("whatever is selected, however often it occurs: the pages together hold it all, once, in order, and none is read without end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(SAID, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 60 }),
      SELECTION,
      fc.constantFrom("asc", "desc"),
      fc.constantFrom(1, 2, 10, 50, 1_000),
      async (some, repeated, selection: Selection, order, limit) => {
        const store = new CountingHistory(Date.now);
        const said = Array.from({ length: repeated }, () => some).flat();
        const all = await historyOf(store, said);
        const wanted = all.filter((_, i) =>
          Object.entries(selection).every(([field, value]) => said[i]?.[field as keyof Said] === value),
        );
        const read: string[] = [];
        let bounds = { after: FIRST_POSITION, before: LAST_POSITION };
        for (let next: string | null = ""; next !== null; ) {
          const page = await readPage(store, { selection, order, limit, ...bounds });
          expect(page.positions.length).toBeLessThanOrEqual(limit);
          expect(store.takeItems()).toBeLessThanOrEqual(4 * MAX_ENTRIES);
          read.push(...page.positions);
          next = page.next;
          if (next !== null) bounds = order === "asc" ? { ...bounds, after: next } : { ...bounds, before: next };
        }
        expect(read).toEqual(order === "asc" ? wanted : wanted.reverse());
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});
