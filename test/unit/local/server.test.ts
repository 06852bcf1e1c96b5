import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Identified } from "../../../functions/runtime/authenticate.ts";
import { type HttpRequest, type HttpResponse, jsonResponse } from "../../../functions/runtime/http.ts";
import { createCallGate } from "../../../local/call-gate.ts";
import { type Server, type ServerOptions, startServer } from "../../../local/server.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { MAX_BODY_BYTES } from "../../../shared/limits.ts";

let server: Server | null = null;
afterEach(async () => {
  vi.useRealTimers();
  await server?.close(0);
  server = null;
});

const KNOWN: Identified = { kind: "known", agent: openAgent("caller") };
const REFUSED: Identified = { kind: "refused", response: jsonResponse(401, {}) };
const fine = async (): Promise<HttpResponse> => jsonResponse(200, {});

/** A local origin. @returns what gets through to the functions */
async function listening(options: Partial<ServerOptions> = {}): Promise<HttpRequest[]> {
  const served: HttpRequest[] = [];
  const { serve = fine } = options;
  server = await startServer({
    port: 0,
    identify: async () => KNOWN,
    ...options,
    serve: (one) => {
      served.push(one);
      return serve(one);
    },
  });
  return served;
}

/** The answer once its headers are there. */
async function answerTo(path: string, headers: Record<string, string> = {}, body = ""): Promise<IncomingMessage> {
  const sending = request(`${server?.url}${path}`, { method: body === "" ? "GET" : "POST", headers });
  sending.on("error", () => undefined).end(body);
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  return answer;
}

async function statusOf(...call: Parameters<typeof answerTo>): Promise<number | undefined> {
  const answer = await answerTo(...call);
  answer.resume();
  return answer.statusCode;
}

describe("the local origin", () => {
  test("lets no page of another site in, and no name that was made to lead here", async () => {
    const served = await listening();
    expect(await statusOf("/events", { host: "evil.example" })).toBe(403);
    expect(await statusOf("/events", { origin: "https://evil.example" })).toBe(403);
    expect(served).toEqual([]);
    expect(await statusOf("/events")).toBe(200);
  });

  test("asks first who calls, and looks at nothing of who is not known", async () => {
    const served = await listening({ identify: async () => REFUSED });
    expect(await statusOf("/events", {}, "{}")).toBe(401);
    expect(served).toEqual([]);
  });

  test("hands on who it is, and not by what that was proved", async () => {
    const asked: unknown[] = [];
    const identify: ServerOptions["identify"] = async ({ authorization }) => {
      asked.push(authorization);
      return KNOWN;
    };
    const [call] = await listening({ identify }).then(async (served) => {
      await statusOf("/events", { authorization: "Bearer key", "x-amz-security-token": "token", "x-mine": "yes" });
      return served;
    });
    expect(asked).toEqual(["Bearer key"]);
    expect(call?.agent.id).toBe("caller");
    expect(call?.headers).toMatchObject({ "x-mine": "yes" });
    expect(JSON.stringify(call?.headers)).not.toMatch(/Bearer|token/);
  });

  test("takes no body that is too large", async () => {
    const served = await listening();
    expect(await statusOf("/events", {}, "x".repeat(MAX_BODY_BYTES + 1))).toBe(413);
    expect(served).toEqual([]);
  });

  test("turns away what comes beyond its places, which are free again once a call has ended", async () => {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const gate = createCallGate({ working: 1, workingPerAgent: 1, held: 2, heldPerAgent: 1 });
    const served = await listening({ gate, serve: () => ended.then(fine) });
    const first = statusOf("/events");
    const held = statusOf("/requests/one?wait=5");
    await expect.poll(() => served.length).toBe(2);
    const crowded = await answerTo("/events");
    crowded.resume();
    expect([crowded.statusCode, crowded.headers["retry-after"]]).toEqual([503, "1"]);
    expect(await statusOf("/requests/two?wait=5")).toBe(429);
    end();
    expect([await first, await held]).toEqual([200, 200]);
    // A place is left when the answer has been sent.
    await expect.poll(() => statusOf("/events")).toBe(200);
    await expect.poll(() => statusOf("/requests/one?wait=5")).toBe(200);
  });

  test("ends a stream once its caller is not let in any more", async () => {
    let identified: Identified = KNOWN;
    let asked = 0;
    let isOver = false;
    async function* endless() {
      try {
        for (;;) {
          yield "more";
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        isOver = true;
      }
    }
    vi.useFakeTimers({ toFake: ["performance"] });
    await listening({
      identify: async () => {
        asked++;
        return identified;
      },
      serve: async () => ({ status: 200, headers: {}, body: endless() }),
    });
    const answer = await answerTo("/events/stream");
    answer.resume();
    vi.advanceTimersByTime(10_000);
    await expect.poll(() => asked).toBe(2);
    expect(isOver).toBe(false);
    identified = REFUSED;
    vi.advanceTimersByTime(10_000);
    await once(answer, "end");
    expect(isOver).toBe(true);
  });

  test("ends a stream whose client has gone", async () => {
    let isGone = false;
    async function* endless() {
      try {
        for (;;) {
          yield "more";
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        isGone = true;
      }
    }
    await listening({ serve: async () => ({ status: 200, headers: {}, body: endless() }) });
    (await answerTo("/events/stream")).destroy();
    await expect.poll(() => isGone).toBe(true);
  });
});
