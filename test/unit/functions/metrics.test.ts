import type { Writable } from "node:stream";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { afterEach, describe, expect, it, vi } from "vitest";
import { measure } from "../../../functions/reconcile.ts";
import type { Handle } from "../../../functions/runtime/http.ts";
import { adaptHandle } from "../../../functions/runtime/lambda.ts";
import { measuringStore } from "../../../functions/runtime/measuring-store.ts";
import { createMetrics, type Metrics } from "../../../functions/runtime/metrics.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { dead, newDelivery } from "../../../shared/deliveries/delivery.ts";
import { cancelRequest } from "../../../shared/end-request.ts";
import { METRICS } from "../../../shared/metrics.ts";
import type { Deps, EventStore } from "../../../shared/ports.ts";
import { openRequest } from "../../../shared/request.ts";
import { respond } from "../../../shared/respond.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { silentLogger } from "../../support/silent-logger.ts";

afterEach(() => vi.restoreAllMocks());

/** What is written to standard output from here on, as CloudWatch reads it: name, dimensions and value of each measure. */
function written(): { name: string; unit: string; dimensions: Record<string, string>; value: unknown }[] {
  const found: ReturnType<typeof written> = [];
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    for (const line of String(chunk).trimEnd().split("\n")) found.push(...measuresIn(JSON.parse(line)));
    return true;
  });
  return found;
}

type Line = Record<string, unknown> & {
  _aws: { Timestamp: number; CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: Named[] }[] };
};
type Named = { Name: string; Unit: string };

function measuresIn(line: Line): ReturnType<typeof written> {
  expect(Math.abs(line._aws.Timestamp - Date.now())).toBeLessThan(60_000);
  return line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics: named }) => {
    expect(Namespace).toBe("AgentEventBus");
    return Dimensions.flatMap((names) =>
      named.map(({ Name, Unit }) => ({
        name: Name,
        unit: Unit,
        dimensions: Object.fromEntries(names.map((dimension) => [dimension, String(line[dimension])])),
        value: line[Name],
      })),
    );
  });
}

type Measure = Parameters<Metrics["add"]>;

const noted = (): { metrics: Metrics; of: Measure[] } => {
  const of: Measure[] = [];
  return { of, metrics: { add: (...measure) => void of.push(measure), write: () => undefined } };
};

/** The methods of a store in memory as an object's own, as those of the store on DynamoDB are. */
function plain(store: EventStore): EventStore {
  const names = new Set<string>();
  for (let at = store; at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  const methods = store as unknown as Record<string, unknown>;
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const method = methods[name];
      return typeof method === "function" && name !== "constructor" ? [[name, method.bind(store)]] : [];
    }),
  ) as unknown as EventStore;
}

function measuredBus(): { deps: Deps; of: Measure[]; bus: ReturnType<typeof busInMemory> } {
  const bus = busInMemory();
  const { metrics, of } = noted();
  return { bus, of, deps: { ...bus.deps, store: measuringStore(plain(bus.deps.store), metrics) } };
}

const QUESTION = { type: "UPGRADE_REQUESTED", data: {}, timeout: 5, require_subscribers: false };

