/** P8: what an event asks of AWS, from one subscriber to a thousand, counted. */
import { planRules } from "../../infra/subscription.ts";
import { defineBus } from "../../shared/bus-config.ts";
import type { Benchmark, Figure } from "../contract.ts";
import { COUNTED_BUS, startCountedBus } from "../counted/bus.ts";
import { countOperations } from "../counted/operations.ts";
import { type Counts, callsOf, sumOf, writeUnitsOf } from "../counted/tally.ts";
import { linesPicture } from "../report/charts.ts";
import { deployedSubscribers, type FanOut, type FanOutKind, fanOuts } from "./fan-out.ts";

/** None first: what an event takes whoever wants it. */
const SIZES: readonly number[] = [0, 1, 10, 100, 1_000];
const QUICK_SIZES = SIZES.filter((size) => size <= 100);

const KINDS: Readonly<Record<FanOutKind, string>> = {
  deployed: "deployed with the bus",
  queue: "polling a queue",
  webhook: "behind a webhook",
};

type Measure = (fanOut: FanOut) => number;
const wholeOf = ({ emit, dispatch, delivery }: FanOut) => sumOf([emit, dispatch, delivery]);
const calls: Measure = (fanOut) => callsOf(wholeOf(fanOut));
const units: Measure = (fanOut) => writeUnitsOf(wholeOf(fanOut));

export const FAN_OUT: Benchmark = {
  goal: "P8",
  title: "calls per event and per subscriber",
  method:
    "The functions, store and clients as they are deployed, on stand-ins for DynamoDB, EventBridge and SQS that count each call " +
    "and work out what DynamoDB bills for it, indexes included. An event is emitted, dispatched, and taken and acknowledged, or " +
    "sent to its webhook, by 1 to 1,000 subscribers; what it takes without any is subtracted. Counts, so there is no spread.",
  async run({ isQuick, progress, signal }) {
    const sizes = isQuick ? QUICK_SIZES : SIZES;
    const counted = {} as Record<FanOutKind, readonly FanOut[]>;
    for (const kind of Object.keys(KINDS) as FanOutKind[])
      counted[kind] = await fanOuts(kind, sizes, (subscribers) => {
        signal.throwIfAborted();
        progress(`${subscribers} subscribers ${KINDS[kind]}`);
      });
    const operations = await countedOperations();
    return {
      figures: [
        deployedFigure(counted.deployed),
        perSubscriber("calls", "queue", counted.queue, calls),
        perSubscriber("calls", "webhook", counted.webhook, calls),
        perSubscriber("write units", "queue", counted.queue, units),
        perSubscriber("write units", "webhook", counted.webhook, units),
        ...Object.entries(operations).map(operationFigure),
      ],
      pictures: [picture(counted)],
      details: { fanOut: counted, rules: rulesFor(sizes), operations },
    };
  },
};

async function countedOperations(): Promise<Readonly<Record<string, Counts>>> {
  // All events of a conversation are counted, not one in ten.
  const bus = await startCountedBus({ ...COUNTED_BUS, limits: { eventsPerConversation: 1_000 } });
  try {
    return await countOperations(bus);
  } finally {
    await bus.close();
  }
}

/** Without a goal: what the model of costs and quotas goes by. */
const operationFigure = ([what, counts]: [string, Counts]): Figure => ({
  title: `calls: ${what}`,
  ours: { name: "the bus", unit: "calls", values: [callsOf(counts)] },
  note: `${writeUnitsOf(counts)} write units, ${counts.readUnits} read units.`,
});

/** Rules carry the event to all of them: the bus makes the same calls for each number. */
function deployedFigure(fanOut: readonly FanOut[]): Figure {
  const some = fanOut.filter(({ subscribers }) => subscribers > 0);
  const one = some.filter(({ subscribers }) => subscribers === 1);
  return {
    title: `calls for an event to ${some.at(-1)?.subscribers} subscribers ${KINDS.deployed}`,
    ours: { name: "the bus", unit: "calls", values: [Math.max(...some.map(calls))] },
    beside: { name: "to one", unit: "calls", values: one.map(calls) },
    goal: { bound: "at most", value: 1 },
    note: "With those of dispatch, which finds that nobody has subscribed at run time.",
  };
}

/** The most that any number of subscribers takes for each, beside one. */
function perSubscriber(unit: string, kind: FanOutKind, fanOut: readonly FanOut[], measure: Measure): Figure {
  const [none, one, ...more] = fanOut;
  if (none === undefined || one === undefined) throw new Error("There is nothing to compare with.");
  const each: Measure = (some) => (measure(some) - measure(none)) / some.subscribers;
  return {
    title: `${unit} for each of 10 to ${more.at(-1)?.subscribers} subscribers ${KINDS[kind]}`,
    ours: { name: "the bus", unit, values: [Math.max(...more.map(each))] },
    beside: { name: "for a single one", unit, values: [each(one)] },
    goal: { bound: "at most", value: 1 },
    note: `And ${measure(none)} for each event.`,
  };
}

/** What EventBridge has to be given for so many, as it would be deployed. */
const rulesFor = (sizes: readonly number[]): readonly { subscribers: number; rules: number; targets: number }[] =>
  sizes.map((subscribers) => {
    const rules = planRules(defineBus({ ...COUNTED_BUS, subscribers: deployedSubscribers(subscribers) }).subscribers);
    return { subscribers, rules: rules.length, targets: rules.reduce((sum, rule) => sum + rule.targets.length, 0) };
  });

const picture = (counted: Readonly<Record<FanOutKind, readonly FanOut[]>>) =>
  linesPicture(
    { name: "p8-fan-out", title: "Calls to AWS for an event, over the number of its subscribers" },
    {
      x: { name: "subscribers", isLogarithmic: true },
      y: { name: "calls, from emitting to the last subscriber being done", isLogarithmic: true },
      lines: (Object.keys(KINDS) as FanOutKind[]).map((kind) => ({
        name: KINDS[kind],
        points: counted[kind]
          .filter(({ subscribers }) => subscribers > 0)
          .map((fanOut): [number, number] => [fanOut.subscribers, calls(fanOut)]),
      })),
    },
  );
