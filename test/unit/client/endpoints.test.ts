import { afterEach, describe, expect, it, vi } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { resolveEndpoints } from "../../../client/endpoints.ts";
import { playBus, receiptFor, sendJson } from "./played-bus.ts";

describe("where the bus is", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  });

  it("is the local one when nothing is said", () => {
    expect(resolveEndpoints({})("emit")).toBe("http://127.0.0.1:7070");
  });

  it("is one URL for everything, or one for each function with the other for the rest", () => {
    const endpoints = resolveEndpoints({ url: "https://cdn.example/bus/", urls: { emit: "https://emit.example/" } });
    expect([endpoints("emit"), endpoints("request")]).toEqual(["https://emit.example", "https://cdn.example/bus"]);
  });

  it("says which URL is missing only when it is needed", () => {
    const endpoints = resolveEndpoints({ urls: '{"emit": "https://emit.example/"}' });
    expect(endpoints("emit")).toBe("https://emit.example");
    expect(() => endpoints("history")).toThrow('no URL for "history"');
    expect(() => endpoints("queue")).toThrow('There is no URL for "queue": give urls.queue or url.');
  });

  it.each([["not json"], ["[]"], ['"https://x"']])("says what is wrong with urls that are %s", (urls) => {
    expect(() => new AgentEventBus({ urls })).toThrow("AGENT_EVENT_BUS_URLS");
  });

  it("refuses what is no http URL", () => {
    expect(() => new AgentEventBus({ url: "ftp://bus" })).toThrow('"ftp://bus"');
    expect(() => new AgentEventBus({ url: "bus.example" })).toThrow('"bus.example"');
  });

  it("comes from the environment when no option says it", async () => {
    const { url, calls } = await playBus((call, reply) => sendJson(reply, 202, receiptFor(call)));
    vi.stubEnv("AGENT_EVENT_BUS_URL", url);
    await new AgentEventBus().emit("SESSION_CREATED", {});
    vi.stubEnv("AGENT_EVENT_BUS_URLS", JSON.stringify({ emit: `${url}/own` }));
    await new AgentEventBus().emit("SESSION_CREATED", {});
    expect(calls.map((call) => call.path)).toEqual(["/events", "/own/events"]);
  });

  it("can be given where there is no process, as in browsers", async () => {
    const { url } = await playBus((call, reply) => sendJson(reply, 202, receiptFor(call)));
    vi.stubGlobal("process", undefined);
    const receipt = await new AgentEventBus({ url }).emit("SESSION_CREATED", {}).finally(() => vi.unstubAllGlobals());
    expect(receipt.event_id).toBe("e-1");
  });
});
