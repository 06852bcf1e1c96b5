import { Writable } from "node:stream";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../functions/runtime/config.ts";
import { type Handle, type HttpRequest, jsonResponse } from "../../../functions/runtime/http.ts";
import { adaptHandle, callerOf } from "../../../functions/runtime/lambda.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";

const { deps } = busInMemory();
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

const context = { getRemainingTimeInMillis: () => 30_000 } as Context;

/** Stands in for the streaming part of Lambda's Node runtime, which runs only on Lambda. */
function playedStreaming() {
  const sent = { head: null as unknown, body: "", ended: false };
  const stream = new Writable({
    write(chunk, _encoding, done) {
      sent.body += String(chunk);
      done();
    },
    final(done) {
      sent.ended = true;
      done();
    },
  });
  return {
    sent,
    stream,
    streaming: {
      streamifyResponse: (handler: unknown) => handler,
      HttpResponseStream: {
        from(out: Writable, head: object) {
          sent.head = head;
          return out;
        },
      },
    },
  };
}

type Streamed = (event: APIGatewayProxyEventV2, stream: Writable, context: Context) => Promise<void>;
type Buffered = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<{ statusCode: number; headers: Record<string, string>; body: string }>;

const runtime =
  (allowAnonymous = false) =>
  () => ({ env: { allowAnonymous }, deps });

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
    expect(request?.caller).toBe("arn:aws:iam::123456789012:role/planner");
    expect(request?.remainingMs()).toBeGreaterThan(29_000);
  });

  it("without a verified identity is refused, unless an emulator gives none", async () => {
    const handle: Handle = async (request) => jsonResponse(200, { caller: request.caller });
    const anonymous = anEvent({}, "");
    expect(await (adaptHandle(handle, runtime(), undefined) as Buffered)(anonymous, context)).toMatchObject({
      statusCode: 401,
    });
    const answered = await (adaptHandle(handle, runtime(true), undefined) as Buffered)(anonymous, context);
    expect(JSON.parse(answered.body)).toEqual({ caller: "anonymous" });
  });

  it("gives the sessions of a role one identity, and a user its own", () => {
    const env = { allowAnonymous: false };
    expect(callerOf(anEvent({}, "arn:aws:sts::1:assumed-role/planner/other"), env)).toBe("arn:aws:iam::1:role/planner");
    expect(callerOf(anEvent({}, "arn:aws:iam::1:user/ann"), env)).toBe("arn:aws:iam::1:user/ann");
  });
});

describe("the answer", () => {
  async function* chunks() {
    yield "one ";
    yield "two";
  }

  it("is streamed chunk by chunk where the platform streams, and what is left is done after it", async () => {
    const { sent, stream, streaming } = playedStreaming();
    const order: string[] = [];
    const handle: Handle = async () => ({
      status: 201,
      headers: { "x-a": "b" },
      body: chunks(),
      afterwards: async () => {
        order.push(`afterwards, ended: ${stream.writableEnded}`);
      },
    });
    await (adaptHandle(handle, runtime(), streaming) as Streamed)(anEvent(), stream, context);
    expect(sent.head).toEqual({ statusCode: 201, headers: { "x-a": "b" } });
    expect(sent.body).toBe("one two");
    expect(order).toEqual(["afterwards, ended: true"]);
  });

  it("stops when the reader is gone", async () => {
    const { stream, streaming } = playedStreaming();
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
    const handle: Handle = async () => ({ status: 200, headers: {}, body: endless() });
    const streamed = (adaptHandle(handle, runtime(), streaming) as Streamed)(anEvent(), stream, context);
    setImmediate(() => stream.destroy());
    await streamed;
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
    expect(readConfig(env)).toEqual({ tableName: "t", eventBusName: "b", allowAnonymous: false });
    expect(readConfig({ ...env, ALLOW_ANONYMOUS: "true" }).allowAnonymous).toBe(true);
    expect(() => readConfig({ EVENT_BUS_NAME: "b" })).toThrow("TABLE_NAME");
    expect(() => readConfig({ ...env, EVENT_BUS_NAME: "" })).toThrow("EVENT_BUS_NAME");
    expect(() => readConfig({ ...env, ALLOW_ANONYMOUS: "yes" })).toThrow("ALLOW_ANONYMOUS");
  });
});
