/**
 * The table, in the five calls that the store makes. Failures come out as the bus's own: what may or may not have
 * happened is `unavailable` (I11).
 */
import type { AttributeValue, QueryInput, UpdateItemInput } from "@aws-sdk/client-dynamodb";
import { BusError } from "../../../shared/errors.ts";
import { type ItemKey, TABLE } from "../../../shared/keys.ts";
import { type CallOptions, isConditionFailed, type TableCalls } from "../aws/calls.ts";

export type Item = Record<string, AttributeValue>;

/** A conditional write: the item as it now is, if it was asked for, or that the condition did not hold. */
export type WriteOutcome = { readonly kind: "written"; readonly item: Item } | { readonly kind: "refused" };

export type Update = Pick<
  UpdateItemInput,
  "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues" | "ReturnValues"
>;

/** What an eventually consistent read finds may be a second old; it costs half. */
export type Consistency = "consistent" | "eventual";

export interface QueryResult {
  readonly items: readonly Item[];
  /** How many items there were, where only a count was asked for. */
  readonly count: number;
  /** Where to read on; undefined at the end. */
  readonly lastKey: Item | undefined;
}

/** BatchGetItem takes 100 keys. */
const MAX_BATCH_GET = 100;
/** Rounds of a BatchGetItem, one after the other, that read nothing. */
const MAX_IDLE_ROUNDS = 8;

export class DynamoTable {
  private readonly calls: TableCalls;
  private readonly tableName: string;

  constructor(calls: TableCalls, tableName: string) {
    this.calls = calls;
    this.tableName = tableName;
  }

  async get(key: ItemKey, consistency: Consistency = "consistent", signal?: AbortSignal): Promise<Item | null> {
    const input = { TableName: this.tableName, Key: toKey(key), ConsistentRead: consistency === "consistent" };
    return (await translated(() => this.calls.getItem(input, abortedBy(signal)))).Item ?? null;
  }

  /** In no order; each once; without those that do not exist. */
  async getMany(keys: readonly ItemKey[], consistency: Consistency = "consistent"): Promise<Item[]> {
    // BatchGetItem refuses a key that it is given twice, and an index that lags may name an item at its old place and at
    // its new one.
    const different = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const batches = Array.from({ length: Math.ceil(different.length / MAX_BATCH_GET) }, (_, i) =>
      this.getBatch(different.slice(i * MAX_BATCH_GET, (i + 1) * MAX_BATCH_GET), consistency),
    );
    return (await Promise.all(batches)).flat();
  }

  /**
   * Of items that never change once they are there, at half the price: what an eventually consistent read does not find, or
   * finds dead, is read once more, consistently.
   */
  async getManyUnchanging(keys: readonly ItemKey[], isAlive: (item: Item) => boolean): Promise<Item[]> {
    const found = (await this.getMany(keys, "eventual")).filter(isAlive);
    const names = new Set(found.map((item) => nameOf({ pk: item["pk"]?.S ?? "", sk: item["sk"]?.S ?? "" })));
    const missing = keys.filter((key) => !names.has(nameOf(key)));
    return [...found, ...(await this.getMany(missing)).filter(isAlive)];
  }

  private async getBatch(keys: readonly ItemKey[], consistency: Consistency): Promise<Item[]> {
    const items: Item[] = [];
    let rest: Item[] = keys.map(toKey);
    for (let idleRounds = 0; rest.length > 0; ) {
      const input = {
        RequestItems: { [this.tableName]: { Keys: rest, ConsistentRead: consistency === "consistent" } },
      };
      const result = await translated(() => this.calls.batchGetItem(input));
      const read = result.Responses?.[this.tableName] ?? [];
      const left = result.UnprocessedKeys?.[this.tableName]?.Keys ?? [];
      items.push(...read);
      // A round that read nothing was throttled; one that read a part met the size limit, and the next goes on at once.
      idleRounds = left.length < rest.length ? 0 : idleRounds + 1;
      // I8: a page is never silently short of what could not be read.
      if (idleRounds > MAX_IDLE_ROUNDS) throw new BusError("unavailable", "Not all items could be read at the moment.");
      if (idleRounds > 0) await backOff(idleRounds);
      rest = left;
    }
    return items;
  }

