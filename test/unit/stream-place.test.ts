import { describe, expect, it } from "vitest";
import { StreamPlace } from "../../shared/stream-place.ts";

const T0 = Date.parse("2026-06-01T12:00:00.000Z");

/** A generator that gives the same numbers each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A bus of `rate` events a second for 11 s, each visible some time after its own; a stream that looked at all that was
 * visible at its end, and is resumed 300 ms later.
 */
async function reconnect(rate: number, meanDelayMs: number, seed: number) {
  const random = seeded(seed);
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
  const events = Array.from({ length: rate * 11 }, (_, i) => {
    const at = T0 + Math.floor((i * 1_000) / rate);
    const id = `01a2${hex(4)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
    return { position: `${new Date(at).toISOString()}#${id}`, visibleAt: at - meanDelayMs * Math.log(1 - random()) };
  });
  const visibleAt = (time: number) =>
    events
      .filter((event) => event.visibleAt <= time)
      .map(({ position }) => position)
      .sort();
  const leftAt = T0 + 11_000;
  const place = StreamPlace.at(T0 - 1);
  const shown = visibleAt(leftAt);
  for (const position of shown) place.add(position, new Date(T0).toISOString());
  const cursor = place.toText();

  const now = visibleAt(leftAt + 300);
  const resumed = await StreamPlace.resume(cursor, async (after, upTo) =>
    now.filter((position) => position > after && position <= upTo),
  );
  const repeated = shown.filter((position) => !resumed.has(position));
  const lost = now.filter((position) => resumed.has(position) && !shown.includes(position));
  return { repeated: repeated.length, lost: lost.length, cursor };
}

describe("a stream that is resumed on a busy bus", () => {
  it.each([
    [10, 50],
    [50, 50],
    [200, 50],
    [500, 10],
    [500, 50],
  ])(
    "of %i events a second, visible after %i ms on average, loses nothing and repeats next to nothing",
    async (rate, delayMs) => {
      let repeated = 0;
      for (let seed = 1; seed <= 5; seed++) {
        const outcome = await reconnect(rate, delayMs, seed);
        expect(outcome.lost).toBe(0);
        expect(outcome.cursor.length).toBeLessThan(2_500);
        repeated += outcome.repeated;
      }
      // A part of one second at the most, in all of five reconnections.
      expect(repeated).toBeLessThanOrEqual(rate);
    },
  );
});

describe("a place", () => {
  const position = (i: number): string =>
    `${new Date(T0 + i).toISOString()}#01a20000-0000-7000-8000-${(i * 7_919).toString(16).padStart(12, "0")}`;

  it("is short when all is settled", () => {
    const place = StreamPlace.at(T0);
    for (let i = 0; i < 500; i++) place.add(position(i), new Date(T0 - 1_000).toISOString());
    place.settle(new Date(T0 + 1_000).toISOString());
    expect(place.toText().length).toBeLessThan(70);
    expect(place.has(position(3))).toBe(false);
  });

  it("repeats the quarter of a second of which the index shows less than it did, and only that one", async () => {
    const place = StreamPlace.at(T0 - 1);
    const all = Array.from({ length: 300 }, (_, i) => position(i * 10));
    for (const one of all) place.add(one, new Date(T0 - 1_000).toISOString());
    const visible = all.slice(1);
    const resumed = await StreamPlace.resume(place.toText(), async () => visible);
    expect(visible.filter((one) => !resumed.has(one))).toEqual(all.slice(1, 25));
  });

  it("survives being resumed again and again", async () => {
    const all = Array.from({ length: 300 }, (_, i) => position(i * 20));
    let place = StreamPlace.at(T0 - 1);
    for (const [i, one] of all.entries()) {
      place.add(one, new Date(T0 - 1_000).toISOString());
      const soFar = all.slice(0, i + 1);
      place = await StreamPlace.resume(place.toText(), async () => soFar);
      expect(soFar.every((shown) => place.has(shown))).toBe(true);
    }
  });
});
