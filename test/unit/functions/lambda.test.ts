import { getEventListeners } from "node:events";
import { type ClientRequest, createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { handleSigned } from "../../../functions/agents.ts";
import { type AuthMode, readConfig } from "../../../functions/runtime/config.ts";
import { createAwsDeps } from "../../../functions/runtime/deps.ts";
import { type Handle, type HttpRequest, type HttpResponse, jsonResponse } from "../../../functions/runtime/http.ts";
import { configuredAgents } from "../../../functions/runtime/iam-agents.ts";
import { adaptHandle, agentOf } from "../../../functions/runtime/lambda.ts";
import type { Metrics } from "../../../functions/runtime/metrics.ts";
import { registerAgent } from "../../../shared/agents/administer.ts";
import { DEFAULT_POLICY, NO_POLICY } from "../../../shared/agents/policy.ts";
import { subscriberRoleName } from "../../../shared/agents/subscriber-role.ts";
import { defineBus } from "../../../shared/bus-config.ts";
import { BusError } from "../../../shared/errors.ts";
import type { Logger } from "../../../shared/ports.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";

const { deps } = busInMemory();
const metrics: Metrics = { add: () => undefined, write: async () => undefined };
const ROLE_SESSION = "arn:aws:sts::123456789012:assumed-role/planner/session-7";

function anEvent(change: object = {}, userArn: string | undefined = ROLE_SESSION): APIGatewayProxyEventV2 {
  return {
    rawPath: "/events",
    rawQueryString: "a=1&b=%20",
    headers: { "Content-Type": "application/json", "X-Nothing": undefined },
    body: "{}",
    isBase64Encoded: false,
    requestContext: {
      http: { method: "POST" },
      ...(userArn === undefined ? {} : { authorizer: { iam: { userArn } } }),
    },
    ...change,
  } as unknown as APIGatewayProxyEventV2;
}

const context = {
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:1:function:emit",
  getRemainingTimeInMillis: () => 30_000,
} as Context;

/** What the runtime's link to Lambda carries between a response's head and its body. */
const HEAD_END = Buffer.alloc(8);

interface Played {
  /** What a handler gets: only what the real runtime lets through. */
  readonly stream: Writable;
  readonly request: ClientRequest;
  /** The head and the body as they arrived; the runtime's verdict once the handler's promise has come back. */
  invoke(handler: unknown, event: APIGatewayProxyEventV2, context: Context): Promise<Received>;
}

interface Received {
  readonly head: unknown;
  readonly body: string;
  readonly failure: string | null;
}

const streaming = {
  streamifyResponse: (handler: unknown) => handler,
  HttpResponseStream: {
    from(stream: Writable, head: object) {
      (stream as unknown as { beforeFirstWrite: object }).beforeFirstWrite = head;
      return stream;
    },
  },
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/**
 * Plays the streaming part of Lambda's Node runtime as it is: a response is an HTTP request to Lambda; its head goes out
 * before the first `write`, and with no other call; it closes after its end, whatever the client does.
 */
async function playRuntime(reader: "reads" | "never reads" | "breaks the link" = "reads"): Promise<Played> {
  const arrived: Buffer[] = [];
  const server = createServer((incoming, answer) => {
    if (reader === "breaks the link") incoming.once("data", () => incoming.destroy());
    if (reader === "reads") incoming.on("data", (chunk) => arrived.push(chunk)).on("end", () => answer.end());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const request = httpRequest({ method: "POST", host: "127.0.0.1", port });
  const answered = new Promise<void>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (answer) => answer.resume().on("end", resolve));
  });
  answered.catch(() => undefined);

  let hasBegun = false;
  const stream = {
    beforeFirstWrite: null as object | null,
    write(chunk: string): boolean {
      if (!hasBegun && stream.beforeFirstWrite !== null) {
        request.write(JSON.stringify(stream.beforeFirstWrite));
        request.write(HEAD_END);
      }
      hasBegun = true;
      return request.write(chunk);
    },
    end: request.end.bind(request),
    on: request.on.bind(request),
    once: request.once.bind(request),
    off: request.off.bind(request),
  } as unknown as Writable & { beforeFirstWrite: object | null };

  return {
    stream,
    request,
    async invoke(handler, event, context) {
      let failure: string | null = null;
      try {
        await (handler as Streamed)(event, stream, context);
        await answered;
        if (!request.writableFinished) throw new Error("Response stream is not finished.");
      } catch (error) {
        failure = String(error);
      }
      const whole = Buffer.concat(arrived);
      const headEnd = whole.indexOf(HEAD_END);
      const head = headEnd === -1 ? null : JSON.parse(whole.subarray(0, headEnd).toString());
      const body = headEnd === -1 ? whole : whole.subarray(headEnd + HEAD_END.length);
      return { head, body: body.toString(), failure };
    },
  };
}

type Streamed = (event: APIGatewayProxyEventV2, stream: Writable, context: Context) => Promise<void>;
type Buffered = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<{ statusCode: number; headers: Record<string, string>; body: string }>;

const runtime =
  (allowAnonymous = false, auth: AuthMode = "iam") =>
  () => ({ env: { allowAnonymous, auth }, deps, metrics });

describe("a Function URL's event", () => {
  it("reaches the operation as a plain request, its body decoded, its caller verified", async () => {
    const seen: HttpRequest[] = [];
    const handle: Handle = async (request) => {
      seen.push(request);
      return jsonResponse(200, {});
    };
    const handler = adaptHandle(handle, runtime(), undefined) as Buffered;
    await handler(anEvent({ body: Buffer.from("é").toString("base64"), isBase64Encoded: true }), context);
    const [request] = seen;
    expect(request).toMatchObject({ method: "POST", path: "/events", headers: { "content-type": "application/json" } });
    expect(Buffer.from(request?.body ?? []).toString()).toBe("é");
    expect([...(request?.query ?? [])]).toEqual([
      ["a", "1"],
      ["b", " "],
    ]);
    expect(request?.agent.id).toBe("arn:aws:iam::123456789012:role/planner");
    expect(request?.remainingMs()).toBeGreaterThan(29_000);
  });

  it("without a verified identity is refused, unless an emulator gives none", async () => {
    const handle: Handle = async (request) => jsonResponse(200, { caller: request.agent.id });
    const anonymous = anEvent({}, "");
    expect(await (adaptHandle(handle, runtime(), undefined) as Buffered)(anonymous, context)).toMatchObject({
      statusCode: 401,
    });
    const answered = await (adaptHandle(handle, runtime(true), undefined) as Buffered)(anonymous, context);
    expect(JSON.parse(answered.body)).toEqual({ caller: "anonymous" });
  });

  it("gives the sessions of a role one identity, and a user its own", () => {
    const idOf = (arn: string) =>
      agentOf(anEvent({}, arn), { allowAnonymous: false }, deps.configuredAgent, context.invokedFunctionArn)?.id;
    expect(idOf("arn:aws:sts::1:assumed-role/planner/other")).toBe("arn:aws:iam::1:role/planner");
    expect(idOf("arn:aws:iam::1:user/ann")).toBe("arn:aws:iam::1:user/ann");
  });

  it("takes no role of another account than its own for a deployed subscriber's", () => {
    const { subscribers, agents, defaultPolicy } = defineBus({
      subscribers: [{ name: "clerk", on: "MESSAGE_RECEIVED", handler: "clerk.ts", via: "queue" }],
    });
    const bus = { eventBusName: "bus", region: "eu-central-1" };
    const known = configuredAgents({ subscribers, agents, defaultPolicy }, { bus });
    const role = subscriberRoleName("bus", "clerk", "eu-central-1");
    const { invokedFunctionArn } = context;
    const deployed = { allowAnonymous: false };
    const calledFrom = (account: string) =>
      agentOf(anEvent({}, `arn:aws:sts::${account}:assumed-role/${role}/s`), deployed, known, invokedFunctionArn);
    expect(calledFrom("1")).toMatchObject({ subscriber: "clerk" });
    expect(calledFrom("2")).not.toHaveProperty("subscriber");
  });
});

describe("where calls come with agent keys", () => {
  const handle: Handle = async ({ agent, headers }) => jsonResponse(200, { agent, headers });
  const call = async (headers: object, event: object = {}, userArn = "", auth: AuthMode | undefined = undefined) => {
    const handler = adaptHandle(handle, runtime(true, "keys"), undefined, auth) as Buffered;
    const { statusCode, headers: answered, body } = await handler(anEvent({ headers, ...event }, userArn), context);
    return { statusCode, headers: answered, body, told: JSON.parse(body) };
  };
  let key = "";
  beforeAll(async () => {
    key = (await registerAgent(deps, { name: "planner", policy: { read: [] } })).key;
  });

  it("whoever has one is its agent, and the key goes no further", async () => {
    for (const name of ["authorization", "Authorization"]) {
      const { statusCode, told, body } = await call({
        [name]: `Bearer ${key}`,
        accept: "x",
        "X-Amz-Security-Token": "y",
      });
      expect(statusCode).toBe(200);
      expect(told.agent).toEqual({ id: "agent:planner", policy: { ...DEFAULT_POLICY, read: [] } });
      expect(told.headers).toEqual({ accept: "x" });
      expect(body).not.toContain(key);
    }
  });

  it("everybody else hears the same, on an emulator too, and whatever is wrong", async () => {
    const other = key.replace("aeb_planner_", "aeb_nobody_");
    const changed = `${key.slice(0, -1)}${key.endsWith("A") ? "E" : "A"}`;
    const answers = new Set<string>();
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      "Bearer x",
      `Basic ${key}`,
      key,
      `Bearer ${other}`,
      `Bearer ${changed}`,
    ]) {
      const { statusCode, headers, body } = await call({ authorization });
      expect(statusCode).toBe(401);
      answers.add(JSON.stringify([headers, body]));
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers].join()).toContain('"www-authenticate":"Bearer"');
  });

  it("one that IAM has verified is let in by that, which only Lambda itself can say", async () => {
    expect((await call({}, {}, ROLE_SESSION)).told.agent.id).toBe("arn:aws:iam::123456789012:role/planner");
    // What a client sends as headers, query or body is no word of Lambda's.
    const forged = {
      authorizer: JSON.stringify({ iam: { userArn: ROLE_SESSION } }),
      "x-amzn-iam-userarn": ROLE_SESSION,
    };
    expect((await call(forged)).statusCode).toBe(401);
  });

  it("whether the bus is there may be asked without one, and nothing else", async () => {
    const event = (method: string, rawPath: string) => ({ rawPath, requestContext: { http: { method } } });
    const { statusCode, told } = await call({}, event("GET", "/health"));
    expect(statusCode).toBe(200);
    expect(told.agent).toMatchObject({ id: "nobody", policy: { emit: [], read: [], administer: false } });
    for (const [method, path] of [
      ["POST", "/health"],
      ["GET", "/health/x"],
      ["GET", "/event-types"],
      ["GET", "/openapi.json"],
      ["GET", "/events"],
      ["GET", "/nothing"],
    ] as const)
      expect((await call({}, event(method, path))).statusCode, path).toBe(401);
  });

  it("nobody is let in while the store does not answer, and the caller may try again", async () => {
    const { getAgent } = deps.store;
    deps.store.getAgent = () => Promise.reject(new BusError("unavailable", "The store did not answer."));
    const { statusCode, headers } = await call({ authorization: `Bearer ${key}` });
    deps.store.getAgent = getAgent;
    expect(statusCode).toBe(503);
    expect(headers).toHaveProperty("retry-after");
  });

  it("administration takes no key: its calls are signed, and whoever IAM lets call it is an administrator", async () => {
    const { key: ofAdministrator } = await registerAgent(deps, { name: "admin", policy: { administer: true } });
    const handler = adaptHandle(handleSigned, runtime(false, "keys"), undefined, "iam") as Buffered;
    const http = { method: "GET" };
    const event = { rawPath: "/agents", rawQueryString: "", headers: { authorization: `Bearer ${ofAdministrator}` } };
    const unsigned = await handler(anEvent({ ...event, requestContext: { http } }, ""), context);
    expect(unsigned.statusCode).toBe(401);
    const signed = { http, authorizer: { iam: { userArn: ROLE_SESSION } } };
    const { statusCode, body } = await handler(anEvent({ ...event, requestContext: signed }), context);
    expect(statusCode).toBe(200);
    expect(JSON.parse(body).agents.map(({ name }: { name: string }) => name)).toEqual(["admin", "planner"]);
  });
});

