import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AgentAdministration } from "../../../client/agent-administration.ts";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { AgentEventBusOptions } from "../../../client/connection.ts";
import type { Fetch } from "../../../client/transport.ts";

const KEY = `aeb_billing_${"A".repeat(42)}E`;
const OTHER = `aeb_planner_${"B".repeat(42)}E`;
const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const URL = "https://bus.example.com";
const FUNCTION_URL = "https://abc123.lambda-url.eu-central-1.on.aws/";

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** A `fetch` that keeps what it is given. */
function keepingFetch(answer: (sent: Sent) => Response = () => Response.json({ events: [], next_cursor: null })) {
  const sent: Sent[] = [];
  const fetch: Fetch = async (url, init) => {
    const { method = "GET", headers, body } = init;
    const one = { url, method, headers: headers as Record<string, string>, body: body && JSON.parse(body as string) };
    sent.push(one);
    return answer(one);
  };
  return { fetch, sent };
}

/** What a call carries as proof of who makes it. */
async function proofWith(options: AgentEventBusOptions): Promise<string | undefined> {
  const { fetch, sent } = keepingFetch();
  await new AgentEventBus({ url: URL, ...options, fetch }).history().next();
  return sent[0]?.headers.authorization;
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

afterEach(() => vi.unstubAllEnvs());

describe("a client with an agent key", () => {
  it("sends it with every call, and signs nothing", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
    for (const url of [URL, FUNCTION_URL]) {
      const { fetch, sent } = keepingFetch();
      const bus = new AgentEventBus({ url, key: KEY, fetch });
      await bus.history().next();
      await bus.emit("SESSION_CREATED", {} as never).catch(() => undefined);
      expect(sent.length).toBeGreaterThan(1);
      for (const { headers } of sent) {
        expect(headers.authorization).toBe(`Bearer ${KEY}`);
        expect(headers).not.toHaveProperty("x-amz-date");
      }
    }
  });

  it("finds it in the environment, as a file or a shell has left it", async () => {
    vi.stubEnv("AGENT_EVENT_BUS_KEY", ` ${KEY}\n`);
    expect(await proofWith({})).toBe(`Bearer ${KEY}`);
    expect(await proofWith({ key: OTHER })).toBe(`Bearer ${OTHER}`);
    expect(await proofWith({ credentials: CREDENTIALS, region: "eu-central-1" })).toMatch(/^AWS4-HMAC-SHA256 /);
    vi.stubEnv("AGENT_EVENT_BUS_KEY", "");
    expect(await proofWith({})).toBeUndefined();
  });

  it("does not take credentials beside it", () => {
    expect(() => new AgentEventBus({ key: KEY, credentials: CREDENTIALS })).toThrow("not both");
  });

  it.each(["", "secret", KEY.slice(0, -1), `${KEY}x`, KEY.replace("aeb_", "aeb-"), `${KEY}\r\nx-injected: 1`])(
    "does not take %j for a key, and does not repeat it",
    (key) => {
      const fail = (): AgentEventBus => new AgentEventBus({ url: URL, key });
      expect(fail).toThrow("no agent key");
      if (key !== "") expect(fail).not.toThrow(key.trim());
    },
  );

  it.each([
    "http://127.0.0.1:7070",
    "http://127.1.2.3",
    "http://localhost:7070",
    "http://bus.localhost",
    "http://[::1]:7070",
  ])("sends it to %s, which is this machine", async (url) =>
    expect(await proofWith({ url, key: KEY })).toBe(`Bearer ${KEY}`),
  );

  it.each([
    "http://bus.example.com",
    "http://192.168.1.5:7070",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
    "http://notlocalhost",
    "http://example.127.0.0.1.nip.io",
    "http://0.0.0.0:7070",
    "http://[::2]:7070",
  ])("does not send it to %s, where others could read it", async (url) => {
    const { fetch, sent } = keepingFetch();
    const bus = new AgentEventBus({ url, key: KEY, fetch });
    const failure = await bus
      .history()
      .next()
      .then(
        () => null,
        (error: Error) => error,
      );
    expect(failure?.message).toContain("Use https");
    expect(failure?.message).not.toContain(KEY);
    expect(sent).toEqual([]);
  });

  it("sends it nowhere else, whatever the answer says: a redirect is followed by nobody", async () => {
    const elsewhere: IncomingMessage[] = [];
    const other = createServer((incoming, answer) => {
      elsewhere.push(incoming);
      answer.setHeader("content-type", "application/json").end('{"events":[],"next_cursor":null}');
    });
    const leading = createServer((_, answer) => {
      answer.writeHead(307, { location: urlOf(other) }).end();
    });
    try {
      for (const server of [other, leading]) await once(server.listen(0, "127.0.0.1"), "listening");
      const bus = new AgentEventBus({ url: urlOf(leading), key: KEY, retry: { tries: 1 } });
      await expect(bus.history().next()).rejects.toThrow();
      expect(elsewhere).toEqual([]);
    } finally {
      for (const server of [other, leading]) server.close();
    }
  });

  it("is told in words when the bus does not take it, and does not try again", async () => {
    const problem = {
      title: "The caller is not authenticated",
      status: 401,
      detail: "No agent key that is valid came with the call.",
      code: "unauthenticated",
      retryable: false,
    };
    const { fetch, sent } = keepingFetch(() => Response.json(problem, { status: 401 }));
    const failure = await new AgentEventBus({ url: URL, key: KEY, fetch })
      .eventTypes()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unauthenticated", status: 401, retryable: false, message: problem.detail });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(KEY);
    expect(sent).toHaveLength(1);
  });

  it("is not to be seen in the failure of a call that was not answered", async () => {
    const fetch: Fetch = () => Promise.reject(new TypeError("fetch failed"));
    const bus = new AgentEventBus({ url: URL, key: KEY, fetch, retry: { tries: 1 } });
    const failure = (await bus.eventTypes().catch((error: unknown) => error)) as Error;
    expect(`${failure.stack} ${JSON.stringify(failure)}`).not.toContain(KEY);
  });
});

