import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { functionUrls, type Gateway, keyUrls, startGateway } from "../../../../local/aws/gateway.ts";
import { API_FUNCTIONS } from "../../../../shared/routes.ts";

/** Every function behind one port, told apart by host name, as in the emulator. */
let behind: Server;
let answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
let gateway: Gateway;

const URLS = functionUrls(
  Object.fromEntries(
    API_FUNCTIONS.map((name) => [
      `${name[0]?.toUpperCase()}${name.slice(1)}Url`,
      `https://${name}id.lambda-url.eu-west-1.on.aws/`,
    ]),
  ),
);

async function echo(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await text(incoming);
  outgoing.writeHead(207, { "content-type": "application/json", "x-custom": "kept" });
  outgoing.end(JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }));
}

beforeEach(async () => {
  answer = (incoming, outgoing) => void echo(incoming, outgoing);
  behind = createServer((incoming, outgoing) => answer(incoming, outgoing)).listen(0, "127.0.0.1");
  await once(behind, "listening");
  gateway = await startGateway(0);
  gateway.forwardTo(
    {
      endpoint: `http://127.0.0.1:${portOf(behind)}`,
      region: "eu-west-1",
      credentials: { accessKeyId: "000000000001", secretAccessKey: "local" },
    },
    URLS,
  );
});

afterEach(async () => {
  await gateway.close();
  behind.closeAllConnections();
  behind.close();
});

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server does not listen.");
  return address.port;
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const call = async (path: string, init: RequestInit = {}): Promise<Echo> =>
  (await fetch(`${gateway.url}${path}`, init)).json() as Promise<Echo>;

