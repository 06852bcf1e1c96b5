/** Answer times in the table: an item for each event type, to which everybody adds. */
import { keys } from "../../../shared/keys.ts";
import { ANSWER_TIME_BINS, type AnswerTimes } from "../../../shared/wait-policy/answer-times.ts";
import type { AnswerTimesStore, StoredAnswerTimes } from "../../../shared/wait-policy/store.ts";
import { FORMAT } from "./items.ts";
import { type DynamoTable, type Item, toKey } from "./table.ts";

/** `b12` counts the answers of bin 12. */
const BIN = /^b(\d{1,3})$/;
/** More than any item comes to before it is halved: beyond, something else than the bus has written it. */
const MOST_COUNTED = 1e9;

export function answerTimesMethods(table: DynamoTable, nowSeconds: () => number): AnswerTimesStore {
  const isAlive = (item: Item): boolean => Number(item["expires_at"]?.N ?? 0) > nowSeconds();

  return {
    async getAnswerTimes(eventType) {
      const item = await table.get(keys.answerTimes(eventType), "eventual");
      return storedIn(item === null || !isAlive(item) ? {} : item);
    },

    async addAnswerTimes(eventType, times, expiresAt) {
      const added = [...times].map(([bin, count], i) => ({ add: `b${bin} :n${i}`, value: [`:n${i}`, number(count)] }));
      const write = await table.update(keys.answerTimes(eventType), {
        UpdateExpression: `ADD ${["version :one", ...added.map(({ add }) => add)].join(", ")} SET expires_at = :expires, v = :v`,
        ExpressionAttributeValues: {
          ...Object.fromEntries(added.map(({ value }) => value)),
          ":one": number(1),
          ":expires": number(expiresAt),
          ":v": FORMAT.v,
        },
        ReturnValues: "ALL_NEW",
      });
      return storedIn(write.kind === "written" ? write.item : {});
    },

    async replaceAnswerTimes(eventType, next, seenVersion, expiresAt) {
      const write = await table.replace(answerTimesToItem(eventType, next, expiresAt), {
        ConditionExpression: "version = :seen",
        ExpressionAttributeValues: { ":seen": number(seenVersion) },
      });
      return write.kind === "written";
    },
  };
}

export const answerTimesToItem = (
  eventType: string,
  { times, version }: StoredAnswerTimes,
  expiresAt: number,
): Item => ({
  ...toKey(keys.answerTimes(eventType)),
  ...FORMAT,
  ...Object.fromEntries([...times].map(([bin, count]) => [`b${bin}`, number(count)])),
  version: number(version),
  expires_at: number(expiresAt),
});

const storedIn = (item: Item): StoredAnswerTimes => ({ times: timesOf(item), version: countOf(item, "version") });

/** What is no count of a bin is left out: knowledge that is damaged is less knowledge. */
function timesOf(item: Item): AnswerTimes {
  const times = new Map<number, number>();
  for (const name of Object.keys(item)) {
    const bin = Number(BIN.exec(name)?.[1] ?? Number.NaN);
    const count = countOf(item, name);
    if (bin < ANSWER_TIME_BINS && count > 0) times.set(bin, count);
  }
  return times;
}

function countOf(item: Item, name: string): number {
  const count = Math.floor(Number(item[name]?.N ?? 0));
  return count >= 0 && count <= MOST_COUNTED ? count : 0;
}

const number = (value: number): { N: string } => ({ N: String(value) });
