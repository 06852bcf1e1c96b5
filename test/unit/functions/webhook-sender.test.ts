import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from "node:http";
import { type AddressInfo, connect, createServer, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createWebhookSender } from "../../../functions/runtime/webhook/sender.ts";
import { newWebhookSecret, webhookHeaders } from "../../../shared/webhooks/signature.ts";
import {
  createAuthority,
  HOST,
  type Identity,
  PUBLIC_ADDRESS,
  type Receiver,
  receiveHttp,
  receiveRaw,
  senderTo,
} from "../../support/webhook-endpoint.ts";

const call = {
  url: `https://${HOST}/hook?a=b%20c`,
  headers: { "content-type": "application/json" },
  body: '{"n":"ü"}',
};

let ca: string;
let identity: Identity;
beforeAll(async () => {
  const authority = await createAuthority();
  ca = authority.cert;
  identity = await authority.issue([HOST]);
});

const senderFor = (receiver: Receiver, timeoutMs = 10_000) =>
  senderTo(receiver, { ca, timeoutMs, now: () => Date.parse("2026-03-01T12:00:00Z") });

/** What a sender is told that calls an HTTPS endpoint with this behaviour. */
async function outcomeOf(listener: RequestListener, timeoutMs?: number) {
  const receiver = await receiveHttp(listener, identity);
  const outcome = await senderFor(receiver, timeoutMs).send(call);
  await receiver.allClosed();
  return outcome;
}

/** The same for an endpoint that writes what it likes once it has got the request. */
async function outcomeOfRaw(answer: (socket: Socket) => void, timeoutMs?: number) {
  const receiver = await receiveRaw((socket) => socket.once("data", () => answer(socket)), identity);
  const outcome = await senderFor(receiver, timeoutMs).send(call);
  await receiver.allClosed();
  return outcome;
}

const elapsedMs = expect.any(Number);

