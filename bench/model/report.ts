/** What the model says of a load, as text. */
import { INDEX_SHARDS, WORK_SHARDS } from "../../shared/limits.ts";
import { callsOf, times, writeUnitsOf } from "../counted/tally.ts";
import { INDEX_NAMES } from "../counted/units.ts";
import { readable } from "../report/numbers.ts";
import { breakEven, waysToWait } from "./alternatives.ts";
import { COST_NAMES, type Cost, costOfMillion, totalOf } from "./cost.ts";
import { writesOfOneEvent } from "./hot-keys.ts";
import { type Limit, reachedAt } from "./limit.ts";
import { limitsOf } from "./limits.ts";
import type { Load } from "./load.ts";
import { PRICES, QUOTA, READ_ON, REGIONS } from "./prices-and-quotas.ts";
import { table } from "./text-table.ts";
import { concurrencyOf, countsOf, type Usage, usageOf } from "./usage.ts";

const SECONDS_OF_MONTH = 30 * 86_400;

/** All of it, section by section. */
export function report(load: Load): string {
  const usage = usageOf(load);
  const limits = limitsOf(load, usage);
  return [
    head(load),
    first(load, limits),
    section("Where it comes to an end", limitTable(load, limits)),
    section("Needed of the bus and of AWS", needs(load, usage, limits)),
    section("Functions", functionTable(load, usage)),
    section("Units and calls of an average event", eventTable(usage)),
    section("Cost in US dollars", costTable(load, usage)),
    section("Ways to wait for these answers, in US dollars for a million questions", waits(load)),
    section("When to hand a wait over", handOver(load)),
    `Prices and quotas as read on ${READ_ON}: bench/model/prices-and-quotas.ts, with what is supposed there.`,
  ].join("\n\n");
}

const section = (title: string, body: string): string => `${title}\n${"-".repeat(title.length)}\n${body}`;

const head = (load: Load): string =>
  `${amount(load.eventsPerSecond)} events/s of ${amount(load.dataBytes)} bytes in ${load.region}, ${percent(load.asked)} of them questions ` +
  `answered after ${readable(load.answerSeconds)} s (median); for each ${readable(load.deployed)} deployed subscribers, ` +
  `${readable(load.queues)} queues, ${readable(load.webhooks)} webhooks.`;

function first(load: Load, limits: readonly Limit[]): string {
  const [bottleneck] = limits;
  if (bottleneck === undefined) return "Nothing bounds it.";
  const at = reachedAt(bottleneck);
  const verdict = at >= load.eventsPerSecond ? "It carries this load." : "It does not carry this load as it is.";
  return `${verdict} First bottleneck: ${bottleneck.what}, at ${amount(at)} events/s.`;
}

function limitTable({ eventsPerSecond }: Load, limits: readonly Limit[]): string {
  const rows = limits.map((limit) => [
    amount(reachedAt(limit)),
    limit.what,
    `${readable(limit.perEvent * eventsPerSecond)} of ${amount(limit.most)} ${limit.unit}`,
    reachedAt(limit) >= eventsPerSecond ? "" : limit.remedy,
    reachedAt(limit) >= eventsPerSecond ? "" : limit.advice,
  ]);
  return table(["events/s", "limit", "used by this load", "", ""], rows);
}

/** Shards, rules, quotas: as many as this load takes. */
function needs(load: Load, usage: Usage, limits: readonly Limit[]): string {
  const timesOver = (prefix: string): number =>
    Math.max(
      0,
      ...limits.filter(({ what }) => what.startsWith(prefix)).map((one) => load.eventsPerSecond / reachedAt(one)),
    );
  const shards = (now: number, prefixes: readonly string[]): number =>
    Math.ceil(now * Math.max(...prefixes.map(timesOver)));
  const environments =
    load.eventsPerSecond * Object.values(usage.parts).reduce((sum, part) => sum + concurrencyOf(part), 0);
  const slowest = load.eventsPerSecond * Math.max(...Object.values(usage.parts).map(concurrencyOf));
  const rules = 1 + Math.ceil(load.deployed / QUOTA.targetsOfRule.value);
  return table(
    ["what", "needed", "there is"],
    [
      [
        "history shards (INDEX_SHARDS)",
        amount(shards(INDEX_SHARDS, ["DynamoDB: by_time", "DynamoDB: by_type"])),
        `${INDEX_SHARDS}`,
      ],
      [
        "work shards (WORK_SHARDS)",
        amount(shards(WORK_SHARDS, ["DynamoDB: work to", "DynamoDB: deadlines", "DynamoDB: webhook"])),
        `${WORK_SHARDS}`,
      ],
      ["environments at once (Little's law)", amount(environments), `${amount(QUOTA.concurrency.value)} of an account`],
      [
        "seconds until they are all there",
        readable(slowest / QUOTA.scalingPerSecond.value),
        `${QUOTA.scalingPerSecond.value} more a second of a function`,
      ],
      ["waits held at once", amount((load.eventsPerSecond * load.asked * usage.waits.heldMs) / 1_000), ""],
      [
        "seconds that one event's own partition takes for its deliveries",
        readable(writesOfOneEvent(load) / QUOTA.keyWrites.value),
        `${amount(QUOTA.keyWrites.value)} writes a second`,
      ],
      ["rules, if all events are of one type", amount(rules), `${REGIONS[load.region].rulesOfBus} of a bus`],
      ["targets of these rules", amount(1 + load.deployed), `${QUOTA.targetsOfRule.value} of a rule`],
      [
        "entries of PutEvents a second",
        amount(load.eventsPerSecond * (countsOf(usage).entries["eventbridge PutEvents"] ?? 0)),
        "",
      ],
      ["GB of log a month", readable(logGb(load, usage)), ""],
    ],
  );
}

