import { createHash, createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { Fetch } from "../../../client/transport.ts";

const FUNCTION_URL = "https://abc123.lambda-url.eu-central-1.on.aws/";
const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A `fetch` that keeps what it is given and answers as the bus would. */
function keepingFetch(): { fetch: Fetch; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch: Fetch = async (url, init) => {
    sent.push({
      url: new URL(url),
      method: init.method ?? "GET",
      headers: init.headers as Record<string, string>,
      body: (init.body ?? "") as string,
    });
    return Response.json({ events: [], next_cursor: null });
  };
  return { fetch, sent };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The Authorization header, reckoned by the steps of AWS's specification rather than by a library. */
function expectedAuthorization({ url, method, headers, body }: Sent, secret: string, region: string): string {
  const given: Record<string, string> = { ...headers, host: url.host };
  const signedNames = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "")?.[1] ?? "";
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  const path = url.pathname.split("/").map(encode).join("/");
  const canonicalHeaders = signedNames
    .split(";")
    .map((name) => `${name}:${given[name]?.trim()}\n`)
    .join("");
  const canonical = [method, path, query, canonicalHeaders, signedNames, sha256(body)].join("\n");
  const date = given["x-amz-date"] ?? "";
  const scope = `${date.slice(0, 8)}/${region}/lambda/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const key = ["lambda", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${secret}`, date.slice(0, 8)), region));
  return `AWS4-HMAC-SHA256 Credential=${CREDENTIALS.accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${hmac(key, toSign).toString("hex")}`;
}

describe("signing", () => {
  beforeEach(() => {
    for (const name of [
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
    ])
      vi.stubEnv(name, undefined);
  });
  afterEach(() => vi.unstubAllEnvs());

  it("signs a post and a query to a Function URL as AWS reckons it, in the region of the host", async () => {
    const { fetch, sent } = keepingFetch();
    const bus = new AgentEventBus({ url: FUNCTION_URL, credentials: CREDENTIALS, fetch });
    await bus.emit("MESSAGE_RECEIVED", { text: "grüß dich" }, { idempotencyKey: "k-1" });
    await bus.history({ correlationId: "a b+c/d*(e)", type: "X" }).next();
    expect(sent).toHaveLength(2);
    for (const one of sent)
      expect(one.headers.authorization).toBe(expectedAuthorization(one, CREDENTIALS.secretAccessKey, "eu-central-1"));
    expect(sent[0]?.headers.authorization).toMatch(/SignedHeaders=[^,]*\bhost;idempotency-key\b/);
    expect(sent[1]?.url.search).toContain("correlation_id=a%20b%2Bc%2Fd");
    expect(sent[0]?.headers).not.toHaveProperty("host");
  });

  it("finds the credentials of a Lambda function in its environment", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
    vi.stubEnv("AWS_SESSION_TOKEN", "session");
    const { fetch, sent } = keepingFetch();
    await new AgentEventBus({ urls: { emit: FUNCTION_URL }, fetch }).emit("SESSION_CREATED", {});
    expect(sent[0]?.headers["x-amz-security-token"]).toBe("session");
    expect(sent[0]?.headers.authorization).toBe(
      expectedAuthorization(sent[0] as Sent, CREDENTIALS.secretAccessKey, "eu-central-1"),
    );
  });

  it("keeps the environment's credentials from other hosts", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
    const { fetch, sent } = keepingFetch();
    for (const url of ["http://127.0.0.1:7070", "https://abc.lambda-url.eu-central-1.on.aws.evil.example"])
      await new AgentEventBus({ url, fetch }).emit("SESSION_CREATED", {});
    for (const one of sent) expect(one.headers).not.toHaveProperty("authorization");
    expect(sent).toHaveLength(2);
  });

  it("does not sign where there are no credentials", async () => {
    const { fetch, sent } = keepingFetch();
    await new AgentEventBus({ url: FUNCTION_URL, fetch }).emit("SESSION_CREATED", {});
    expect(sent[0]?.headers).not.toHaveProperty("authorization");
  });

  it("asks a provider before each call, so that credentials may change, and signs for any host in the region given", async () => {
    const { fetch, sent } = keepingFetch();
    let asked = 0;
    const credentials = async () => ({ ...CREDENTIALS, secretAccessKey: `secret-${++asked}` });
    const bus = new AgentEventBus({ url: "https://bus.example/agents", credentials, region: "us-east-1", fetch });
    await bus.emit("SESSION_CREATED", {});
    await bus.emit("SESSION_CREATED", {});
    expect(sent.map((one) => one.headers.authorization)).toEqual(
      sent.map((one, i) => expectedAuthorization(one, `secret-${i + 1}`, "us-east-1")),
    );
    expect(asked).toBe(2);
  });

  it("asks a provider again that fails for a moment, and says what it failed with when it goes on failing", async () => {
    const { fetch, sent } = keepingFetch();
    let failures = 2;
    const credentials = async () => {
      if (failures-- > 0) throw new Error("no metadata service");
      return CREDENTIALS;
    };
    const retry = { tries: 3, baseMs: 1, capMs: 1 };
    const bus = new AgentEventBus({ url: FUNCTION_URL, credentials, fetch, retry });
    await bus.emit("SESSION_CREATED", {});
    expect(sent).toHaveLength(1);
    failures = 3;
    await expect(bus.emit("SESSION_CREATED", {})).rejects.toThrow(
      "There are no credentials to sign with: no metadata service",
    );
    expect(sent).toHaveLength(1);
  });

  it("says that a region is needed where no host names it", async () => {
    const { fetch } = keepingFetch();
    await expect(
      new AgentEventBus({ url: "https://bus.example", credentials: CREDENTIALS, fetch }).emit("SESSION_CREATED", {}),
    ).rejects.toThrow("AWS_REGION");
  });

  it("loads the signing library only to sign", async () => {
    vi.resetModules();
    let loaded = 0;
    vi.doMock("@smithy/signature-v4", async (original) => {
      loaded += 1;
      return original();
    });
    const fresh = await import("../../../client/agent-event-bus.ts");
    const { fetch } = keepingFetch();
    await new fresh.AgentEventBus({ url: FUNCTION_URL, fetch }).emit("SESSION_CREATED", {});
    expect(loaded).toBe(0);
    await new fresh.AgentEventBus({ url: FUNCTION_URL, fetch, credentials: CREDENTIALS }).emit("SESSION_CREATED", {});
    expect(loaded).toBe(1);
    vi.doUnmock("@smithy/signature-v4");
  });
});
