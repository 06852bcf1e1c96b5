import { describe, expect, it } from "vitest";
import {
  type HttpRequest,
  jsonResponse,
  problemResponse,
  readBody,
  readQuery,
  serveOperations,
} from "../../../functions/runtime/http.ts";
import { eventStream, formatEvent } from "../../../functions/runtime/sse.ts";
import { uuidv7 } from "../../../functions/runtime/uuidv7.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import { MAX_BODY_BYTES } from "../../../shared/limits.ts";
import type { Logger } from "../../../shared/ports.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { failureOf } from "../../support/failures.ts";

const { deps } = busInMemory();

function aRequest(change: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: "GET",
    path: "/health",
    query: new URLSearchParams(),
    headers: {},
    body: new Uint8Array(),
    agent: openAgent("agent"),
    signal: new AbortController().signal,
    gone: new AbortController().signal,
    canStream: true,
    remainingMs: () => 60_000,
    ...change,
  };
}

describe("a failure", () => {
  it("becomes a problem document without stack or cause; what was not foreseen is logged with both", async () => {
    const logged: unknown[] = [];
    const log: Logger = { info: () => undefined, warn: () => undefined, error: (...record) => logged.push(record) };
    const response = problemResponse(new TypeError("secret detail", { cause: new Error("the root") }), log);
    expect(response.status).toBe(500);
    expect(response.body).not.toContain("secret");
    expect(response.headers["retry-after"]).toBe("1");
    expect(JSON.stringify(logged)).toContain("the root");
  });

  it("that is retryable says when to come back", () => {
    expect(problemResponse(new BusError("unavailable", "later"), deps.log).headers).toMatchObject({
      "retry-after": "1",
    });
    expect(problemResponse(new BusError("invalid_request", "no"), deps.log).headers["retry-after"]).toBeUndefined();
    const inAWhile = problemResponse(new BusError("rate_limited", "no", { retryAfterMs: 1_001 }), deps.log);
    // In whole seconds, and never too early.
    expect(inAWhile.headers["retry-after"]).toBe("2");
    expect(JSON.parse(inAWhile.body as string)).toMatchObject({ retryable: true, retry_after_ms: 1_001 });
    const never = problemResponse(new BusError("rate_limited", "no", { retryable: false }), deps.log);
    expect(never.headers["retry-after"]).toBeUndefined();
  });

  it("in an operation never escapes", async () => {
    const handle = serveOperations({ health: () => Promise.reject(new Error("boom")) });
    expect((await handle(aRequest(), deps)).status).toBe(500);
  });

  it("names the methods that a path does serve", async () => {
    const handle = serveOperations({ health: async () => jsonResponse(200, {}) });
    const response = await handle(aRequest({ method: "DELETE", path: "/events" }), deps);
    expect([response.status, response.body]).toEqual([404, expect.stringContaining("POST and GET")]);
  });
});

describe("input", () => {
  it("over the size of a body is refused before it is parsed [emit-2]", async () => {
    const body = new Uint8Array(MAX_BODY_BYTES + 1);
    expect((await failureOf(Promise.resolve().then(() => readBody(aRequest({ body }))))).code).toBe(
      "payload_too_large",
    );
  });

  it("with a query parameter given twice is refused", async () => {
    const query = new URLSearchParams("type=A&type=B");
    expect((await failureOf(Promise.resolve().then(() => readQuery(aRequest({ query }))))).errors[0]?.pointer).toBe(
      "/type",
    );
    expect(readQuery(aRequest({ query: new URLSearchParams("__proto__=1&a=2") }))).toHaveProperty("a", "2");
  });
});

describe("server-sent events", () => {
  it("are written as the standard has them", () => {
    expect(formatEvent({ id: "7", event: "done", data: { text: "two\nlines" } })).toBe(
      'id: 7\nevent: done\ndata: {"text":"two\\nlines"}\n\n',
    );
    expect(formatEvent({ id: "7" })).toBe("id: 7\n\n");
  });

  it("end their source when the reader leaves in the middle", async () => {
    let isClosed = false;
    async function* source() {
      try {
        yield { data: { n: 1 } };
        yield { data: { n: 2 } };
      } finally {
        isClosed = true;
      }
    }
    for await (const chunk of eventStream(source()).body as AsyncIterable<string>) {
      expect(chunk).toContain('"n":1');
      break;
    }
    expect(isClosed).toBe(true);
  });
});

it("fresh ids are UUIDv7, unique, and sort as they were made", () => {
  const ids = Array.from({ length: 10_000 }, uuidv7);
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
    true,
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});
