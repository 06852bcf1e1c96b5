import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { createEventBridgePublisher } from "../../../functions/runtime/eventbridge-publisher.ts";
import { createTable, TABLE_NAME } from "../../../local/table.ts";
import { AWS_CLIENTS } from "../../support/aws-clients.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory } from "../../support/call-in-memory.ts";
import { type FaultProxy, type Rates, startFaultProxy } from "./fault-proxy.ts";
import { type EventBus, type ScriptedService, startEventBus, startRealStore } from "./services.ts";

const EMITS = 60;

let store: ScriptedService;
let bus: EventBus;
let proxy: FaultProxy;

beforeAll(async () => {
  store = await startRealStore();
  bus = await startEventBus();
  proxy = await startFaultProxy({ seed: 5, targets: { dynamodb: store.url, eventbridge: bus.url } });
  const direct = new DynamoDBClient({ ...ACCESS, endpoint: store.url });
  await createTable(direct, TABLE_NAME);
  direct.destroy();
});
afterAll(async () => {
  await proxy.quiet();
  await proxy.close();
  await store.close();
  await bus.close();
});

const ACCESS = { region: "local", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

type Connect = (typeof AWS_CLIENTS)[number][1];

/**
 * Calls to the store and to EventBridge for each emit of an agent whose client tries again, with clients of AWS as they are
 * deployed: all layers that retry.
 */
async function callsPerEmit(connect: Connect, rates: Rates): Promise<{ calls: number; failed: number }> {
  const { deps, ...rest } = busInMemory();
  const aws = connect({ endpoint: proxy.url });
  const real = {
    ...rest,
    deps: {
      ...deps,
      store: createDynamoEventStore({ calls: aws.table, tableName: TABLE_NAME }),
      publisher: createEventBridgePublisher({ calls: aws.events, eventBusName: "bus" }),
      now: Date.now,
      monotonic: () => performance.now(),
      pause: (ms: number) => sleep(ms),
    },
  };
  const agent = new AgentEventBus({
    url: "http://bus.example.com",
    retry: { baseMs: 10 },
    async fetch(url, { method = "GET", headers, body }) {
      const sent = Object.fromEntries(new Headers(headers));
      const answer = await callInMemory(real, method, new URL(url).pathname, { headers: sent, body });
      return new Response(answer.text, { status: answer.status, headers: answer.headers });
    },
  });
  proxy.setRates(rates);
  const before = proxy.tally.of("calls");
  const outcomes = await Promise.allSettled(
    Array.from({ length: EMITS }, (_, n) => agent.emit("MESSAGE_RECEIVED", { text: String(n) })),
  );
  const calls = (proxy.tally.of("calls") - before) / EMITS;
  proxy.setRates({});
  await proxy.quiet();
  aws.close();
  return { calls, failed: outcomes.filter(({ status }) => status === "rejected").length };
}

describe.each(AWS_CLIENTS)("calls to what the bus depends on by %s, whatever retries (R6)", (_, connect) => {
  test("are at most half as many again at 20 % errors, and three times as many in an outage", async () => {
    const calm = await callsPerEmit(connect, {});
    const errors = await callsPerEmit(connect, { dropped: 0.05, acknowledgementLost: 0.05, throttled: 0.1 });
    const outage = await callsPerEmit(connect, { throttled: 1 });
    const told = (name: string, { calls, failed }: typeof calm): string =>
      `${name}: ${calls.toFixed(2)} calls an emit (${(calls / calm.calls).toFixed(2)} x), ${failed} of ${EMITS} failed`;
    console.log([told("calm", calm), told("20 % errors", errors), told("outage", outage)].join("\n"));
    expect(calm.failed).toBe(0);
    expect(errors.failed).toBe(0);
    expect(errors.calls / calm.calls).toBeLessThanOrEqual(1.5);
    expect(outage.calls / calm.calls).toBeLessThanOrEqual(3);
  });
});