describe("the client of administrators", () => {
  const answers: Record<string, () => Response> = {
    "POST /agents": () => Response.json({ name: "a", key: KEY, key_id: "k" }, { status: 201 }),
    "POST /agents/a/keys": () => Response.json({ name: "a", key: KEY, key_id: "k" }, { status: 201 }),
    "GET /agents/a": () => Response.json({ name: "a" }),
    "GET /agents?limit=100": () => Response.json({ agents: [{ name: "a" }, { name: "b" }], next_cursor: null }),
    "PATCH /agents/a": () => Response.json({ name: "a", disabled: true }),
    "DELETE /agents/a": () => new Response(null, { status: 204 }),
    "DELETE /agents/a/keys/k%2F1": () => new Response(null, { status: 204 }),
  };
  const pathOf = ({ method, url }: Sent): string => `${method} ${url.slice(URL.length)}`;

  it("makes the calls of the wire contract", async () => {
    const { fetch, sent } = keepingFetch((one) => (answers[pathOf(one)] as () => Response)());
    const agents = new AgentAdministration({ url: URL, key: KEY, fetch });
    expect(await agents.register("a", { emit: ["UPGRADE_*"] })).toMatchObject({ key: KEY });
    expect(await agents.rotateKey("a", { overlapSeconds: 60 })).toMatchObject({ key_id: "k" });
    expect(await agents.getAgent("a")).toEqual({ name: "a" });
    const names: string[] = [];
    for await (const { name } of agents.agents()) names.push(name);
    expect(names).toEqual(["a", "b"]);
    expect(await agents.change("a", { disabled: true })).toMatchObject({ disabled: true });
    await agents.revokeKey("a", "k/1");
    await agents.delete("a");
    expect(sent.map(pathOf).sort()).toEqual(Object.keys(answers).sort());
    expect(sent.map(({ body }) => body).filter((body) => body !== undefined)).toEqual([
      { name: "a", policy: { emit: ["UPGRADE_*"] } },
      { overlap_seconds: 60 },
      { disabled: true },
    ]);
  });

  it("makes no second key where the first may have been made, and takes what is gone for ended on a second try", async () => {
    const retry = { tries: 3, baseMs: 1 };
    const failing = keepingFetch(() => Response.json({ code: "unavailable" }, { status: 503 }));
    const agents = new AgentAdministration({ url: URL, key: KEY, fetch: failing.fetch, retry });
    await expect(agents.register("a")).rejects.toMatchObject({ code: "unavailable" });
    await expect(agents.rotateKey("a")).rejects.toMatchObject({ code: "unavailable" });
    expect(failing.sent).toHaveLength(2);

    let calls = 0;
    const lost = keepingFetch(() =>
      calls++ === 0
        ? Response.json({ code: "unavailable" }, { status: 503 })
        : Response.json({ code: "not_found" }, { status: 404 }),
    );
    await new AgentAdministration({ url: URL, key: KEY, fetch: lost.fetch, retry }).revokeKey("a", "k");
    expect(lost.sent).toHaveLength(2);
    await expect(
      new AgentAdministration({ url: URL, key: KEY, fetch: lost.fetch, retry }).revokeKey("a", "k"),
    ).rejects.toMatchObject({ code: "not_found" });
  });
});
