/** What `npm run model` says follows from what it is told. */
import { describe, expect, test } from "vitest";
import { breakEven, durableExtra, holdingOf, waysToWait } from "../../../bench/model/alternatives.ts";
import { costOfMillion, totalOf } from "../../../bench/model/cost.ts";
import { writesOfOneEvent } from "../../../bench/model/hot-keys.ts";
import { reachedAt } from "../../../bench/model/limit.ts";
import { limitsOf } from "../../../bench/model/limits.ts";
import { type Load, SMALL_TEAM } from "../../../bench/model/load.ts";
import { readOptions, usage } from "../../../bench/model/options.ts";
import { ASSUMED, PRICES, QUOTA, READ_ON, REGION_SOURCE, REGIONS } from "../../../bench/model/prices-and-quotas.ts";
import { report } from "../../../bench/model/report.ts";
import { concurrencyOf, countsOf, usageOf } from "../../../bench/model/usage.ts";
import { readsUntilAnswer, readsWithin } from "../../../bench/model/wait-reads.ts";
import { answerSecondsOf, waitsOf } from "../../../bench/model/waits.ts";
import { INDEX_SHARDS } from "../../../shared/limits.ts";
import { blindGapMs } from "../../../shared/wait-policy/next-read.ts";

const MILLION: Load = { ...SMALL_TEAM, eventsPerSecond: 1_000_000 };
const limits = (load: Load) => limitsOf(load, usageOf(load));
const limit = (load: Load, what: string) => {
  const found = limits(load).find((one) => one.what.includes(what));
  if (found === undefined) throw new Error(`There is no limit of ${what}.`);
  return found;
};

describe("where a load comes to an end", () => {
  test("is told of each limit, the first to be reached first", () => {
    const reached = limits(SMALL_TEAM).map(reachedAt);
    expect(reached).toEqual([...reached].sort((a, b) => a - b));
    expect(reached.every(Number.isFinite)).toBe(true);
  });

  test("is the same load however much of it there is, where an event uses the same of a limit", () => {
    const of = (load: Load) => reachedAt(limit(load, "PutEvents"));
    expect(of(SMALL_TEAM)).toBe(REGIONS["us-east-1"].putEvents);
    expect(of(MILLION)).toBe(of(SMALL_TEAM));
    expect(of({ ...SMALL_TEAM, region: "small" })).toBe(REGIONS.small.putEvents);
  });

  test("is ten times as far for requests to EventBridge when all is emitted in batches of ten", () => {
    const of = (eventsPerCall: number) => reachedAt(limit({ ...SMALL_TEAM, asked: 0, eventsPerCall }, "PutEvents"));
    expect(of(10) / of(1)).toBeCloseTo(10);
  });

  test("is 1,000 events a second for each shard of the whole history, and of its types if all are of one", () => {
    expect(reachedAt(limit(SMALL_TEAM, "by_time, one"))).toBe(1_000 * INDEX_SHARDS);
    expect(reachedAt(limit({ ...SMALL_TEAM, busiestType: 1 }, "by_type, a shard"))).toBe(1_000 * INDEX_SHARDS);
  });

  test("is 250 messages a second of one queue: each moves four times in the index that it is found by", () => {
    const load: Load = { ...SMALL_TEAM, busiestType: 1, queues: 1 };
    expect(reachedAt(limit(load, "the queue of a subscriber"))).toBe(250);
  });

  test("does not count what a load does not use", () => {
    const quiet: Load = { ...SMALL_TEAM, asked: 0, queues: 0, webhooks: 0, deployed: 0, pagesPerEvent: 0 };
    const named = limits(quiet).map(({ what }) => what);
    expect(named.filter((what) => /waits|webhook|queue of|deadlines/.test(what))).toEqual([]);
  });
});