describe("metrics", () => {
  it("are written as lines that CloudWatch takes for metrics of this bus, each with its own dimensions", () => {
    const lines = written();
    const metrics = createMetrics("Staging", silentLogger);
    measure(metrics, { published: 2, ended: 0, tended: 1, failed: 0, oldest_unpublished_ms: 61_000 });
    metrics.add("ResponseTime", 120, "UPGRADE_REQUESTED");
    metrics.add("ResponseTime", 80, "UPGRADE_REQUESTED");
    metrics.add("ResponseTime", 5, "MESSAGE_RECEIVED");
    metrics.add("DeadLetters", 1, "reviewer");
    metrics.write();
    const bus = { service: "Staging" };
    const ofType = (EventType: string) => ({ service: "Staging", EventType });
    expect(lines).toEqual([
      { name: "Published", unit: "Count", dimensions: bus, value: 2 },
      { name: "Ended", unit: "Count", dimensions: bus, value: 0 },
      { name: "Tended", unit: "Count", dimensions: bus, value: 1 },
      { name: "Failed", unit: "Count", dimensions: bus, value: 0 },
      { name: "OldestUnpublishedAge", unit: "Milliseconds", dimensions: bus, value: 61_000 },
      { name: "ResponseTime", unit: "Milliseconds", dimensions: ofType("UPGRADE_REQUESTED"), value: [120, 80] },
      { name: "ResponseTime", unit: "Milliseconds", dimensions: ofType("MESSAGE_RECEIVED"), value: 5 },
      { name: "DeadLetters", unit: "Count", dimensions: { service: "Staging", Subscriber: "reviewer" }, value: 1 },
    ]);
  });

  it("are written once, and nothing is where there is nothing", () => {
    const lines = written();
    const metrics = createMetrics("Bus", silentLogger);
    metrics.write();
    metrics.add("RefusedCalls", 1);
    metrics.write();
    metrics.write();
    metrics.write();
    expect(lines.map(({ name, value }) => [name, value])).toEqual([["RefusedCalls", 1]]);
  });

  it("have at most a hundred values in a line, which is what CloudWatch takes, and lose none", () => {
    const lines = written();
    const metrics = createMetrics("Bus", silentLogger);
    const times = Array.from({ length: 250 }, (_, ms) => ms);
    for (const ms of times) metrics.add("ResponseTime", ms, "UPGRADE_REQUESTED");
    metrics.write();
    expect(lines.map(({ value }) => (value as number[]).length)).toEqual([100, 100, 50]);
    expect(lines.flatMap(({ value }) => value)).toEqual(times);
  });

  it("that cannot be written make no call fail", () => {
    const warnings: string[] = [];
    const metrics = createMetrics("Bus", { ...silentLogger, warn: (message) => void warnings.push(message) });
    vi.spyOn(process.stdout, "write").mockImplementation(() => {
      throw new Error("closed");
    });
    metrics.add("RefusedCalls", 1);
    metrics.write();
    metrics.write();
    expect(warnings).toEqual(["metrics could not be written"]);
  });

  it("stay few: only two have a dimension beside the bus, and both are bounded", () => {
    const byDimension = Object.entries(METRICS).flatMap(([name, metric]) => ("by" in metric ? [name] : []));
    expect(byDimension).toEqual(["ResponseTime", "DeadLetters"]);
    expect(Object.keys(METRICS)).toHaveLength(16);
  });
});

describe("how requests end is measured", () => {
  it("by who wins the write: an answer, with its time by event type, once however many answer", async () => {
    const { deps, of, bus } = measuredBus();
    const { request } = await openRequest(deps, QUESTION, { agent: openAgent("a") });
    bus.clock.nowMs += 250;
    const answer = { response: {}, reply_token: request.replyToken };
    await respond(deps, request.eventId, answer, { agent: openAgent("b") });
    await respond(deps, request.eventId, answer, { agent: openAgent("c") });
    expect(of).toEqual([
      ["WaitsAnswered", 1],
      ["ResponseTime", 250, "UPGRADE_REQUESTED"],
    ]);
  });

  it("a rejection is an answer too, a time-out and a cancellation have no time", async () => {
    const { deps, of } = measuredBus();
    const ask = async () => (await openRequest(deps, QUESTION, { agent: openAgent("a") })).request;
    const rejected = await ask();
    const rejection = { response: {}, status: "rejected", reply_token: rejected.replyToken };
    await respond(deps, rejected.eventId, rejection, { agent: openAgent("b") });
    await cancelRequest(deps, (await ask()).eventId, "a");
    await waitForEnd(deps, await ask(), { holdMs: 60_000 });
    expect(of.map(([name]) => name)).toEqual(["WaitsFailed", "ResponseTime", "WaitsCancelled", "WaitsTimedOut"]);
  });

  it("whoever comes second has not ended it", async () => {
    const { deps, of } = measuredBus();
    const { request } = await openRequest(deps, QUESTION, { agent: openAgent("a") });
    const end = { eventId: request.eventId, state: "TIMED_OUT", at: request.deadline, expiresAt: 1 } as const;
    expect((await deps.store.endRequest(end)).kind).toBe("written");
    expect((await deps.store.endRequest({ ...end, state: "CANCELLED" })).kind).toBe("refused");
    expect(of).toEqual([["WaitsTimedOut", 1]]);
  });

  it("a request that still waits for others is not at its end", async () => {
    const { deps, of } = measuredBus();
    const two = { ...QUESTION, expect: { mode: "count", count: 2 } };
    const { request } = await openRequest(deps, two, { agent: openAgent("a") });
    await respond(deps, request.eventId, { response: {}, reply_token: request.replyToken }, { agent: openAgent("b") });
    expect(of).toEqual([]);
  });
});