  /** Puts an item where there is none, or where there is one that has expired: TTL removes it whenever it likes. */
  async create(item: Item, nowSeconds: number): Promise<WriteOutcome> {
    const isAbsent = `attribute_not_exists(${TABLE.partitionKey})`;
    const hasExpired = `${TABLE.ttlAttribute} <= :now`;
    return this.replace(item, {
      ConditionExpression: `${isAbsent} OR ${hasExpired}`,
      ExpressionAttributeValues: { ":now": { N: String(Math.floor(nowSeconds)) } },
    });
  }

  /** Puts an item in place of the one that is there, if that fits a condition. */
  async replace(
    item: Item,
    condition: Pick<Update, "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues">,
  ): Promise<WriteOutcome> {
    return conditional(item, () => this.calls.putItem({ TableName: this.tableName, Item: item, ...condition }));
  }

  /** Puts an item, whatever is there. */
  async put(item: Item): Promise<void> {
    await translated(() => this.calls.putItem({ TableName: this.tableName, Item: item }));
  }

  async update(key: ItemKey, update: Update, signal?: AbortSignal): Promise<WriteOutcome> {
    const input = { TableName: this.tableName, Key: toKey(key), ...update };
    return conditional({}, () => this.calls.updateItem(input, abortedBy(signal)));
  }

  async delete(key: ItemKey): Promise<void> {
    await translated(() => this.calls.deleteItem({ TableName: this.tableName, Key: toKey(key) }));
  }

  /** One stretch of a query. */
  async query(input: Omit<QueryInput, "TableName">): Promise<QueryResult> {
    const result = await translated(() => this.calls.query({ TableName: this.tableName, ...input }));
    return { items: result.Items ?? [], count: result.Count ?? 0, lastKey: result.LastEvaluatedKey };
  }

  /** How many items a query finds, counted up to `atMost`. It stops at 1 MB each time, however few that is. */
  async count(input: Omit<QueryInput, "TableName" | "Select" | "Limit">, atMost: number): Promise<number> {
    const isFiltered = input.FilterExpression !== undefined;
    for (let counted = 0, lastKey: Item | undefined; ; ) {
      const start = lastKey === undefined ? {} : { ExclusiveStartKey: lastKey };
      // A limit counts what is read, and not what a filter leaves.
      const limit = isFiltered ? {} : { Limit: atMost - counted };
      const result = await this.query({ ...input, Select: "COUNT", ...limit, ...start });
      counted += result.count;
      lastKey = result.lastKey;
      if (lastKey === undefined || counted >= atMost) return Math.min(counted, atMost);
    }
  }

  /** A query to its end. */
  async queryAll(input: Omit<QueryInput, "TableName">): Promise<Item[]> {
    const items: Item[] = [];
    for (let lastKey: Item | undefined; ; ) {
      const result = await this.query({ ...input, ...(lastKey === undefined ? {} : { ExclusiveStartKey: lastKey }) });
      items.push(...result.items);
      lastKey = result.lastKey;
      if (lastKey === undefined) return items;
    }
  }
}

const nameOf = ({ pk, sk }: ItemKey): string => `${pk}\n${sk}`;

export function toKey({ pk, sk }: ItemKey): Item {
  return { [TABLE.partitionKey]: { S: pk }, [TABLE.sortKey]: { S: sk } };
}

const abortedBy = (signal: AbortSignal | undefined): CallOptions => (signal === undefined ? {} : { signal });

async function conditional(item: Item, send: () => Promise<{ Attributes?: Item | undefined }>): Promise<WriteOutcome> {
  try {
    return { kind: "written", item: (await send()).Attributes ?? item };
  } catch (error) {
    if (isConditionFailed(error)) return { kind: "refused" };
    throw unavailable(error);
  }
}

async function translated<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw unavailable(error);
  }
}

/** What a refused put of `create` found; it can only be gone again if its time was just up. */
export function standing<T>(record: T | null): T {
  if (record === null) throw new BusError("unavailable", "The record was just removed; retry with the same key.");
  return record;
}

function unavailable(cause: unknown): BusError {
  return new BusError("unavailable", "The store did not answer as it should; retry with the same idempotency key.", {
    cause,
  });
}

/** Full jitter, 25 ms doubling. */
function backOff(round: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 25 * 2 ** round));
}