describe("what one event asks of its own partition", () => {
  test("is three writes for each subscriber, beside its own two", () => {
    expect(writesOfOneEvent({ ...SMALL_TEAM, dataBytes: 20, queues: 1_000, webhooks: 0 })).toBe(3_002);
    expect(writesOfOneEvent({ ...SMALL_TEAM, dataBytes: 20, queues: 0, webhooks: 1_000 })).toBe(3_002);
  });
});

describe("what a load is made of", () => {
  test("environments that are busy are calls times the time that each takes", () => {
    expect(concurrencyOf({ ...usageOf(SMALL_TEAM).parts.emit, invocations: 4, ms: 250 })).toBe(1);
  });

  test("a batch shares its call and its publication, and nothing else", () => {
    const one = countsOf(usageOf({ ...SMALL_TEAM, asked: 0 }));
    const ten = countsOf(usageOf({ ...SMALL_TEAM, asked: 0, eventsPerCall: 10 }));
    expect(ten.writeUnits.by_time).toBeCloseTo(one.writeUnits.by_time ?? 0);
    expect((one.calls["eventbridge PutEvents"] ?? 0) / (ten.calls["eventbridge PutEvents"] ?? 0)).toBeCloseTo(10);
  });

  test("a wait reads as the bus does: an answer is seen by the first read behind it", () => {
    const first = blindGapMs(0);
    expect(readsUntilAnswer(first)).toEqual({ reads: 1, seenAtMs: first });
    expect(readsUntilAnswer(first + 0.1)).toEqual({ reads: 2, seenAtMs: first + blindGapMs(first) });
    expect(readsWithin(first)).toBe(0);
    expect(readsWithin(first + 0.1)).toBe(1);
  });

  test("half of the answers come before the median, and five sixths before the median times the spread", () => {
    expect(answerSecondsOf(SMALL_TEAM, 0.5)).toBe(SMALL_TEAM.answerSeconds);
    expect(answerSecondsOf(SMALL_TEAM, 5 / 6)).toBeCloseTo(SMALL_TEAM.answerSeconds * SMALL_TEAM.answerSpread);
  });

  test("nobody is held longer than a question is open, and one that is open for long is handed over", () => {
    const never = waitsOf({ ...SMALL_TEAM, answerSeconds: 1e6, answerSpread: 1.01, timeoutSeconds: 10 });
    expect(never).toMatchObject({ heldMs: 10_000, answered: 0, handOvers: 0 });
    expect(waitsOf({ ...SMALL_TEAM, answerSeconds: 1e6, answerSpread: 1.01, timeoutSeconds: 120 }).handOvers).toBe(2);
  });
});

describe("what it costs", () => {
  test("is the sum of what is billed, each by its price", () => {
    const alone: Load = {
      ...SMALL_TEAM,
      dataBytes: 20,
      asked: 0,
      joining: 0,
      deployed: 0,
      queues: 0,
      webhooks: 0,
      pagesPerEvent: 0,
    };
    const cost = costOfMillion(alone);
    expect(cost.eventBridge).toBe(1);
    // The event, its mark, four indexes of history, in and out of the index of work; and its part of a payment.
    expect(cost.writes).toBeCloseTo((1 + 1 + 4 + 2 + 1 / 21) * PRICES.dynamoWrites.value, 6);
    expect(totalOf(cost)).toBeCloseTo(Object.values(cost).reduce((sum: number, one: number) => sum + one, 0));
  });

  test("is $1.67 for a million waits of a second at 128 MB, and twice that at 256", () => {
    expect(holdingOf(128)).toBeCloseTo(1.67, 2);
    expect(holdingOf(256)).toBe(2 * holdingOf(128));
  });

  test("a durable function is cheaper from where holding costs as much as it does", () => {
    for (const memoryMb of [128, 256]) {
      const { durableSeconds } = breakEven(memoryMb, 500);
      expect(durableSeconds.byTime * holdingOf(memoryMb)).toBeCloseTo(durableExtra({ dataBytes: 500 }));
      expect(durableSeconds.withReads).toBeLessThan(durableSeconds.byTime);
    }
    // All answers after the same time, as good as.
    const costOf = (answerSeconds: number, way: string) =>
      waysToWait({ dataBytes: 500, waitMemoryMb: 256, answerSeconds, answerSpread: 1.0001, timeoutSeconds: 100 }).find(
        ({ what }) => what.startsWith(way),
      )?.dollars ?? Number.NaN;
    const { withReads } = breakEven(256, 500).durableSeconds;
    expect(costOf(withReads - 1, "the bus, nothing")).toBeLessThan(costOf(withReads - 1, "a durable"));
    expect(costOf(withReads + 1, "the bus, nothing")).toBeGreaterThan(costOf(withReads + 1, "a durable"));
  });

  test("a type that is known is waited for at less cost and with less delay than one of which nothing is", () => {
    const [blind, known] = waysToWait({ ...SMALL_TEAM, answerSpread: 1.3 });
    expect(known?.dollars).toBeLessThan(blind?.dollars ?? 0);
    expect(known?.delayMs).toBeLessThan(blind?.delayMs ?? 0);
  });
});