describe("the answer", () => {
  async function* chunks() {
    yield "one ";
    yield "two";
  }

  const answering = (response: Partial<HttpResponse>): Handle => {
    return async () => ({ status: 200, headers: {}, body: "", ...response });
  };
  const streamed = (handle: Handle): unknown => adaptHandle(handle, runtime(), streaming);

  it("is streamed where the platform streams, and what is left is done after it", async () => {
    const played = await playRuntime();
    const order: string[] = [];
    const afterwards = async (): Promise<void> => {
      order.push(`afterwards, ended: ${played.request.writableEnded}`);
    };
    const handle = answering({ status: 201, headers: { "x-a": "b" }, body: chunks(), afterwards });
    expect(await played.invoke(streamed(handle), anEvent(), context)).toEqual({
      head: { statusCode: 201, headers: { "x-a": "b" } },
      body: "one two",
      failure: null,
    });
    expect(order).toEqual(["afterwards, ended: true"]);
  });

  it.each([
    ["text", ""],
    ["stream", (async function* () {})()],
  ])("arrives with its status although it is an empty %s", async (_kind, body) => {
    const played = await playRuntime();
    const received = await played.invoke(streamed(answering({ status: 204, body })), anEvent(), context);
    expect(received).toEqual({ head: { statusCode: 204, headers: {} }, body: "", failure: null });
  });

  it("is a problem document when its stream fails before anything was sent", async () => {
    const played = await playRuntime();
    async function* failing() {
      yield await Promise.reject<string>(new Error("no table"));
    }
    const received = await played.invoke(streamed(answering({ body: failing() })), anEvent(), context);
    expect(received).toMatchObject({ head: { statusCode: 500 }, failure: null });
    expect(JSON.parse(received.body)).toMatchObject({ status: 500, code: "internal" });
    const buffered = adaptHandle(answering({ body: failing() }), runtime(), undefined) as Buffered;
    expect(await buffered(anEvent(), context)).toMatchObject({ statusCode: 500 });
  });

  it("ends early when its stream breaks off; that is logged, and what is left is done all the same", async () => {
    const played = await playRuntime();
    const logged: unknown[] = [];
    const log: Logger = { ...deps.log, error: (...record) => void logged.push(record) };
    let isDone = false;
    async function* breaking() {
      yield "one ";
      throw new Error("the table is gone");
    }
    const afterwards = async (): Promise<void> => {
      // Once the handler has come back, the function is frozen.
      await new Promise((resolve) => setTimeout(resolve, 10));
      isDone = true;
    };
    const logging = () => ({ env: { allowAnonymous: false, auth: "iam" as const }, deps: { ...deps, log }, metrics });
    const handler = adaptHandle(answering({ body: breaking(), afterwards }), logging, streaming);
    expect(await played.invoke(handler, anEvent(), context)).toMatchObject({ body: "one ", failure: null });
    expect(logged).toMatchObject([["a stream broke off", { error: expect.stringContaining("the table is gone") }]]);
    expect(isDone).toBe(true);
  });

  it("waits for a slow reader at every write, and leaves nothing behind that waits", async () => {
    const played = await playRuntime();
    const waiting: number[] = [];
    const handle: Handle = async ({ signal }) => {
      async function* large() {
        for (let i = 0; i < 30; i++) {
          yield "x".repeat(100_000);
          waiting.push(played.request.listenerCount("drain") + getEventListeners(signal, "abort").length);
        }
      }
      return { status: 200, headers: {}, body: large() };
    };
    const received = await played.invoke(streamed(handle), anEvent(), context);
    expect(received.body).toHaveLength(3_000_000);
    expect(new Set(waiting)).toEqual(new Set([0]));
  });

  it("is given up shortly before the function's time is up when its reader never reads", async () => {
    const { stream } = await playRuntime("never reads");
    const order: string[] = [];
    const handle: Handle = async ({ signal }) => {
      signal.addEventListener("abort", () => order.push("signal"));
      async function* endless() {
        try {
          for (;;) yield "x".repeat(100_000);
        } finally {
          order.push("stream closed");
        }
      }
      return { status: 200, headers: {}, body: endless(), afterwards: async () => void order.push("afterwards") };
    };
    const startedAt = performance.now();
    const short = { ...context, getRemainingTimeInMillis: () => 1_300 - (performance.now() - startedAt) } as Context;
    await (streamed(handle) as Streamed)(anEvent(), stream, short);
    expect(order).toEqual(["signal", "stream closed", "afterwards"]);
    expect(performance.now() - startedAt).toBeGreaterThan(250);
  });

  it("stops what it waits for shortly before the function's time is up, and is sent still", async () => {
    const played = await playRuntime();
    const handle: Handle = async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return jsonResponse(202, {});
    };
    const short = { ...context, getRemainingTimeInMillis: () => 1_050 } as Context;
    const received = await played.invoke(streamed(handle), anEvent(), short);
    expect(received).toMatchObject({ head: { statusCode: 202 }, body: "{}", failure: null });
    expect(await (adaptHandle(handle, runtime(), undefined) as Buffered)(anEvent(), short)).toMatchObject({
      statusCode: 202,
    });
  });

  it("stops when the runtime's link to Lambda breaks", async () => {
    const played = await playRuntime("breaks the link");
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) {
          yield "more";
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        isClosed = true;
      }
    }
    await (streamed(answering({ body: endless() })) as Streamed)(anEvent(), played.stream, context);
    expect(isClosed).toBe(true);
  });

  it("is whole where the platform only buffers", async () => {
    const handle: Handle = async () => ({ status: 200, headers: { "x-a": "b" }, body: chunks() });
    expect(await (adaptHandle(handle, runtime(), undefined) as Buffered)(anEvent(), context)).toEqual({
      statusCode: 200,
      headers: { "x-a": "b" },
      body: "one two",
    });
  });
});