describe("deliveries that die are measured", () => {
  it("by who wins the write: those of run-time subscriptions, for dead letters count by subscriber", async () => {
    const { deps, of } = measuredBus();
    const event = { id: "e-1", type: "UPGRADE_REQUESTED" };
    const end = { at: "2026-06-01T12:00:00.000Z", reason: "it failed", fence: "f-2" };
    for (const kind of ["queue", "webhook", "deployed"] as const) {
      const entry = { subscriptionId: kind, owner: "a", name: kind, kind };
      const begun = newDelivery(event, entry, { nowMs: deps.now(), fence: "f-1", expiresAt: 9e9 });
      await deps.store.createDelivery(begun);
      expect(await deps.store.replaceDelivery(dead(begun, end), "f-1")).toBe(true);
      expect(await deps.store.replaceDelivery(dead(begun, end), "f-1")).toBe(false);
    }
    expect(of).toEqual([
      ["DeadDeliveries", 1],
      ["DeadDeliveries", 1],
    ]);
  });
});

describe("calls that did not go well are measured", () => {
  const context = {
    invokedFunctionArn: "arn:aws:lambda:eu-central-1:1:function:emit",
    getRemainingTimeInMillis: () => 30_000,
  } as Context;
  const event = {
    rawPath: "/events",
    rawQueryString: "",
    headers: {},
    requestContext: { http: { method: "POST" }, authorizer: { iam: { userArn: "arn:aws:iam::1:user/a" } } },
  } as unknown as APIGatewayProxyEventV2;

  /** The metrics that a call leaves which is answered so; and those that were there when its answer left. */
  async function measuresOf(status: number, sent = event): Promise<{ after: string[]; before: string[] }> {
    const { deps } = busInMemory();
    const { metrics, of } = noted();
    const before: string[] = [];
    let isWritten = false;
    const writing: Metrics = {
      ...metrics,
      write() {
        isWritten = true;
      },
    };
    const handle: Handle = async () => ({ status, headers: {}, body: "" });
    const streaming = {
      streamifyResponse: (handler: unknown) => handler,
      HttpResponseStream: { from: (stream: Writable) => stream },
    };
    const runtime = () => ({ env: { allowAnonymous: false, auth: "iam" as const }, deps, metrics: writing });
    const stream = {
      write: () => true,
      once: () => stream,
      end: () => void before.push(...(isWritten ? ["written before the answer was sent"] : [])),
    } as unknown as Writable;
    const handler = adaptHandle(handle, runtime, streaming) as (...args: unknown[]) => Promise<void>;
    await handler(sent, stream, context);
    expect(isWritten).toBe(true);
    return { before, after: of.map(([name]) => name) };
  }

  it.each([
    [202, []],
    [404, []],
    [401, ["RefusedCalls"]],
    [403, ["RefusedCalls"]],
    [424, ["WaitsWithoutSubscribers"]],
    [429, ["RateLimitedCalls"]],
    [500, ["FailedCalls"]],
    [503, ["FailedCalls"]],
  ])("%i", async (status, names) => {
    expect(await measuresOf(status)).toEqual({ after: names, before: [] });
  });

  it("one without a known identity", async () => {
    const unknown = { ...event, requestContext: { http: { method: "POST" } } } as APIGatewayProxyEventV2;
    expect((await measuresOf(202, unknown)).after).toEqual(["RefusedCalls"]);
  });
});