describe("a webhook's endpoint", () => {
  it("gets one POST with the body as it was signed, under its own name", async () => {
    const got: { method?: string | undefined; url?: string | undefined; headers: IncomingHttpHeaders; body: string }[] =
      [];
    const receiver = await receiveHttp(async (request: IncomingMessage, response) => {
      got.push({ method: request.method, url: request.url, headers: request.headers, body: await text(request) });
      response.end();
    }, identity);
    const secret = newWebhookSecret(new Uint8Array(24));
    const timestampSeconds = Math.floor(Date.now() / 1_000);
    const signed = webhookHeaders({ id: "msg_1", timestampSeconds, body: call.body, secrets: [secret] });
    const sender = senderFor(receiver);
    const outcome = await sender.send({ ...call, headers: { ...call.headers, ...signed } });

    expect(outcome).toEqual({ kind: "delivered", status: 200, body: null, elapsedMs });
    expect(sender.reached).toEqual([`${PUBLIC_ADDRESS}:443`]);
    const [request, ...others] = got;
    expect(others).toEqual([]);
    expect(request).toMatchObject({ method: "POST", url: "/hook?a=b%20c", body: call.body });
    expect(request?.headers).toEqual({
      ...call.headers,
      ...signed,
      host: HOST,
      "user-agent": "agent-event-bus",
      "content-length": "10",
      "accept-encoding": "identity",
      connection: "close",
    });
    expect(new Webhook(secret).verify(request?.body ?? "", request?.headers as Record<string, string>)).toEqual({
      n: "ü",
    });
  });

  it("cannot be told another host, length or encoding by whoever makes the call", async () => {
    let headers: IncomingHttpHeaders = {};
    const receiver = await receiveHttp((request, response) => {
      headers = request.headers;
      response.end();
    }, identity);
    const odd = { Host: "127.0.0.1", "Content-Length": "0", "Accept-Encoding": "gzip" };
    expect(await senderFor(receiver).send({ ...call, headers: odd })).toMatchObject({ kind: "delivered" });
    expect(headers).toMatchObject({ host: HOST, "content-length": "10", "accept-encoding": "identity" });
  });

  it.each([200, 201, 202, 204, 299])("has taken the event with %i", async (status) => {
    expect(await outcomeOf((_, response) => response.writeHead(status).end())).toEqual({
      kind: "delivered",
      status,
      body: null,
      elapsedMs,
    });
  });

  it.each(["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.agent+json"])(
    "can answer in the body of a 2xx that is %s",
    async (type) => {
      const body = '{"response":{"text":"Grüße"}}';
      const outcome = await outcomeOf((_, response) => response.writeHead(200, { "content-type": type }).end(body));
      expect(outcome).toEqual({ kind: "delivered", status: 200, body, elapsedMs });
    },
  );

  it("can answer in the body of a 2xx that does not say what it is", async () => {
    const body = '{"response":{}}';
    const outcome = await outcomeOf((_, response) => response.writeHead(200).end(body));
    expect(outcome).toEqual({ kind: "delivered", status: 200, body, elapsedMs });
  });

  it.each([
    ["is text", "text/plain", "{}"],
    ["only looks like JSON", "application/jsonp", "{}"],
    ["does not say what it is, and is empty", "", ""],
    ["is empty", "application/json", ""],
    ["is blank", "application/json", " \r\n"],
    ["is not UTF-8", "application/json", Buffer.from([0x22, 0xff, 0x22])],
    ["is compressed, although that was not asked for", "application/json", Buffer.from([0x1f, 0x8b, 8, 0, 0])],
  ])("has given no answer with a body that %s", async (_, type, body) => {
    const headers = type === "" ? {} : { "content-type": type };
    const outcome = await outcomeOf((_, response) => response.writeHead(200, headers).end(body));
    expect(outcome).toEqual({ kind: "delivered", status: 200, body: null, elapsedMs });
  });

  it("is listened to for 64 KiB and not a byte longer, and has taken the event all the same [deliver-13]", async () => {
    const sized = (bytes: number) =>
      outcomeOf((_, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end(`"${"x".repeat(bytes - 2)}"`),
      );
    expect(await sized(65_536)).toMatchObject({ kind: "delivered", body: expect.stringMatching(/^"x{65534}"$/) });
    expect(await sized(65_537)).toMatchObject({ kind: "delivered", body: null });
  });

  it("that sends for ever is cut off [deliver-13]", async () => {
    let sent = 0;
    const outcome = await outcomeOf((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = "x".repeat(16_384);
      const pump = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on("drain", pump);
      pump();
    });
    expect(outcome).toEqual({ kind: "delivered", status: 200, body: null, elapsedMs });
    // What sockets on both sides held, and no more than that.
    expect(sent).toBeLessThan(64 * 1_024 * 1_024);
  });

  it.each([301, 302, 303, 307, 308])("that redirects with %i is not followed [deliver-10]", async (status) => {
    const elsewhere = await receiveHttp((_, response) => response.end());
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    const outcome = await outcomeOf((_, response) => response.writeHead(status, { location }).end());
    const reason = `HTTP ${status}: redirects are not followed`;
    expect(outcome).toEqual({ kind: "failed", status, reason, elapsedMs });
    expect(elsewhere.connections()).toBe(0);
  });

  it.each([400, 401, 404, 410, 500, 503, 599])("has failed with %i", async (status) => {
    const outcome = await outcomeOf((_, response) =>
      response.writeHead(status, { "content-type": "application/json" }).end("{}"),
    );
    expect(outcome).toEqual({ kind: "failed", status, reason: `HTTP ${status}`, elapsedMs });
  });

  it.each([
    ["120", 120_000],
    ["Sun, 01 Mar 2026 12:01:30 GMT", 90_000],
  ])("can say with Retry-After: %s when to come again", async (value, retryAfterMs) => {
    const outcome = await outcomeOf((_, response) => response.writeHead(429, { "retry-after": value }).end());
    expect(outcome).toEqual({ kind: "failed", status: 429, reason: "HTTP 429", retryAfterMs, elapsedMs });
  });
});

describe("an endpoint that takes its time", () => {
  const tooLate = { kind: "failed", reason: "no answer within 0.2 s", elapsedMs };

  it("and never answers is given up [deliver-9]", async () => {
    expect(await outcomeOf(() => {}, 200)).toEqual(tooLate);
  });

  it("and does not even finish TLS is given up", async () => {
    const receiver = await receiveRaw((socket) => socket.resume());
    expect(await senderFor(receiver, 200).send(call)).toEqual(tooLate);
    await receiver.allClosed();
  });

  it("and drips its headers is given up, however steadily [deliver-13]", async () => {
    const outcome = await outcomeOfRaw((socket) => drip(socket, "HTTP/1.1 200 OK\r\nx-padding: ", "x"), 200);
    expect(outcome).toEqual(tooLate);
  });

  it("and only ever says that it continues is given up", async () => {
    expect(await outcomeOfRaw((socket) => drip(socket, "", "HTTP/1.1 102 Processing\r\n\r\n"), 200)).toEqual(tooLate);
  });

  it("and drips an answer is given up: half an answer is none", async () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    expect(await outcomeOfRaw((socket) => drip(socket, head, " "), 200)).toEqual(tooLate);
  });

  it("and drips what does not matter is cut off, and what it said before counts", async () => {
    // Long enough for a busy machine to get as far as the headers.
    const saying = (status: string) =>
      outcomeOfRaw((socket) => drip(socket, `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\n\r\n`, "."), 1_500);
    expect(await Promise.all([saying("200 OK"), saying("410 Gone")])).toEqual([
      { kind: "delivered", status: 200, body: null, elapsedMs },
      { kind: "failed", status: 410, reason: "HTTP 410", elapsedMs },
    ]);
  });

  it("and does not read what it is sent is given up", async () => {
    const receiver = await receiveRaw((socket) => socket.pause(), identity);
    const outcome = await senderFor(receiver, 200).send({ ...call, body: "x".repeat(32 * 1_024 * 1_024) });
    expect(outcome).toEqual(tooLate);
  });

  /** Writes `head` at once, and then a little again and again until nobody listens any more. */
  function drip(socket: Socket, head: string, drop: string): void {
    socket.write(head);
    const timer = setInterval(() => socket.write(drop), 20);
    socket.once("close", () => clearInterval(timer));
  }
});

