import { describe, expect, it } from "vitest";
import { type CallGate, createCallGate, type Place } from "../../../local/call-gate.ts";
import { BusError } from "../../../shared/errors.ts";

const gate = (): CallGate => createCallGate({ working: 2, workingPerAgent: 1, held: 3, heldPerAgent: 2 });

function enter(at: CallGate, method: string, target: string): Place {
  const url = new URL(target, "http://127.0.0.1");
  return at.enter({ method, path: url.pathname, query: url.searchParams });
}

const refusalOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    const { status, code, retryable, retryAfterMs } = error as BusError;
    expect(error).toBeInstanceOf(BusError);
    return { status, code, retryable, retryAfterMs };
  }
};

const OVERLOADED = { status: 503, code: "overloaded", retryable: true, retryAfterMs: 1_000 };

describe("a bus that has more to do than it can", () => {
  it("turns away what comes beyond its places, and takes it again once one is free", () => {
    const at = gate();
    const first = enter(at, "POST", "/events");
    enter(at, "POST", "/events");
    expect(refusalOf(() => enter(at, "POST", "/events"))).toEqual(OVERLOADED);
    first.leave();
    // Told twice, it is free once.
    first.leave();
    enter(at, "POST", "/events");
    expect(refusalOf(() => enter(at, "POST", "/events"))).toEqual(OVERLOADED);
  });

  it("keeps places for each function, so that questions can be answered while others publish", () => {
    const at = gate();
    for (let i = 0; i < 2; i++) enter(at, "POST", "/events");
    enter(at, "POST", "/events/1/responses");
    enter(at, "GET", "/events");
  });

  it("counts what is held apart from what is worked on", () => {
    const at = gate();
    for (let i = 0; i < 3; i++) enter(at, "POST", "/requests");
    expect(refusalOf(() => enter(at, "POST", "/requests"))).toEqual(OVERLOADED);
    expect(refusalOf(() => enter(at, "GET", "/requests/1?wait=5"))).toEqual(OVERLOADED);
    enter(at, "GET", "/requests/1");
    enter(at, "DELETE", "/requests/1");
    enter(at, "GET", "/subscriptions/1/messages?wait=20");
    enter(at, "GET", "/events/stream");
  });

  it("always says how it does, and what there is", () => {
    const at = gate();
    for (let i = 0; i < 2; i++) enter(at, "GET", "/events");
    expect(refusalOf(() => enter(at, "GET", "/nothing/here"))).toEqual(OVERLOADED);
    for (let i = 0; i < 5; i++)
      for (const path of ["/health", "/openapi.json", "/asyncapi.json", "/event-types"]) enter(at, "GET", path);
  });
});

describe("an agent with many calls that are held", () => {
  it("leaves places for others", () => {
    const at = gate();
    const held = Array.from({ length: 2 }, () => enter(at, "GET", "/events/stream"));
    for (const place of held) place.takeFor({ id: "one" });
    const third = enter(at, "GET", "/events/stream");
    expect(refusalOf(() => third.takeFor({ id: "one" }))).toMatchObject({
      status: 429,
      code: "rate_limited",
      retryable: true,
    });
    third.leave();
    enter(at, "GET", "/events/stream").takeFor({ id: "other" });
    held[0]?.leave();
    enter(at, "GET", "/events/stream").takeFor({ id: "one" });
  });
});

describe("an agent with many calls that are worked on", () => {
  it("leaves places for others, even if it never ends what it has begun to send", () => {
    const at = gate();
    const first = enter(at, "POST", "/events");
    first.takeFor({ id: "one" });
    const second = enter(at, "POST", "/events");
    expect(refusalOf(() => second.takeFor({ id: "one" }))).toMatchObject({ status: 429, retryAfterMs: 1_000 });
    second.leave();
    enter(at, "POST", "/events").takeFor({ id: "other" });
    enter(at, "POST", "/events/1/responses").takeFor({ id: "one" });
    first.leave();
    enter(at, "POST", "/events").takeFor({ id: "one" });
  });

  it("may have them all where nobody proves who he is", () => {
    const at = gate();
    for (let i = 0; i < 2; i++) enter(at, "POST", "/events").takeFor({ id: "local", isOpen: true });
  });
});
