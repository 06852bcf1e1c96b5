/** Cursors, reply tokens and receipts that were not given out as they are: none is accepted (goals S3, S4). */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_NAME_CHARS } from "../../shared/limits.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { callInMemory } from "../support/call-in-memory.ts";
import { ask, OWNER, publish, queueInput, subscribed, TYPE, take, webhookInput } from "../support/run-time-bus.ts";

const RUNS = { numRuns: 300, seed: 4 };

/** Anything but the text itself: characters changed, in the wrong case, left out, put in, put behind, cut off. */
const tampered = (text: string): fc.Arbitrary<string> => {
  const at = fc.nat(Math.max(0, text.length - 1));
  const character = fc.oneof(
    fc.constantFrom("0", "A", "a", ".", "-", "_", "=", " ", "%"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  );
  return fc
    .oneof(
      fc.tuple(at, character).map(([i, c]) => text.slice(0, i) + c + text.slice(i + 1)),
      fc
        .tuple(at, fc.integer({ min: 0, max: 6 }))
        .map(([i, bit]) => text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ (1 << bit)) + text.slice(i + 1)),
      at.map((i) => text.slice(0, i) + text.slice(i + 1)),
      fc.tuple(at, character).map(([i, c]) => text.slice(0, i) + c + text.slice(i)),
      fc.string({ unit: "binary", minLength: 1, maxLength: 8 }).map((more) => text + more),
      fc.string({ unit: "binary", minLength: 1, maxLength: 8 }).map((more) => more + text),
      fc.constantFrom(".", ".0", "..", ` `, "\0", "\n", "=", "#", "%00", `.${text}`).map((more) => text + more),
      at.map((i) => text.slice(0, i)),
      at.map((i) => text.slice(i + 1)),
      fc.constantFrom(text.toUpperCase(), text.toLowerCase(), [...text].reverse().join(""), `${text}${text}`),
    )
    .filter((other) => other !== text);
};

describe("a cursor", () => {
  let bus: BusInMemory;
  /** An operation that takes a cursor, with one that it has given. */
  interface Place {
    readonly what: string;
    readonly pointer: string;
    readonly given: string;
    ask(cursor: string, caller?: string): Promise<{ status: number; json: Record<string, unknown> }>;
  }
  let places: readonly Place[] = [];

  beforeAll(async () => {
    bus = busInMemory();
    const queue = await subscribed(bus, queueInput({ target: { kind: "queue", max_attempts: 1 } }));
    await subscribed(bus, queueInput({ name: "another" }));
    for (let i = 0; i < 3; i++) await publish(bus, { i });
    const receipts = (await take(bus, queue)).map(({ receipt }) => receipt);
    await post("/subscriptions/%/nack".replace("%", queue), { receipts });
    bus.clock.nowMs += 60_000;
    for (const name of ["one", "two"]) await post("/agents", { name });
    const lists = [
      ["history", "/events?limit=1"],
      ["history, by type", `/events?limit=1&type=${TYPE}`],
      ["history, the other way round", "/events?limit=1&order=asc"],
      ["subscriptions", "/subscriptions?limit=1"],
      ["dead deliveries", "/deliveries?limit=1&status=dead"],
      ["dead deliveries of one", `/deliveries?limit=1&status=dead&subscription_id=${queue}`],
      ["agents", "/agents?limit=1"],
    ] as const;
    places = [
      ...(await Promise.all(
        lists.map(async ([what, path]) =>
          placeOf(what, "/cursor", (await get(path)).json["next_cursor"], (cursor, caller) =>
            get(`${path}&cursor=${encodeURIComponent(cursor)}`, caller),
          ),
        ),
      )),
      placeOf(
        "redrive",
        "/cursor",
        (await post("/deliveries/redrive", { limit: 1, dry_run: true })).json["next_cursor"],
        (cursor, caller) => post("/deliveries/redrive", { limit: 1, dry_run: true, cursor }, caller),
      ),
      ...(await Promise.all(
        ["/events/stream?", `/events/stream?type=${TYPE}&`].map(async (path) =>
          placeOf(`stream ${path}`, "/after", await firstId(path), (cursor, caller) =>
            get(`${path}after=${encodeURIComponent(cursor)}`, caller),
          ),
        ),
      )),
      placeOf("stream, by header", "Last-Event-ID", await firstId("/events/stream?as=me&"), (cursor, caller) =>
        call("GET", "/events/stream?as=me", { headers: { "last-event-id": cursor } }, caller),
      ),
    ];
  });

  const call = (method: string, path: string, more: object, caller = OWNER) =>
    callInMemory(bus, method, path, { ...more, caller, lifeMs: 3_000 });
  const get = (path: string, caller?: string) => call("GET", path, {}, caller);
  const post = (path: string, body: object, caller?: string) => call("POST", path, { body }, caller);
  const firstId = async (path: string): Promise<unknown> => /^id: (.*)$/m.exec((await get(path)).text)?.[1];

  function placeOf(what: string, pointer: string, given: unknown, asked: Place["ask"]): Place {
    if (typeof given !== "string") throw new Error(`${what} gave no cursor: ${given}`);
    return { what, pointer, given, ask: asked };
  }

  async function expectRefused({ what, pointer, ask: use }: Place, cursor: string, caller?: string): Promise<void> {
    const { status, json } = await use(cursor, caller);
    expect([what, cursor, status, json["errors"]]).toEqual([
      what,
      cursor,
      422,
      [{ pointer, detail: "a cursor that was given for this very query was expected" }],
    ]);
  }

  it("is good for whoever it was given to, and for the query it was given for", async () => {
    for (const { what, given, ask: use } of places) expect([what, (await use(given)).status]).toEqual([what, 200]);
  });

  it("is refused once anything in it is changed", { timeout: 30_000 }, async () => {
    for (const place of places)
      await fc.assert(
        fc.asyncProperty(tampered(place.given), (cursor) => expectRefused(place, cursor)),
        { ...RUNS, numRuns: 50 },
      );
  });

  it("is refused from another agent, and with every other query and operation", async () => {
    for (const place of places) {
      await expectRefused(place, place.given, "another");
      // The dead are redriven page by page as they are listed, and a stream goes on by either way.
      for (const other of places)
        if (other.given !== place.given && !areAlike(place, other)) await expectRefused(place, other.given);
    }
  });

  const areAlike = (one: Place, other: Place): boolean =>
    [one.what, other.what].every((what) => what === "stream /events/stream?" || what === "stream, by header");
});

