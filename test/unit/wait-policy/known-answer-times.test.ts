import { describe, expect, test } from "vitest";
import { answersOf } from "../../../bench/p4-wait/answers.ts";
import {
  type AnswerTimes,
  answersIn,
  answerTimesOf,
  MOST_ANSWERS_KEPT,
} from "../../../shared/wait-policy/answer-times.ts";
import { createKnownAnswerTimes } from "../../../shared/wait-policy/known-answer-times.ts";
import { next } from "../../../shared/wait-policy/next-read.ts";
import { MemoryEventStore } from "../../support/memory-event-store.ts";
import { silentLogger } from "../../support/silent-logger.ts";

const TYPE = "CONTEXT_REQUESTED";

/** A table, and processes on it whose clock a test moves. */
function machines() {
  const store = new MemoryEventStore();
  const clock = { ms: 0 };
  const calls: string[] = [];
  const counted = {
    getAnswerTimes: async (type: string) => {
      calls.push(`read ${type}`);
      return store.getAnswerTimes(type);
    },
    addAnswerTimes: async (type: string, times: AnswerTimes) => {
      calls.push(`add ${answersIn(times)} to ${type}`);
      return store.addAnswerTimes(type, times);
    },
    replaceAnswerTimes: async (...change: Parameters<MemoryEventStore["replaceAnswerTimes"]>) => {
      calls.push(`fade ${change[0]}`);
      return store.replaceAnswerTimes(...change);
    },
  };
  const start = (log = silentLogger, over: Partial<typeof counted> = {}) =>
    createKnownAnswerTimes({ store: { ...counted, ...over }, log, now: () => clock.ms, monotonic: () => clock.ms });
  return { store, clock, calls, start };
}

const noteAll = (known: { note(type: string, ms: number): void }, answers: readonly number[], type = TYPE): void => {
  for (const answerMs of answers) known.note(type, answerMs);
};

