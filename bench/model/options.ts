/** What can be said on the command line of `npm run model`. */
import { parseArgs } from "node:util";
import { type Load, SMALL_TEAM } from "./load.ts";
import { REGIONS, type RegionName } from "./prices-and-quotas.ts";

interface NumberOption {
  readonly kind: "number";
  readonly field: { [Field in keyof Load]: Load[Field] extends number ? Field : never }[keyof Load];
  readonly about: string;
  readonly least: number;
  readonly most: number;
  readonly isWhole?: boolean;
}

const MANY = 1e9;
const number = (
  field: NumberOption["field"],
  about: string,
  [least, most]: readonly [number, number],
  isWhole = false,
): NumberOption => ({ kind: "number", field, about, least, most, isWhole });

/** In the order of the help. */
const NUMBERS: Readonly<Record<string, NumberOption>> = {
  "events-per-second": number("eventsPerSecond", "emitted and asked together", [0.001, MANY]),
  bytes: number("dataBytes", "of an event's data, and of an answer", [20, 190_000], true),
  "events-per-call": number("eventsPerCall", "a batch that is emitted in one call", [1, 100], true),
  "busiest-type": number("busiestType", "share of events of the most frequent type", [0, 1]),
  "busiest-agent": number("busiestAgent", "share of events of the agent that sends most", [0, 1]),
  "conversation-events": number("conversationEventsPerSecond", "a second of the busiest conversation", [0, MANY]),
  joining: number("joining", "share of events that join a conversation", [0, 1]),
  deployed: number("deployed", "deployed subscribers of an event", [0, 1_000]),
  queues: number("queues", "subscribers of an event that poll queues", [0, 5_000]),
  webhooks: number("webhooks", "subscribers of an event behind webhooks", [0, 5_000]),
  "messages-per-poll": number("messagesPerPoll", "that a poll gives", [1, 10], true),
  asked: number("asked", "share of events that are questions", [0, 1]),
  "answer-seconds": number("answerSeconds", "until half of the answers are there", [0.001, 86_400]),
  "answer-spread": number("answerSpread", "five sixths are there after so many times that long", [1, 100]),
  "known-answers": number("knownAnswers", "that the bus has seen of the type, and knows it by", [0, 1_000], true),
  timeout: number("timeoutSeconds", "of a question, in seconds", [0.05, 86_400]),
  pages: number("pagesPerEvent", "of history, read for each event", [0, 1_000]),
  "page-size": number("pageSize", "events of a page", [1, 1_000], true),
  memory: number("memoryMb", "MB of the functions", [128, 10_240], true),
  "wait-memory": number("waitMemoryMb", "MB of the functions that wait", [128, 10_240], true),
  "retention-days": number("retentionDays", "until events expire", [15, 3_650], true),
};

export interface Options {
  readonly load: Load;
  readonly isHelp: boolean;
}

/** @throws Error that names the option and what was expected */
export function readOptions(args: readonly string[]): Options {
  const named = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: "string" as const }]));
  const { values } = parseArgs({
    args: [...args],
    options: { ...named, region: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
  });
  const given = values as Readonly<Record<string, string | boolean | undefined>>;
  const numbers = Object.entries(NUMBERS).flatMap(([name, option]): [string, number][] => {
    const text = given[name];
    return typeof text === "string" ? [[option.field, numberOf(name, option, text)]] : [];
  });
  const region = typeof given["region"] === "string" ? { region: regionOf(given["region"]) } : {};
  return { load: { ...SMALL_TEAM, ...Object.fromEntries(numbers), ...region }, isHelp: given["help"] === true };
}

function numberOf(name: string, { least, most, isWhole }: NumberOption, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most && (isWhole !== true || Number.isInteger(value))) return value;
  const kind = isWhole === true ? "a whole number" : "a number";
  throw new Error(`--${name}: ${kind} from ${least} to ${most.toLocaleString("en-US")} was expected, not "${text}".`);
}

function regionOf(text: string): RegionName {
  if (Object.hasOwn(REGIONS, text)) return text as RegionName;
  throw new Error(`--region: one of ${Object.keys(REGIONS).join(", ")} was expected, not "${text}".`);
}

export function usage(): string {
  const lines = Object.entries(NUMBERS).map(
    ([name, { about, field }]) => `  --${name.padEnd(22)}${about} (${SMALL_TEAM[field]})`,
  );
  return `What a load needs of AWS, where it comes to an end first, and what it costs.

Usage: npm run model [-- options]

${lines.join("\n")}
  --${"region".padEnd(22)}${Object.keys(REGIONS).join(", ")} (${SMALL_TEAM.region})
  --${"help".padEnd(22)}this text

In brackets what is taken when nothing is said: a small team. Prices and quotas stand in bench/model/prices-and-quotas.ts.
A million events a second: npm run model -- --events-per-second 1000000`;
}
