import { afterEach, describe, expect, it, vi } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { readSse } from "../../../client/sse.ts";
import { delivered, openSse, playBus, QUICK, sendBlock, sendProblem } from "./played-bus.ts";

afterEach(() => vi.useRealTimers());

async function take(events: AsyncIterable<{ id: string }>, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of events) if (ids.push(id) === count) break;
  return ids;
}

describe("stream, against a server that plays the bus", () => {
  it("yields delivered events and closes the connection when the loop is left", async () => {
    const { url, calls } = await playBus((_, reply) => {
      openSse(reply);
      sendBlock(reply, { id: "c0" });
      reply.write(": still here\n\n");
      sendBlock(reply, { id: "c1", data: delivered("e-1") });
      sendBlock(reply, { id: "c2", data: delivered("e-2") });
    });
    const bus = new AgentEventBus({ url });
    const stream = bus.stream({ type: "CONTEXT_REQUESTED", correlationId: "c-1", as: "librarian", after: "earlier" });
    expect((await stream.next()).value).toEqual(delivered("e-1"));
    expect(await take(stream, 1)).toEqual(["e-2"]);
    await calls[0]?.gone;
    expect(Object.fromEntries(calls[0]?.query ?? [])).toEqual({
      type: "CONTEXT_REQUESTED",
      correlation_id: "c-1",
      as: "librarian",
      after: "earlier",
    });
    expect(calls).toHaveLength(1);
  });

  it("goes on from the last cursor after an end or a break, without a gap or a duplicate", async () => {
    const { url, calls } = await playBus((_, reply, nth) => {
      if (nth === 3) return sendProblem(reply, 503, "unavailable");
      openSse(reply);
      sendBlock(reply, { id: `c${nth}.0` });
      // Each connection repeats the event before it, as a cursor that could not hold everything would.
      if (nth > 1) sendBlock(reply, { id: `c${nth}.1`, data: delivered(`e-${nth - 1}`) });
      sendBlock(reply, { id: `c${nth}.2`, data: delivered(`e-${nth}`) });
      if (nth === 1) reply.end();
      if (nth === 2) {
        // An event that is cut short has not come.
        reply.write(`id: c2.9\ndata: {"id":"e-9`);
        setTimeout(() => reply.destroy(), 20);
      }
    });
    expect(await take(new AgentEventBus({ url, retry: QUICK }).stream({ after: "start" }), 4)).toEqual([
      "e-1",
      "e-2",
      "e-3",
      "e-4",
    ]);
    expect(calls.map((call) => [call.headers["last-event-id"], call.query.get("after")])).toEqual([
      [undefined, "start"],
      ["c1.2", null],
      ["c2.2", null],
      ["c2.2", null],
    ]);
  });

  it("goes on from the first cursor when a quiet stream ends before any event", async () => {
    const { url, calls } = await playBus((_, reply, nth) => {
      openSse(reply);
      sendBlock(reply, nth === 1 ? { id: "c0" } : { id: "c1", data: delivered("e-1") });
      reply.end();
    });
    expect(await take(new AgentEventBus({ url, retry: QUICK }).stream(), 1)).toEqual(["e-1"]);
    expect(calls[1]?.headers["last-event-id"]).toBe("c0");
  });

  it("throws what the bus refuses, at once", async () => {
    const { url, calls } = await playBus((_, reply) => sendProblem(reply, 422, "unknown_event_type"));
    await expect(
      take(new AgentEventBus({ url, retry: QUICK }).stream({ type: "TYPO" as never }), 1),
    ).rejects.toMatchObject({ code: "unknown_event_type" });
    expect(calls).toHaveLength(1);
  });

  it("gives up a bus that cannot be reached to begin with, but not one that was open once", async () => {
    await expect(
      take(new AgentEventBus({ url: "http://127.0.0.1:1", retry: QUICK }).stream(), 1),
    ).rejects.toMatchObject({ code: "unreachable" });
    const { url, calls } = await playBus((_, reply, nth) => {
      if (nth > 1 && nth < 10) return sendProblem(reply, 503, "unavailable");
      openSse(reply);
      if (nth === 10) sendBlock(reply, { id: "c1", data: delivered("e-1") });
      else reply.end("id: c0\n\n");
    });
    expect(await take(new AgentEventBus({ url, retry: QUICK }).stream(), 1)).toEqual(["e-1"]);
    expect(calls).toHaveLength(10);
  });

  it("gives up after a minute when it is never opened, whether nothing answers or only comments come", async () => {
    vi.useFakeTimers();
    const silent = (init: RequestInit): Promise<Response> =>
      new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    const chatty = async (init: RequestInit): Promise<Response> => {
      const beat = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
        controller.enqueue(new TextEncoder().encode(": still here\n\n"));
        const timer = setTimeout(beat, 10_000, controller);
        init.signal?.addEventListener("abort", () => clearTimeout(timer));
      };
      return new Response(new ReadableStream({ start: beat }));
    };
    for (const answer of [silent, chatty]) {
      let tries = 0;
      const bus = new AgentEventBus({
        url: "http://bus",
        fetch: (_, init) => {
          tries += 1;
          return answer(init);
        },
      });
      const startedAt = Date.now();
      const given = expect(bus.stream().next()).rejects.toMatchObject({ code: "unreachable", retryable: true });
      await vi.advanceTimersByTimeAsync(60_000);
      await given;
      expect({ tries, ms: Date.now() - startedAt }).toEqual({ tries: 2, ms: 60_000 });
    }
  });

  it("gives up an answer that ends without ever having been a stream", async () => {
    const { url, calls } = await playBus((_, reply) => void reply.writeHead(200).end());
    await expect(new AgentEventBus({ url, retry: QUICK }).stream().next()).rejects.toMatchObject({
      code: "unreachable",
    });
    expect(calls).toHaveLength(QUICK.tries);
  });

  it("does not wait for a bus that asks to come back after more than the minute", async () => {
    const { url, calls } = await playBus((_, reply) =>
      sendProblem(reply, 503, "unavailable", {}, { "retry-after": "3600" }),
    );
    await expect(new AgentEventBus({ url, retry: QUICK }).stream().next()).rejects.toMatchObject({
      code: "unavailable",
      retryAfterMs: 3_600_000,
    });
    expect(calls).toHaveLength(1);
  });

  it("comes back for an event that arrived garbled", async () => {
    const { url, calls } = await playBus((_, reply, nth) => {
      openSse(reply);
      sendBlock(reply, { id: `c${nth}.0` });
      if (nth === 1) sendBlock(reply, { id: "c1.1", data: delivered("e-1") });
      if (nth === 1) reply.write('id: c1.2\ndata: {"id":"e-2","ty\n\n');
      else sendBlock(reply, { id: "c2.1", data: delivered("e-2") });
    });
    expect(await take(new AgentEventBus({ url, retry: QUICK }).stream(), 2)).toEqual(["e-1", "e-2"]);
    expect(calls.map((call) => call.headers["last-event-id"])).toEqual([undefined, "c1.1"]);
  });

  it("ends quietly when its signal aborts, while it waits for events as well", async () => {
    const controller = new AbortController();
    const { url, calls } = await playBus((_, reply) => {
      openSse(reply);
      sendBlock(reply, { id: "c1", data: delivered("e-1") });
    });
    const ids: string[] = [];
    for await (const { id } of new AgentEventBus({ url }).stream({ signal: controller.signal })) {
      ids.push(id);
      setTimeout(() => controller.abort(), 10);
    }
    expect(ids).toEqual(["e-1"]);
    await calls[0]?.gone;
  });
});

