import type { IncomingMessage } from "node:http";
import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Authority,
  createAuthority,
  HOST,
  type Identity,
  PUBLIC_ADDRESS,
  receiveHttp,
  receiveRaw,
  senderTo,
} from "../../support/webhook-endpoint.ts";

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
const call = { url: `https://${HOST}/`, headers: {}, body: "{}" };

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
});

async function sendTo(identity: Identity, { url = call.url, trusted = true } = {}) {
  const calls: IncomingMessage[] = [];
  const receiver = await receiveHttp((request, response) => {
    calls.push(request);
    response.end();
  }, identity);
  const sender = senderTo(receiver, trusted ? { ca: authority.cert } : {});
  const outcome = await sender.send({ ...call, url });
  await receiver.allClosed();
  return { outcome, calls };
}

describe("the certificate of an endpoint", () => {
  it.each([HOST, "*.example.com"])(
    "has to be for the name in the URL, as %s is, whatever the address",
    async (name) => {
      const { outcome, calls } = await sendTo(await authority.issue([name]));
      expect(outcome).toMatchObject({ kind: "delivered" });
      expect(calls[0]?.socket).toMatchObject({ servername: HOST, alpnProtocol: "http/1.1" });
    },
  );

  it("has to be for the address when the URL has one, and no name is told then", async () => {
    const url = `https://${PUBLIC_ADDRESS}/`;
    const { outcome, calls } = await sendTo(await authority.issue([PUBLIC_ADDRESS]), { url });
    expect(outcome).toMatchObject({ kind: "delivered" });
    expect(calls[0]?.socket).toMatchObject({ servername: false });
    expect((await sendTo(await authority.issue(["93.184.215.99"]), { url })).outcome).toMatchObject({
      kind: "failed",
      reason: "certificate is for another name",
    });
  });

  const refusals: readonly [string, string, () => Promise<Identity>][] = [
    ["for another name", "certificate is for another name", () => authority.issue(["other.example.com"])],
    [
      "for the address that the name leads to",
      "certificate is for another name",
      () => authority.issue([PUBLIC_ADDRESS]),
    ],
    ["for this machine", "certificate is for another name", () => authority.issue(["localhost", "127.0.0.1"])],
    [
      "expired",
      "certificate has expired",
      () => authority.issue([HOST], { notBeforeDate: inDays(-3), notAfterDate: inDays(-1) }),
    ],
    [
      "not valid yet",
      "certificate is not valid yet",
      () => authority.issue([HOST], { notBeforeDate: inDays(1), notAfterDate: inDays(3) }),
    ],
    [
      "of another authority",
      "certificate is from an unknown authority, or its chain is not complete",
      async () => (await createAuthority("Another authority")).issue([HOST]),
    ],
  ];
  it.each(refusals)("is refused when it is %s, and the endpoint learns nothing", async (_, reason, issue) => {
    const { outcome, calls } = await sendTo(await issue());
    expect(outcome).toEqual({ kind: "failed", reason, elapsedMs: expect.any(Number) });
    expect(calls).toEqual([]);
  });

  it("is refused when only the test trusts it", async () => {
    const { outcome } = await sendTo(await authority.issue([HOST]), { trusted: false });
    expect(outcome).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("certificate is from an unknown authority"),
    });
  });

  it("is checked even where the environment says that none is", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const { outcome, calls } = await sendTo(await authority.issue(["other.example.com"]));
      expect(outcome).toMatchObject({ kind: "failed", reason: "certificate is for another name" });
      expect(calls).toEqual([]);
    } finally {
      warnings.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});

describe("an endpoint without TLS", () => {
  it("gets nothing: not the event, not its token", async () => {
    const got: Buffer[] = [];
    const receiver = await receiveRaw((socket) =>
      socket.on("data", (bytes) => {
        got.push(bytes);
        socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      }),
    );
    const outcome = await senderTo(receiver).send({ ...call, body: "a reply token" });
    expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringMatching(/^TLS failed/) });
    expect(Buffer.concat(got).toString("latin1")).not.toContain("token");
  });

  it("that closes at once is told apart from one that answers", async () => {
    const receiver = await receiveRaw((socket) => socket.destroy());
    const reason = "the connection was closed without a whole answer";
    expect(await senderTo(receiver).send(call)).toMatchObject({ kind: "failed", reason });
  });

  it("is not called by way of a proxy from the environment either", async () => {
    const proxied: string[] = [];
    const proxy = await receiveHttp((request, response) => {
      proxied.push(request.url ?? "");
      response.end();
    });
    for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"])
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    try {
      const { outcome } = await sendTo(await authority.issue([HOST]));
      expect(outcome).toMatchObject({ kind: "delivered" });
      expect([proxied, proxy.connections()]).toEqual([[], 0]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
