import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BusError } from "../../shared/errors.ts";
import { type Cap, whileThereIsRoom } from "../../shared/room.ts";
import { busInMemory } from "../support/bus-in-memory.ts";

const full = (): BusError => new BusError("limit_reached", "no room");

/** Things that are made in so many turns, and counted in so many; some fail. */
const someMakers = fc.array(
  fc.record({
    startsAfter: fc.nat({ max: 4 }),
    counting: fc.nat({ max: 3 }),
    making: fc.nat({ max: 3 }),
    fails: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
);

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("a cap on what there may be at once", () => {
  it("is never exceeded and refuses nothing that there is room for, however many come at once", async () => {
    await fc.assert(
      fc.asyncProperty(someMakers, fc.integer({ min: 1, max: 6 }), async (makers, most) => {
        const { store } = busInMemory();
        let made = 0;
        const outcomes = await Promise.all(
          makers.map(async ({ startsAfter, counting, making, fails }) => {
            await turns(startsAfter);
            const cap: Cap = {
              of: "thing",
              most,
              refusal: full,
              async count() {
                await turns(counting);
                return Math.min(made, most);
              },
            };
            return whileThereIsRoom(store, [cap], async () => {
              await turns(making);
              if (fails) throw new Error("it failed");
              made++;
              return "made";
            }).catch((error: unknown) => (error instanceof BusError ? "refused" : "failed"));
          }),
        );
        expect(made).toBeLessThanOrEqual(most);
        if (outcomes.includes("refused")) expect(made).toBe(most);
      }),
      { numRuns: 200 },
    );
  });

  it("holds for each of several that something counts for, and nothing is made where one is full", async () => {
    const { store } = busInMemory();
    const counts = { a: 0, b: 0 };
    const cap = (of: "a" | "b", most: number): Cap => ({ of, most, count: async () => counts[of], refusal: full });
    const make = (): Promise<void> =>
      whileThereIsRoom(store, [cap("a", 5), cap("b", 2)], async () => {
        counts.a++;
        counts.b++;
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, make));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(counts).toEqual({ a: 2, b: 2 });
  });
});