describe("reading server-sent events", () => {
  const streamOf = (...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks)
          controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
        controller.close();
      },
    });

  async function all(body: ReadableStream<Uint8Array>): Promise<unknown[]> {
    const blocks: unknown[] = [];
    for await (const block of readSse(body, new AbortController().signal)) blocks.push(block);
    return blocks;
  }

  it("reads the same however the bytes are cut, and whatever ends the lines", async () => {
    const text = 'id: 1\ndata: {"t":"grüß €"}\n\nevent: done\ndata: a\ndata: b\n\nid: 2\n\n: comment\n\ndata: cut';
    const expected = [
      { event: "message", data: '{"t":"grüß €"}', id: "1" },
      { event: "done", data: "a\nb", id: undefined },
      { event: "message", data: "", id: "2" },
    ];
    for (const ending of ["\n", "\r\n", "\r"]) {
      const bytes = new TextEncoder().encode(text.replaceAll("\n", ending));
      for (const size of [1, 2, 7, bytes.length]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.slice(i * size, (i + 1) * size),
        );
        expect(await all(streamOf(...chunks)), `${JSON.stringify(ending)} by ${size}`).toEqual(expected);
      }
    }
  });

  it("takes a stream that falls silent for dead", async () => {
    const silent = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    });
    const blocks = readSse(silent, new AbortController().signal, 30);
    expect((await blocks.next()).value).toMatchObject({ data: "x" });
    await expect(blocks.next()).rejects.toMatchObject({ code: "unreachable" });
  });
});
