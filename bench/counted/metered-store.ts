/**
 * A store that counts: what is asked of it goes to an embedded DynamoDB, and what AWS would bill for it is worked out from the
 * items as they were before and after.
 */
import { TABLE_NAME } from "../../local/table.ts";
import { TABLE } from "../../shared/keys.ts";
import { serveDynalite } from "../../test/support/dynalite-table.ts";
import type { Tally } from "./tally.ts";
import { type Item, itemBytes, unitsOfRead, unitsOfRefusal, writeUnits } from "./units.ts";

export interface StoreAnswer {
  readonly status: number;
  readonly body: string;
}

export interface MeteredStore {
  /** Carries out one call of the DynamoDB API, and notes it. */
  call(operation: string, body: string): Promise<StoreAnswer>;
  close(): Promise<void>;
}

type Input = Record<string, unknown> & { Key?: Item; Item?: Item; ConsistentRead?: boolean };
type Output = Record<string, unknown> & { Item?: Item; Items?: Item[] };

const WRITES: readonly string[] = ["PutItem", "UpdateItem", "DeleteItem"];

export async function startMeteredStore(tally: Tally): Promise<MeteredStore> {
  const { endpoint, close } = await serveDynalite();
  const inTurn = createTurns();

  const ask = async (operation: string, body: string): Promise<StoreAnswer> => {
    const response = await fetch(endpoint, { method: "POST", headers: headersFor(operation), body });
    return { status: response.status, body: await response.text() };
  };
  const get = async (key: Item): Promise<Item | null> => {
    const { body } = await ask("GetItem", JSON.stringify({ TableName: TABLE_NAME, Key: key, ConsistentRead: true }));
    return (JSON.parse(body) as Output).Item ?? null;
  };

  /** One write of an item at a time, so that what was before and after is its doing alone. */
  const write = (operation: string, body: string, key: Item): Promise<StoreAnswer> =>
    inTurn(JSON.stringify(key), async () => {
      const before = await get(key);
      const answer = await ask(operation, body);
      const used = answer.status === 200 ? writeUnits({ before, after: await get(key) }) : unitsOfRefusal(before);
      tally.note({ writeUnits: used });
      return answer;
    });

  const query = async (input: Input, body: string): Promise<StoreAnswer> => {
    // What a filter leaves out is read all the same, and what is only counted too.
    const { FilterExpression: _, Select: __, ExpressionAttributeNames, ExpressionAttributeValues, ...rest } = input;
    const whole = { ...rest, ...usedIn(rest, { ExpressionAttributeNames, ExpressionAttributeValues }) };
    const read = JSON.parse((await ask("Query", JSON.stringify(whole))).body) as Output;
    const bytes = (read.Items ?? []).reduce((sum, item) => sum + itemBytes(item), 0);
    tally.note({ readUnits: unitsOfRead(bytes, input.ConsistentRead === true) });
    return ask("Query", body);
  };

  return {
    async call(operation, body) {
      tally.note({ calls: { [`dynamodb ${operation}`]: 1 } });
      const input = JSON.parse(body) as Input;
      if (WRITES.includes(operation)) return write(operation, body, keyOf(input.Key ?? input.Item ?? {}));
      if (operation === "Query") return query(input, body);
      const answer = await ask(operation, body);
      tally.note({ readUnits: unitsRead(operation, input, JSON.parse(answer.body) as Output) });
      return answer;
    },
    close,
  };
}

function unitsRead(operation: string, input: Input, output: Output): number {
  if (operation === "GetItem")
    return unitsOfRead(output.Item === undefined ? 0 : itemBytes(output.Item), input.ConsistentRead === true);
  if (operation !== "BatchGetItem") throw new Error(`The store has no ${operation}.`);
  const { Keys, ConsistentRead } = (
    input["RequestItems"] as Record<string, { Keys: Item[]; ConsistentRead?: boolean }>
  )[TABLE_NAME] ?? { Keys: [] };
  const found = (output["Responses"] as Record<string, Item[]>)[TABLE_NAME] ?? [];
  const isConsistent = ConsistentRead === true;
  // Each by itself, those that are not there too.
  const missing = (Keys.length - found.length) * unitsOfRead(0, isConsistent);
  return found.reduce((sum, item) => sum + unitsOfRead(itemBytes(item), isConsistent), missing);
}

/** The names and values that are left in use: DynamoDB refuses those that are not. */
function usedIn(
  rest: Record<string, unknown>,
  given: { ExpressionAttributeNames: unknown; ExpressionAttributeValues: unknown },
): Record<string, object> {
  const condition = String(rest["KeyConditionExpression"]);
  return Object.fromEntries(
    Object.entries(given).flatMap(([field, all]): [string, object][] => {
      const used = Object.entries((all ?? {}) as object).filter(([name]) =>
        new RegExp(`${name.replace("#", "\\#")}\\b`).test(condition),
      );
      return used.length === 0 ? [] : [[field, Object.fromEntries(used)]];
    }),
  );
}

const keyOf = (item: Item): Item =>
  Object.fromEntries([TABLE.partitionKey, TABLE.sortKey].map((name) => [name, item[name] ?? { S: "" }]));

/** Any credentials will do. */
const headersFor = (operation: string): Record<string, string> => ({
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": `DynamoDB_20120810.${operation}`,
  authorization:
    "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=none",
  "x-amz-date": "20260101T000000Z",
});

/** Does what concerns the same thing one after the other. */
function createTurns(): <T>(topic: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (topic, work) => {
    const mine = (last.get(topic) ?? Promise.resolve()).then(work, work);
    last.set(topic, mine);
    const done = (): void => {
      if (last.get(topic) === mine) last.delete(topic);
    };
    mine.then(done, done);
    return mine;
  };
}