describe("an endpoint that is not there, or talks nonsense", () => {
  const failed = (reason: string) => ({ kind: "failed", reason, elapsedMs });
  const closed = failed("the connection was closed without a whole answer");

  it("refuses the connection", async () => {
    const sender = senderTo({ port: await unusedPort() }, { ca });
    expect(await sender.send(call)).toEqual(failed("the connection was refused"));
  });

  it("is gone before it is reached", async () => {
    const sender = createWebhookSender({
      resolve: async () => [PUBLIC_ADDRESS],
      connect: () => new Socket().destroy(),
    });
    expect(await sender.send(call)).toEqual(failed("the connection was closed without an answer"));
  });

  it("closes without an answer", async () => {
    expect(await outcomeOfRaw((socket) => socket.end())).toEqual(closed);
    expect(await outcomeOfRaw((socket) => socket.destroy())).toEqual(closed);
  });

  it("closes in the middle of an answer", async () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    expect(await outcomeOfRaw((socket) => socket.end(`${head}{"response":`))).toEqual(closed);
    expect(await outcomeOfRaw((socket) => socket.end(head.replace("100", "2").concat("{}")))).toMatchObject({
      body: "{}",
    });
  });

  it("closes in the middle of what does not matter, and has taken the event", async () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 100\r\n\r\n";
    const outcome = await outcomeOfRaw((socket) => socket.end(`${head}<html>`));
    expect(outcome).toEqual({ kind: "delivered", status: 200, body: null, elapsedMs });
  });

  it.each([
    ["no HTTP at all", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["bytes", "\u0000\u0001\u0002\u0003"],
    ["HTTP/0.9", "<html>hello</html>"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"],
    ["a length that is none", "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n"],
  ])("answers with %s", async (_, bytes) => {
    expect(await outcomeOfRaw((socket) => socket.end(bytes))).toEqual(
      failed(expect.stringMatching(/^the answer is not HTTP \(HPE_\w+\)$/) as unknown as string),
    );
  });

  it("breaks the rules in the middle of its body", async () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    const outcome = await outcomeOfRaw((socket) => socket.end(`${head}not a length\r\n`));
    expect(outcome).toEqual(
      failed(expect.stringMatching(/not HTTP|closed without a whole answer/) as unknown as string),
    );
  });

  it("answers with headers without end", async () => {
    const outcome = await outcomeOfRaw((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(100_000)}\r\n\r\n`),
    );
    expect(outcome).toEqual(failed("the headers of the answer are too large"));
  });

  it("wants to speak another protocol", async () => {
    const head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    expect(await outcomeOfRaw((socket) => socket.write(head))).toEqual(
      failed("the connection was closed without an answer"),
    );
  });

  it("is told nothing when a header cannot be sent", async () => {
    const receiver = await receiveHttp((_, response) => response.end(), identity);
    const outcome = await senderFor(receiver).send({ ...call, headers: { "x-split": "a\r\nhost: b" } });
    expect(outcome).toEqual(failed("the call failed (ERR_INVALID_CHAR)"));
    await receiver.allClosed();
  });
});

describe("an endpoint with several addresses", () => {
  it("is called at the next one when the first is down", async () => {
    const receiver = await receiveHttp((_, response) => response.end(), identity);
    const closedPort = await unusedPort();
    const reached: string[] = [];
    const sender = createWebhookSender({
      ca,
      resolve: async () => ["2606:2800:21f::1", PUBLIC_ADDRESS, "93.184.215.15"],
      connect(address) {
        reached.push(address);
        return connect({ host: "127.0.0.1", port: reached.length === 1 ? closedPort : receiver.port });
      },
    });
    expect(await sender.send(call)).toMatchObject({ kind: "delivered", status: 200 });
    expect(reached).toEqual(["2606:2800:21f::1", PUBLIC_ADDRESS]);
  });

  it("is called at the next one when the first has been silent for 5 s", async () => {
    const receiver = await receiveHttp((_, response) => response.end(), identity);
    const silent = new Socket();
    let reached = 0;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const sender = createWebhookSender({
        ca,
        resolve: async () => [PUBLIC_ADDRESS, "93.184.215.15"],
        connect: () => (++reached === 1 ? silent : connect({ host: "127.0.0.1", port: receiver.port })),
      });
      const outcome = sender.send(call);
      await vi.advanceTimersByTimeAsync(4_999);
      expect([reached, silent.destroyed]).toEqual([1, false]);
      await vi.advanceTimersByTimeAsync(1);
      expect(await outcome).toMatchObject({ kind: "delivered" });
      expect([reached, silent.destroyed]).toEqual([2, true]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("all of them silent is given up when its 15 s are over, and no connection is left", async () => {
    const silent: Socket[] = [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const sender = createWebhookSender({
        resolve: async () => Array.from({ length: 9 }, (_, i) => `93.184.215.${i}`),
        connect() {
          const socket = new Socket();
          silent.push(socket);
          return socket;
        },
      });
      const outcome = sender.send(call);
      await vi.advanceTimersByTimeAsync(15_000);
      expect(await outcome).toMatchObject({ kind: "failed", reason: "no answer within 15 s" });
      expect(silent.map((socket) => socket.destroyed)).toEqual([true, true, true]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not called again at another one once it has been reached", async () => {
    const receiver = await receiveRaw((socket) => socket.once("data", () => socket.destroy()), identity);
    const resolve = async () => [PUBLIC_ADDRESS, "93.184.215.15"];
    const sender = senderTo(receiver, { ca, resolve });
    expect(await sender.send(call)).toMatchObject({ kind: "failed" });
    expect([sender.reached.length, receiver.connections()]).toEqual([1, 1]);
  });
});

it("a name whose server is silent keeps whoever wants to subscribe waiting for 5 s, and no longer", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let refusal: string | null | undefined;
    const silent = createWebhookSender({ resolve: () => new Promise(() => {}) }).check(call.url);
    void silent.then((reason) => (refusal = reason));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(refusal).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(refusal).toBe("the host name cannot be resolved");
  } finally {
    vi.useRealTimers();
  }
});

/** A port on which nobody listens. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