describe("the command line", () => {
  test.each([
    [
      ["--events-per-second", "many"],
      '--events-per-second: a number from 0.001 to 1,000,000,000 was expected, not "many"',
    ],
    [["--bytes", "1.5"], '--bytes: a whole number from 20 to 190,000 was expected, not "1.5"'],
    [["--asked", "2"], '--asked: a number from 0 to 1 was expected, not "2"'],
    [["--timeout", ""], "--timeout: a number from 0.05 to 86,400 was expected"],
    [["--region", "mars"], "--region: one of us-east-1"],
    [["--waits", "3"], "--waits"],
    [["100"], "100"],
  ])("%j is refused, and says what was expected", (args, fault) => {
    expect(() => readOptions(args)).toThrow(fault);
  });

  test("takes a small team where nothing is said, and tells of every option in its help", () => {
    expect(readOptions([]).load).toEqual(SMALL_TEAM);
    expect(readOptions(["--events-per-second", "5e3", "--region", "small"]).load).toEqual({
      ...SMALL_TEAM,
      eventsPerSecond: 5_000,
      region: "small",
    });
    expect(usage().match(/^ {2}--/gm)).toHaveLength(Object.keys(SMALL_TEAM).length + 1);
  });
});

describe("the report", () => {
  test("says whether a load is carried, and by what it is bounded first", () => {
    expect(report(SMALL_TEAM)).toContain("It carries this load. First bottleneck: Lambda: waits");
    expect(report(MILLION)).toContain("It does not carry this load as it is.");
  });

  test("says what a million events a second need", () => {
    const text = report(MILLION);
    expect(text).toMatch(/history shards \(INDEX_SHARDS\) +1,000 +8/);
    expect(text).toMatch(/work shards \(WORK_SHARDS\) +2,000 +16/);
    expect(text).toMatch(/EventBridge: PutEvents in us-east-1 +1,000,000 of 10,000 requests\/s/);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("has numbers for every load that can be asked for", () => {
    const least = ["--busiest-type", "0", "--asked", "0", "--joining", "0", "--queues", "0", "--webhooks", "0"];
    for (const args of [least, ["--asked", "1", "--busiest-type", "1"], ["--bytes", "190000", "--deployed", "1000"]])
      expect(report(readOptions(args).load)).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test("every price and quota says where it stands, every assumption why, and all on which day they were read", () => {
  for (const fact of [...Object.values(PRICES), ...Object.values(QUOTA)]) {
    expect(fact.source).toMatch(/^https:\/\/(docs\.)?aws\.amazon\.com\//);
    expect(fact.unit).not.toBe("");
  }
  expect(REGION_SOURCE).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
  for (const { because, unit } of Object.values(ASSUMED)) expect([because, unit]).not.toContain("");
  expect(READ_ON).toMatch(/^\d{4}-\d\d-\d\d$/);
});
