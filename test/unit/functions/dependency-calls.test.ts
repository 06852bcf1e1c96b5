import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { handle as emit } from "../../../functions/emit.ts";
import { handle as request } from "../../../functions/request.ts";
import { createDeps } from "../../../functions/runtime/deps.ts";
import { createDynamoRateStore } from "../../../functions/runtime/dynamo/rates.ts";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { createEventBridgePublisher } from "../../../functions/runtime/eventbridge-publisher.ts";
import type { Handle } from "../../../functions/runtime/http.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { defineBus } from "../../../shared/bus-config.ts";
import type { Deps } from "../../../shared/ports.ts";
import { AWS_CLIENTS, type AwsAt } from "../../support/aws-clients.ts";
import { silentLogger } from "../../support/silent-logger.ts";

/** DynamoDB and EventBridge in one: all is well, nothing is there, and every so many calls fail. */
let services: Server;
let endpoint = "";
/** How often each of their operations was called. */
const calls = new Map<string, number>();
let failingShare = 0;
let turn = 0;

beforeAll(async () => {
  services = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    turn += failingShare;
    const fails = turn >= 1;
    if (fails) turn -= 1;
    incoming.resume().once("end", () => {
      outgoing.writeHead(fails ? 500 : 200, { "content-type": "application/x-amz-json-1.0" });
      outgoing.end(JSON.stringify(fails ? {} : (ANSWERS[operation] ?? {})));
    });
  });
  services.listen(0, "127.0.0.1");
  await once(services, "listening");
  endpoint = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
});

afterAll(() => {
  services.closeAllConnections();
  services.close();
});

const ANSWERS: Readonly<Record<string, object>> = {
  Query: { Items: [], Count: 0 },
  PutEvents: { FailedEntryCount: 0, Entries: [{ EventId: "1" }] },
};

beforeEach(() => {
  calls.clear();
  turn = 0;
});

/** A function that was just started, with clients as deployed. */
function started(connect: Connect): Deps {
  const aws = connect({ endpoint });
  opened.push(aws);
  const table = { calls: aws.table, tableName: "table" };
  return createDeps({
    store: createDynamoEventStore(table),
    rates: createDynamoRateStore(table),
    publisher: createEventBridgePublisher({ calls: aws.events, eventBusName: "bus" }),
    config: defineBus({ limits: { holdSeconds: 0.001 } }),
    configuredAgent: openAgent,
    log: silentLogger,
  });
}

type Connect = (typeof AWS_CLIENTS)[number][1];

const opened: AwsAt[] = [];
afterEach(() => {
  for (const aws of opened.splice(0)) aws.close();
});

/** Calls a function so often, some at once. @returns how often each operation of a service was called for one of them */
async function callsOf(
  connect: Connect,
  handle: Handle,
  path: string,
  body: object,
  share: number,
): Promise<Map<string, number>> {
  const deps = started(connect);
  failingShare = share;
  calls.clear();
  const { signal } = new AbortController();
  const callOnce = async (): Promise<void> => {
    const response = await handle(
      {
        method: "POST",
        path,
        query: new URLSearchParams(),
        headers: {},
        body: new TextEncoder().encode(JSON.stringify(body)),
        agent: openAgent("agent"),
        signal,
        gone: signal,
        canStream: false,
        remainingMs: () => 60_000,
      },
      deps,
    );
    await response.afterwards?.();
  };
  for (let i = 0; i < TIMES; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, callOnce));
  return new Map([...calls].map(([operation, count]) => [operation, count / TIMES]));
}

const TIMES = 48;
const AT_ONCE = 24;

const totalOf = (counts: Map<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

const EVENT = { type: "MESSAGE_RECEIVED", data: {} };

describe.each(AWS_CLIENTS)("when the services that the bus needs fail, called by %s", (_client, connect) => {
  it.each([
    ["publishing", emit, "/events", EVENT],
    ["asking", request, "/requests", { ...EVENT, timeout: 30, require_subscribers: false }],
  ] as const)(
    "%s calls them at most half as often again while a fifth of the calls fail, and thrice in an outage [all-1]",
    async (_, handle, path, body) => {
      const well = await callsOf(connect, handle, path, body, 0);
      const troubled = await callsOf(connect, handle, path, body, 0.2);
      const away = await callsOf(connect, handle, path, body, 1);
      expect(totalOf(well)).toBeGreaterThan(2);
      expect(totalOf(troubled)).toBeLessThanOrEqual(1.5 * totalOf(well));
      expect(totalOf(away)).toBeLessThanOrEqual(3 * totalOf(well));
      // Each operation by itself, and not on average only; what pays for calls is asked five times a second at most.
      for (const [operation, count] of away)
        expect(count, operation).toBeLessThanOrEqual(3 * (well.get(operation) ?? 0) + 0.2);
    },
  );

  it("they are tried again less and less: who fails each time is called once in the end", async () => {
    await callsOf(connect, emit, "/events", EVENT, 1);
    const deps = started(connect);
    calls.clear();
    const tries: number[] = [];
    for (let i = 0; i < 8; i++) {
      const before = calls.get("GetItem") ?? 0;
      await Promise.all(Array.from({ length: 30 }, () => deps.store.getEnvelope("an event").catch(() => null)));
      tries.push(((calls.get("GetItem") ?? 0) - before) / 30);
    }
    // The client's quota of 500 tokens, 5 a retry.
    expect(tries[0]).toBe(2);
    expect(tries.at(-1)).toBe(1);
  });
});