describe("one URL in front of the functions", () => {
  test.each([
    ["POST", "/events", "emit"],
    ["GET", "/events", "history"],
    ["GET", "/events/stream?type=A", "stream"],
    ["GET", "/events/1", "history"],
    ["POST", "/events/1/responses?as=librarian", "respond"],
    ["POST", "/requests", "request"],
    ["DELETE", "/requests/1", "request"],
    ["GET", "/nowhere", "history"],
    ["PATCH", "/events", "history"],
  ])("%s %s is served by the function %s", async (method, path, name) => {
    const seen = await call(path, { method });
    expect(seen).toMatchObject({ method, url: path });
    expect(seen.headers.host).toBe(`${name}id.lambda-url.eu-west-1.localhost.localstack.cloud:${portOf(behind)}`);
  });

  test("the bus's own health is told, not the emulator's", async () => {
    // Emulators answer GET /health themselves, for every host.
    expect((await call("/health")).url).toBe("/health/");
  });

  test("an unsigned call is signed; a signed one is left as it is", async () => {
    const unsigned = await call("/events", { method: "POST", body: "{}" });
    expect(unsigned.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=000000000001\/\d{8}\/eu-west-1\/lambda\/aws4_request/,
    );
    const signed = await call("/events", {
      method: "POST",
      body: "{}",
      headers: { authorization: "AWS4-HMAC-SHA256 mine" },
    });
    expect(signed.headers.authorization).toBe("AWS4-HMAC-SHA256 mine");
  });

  test("where agents have keys, a call with one or with none goes to who asks for it; a signed one does not", async () => {
    const target = {
      endpoint: `http://127.0.0.1:${portOf(behind)}`,
      region: "eu-west-1",
      credentials: { accessKeyId: "000000000001", secretAccessKey: "local" },
    };
    const KeyUrls = JSON.stringify({ emit: "https://keyedid.lambda-url.eu-west-1.on.aws/" });
    gateway.forwardTo(target, URLS, keyUrls({ KeyUrls }));
    const served = async (path: string, method: string, headers: Record<string, string> = {}) => {
      const { host, authorization } = (await call(path, { method, headers })).headers;
      return [host?.split(".")[0], authorization];
    };
    expect(await served("/events", "POST", { authorization: "Bearer a" })).toEqual(["keyedid", "Bearer a"]);
    expect(await served("/events", "POST")).toEqual(["keyedid", undefined]);
    expect(await served("/events", "POST", { authorization: "AWS4-HMAC-SHA256 x" })).toEqual([
      "emitid",
      "AWS4-HMAC-SHA256 x",
    ]);
    // Agents are administered with signed calls alone.
    expect(await served("/agents", "GET")).toEqual(["agentsid", expect.stringContaining("AWS4-HMAC-SHA256")]);
    expect(keyUrls({})).toEqual({});
  });

  test("status, headers and body come through both ways", async () => {
    const body = JSON.stringify({ text: "ü".repeat(100_000) });
    const response = await fetch(`${gateway.url}/events`, {
      method: "POST",
      body,
      headers: { "idempotency-key": "k" },
    });
    expect(response.status).toBe(207);
    expect(response.headers.get("x-custom")).toBe("kept");
    const seen = (await response.json()) as Echo;
    expect(seen.headers["idempotency-key"]).toBe("k");
    // Not toBe(body): nobody wants to read the difference of 200 KB.
    expect(seen.body === body).toBe(true);
  });

  test("what a function sends is passed on as it comes", async () => {
    let finish = (): void => {};
    answer = (_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write("data: first\n\n");
      finish = () => outgoing.end("data: second\n\n");
    };
    const response = await fetch(`${gateway.url}/events/stream`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("data: first\n\n");
    finish();
    expect((await reader?.read())?.value).toBe("data: second\n\n");
  });

  test("a function is told when its caller is gone", async () => {
    const gone = new Promise<void>((resolve) => {
      answer = (_, outgoing) => {
        outgoing.once("close", resolve);
        outgoing.writeHead(200).write("data: first\n\n");
      };
    });
    const abort = new AbortController();
    const response = await fetch(`${gateway.url}/events/stream`, { signal: abort.signal });
    abort.abort();
    await expect(response.text()).rejects.toThrow();
    await gone;
  });

  test("a caller is told when its function's connection breaks, and others go on being served", async () => {
    let breakOff = (): void => {};
    answer = (incoming, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write("data: first\n\n");
      breakOff = () => incoming.socket.resetAndDestroy();
    };
    const reader = (await fetch(`${gateway.url}/events/stream`)).body?.getReader();
    await reader?.read();
    breakOff();
    await expect(reader?.read()).rejects.toThrow();
    answer = (incoming, outgoing) => void echo(incoming, outgoing);
    expect((await call("/events")).url).toBe("/events");
  });

  test.each([
    ["a name that was made to resolve to this machine", { host: "example.com" }],
    ["a page of another site", { origin: "https://example.com" }],
  ])("nothing is signed for %s", async (_, headers) => {
    const reached = vi.fn();
    answer = (incoming, outgoing) => {
      reached();
      void echo(incoming, outgoing);
    };
    const refused = request(`${gateway.url}/events`, { method: "POST", headers }).end("{}");
    const [response] = (await once(refused, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(403);
    expect(response.headers).not.toHaveProperty("retry-after");
    expect(JSON.parse(await text(response))).toMatchObject({ code: "forbidden", retryable: false });
    expect(reached).not.toHaveBeenCalled();
  });

  test("says that it may be tried again while the emulator cannot be reached", async () => {
    behind.close();
    behind.closeAllConnections();
    const response = await fetch(`${gateway.url}/event-types`);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ code: "unavailable", retryable: true });
  });

  test("says the same until the stack is deployed", async () => {
    const early = await startGateway(0);
    try {
      expect((await fetch(`${early.url}/event-types`)).status).toBe(503);
    } finally {
      await early.close();
    }
  });

  test("names the port and the flag when the port is taken", async () => {
    const port = portOf(behind);
    await expect(startGateway(port)).rejects.toThrow(`Port ${port} is taken. Free it, or choose another with --port`);
  });
});

test("a stack without one of the URLs is refused by the output's name", () => {
  expect(() =>
    functionUrls({
      EmitUrl: "https://x/",
      RequestUrl: "https://x/",
      RespondUrl: "https://x/",
      HistoryUrl: "https://x/",
    }),
  ).toThrow("The stack has no output StreamUrl.");
});