describe("what a process knows of answer times", () => {
  test("is nothing at first, and what it has seen itself from the first answer on", () => {
    const known = machines().start();
    expect(known.planFor(TYPE)).toBeNull();
    known.note(TYPE, 2_000);
    expect(known.planFor(TYPE)?.answers).toBe(1);
    expect(known.planFor("ANOTHER")).toBeNull();
  });

  test("is what all others have told, read beside the first wait and again after some minutes", async () => {
    const { clock, calls, start } = machines();
    const one = start();
    noteAll(one, answersOf("2 s", 40, 3));
    await one.tell();
    const other = start();
    expect(other.planFor(TYPE)).toBeNull();
    // Once it was read.
    await expect.poll(() => other.planFor(TYPE)?.answers).toBe(40);
    expect(next(100, other.planFor(TYPE))).toBeGreaterThan(next(100, null));
    for (let i = 0; i < 100; i++) other.planFor(TYPE);
    expect(calls.filter((call) => call.startsWith("read"))).toEqual([`read ${TYPE}`]);
    noteAll(one, answersOf("2 s", 60, 4));
    await one.tell();
    clock.ms += 300_000;
    other.planFor(TYPE);
    await expect.poll(() => other.planFor(TYPE)?.answers).toBe(100);
  });

  test("is told once for twenty answers, or after a minute, and what was told is known without being read", async () => {
    const { clock, calls, start } = machines();
    const known = start();
    for (let i = 0; i < 45; i++) {
      known.note(TYPE, 500);
      await known.tell();
    }
    expect(calls).toEqual([`add 20 to ${TYPE}`, `add 20 to ${TYPE}`]);
    clock.ms += 60_000;
    await known.tell();
    expect(calls.at(-1)).toBe(`add 5 to ${TYPE}`);
    known.planFor(TYPE);
    await known.tell();
    expect(calls).toHaveLength(3);
  });

  test("is gathered by many at once without any being lost", async () => {
    const { store, start } = machines();
    const all = Array.from({ length: 10 }, () => start());
    for (const known of all) noteAll(known, answersOf("500 ms", 20, 3));
    await Promise.all(all.map((known) => known.tell()));
    expect(answersIn((await store.getAnswerTimes(TYPE)).times)).toBe(200);
  });

  test("is told by all of very many together a few times in the time that each takes to gather it", async () => {
    const { clock, calls, start } = machines();
    const all = Array.from({ length: 400 }, () => start());
    const round = async (): Promise<number> => {
      const before = calls.length;
      clock.ms += 40_000;
      for (const known of all) {
        noteAll(known, Array(20).fill(500));
        await known.tell();
      }
      return calls.length - before;
    };
    const rounds: number[] = [];
    for (let i = 0; i < 60; i++) rounds.push(await round());
    // Each has told once before it knew of the others.
    expect(rounds[0]).toBeGreaterThanOrEqual(400);
    const later = rounds.slice(20).reduce((sum, writes) => sum + writes, 0) / 40;
    expect(later).toBeGreaterThan(2);
    expect(later).toBeLessThan(60);
  });

  test("fades: however many answers come, what they were long ago does not count for ever", async () => {
    const { store, start } = machines();
    const known = start();
    for (let i = 0; i < 200; i++) {
      noteAll(known, Array(20).fill(50));
      await known.tell();
    }
    expect(answersIn((await store.getAnswerTimes(TYPE)).times)).toBeLessThanOrEqual(MOST_ANSWERS_KEPT);
    for (let i = 0; i < 100; i++) {
      noteAll(known, Array(20).fill(20_000));
      await known.tell();
    }
    const { times } = await store.getAnswerTimes(TYPE);
    expect(answersIn(times)).toBeLessThanOrEqual(MOST_ANSWERS_KEPT);
    const [slow] = answerTimesOf([20_000]).keys();
    expect((times.get(slow as number) ?? 0) / answersIn(times)).toBeGreaterThan(0.7);
  });

  test("is bounded: of types that nobody asks for any more nothing is kept", () => {
    const known = machines().start();
    known.note(TYPE, 100);
    for (let i = 0; i < 150; i++) known.note(`TYPE_${i}`, 100);
    expect(known.planFor(TYPE)?.answers).toBe(1);
    // Who was asked for lately is not the one to be forgotten.
    for (let i = 0; i < 100; i++) known.note(`MORE_${i}`, 100);
    expect(known.planFor(TYPE)?.answers).toBe(1);
    for (let i = 0; i < 200; i++) known.note(`OTHER_${i}`, 100);
    expect(known.planFor(TYPE)).toBeNull();
  });

  test("leaves out what is no time, and takes the rest as it comes", async () => {
    const known = machines().start();
    for (const answerMs of [Number.NaN, Number.POSITIVE_INFINITY, -3, 0, 1e15]) known.note(TYPE, answerMs);
    expect(known.planFor(TYPE)?.answers).toBe(3);
  });
});

describe("a table that fails", () => {
  test("fails no wait and is not asked again and again; what was seen here is known all the same", async () => {
    const { clock, start } = machines();
    const warnings: string[] = [];
    let asked = 0;
    const fail = async (): Promise<never> => {
      asked++;
      throw new Error("down");
    };
    const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const known = start(log, { getAnswerTimes: fail, addAnswerTimes: fail });
    expect(known.planFor(TYPE)).toBeNull();
    await known.tell();
    for (let i = 0; i < 50; i++) known.planFor(TYPE);
    expect(asked).toBe(1);
    noteAll(known, Array(30).fill(500));
    await known.tell();
    expect([asked, warnings.length]).toEqual([2, 2]);
    expect(known.planFor(TYPE)?.answers).toBeGreaterThanOrEqual(25);
    clock.ms += 300_000;
    known.planFor(TYPE);
    await known.tell();
    expect(asked).toBe(3);
  });

  test("of which a read never ends holds nobody who asks", () => {
    const known = machines().start(silentLogger, { getAnswerTimes: () => new Promise(() => undefined) });
    known.planFor(TYPE);
    known.note(TYPE, 100);
    expect(known.planFor(TYPE)?.answers).toBe(1);
  });
});
