/** Answers that are good in part (N9, N10): the service gets one part of the call, the client hears of the other too. */
import { type Answer, type Exchange, jsonAnswer } from "./exchange.ts";
import type { Seeded } from "./seeded.ts";

type Json = Record<string, unknown>;

/** A call with a part taken out. */
interface Parted {
  /** What the service is asked; null: nothing is left of it. */
  readonly asked: Json | null;
  /** The whole answer, made of the service's. */
  readonly completed: (answered: Json) => Json;
}

type Part = (exchange: Exchange, request: Json) => Parted;

export async function answeredInPart(exchange: Exchange, part: Part): Promise<void> {
  const { asked, completed } = part(exchange, JSON.parse(exchange.body.toString()) as Json);
  const answer: Answer =
    asked === null ? jsonAnswer(exchange, 200, {}) : await exchange.forward(Buffer.from(JSON.stringify(asked)));
  if (answer.status !== 200) return exchange.answer(answer);
  exchange.answer(jsonAnswer(exchange, 200, completed(JSON.parse(answer.body.toString()) as Json)));
}

/** PutEvents, SendMessageBatch and the like: at least one entry is not taken. */
export const failedEntries: Part = (exchange, request) => {
  const entries = request.Entries as Json[];
  const isFailed = chosen(exchange.random, entries.length);
  const taken = entries.filter((_, i) => !isFailed[i]);
  return {
    asked: taken.length === 0 ? null : { ...request, Entries: taken },
    completed: (answered) =>
      exchange.service === "eventbridge"
        ? putEventsAnswer(answered, isFailed)
        : batchAnswer(answered, entries, isFailed),
  };
};

/** Each entry has its place in the answer. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
function putEventsAnswer(answered: Json, isFailed: readonly boolean[]): Json {
  const left = [...((answered.Entries as Json[] | undefined) ?? [])];
  const failure: Json = { ErrorCode: "ThrottlingException", ErrorMessage: "Rate exceeded" };
  const entries = isFailed.map((failed) => (failed ? failure : left.shift()));
  return { Entries: entries, FailedEntryCount: entries.filter((entry) => entry?.EventId === undefined).length };
}

/** Entries are told by their ids. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
function batchAnswer(answered: Json, entries: readonly Json[], isFailed: readonly boolean[]): Json {
  const failed = entries
    .filter((_, i) => isFailed[i])
    .map(({ Id }) => ({ Id, Code: "ServiceUnavailable", Message: "Try again later.", SenderFault: false }));
  return {
    Successful: (answered.Successful as Json[] | undefined) ?? [],
    Failed: [...((answered.Failed as Json[] | undefined) ?? []), ...failed],
  };
}

/** BatchGetItem: at least one key is left for the next round. */
export const unprocessedKeys: Part = (exchange, request) => {
  const [table, wanted] = Object.entries(request.RequestItems as Record<string, Json & { Keys: Json[] }>)[0] as [
    string,
    Json & { Keys: Json[] },
  ];
  const isLeft = chosen(exchange.random, wanted.Keys.length);
  const read = wanted.Keys.filter((_, i) => !isLeft[i]);
  const left = { [table]: { ...wanted, Keys: wanted.Keys.filter((_, i) => isLeft[i]) } };
  return {
    asked: read.length === 0 ? null : { ...request, RequestItems: { [table]: { ...wanted, Keys: read } } },
    completed: (answered) => ({ ...answered, Responses: answered.Responses ?? {}, UnprocessedKeys: left }),
  };
};

/** Which of several are hit: one at least. */
function chosen(random: Seeded, count: number): boolean[] {
  const share = random.next();
  const hit = Array.from({ length: count }, () => random.happens(share));
  if (!hit.includes(true)) hit[random.between(0, count - 1)] = true;
  return hit;
}
