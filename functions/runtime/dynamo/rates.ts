/**
 * Agents' buckets in the table, each an item of its own. DynamoDB cannot say "the later of the two", so a bucket that is
 * full and one that is not are two writes with opposite conditions; what was last seen says which to try first.
 */
import { BusError } from "../../../shared/errors.ts";
import { type ItemKey, keys } from "../../../shared/keys.ts";
import { type BucketState, isMistaken, type Withdrawal } from "../../../shared/rate-limit/bucket.ts";
import type { RateStore } from "../../../shared/rate-limit/store.ts";
import type { TableCalls } from "../aws/calls.ts";
import { FORMAT, number } from "./items.ts";
import { DynamoTable, type Update, type WriteOutcome } from "./table.ts";

export interface DynamoRateStoreOptions {
  readonly calls: TableCalls;
  readonly tableName: string;
  /** How long a call waits for its bucket. */
  readonly timeoutMs?: number;
}

/** A call waits for its bucket no longer than this; it is answered in milliseconds, or something is wrong. */
const TIMEOUT_MS = 500;

/** An item that nobody has written for so long is as good as none: its bucket is full. */
const KEPT_SECONDS = 86_400;

/** Others may fill and empty a bucket in between. */
const MAX_ROUNDS = 3;

export function createDynamoRateStore({ calls, tableName, timeoutMs = TIMEOUT_MS }: DynamoRateStoreOptions): RateStore {
  const table = new DynamoTable(calls, tableName);
  return {
    async take(agentId, withdrawal, seenFullAtMs) {
      const bucket = new Bucket(table, agentId, withdrawal, AbortSignal.timeout(timeoutMs));
      let fromFull = seenFullAtMs <= withdrawal.nowMs;
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const fullAtMs = (await bucket.takeWhen(fromFull)) ?? (await bucket.takeWhen(!fromFull));
        if (fullAtMs !== null) return { taken: true, fullAtMs };
        const refused = await bucket.whyRefused();
        if (refused !== null) return refused;
        fromFull = !fromFull;
      }
      throw new BusError("unavailable", "Others were quicker each time.");
    },
  };
}

/** One withdrawal from one agent's bucket. */
class Bucket {
  private readonly table: DynamoTable;
  private readonly key: ItemKey;
  private readonly withdrawal: Withdrawal;
  private readonly signal: AbortSignal;

  constructor(table: DynamoTable, agentId: string, withdrawal: Withdrawal, signal: AbortSignal) {
    this.table = table;
    this.key = keys.bucket(agentId);
    this.withdrawal = withdrawal;
    this.signal = signal;
  }

  /** Takes if the bucket is full, or if it is not and holds enough. When it is full again; null when it is otherwise. */
  async takeWhen(isFull: boolean): Promise<number | null> {
    const { nowMs, takeMs, capacityMs } = this.withdrawal;
    const values = isFull
      ? { ":now": nowMs, ":next": nowMs + takeMs }
      : { ":now": nowMs, ":take": takeMs, ":latest": nowMs + capacityMs - takeMs };
    const write = await this.write(
      isFull ? "full_at = :next" : "full_at = full_at + :take",
      isFull ? "attribute_not_exists(full_at) OR full_at <= :now" : "full_at > :now AND full_at <= :latest",
      values,
    );
    if (write.kind === "refused") return null;
    return write.item["full_at"] === undefined ? nowMs + takeMs : number(write.item, "full_at");
  }

  /** The bucket that holds too little; null when that has changed meanwhile. */
  async whyRefused(): Promise<BucketState | null> {
    const { nowMs, takeMs, capacityMs } = this.withdrawal;
    const item = await this.table.get(this.key, "consistent", this.signal);
    const fullAtMs = item === null ? 0 : number(item, "full_at");
    if (fullAtMs + takeMs <= nowMs + capacityMs) return null;
    if (!isMistaken(fullAtMs, nowMs, capacityMs)) return { taken: false, fullAtMs };
    const emptyMs = nowMs + capacityMs;
    await this.write("full_at = :empty", "full_at = :seen", { ":empty": emptyMs, ":seen": fullAtMs });
    return { taken: false, fullAtMs: emptyMs };
  }

  private write(set: string, condition: string, values: Record<string, number>): Promise<WriteOutcome> {
    const { nowMs, capacityMs } = this.withdrawal;
    const expires = Math.ceil((nowMs + capacityMs) / 1_000) + KEPT_SECONDS;
    const update: Update = {
      UpdateExpression: `SET ${set}, expires_at = :expires, v = :v`,
      ConditionExpression: condition,
      ExpressionAttributeValues: {
        ...Object.fromEntries(
          Object.entries({ ...values, ":expires": expires }).map(([k, N]) => [k, { N: String(N) }]),
        ),
        ":v": FORMAT.v,
      },
      ReturnValues: "UPDATED_NEW",
    };
    return this.table.update(this.key, update, this.signal);
  }
}
