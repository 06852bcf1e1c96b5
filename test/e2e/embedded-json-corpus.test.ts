/** JSONTestSuite through real HTTP, on every operation that takes a body, and stored and read back (goal S8). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { inLanes } from "../../shared/lanes.ts";
import { cleanUp, startDev } from "../support/embedded.ts";
import { exactNumbers, JSON_CASES, type JsonCase, REFUSED_BY_CONTRACT } from "../support/json-corpus.ts";
import { type RawReply, rawCall } from "../support/raw-call.ts";

afterAll(cleanUp);

const LANES = 16;
/** Thousands of calls, on a machine that may have others to make. */
const LONG = { timeout: 240_000 };
const CONVERSATION = "json-corpus";

let base = "";
/** Every operation that takes a body, on something that exists. */
let operations: readonly (readonly [method: string, path: string])[] = [];

const post = (path: string, body: Uint8Array | object): Promise<RawReply> => rawCall(base, "POST", path, { body });
const around = (before: string, { bytes }: JsonCase, after: string): Uint8Array =>
  Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);

beforeAll(async () => {
  base = (await startDev()).url;
  const event = (await post("/events", { type: "PING", data: {}, correlation_id: CONVERSATION })).json;
  const target = { kind: "queue" };
  const subscription = (await post("/subscriptions", { name: "corpus", event_types: ["SESSION_CREATED"], target }))
    .json;
  const path = `/subscriptions/${subscription["subscription_id"]}`;
  operations = [
    ["POST", "/events"],
    ["POST", "/requests"],
    ["POST", `/events/${event["event_id"]}/responses`],
    ["POST", "/subscriptions"],
    ["PATCH", path],
    ["POST", `${path}/ack`],
    ["POST", `${path}/nack`],
    ["POST", `${path}/extend`],
    ["POST", "/deliveries/redrive"],
  ];
});

/** What was published in this file's conversation. */
async function published(): Promise<unknown[]> {
  const page = await rawCall(base, "GET", `/events?correlation_id=${CONVERSATION}&limit=1000`);
  expect(page.status).toBe(200);
  return page.json["events"] as unknown[];
}

function expectInvalidJson(what: string, { status, json }: RawReply): void {
  expect([what, status, json["code"]]).toEqual([what, 400, "invalid_json"]);
  expect(json["errors"]).toEqual([{ pointer: expect.any(String), detail: expect.any(String) }]);
}

it(
  "what is no JSON is refused with 400 by every operation, alone and inside, and nothing is written [emit-1]",
  LONG,
  async () => {
    const before = await published();
    const refused = JSON_CASES.filter(({ expected }) => expected === "refused");
    await inLanes(LANES, refused, async (given) => {
      for (const [method, path] of operations) {
        const reply = await rawCall(base, method, path, { body: given.bytes });
        expectInvalidJson(`${given.name} to ${method} ${path}`, reply);
      }
      const event = around(`{"type":"PING","correlation_id":"${CONVERSATION}","data":{"v":`, given, "}}");
      expectInvalidJson(given.name, await post("/events", event));
      const request = around(`{"timeout":1,"type":"PING","correlation_id":"${CONVERSATION}","data":{"v":`, given, "}}");
      expectInvalidJson(given.name, await post("/requests", request));
      const batch = around(`{"events":[{"type":"PING","correlation_id":"${CONVERSATION}","data":{"v":`, given, "}}]}");
      expectInvalidJson(given.name, await post("/events", batch));
      // Alone in binary mode, the body is the data of a CloudEvent.
      const headers = { "ce-specversion": "1.0", "ce-id": given.name, "ce-source": "corpus", "ce-type": "PING" };
      const cloudEvent = { ...headers, "ce-correlationid": CONVERSATION };
      expectInvalidJson(given.name, await rawCall(base, "POST", "/events", { body: given.bytes, headers: cloudEvent }));
    });
    expect(await published()).toEqual(before);
  },
);

it("JSON is never taken for something else, and never breaks an operation, whatever it says", LONG, async () => {
  const valid = JSON_CASES.filter(({ name, expected }) => expected === "accepted" && !REFUSED_BY_CONTRACT.has(name));
  await inLanes(LANES, valid, async (given) => {
    for (const [method, path] of operations) {
      const { status } = await rawCall(base, method, path, { body: given.bytes });
      // None is what an operation wants, but for an empty object, which is a redrive of everything and no change.
      expect([given.name, method, path, status]).toEqual([given.name, method, path, expect.toBeOneOf([200, 403, 422])]);
    }
  });
});

it("what is JSON comes back as it was; what is open is refused, or comes back exactly", LONG, async () => {
  const given = JSON_CASES.filter(({ expected }) => expected !== "refused");
  const kept = new Set<string>();
  await inLanes(LANES, given, async (one) => {
    const sent = await post(
      "/events",
      around(`{"type":"PING","correlation_id":"${CONVERSATION}-kept","data":{"v":`, one, "}}"),
    );
    if (sent.status === 400) return expectInvalidJson(one.name, sent);
    expect([one.name, sent.status]).toEqual([one.name, 202]);
    kept.add(one.name);
    const path = `/events/${sent.json["event_id"]}`;
    expectSame(one, (JSON.parse((await rawCall(base, "GET", path)).text) as Shown).event.data.v);
  });
  const wanted = given.filter(({ name, expected }) => expected === "accepted" && !REFUSED_BY_CONTRACT.has(name));
  expect(wanted.filter(({ name }) => !kept.has(name))).toEqual([]);
  for (const name of REFUSED_BY_CONTRACT) expect(kept).not.toContain(name);
});

it("and so it does in an answer", LONG, async () => {
  const valid = JSON_CASES.filter(({ name, expected }) => expected === "accepted" && !REFUSED_BY_CONTRACT.has(name));
  const target = { kind: "queue" };
  const subscription = (await post("/subscriptions", { name: "answers", event_types: ["SESSION_CREATED"], target }))
    .json;
  await post("/events", { type: "SESSION_CREATED", data: {} });
  const messages = await rawCall(base, "GET", `/subscriptions/${subscription["subscription_id"]}/messages?wait=20`);
  const [message] = messages.json["messages"] as { event: { id: string; reply_to: { url: string; token: string } } }[];
  const { id = "", reply_to: reply } = message?.event ?? {};
  await inLanes(LANES, valid, async (one) => {
    const rest = `},"reply_token":"${reply?.token}","response_id":"${one.name}"}`;
    const answered = await post(`${reply?.url}`, around('{"response":{"v":', one, rest));
    expect([one.name, answered.status, answered.json["verdict"]]).toEqual([one.name, 200, "accepted"]);
  });
  const { text } = await rawCall(base, "GET", `/events/${id}`);
  const answers = new Map((JSON.parse(text) as ShownAnswers).responses.map((one) => [one.response_id, one.response.v]));
  for (const one of valid) expectSame(one, answers.get(one.name));
});

/** A value that came back is the case's: structure, text, and every number to the last digit. */
function expectSame(given: JsonCase, value: unknown): void {
  const sent = Buffer.from(given.bytes).toString("utf8");
  // Minus zero comes back as zero.
  expect([given.name, value]).toEqual([given.name, JSON.parse(sent, (_key, one) => (one === 0 ? 0 : one))]);
  expect([given.name, exactNumbers(JSON.stringify(value))]).toEqual([given.name, exactNumbers(sent)]);
}

interface Shown {
  readonly event: { readonly data: { readonly v: unknown } };
}

interface ShownAnswers {
  readonly responses: readonly { readonly response_id: string; readonly response: { readonly v: unknown } }[];
}