describe("the environment", () => {
  const env = { TABLE_NAME: "t", EVENT_BUS_NAME: "b" };
  it("is read once, and a missing or wrong variable is named", () => {
    expect(readConfig({ ...env, AWS_REGION: "eu-central-1" })).toEqual({
      tableName: "t",
      eventBusName: "b",
      region: "eu-central-1",
      allowAnonymous: false,
      auth: "iam",
      logLevel: "info",
    });
    expect(readConfig({ ...env, ALLOW_ANONYMOUS: "true" }).allowAnonymous).toBe(true);
    expect(() => readConfig({ ...env, LOG_LEVEL: "loud" })).toThrow("LOG_LEVEL");
    expect(() => readConfig({ EVENT_BUS_NAME: "b" })).toThrow("TABLE_NAME");
    expect(() => readConfig({ ...env, EVENT_BUS_NAME: "" })).toThrow("EVENT_BUS_NAME");
    expect(() => readConfig({ ...env, ALLOW_ANONYMOUS: "yes" })).toThrow("ALLOW_ANONYMOUS");
    expect(readConfig({ ...env, CALLER_AUTH: "keys" }).auth).toBe("keys");
    expect(() => readConfig({ ...env, CALLER_AUTH: "Keys" })).toThrow("CALLER_AUTH");
  });

  it("decides whether whoever was let in unverified gets anything: only where that is allowed still", () => {
    for (const name of ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "any");
    const anonymousWhere = (allowed: string) =>
      createAwsDeps(
        readConfig({ ...env, AWS_REGION: "eu-central-1", ALLOW_ANONYMOUS: allowed }),
        defineBus({}),
        deps.log,
        metrics,
      ).configuredAgent("anonymous");
    expect(anonymousWhere("true")).toMatchObject({ isOpen: true });
    expect(anonymousWhere("false")).toEqual({ id: "anonymous", policy: NO_POLICY });
    vi.unstubAllEnvs();
  });
});