describe("a reply token", () => {
  it("that is forged, cut, swapped with another's, or none is not accepted, and nothing is written", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    const mine = await ask(bus);
    const others = await ask(bus);
    const respond = (id: string, reply_token: unknown, caller = OWNER) =>
      callInMemory(bus, "POST", `/events/${id}/responses`, { body: { response: {}, reply_token }, caller });
    const forged = fc.oneof(
      tampered(mine.replyToken),
      fc.constantFrom("", others.replyToken, mine.eventId, others.eventId, "null", "undefined", "true"),
      fc.string({ unit: "binary" }),
    );
    const answers = new Set<string>();
    await fc.assert(
      fc.asyncProperty(forged, async (token) => {
        const { status, text } = await respond(mine.eventId, token);
        // What is no token at all is told from its form, before anything is looked up.
        const isText = token.length >= 1 && token.length <= MAX_NAME_CHARS;
        expect([token, status]).toEqual([token, isText ? 403 : 422]);
        if (isText) answers.add(text);
      }),
      RUNS,
    );
    // Whatever was wrong with it.
    expect(answers.size).toBe(1);
    for (const token of [null, 0, true, [], {}, [mine.replyToken], { token: mine.replyToken }, undefined]) {
      const { status, json } = await respond(mine.eventId, token);
      const [error] = json["errors"] as { pointer: string }[];
      expect([token, status, error?.pointer]).toEqual([token, 422, "/reply_token"]);
    }
    const shown = await callInMemory(bus, "GET", `/events/${mine.eventId}`, { caller: "emitter" });
    expect(shown.json["responses"]).toEqual([]);
    expect((await respond(mine.eventId, mine.replyToken)).status).toBe(200);
  });

  it("of an event that is not there, or not the agent's to see, is no better than none", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    const { replyToken } = await ask(bus);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 }), async (id) => {
        const path = `/events/${encodeURIComponent(id)}/responses`;
        const answers = await Promise.all(
          [replyToken, "wrong"].map(async (reply_token) => {
            const { status, text } = await callInMemory(bus, "POST", path, { body: { response: {}, reply_token } });
            return [status, text];
          }),
        );
        expect(answers[0]).toEqual(answers[1]);
        expect(answers[0]?.[0]).toBe(404);
      }),
      RUNS,
    );
  });
});

describe("a receipt", () => {
  it("that is forged, cut, another queue's or an older one does nothing, for acknowledging, returning and extending", async () => {
    const bus = busInMemory();
    const queue = await subscribed(bus, queueInput());
    const other = await subscribed(bus, queueInput({ name: "other" }));
    await publish(bus);
    const [older] = await take(bus, queue);
    bus.clock.nowMs += 31_000;
    const [mine] = await take(bus, queue);
    const [others] = await take(bus, other);
    if (mine === undefined || others === undefined || older === undefined) throw new Error("There is no message.");
    const bodies = { ack: {}, nack: { delay: 0 }, extend: { visibility: 60 } };
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(tampered(mine.receipt), fc.constantFrom(others.receipt, older.receipt)),
        fc.constantFrom<keyof typeof bodies>("ack", "nack", "extend"),
        async (receipt, what) => {
          const path = `/subscriptions/${queue}/${what}`;
          const body = { receipts: [receipt], ...bodies[what] };
          const { status, json } = await callInMemory(bus, "POST", path, { body, caller: OWNER });
          if (status === 422)
            expect(json["errors"]).toEqual([
              { pointer: "/receipts/0", detail: "the receipt of a message was expected" },
            ]);
          else expect([receipt, status, json]).toEqual([receipt, 200, { results: [{ receipt, status: "expired" }] }]);
        },
      ),
      RUNS,
    );
    for (const caller of ["another", ""]) {
      const path = `/subscriptions/${queue}/ack`;
      const { status } = await callInMemory(bus, "POST", path, { body: { receipts: [mine.receipt] }, caller });
      expect(status).toBe(404);
    }
    const ack = { body: { receipts: [mine.receipt] }, caller: OWNER };
    const { json } = await callInMemory(bus, "POST", `/subscriptions/${queue}/ack`, ack);
    expect(json).toEqual({ results: [{ receipt: mine.receipt, status: "ok" }] });
  });
});