const logGb = (load: Load, usage: Usage): number =>
  (costOfMillion(load, usage).logs / PRICES.logs.value) * ((load.eventsPerSecond * SECONDS_OF_MONTH) / 1e6);

function functionTable({ eventsPerSecond }: Load, { parts, waits }: Usage): string {
  const rows = Object.entries(parts)
    .filter(([, part]) => part.invocations > 0)
    .map(([name, part]) => [
      name,
      readable(part.invocations * eventsPerSecond),
      readable(part.ms),
      readable(concurrencyOf(part) * eventsPerSecond),
      `${part.memoryMb}`,
    ]);
  const about = `A question is held for ${readable(waits.heldMs / 1_000)} s on average, reads ${readable(waits.reads)} times, and is answered in time in ${percent(waits.answered)} of cases.`;
  return `${table(["part", "calls/s", "ms each", "busy at once", "MB"], rows)}\n${about}`;
}

function eventTable(usage: Usage): string {
  const rows = Object.entries(usage.parts)
    .filter(([, part]) => part.invocations > 0)
    .map(([name, part]) => {
      const counts = times(part.invocations, part.counts);
      const units = (place: (typeof PLACES)[number]): string => readable(counts.writeUnits[place] ?? 0);
      return [
        name,
        readable(callsOf(counts)),
        readable(writeUnitsOf(counts)),
        ...PLACES.map(units),
        readable(counts.readUnits),
      ];
    });
  const all = countsOf(usage);
  const sums = [
    "all",
    readable(callsOf(all)),
    readable(writeUnitsOf(all)),
    ...PLACES.map((place) => readable(all.writeUnits[place] ?? 0)),
    readable(all.readUnits),
  ];
  return table(["part", "calls", "write units", ...PLACES, "read units"], [...rows, sums]);
}

const PLACES = ["table", ...INDEX_NAMES] as const;

/** A million of the load's events; and a million of each alone, whatever the share of questions is. */
function costTable(load: Load, usage: Usage): string {
  const alone: Load = { ...load, asked: 0, deployed: 0, queues: 0, webhooks: 0, pagesPerEvent: 0 };
  const columns: readonly Cost[] = [
    costOfMillion(load, usage),
    costOfMillion(alone),
    costOfMillion({ ...alone, asked: 1 }),
  ];
  const month = (load.eventsPerSecond * SECONDS_OF_MONTH) / 1e6;
  const rows = (Object.keys(COST_NAMES) as (keyof Cost)[]).map((name) => [
    COST_NAMES[name],
    ...columns.map((cost) => dollars(cost[name])),
    dollars((columns[0] as Cost)[name] * month),
  ]);
  const sums = ["all", ...columns.map((cost) => dollars(totalOf(cost))), dollars(totalOf(columns[0] as Cost) * month)];
  return table(
    ["for", "a million of this load", "a million emitted", "a million asked and answered", "this load, a month"],
    [...rows, sums],
  );
}

function waits(load: Load): string {
  const [bus, ...others] = waysToWait(load);
  if (bus === undefined) return "";
  const rows = [bus, ...others].map(({ what, dollars: cost, delayMs }) => [
    what,
    dollars(cost),
    `${readable(cost / bus.dollars)} x`,
    delayMs === null ? "" : readable(delayMs),
  ]);
  return table([`held with ${load.waitMemoryMb} MB`, "$", "beside it", "ms late on average"], rows);
}

function handOver({ dataBytes, waitMemoryMb }: Load): string {
  const sizes = [...new Set([128, 256, waitMemoryMb])].sort((a, b) => a - b);
  const rows = sizes.map((memoryMb) => {
    const { durableSeconds, comeBackSeconds } = breakEven(memoryMb, dataBytes);
    return [
      `${memoryMb}`,
      readable(durableSeconds.byTime),
      readable(durableSeconds.withReads),
      readable(comeBackSeconds),
    ];
  });
  return table(
    [
      "MB",
      "s: durable function is cheaper, by time held",
      "with its reads",
      "s: coming back once is cheaper than holding",
    ],
    rows,
  );
}

/** Whole numbers as people read them. */
const amount = (value: number): string => (Number.isFinite(value) ? readable(value) : "any");
const percent = (share: number): string => `${readable(100 * share)} %`;
const dollars = (value: number): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
