import { describe, expect, it } from "vitest";
import type { TableCalls } from "../../../functions/runtime/aws/calls.ts";
import { createDynamoRateStore } from "../../../functions/runtime/dynamo/rates.ts";
import { codeOf } from "../../support/failures.ts";

interface Call {
  readonly UpdateExpression?: string | undefined;
  readonly ExpressionAttributeValues?: Record<string, object> | undefined;
}

/** @param answer to a call, which is told when it is broken off */
function playedStore(answer: (call: Call, signal: AbortSignal | undefined) => Promise<object>, timeoutMs?: number) {
  const calls: Pick<TableCalls, "updateItem"> = { updateItem: (input, { signal } = {}) => answer(input, signal) };
  return createDynamoRateStore({
    calls: calls as TableCalls,
    tableName: "bus",
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

const withdrawal = { nowMs: 1_000_000, takeMs: 10, capacityMs: 2_000 };

describe("the bucket of an agent", () => {
  it("that the table does not give out holds no call up: it is given up soon", async () => {
    const store = playedStore(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("broken off")));
        }),
    );
    expect(await codeOf(store.take("agent", withdrawal, 0))).toBe("unavailable");
  });

  it("is removed from the table a day after it is full: there is nothing to be remembered of it", async () => {
    const calls: Call[] = [];
    const store = playedStore(async (call) => {
      calls.push(call);
      return { Attributes: { full_at: { N: "1000010" } } };
    });
    expect(await store.take("agent", withdrawal, 0)).toEqual({ taken: true, fullAtMs: 1_000_010 });
    const { UpdateExpression, ExpressionAttributeValues } = calls[0] ?? {};
    expect(UpdateExpression).toContain("expires_at = :expires");
    expect(ExpressionAttributeValues?.[":expires"]).toEqual({ N: String(1_002 + 86_400) });
  });
});
