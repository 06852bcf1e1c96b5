import { describe, expect, it, vi } from "vitest";
import { readIdentity } from "../../../functions/runtime/aws/config.ts";
import { defaultProvider } from "../../../functions/runtime/aws/lambda-credentials.ts";
import {
  AskedCredentials,
  type CredentialSource,
  type Credentials,
  credentialsOf,
} from "../../../functions/runtime/aws/lean/credentials.ts";
import { failureOf, playedService, told } from "./played-service.ts";

const MINUTE_MS = 60_000;

/** An endpoint that is asked, on a clock of its own. Each answer holds for an hour. */
function asked() {
  let nowMs = 1_000_000_000;
  const times: { answer(): void; fail(): void }[] = [];
  const ask = () =>
    new Promise<Credentials>((resolve, reject) => {
      const accessKeyId = `KEY-${times.length + 1}`;
      times.push({
        answer: () => resolve({ accessKeyId, secretAccessKey: "s", expiresAtMs: nowMs + 60 * MINUTE_MS }),
        fail: () => reject(new Error("It does not answer.")),
      });
    });
  return {
    source: new AskedCredentials(ask, () => nowMs),
    times,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

const idOf = async (source: CredentialSource): Promise<string> => (await source.current()).accessKeyId;

/** With credentials that were told once. */
async function toldOnce() {
  const endpoint = asked();
  const first = idOf(endpoint.source);
  endpoint.times[0]?.answer();
  await first;
  return endpoint;
}

describe("credentials of the environment", () => {
  it("are used as they are, for as long as the environment lives", () => {
    const given = { accessKeyId: "a", secretAccessKey: "b", sessionToken: "c" };
    const source = credentialsOf({ kind: "given", ...given });
    expect(source.current()).toEqual(given);
    expect(source.refused(given)).toBe(false);
  });

  it("come before those that are to be asked for; without either, what is missing is named", () => {
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_SESSION_TOKEN: "c" };
    const endpoint = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:9001/v1",
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "t",
    };
    expect(readIdentity({ ...env, ...endpoint })).toMatchObject({ kind: "given", sessionToken: "c" });
    expect(readIdentity(endpoint)).toEqual({ kind: "asked", url: "http://127.0.0.1:9001/v1", token: "t" });
    expect(() => readIdentity({ AWS_ACCESS_KEY_ID: "a" })).toThrow("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  });
});

describe("credentials that are asked for", () => {
  it("are asked for once, however many calls need them", async () => {
    const { source, times } = asked();
    const all = Promise.all(Array.from({ length: 20 }, () => idOf(source)));
    times[0]?.answer();
    expect(new Set(await all)).toEqual(new Set(["KEY-1"]));
    expect(times).toHaveLength(1);
    expect(source.current()).not.toBeInstanceOf(Promise);
  });

  it("are renewed well before they expire, and nobody waits for that [all-6]", async () => {
    const { source, times, pass } = await toldOnce();
    pass(54 * MINUTE_MS);
    expect(source.current()).toMatchObject({ accessKeyId: "KEY-1" });
    expect(times).toHaveLength(1);
    pass(2 * MINUTE_MS);
    for (let i = 0; i < 5; i++) expect(source.current()).toMatchObject({ accessKeyId: "KEY-1" });
    expect(times).toHaveLength(2);
    times[1]?.answer();
    await vi.waitFor(() => expect(source.current()).toMatchObject({ accessKeyId: "KEY-2" }));
  });

  it("do as long as they are valid while new ones cannot be had, and the endpoint is not besieged [all-6]", async () => {
    const { source, times, pass } = await toldOnce();
    pass(56 * MINUTE_MS);
    source.current();
    times[1]?.fail();
    await new Promise(setImmediate);
    for (let i = 0; i < 5; i++) expect(source.current()).toMatchObject({ accessKeyId: "KEY-1" });
    expect(times).toHaveLength(2);
    pass(1_000);
    source.current();
    expect(times).toHaveLength(3);
    times[2]?.answer();
    await vi.waitFor(() => expect(source.current()).toMatchObject({ accessKeyId: "KEY-3" }));
  });

  it("are waited for when the old ones are about to expire, which do if there are no others", async () => {
    const { source, times, pass } = await toldOnce();
    pass(60 * MINUTE_MS - 20_000);
    const waiting = idOf(source);
    times[1]?.fail();
    expect(await waiting).toBe("KEY-1");
    pass(1_000);
    const again = idOf(source);
    times[2]?.answer();
    expect(await again).toBe("KEY-3");
  });

  it("fail the call when there are none and none can be had, and are asked for again by the next", async () => {
    const { source, times, pass } = await toldOnce();
    pass(61 * MINUTE_MS);
    const call = failureOf(idOf(source));
    times[1]?.fail();
    expect((await call).message).toBe("It does not answer.");
    const next = idOf(source);
    times[2]?.answer();
    expect(await next).toBe("KEY-3");
  });

  it("are asked for anew when they are refused, once for all that had the same", async () => {
    const { source, times } = await toldOnce();
    const old = (await source.current()) as Credentials;
    expect(source.refused(old)).toBe(true);
    const renewed = idOf(source);
    times[1]?.answer();
    expect(await renewed).toBe("KEY-2");
    // Another call that had the old ones comes late.
    source.refused(old);
    expect(source.current()).toMatchObject({ accessKeyId: "KEY-2" });
    expect(times).toHaveLength(2);
  });
});

describe("the endpoint of credentials", () => {
  const HELD = { AccessKeyId: "a", SecretAccessKey: "b", Token: "c", Expiration: "2099-01-01T00:00:00Z" };

  it("is asked with the token that Lambda gives, and tells until when they hold", async () => {
    const service = await playedService((_, response) => told(response, 200, HELD));
    const source = credentialsOf({ kind: "asked", url: `${service.url}v2/credentials`, token: "the token" });
    expect(await source.current()).toEqual({
      accessKeyId: "a",
      secretAccessKey: "b",
      sessionToken: "c",
      expiresAtMs: Date.UTC(2099, 0),
    });
    expect(service.calls[0]?.headers.authorization).toBe("the token");
  });

  it.each([
    ["an error", 500, "{}"],
    ["no JSON", 200, "<html>"],
    ["null", 200, "null"],
    ["nothing", 200, ""],
    ["no key", 200, JSON.stringify({ ...HELD, AccessKeyId: undefined })],
    ["no end", 200, JSON.stringify({ ...HELD, Expiration: "soon" })],
    ["far too much", 200, " ".repeat(100_000) + JSON.stringify(HELD)],
  ])("that tells %s fails the call, and is not told as credentials", async (_, status, body) => {
    const service = await playedService((__, response) => void response.writeHead(status).end(body));
    const source = credentialsOf({ kind: "asked", url: service.url.href });
    expect((await failureOf(Promise.resolve(source.current()))).name).toBe("CredentialsError");
  });

  it("that says nothing fails the call after a second", async () => {
    const service = await playedService(() => {});
    const source = credentialsOf({ kind: "asked", url: service.url.href });
    expect((await failureOf(Promise.resolve(source.current()))).name).toBe("CredentialsError");
  });

  it.each(["http://169.254.169.254/", "http://example.com/", "http://127.0.0.1.example.com/", "http://10.0.0.1/"])(
    "is on this machine or speaks HTTPS: %s is not asked",
    async (url) => {
      const source = credentialsOf({ kind: "asked", url, token: "the token" });
      const error = await failureOf(Promise.resolve(source.current()));
      expect(error.message).toContain("neither https nor on this machine");
    },
  );
});

describe("the SDK's clients in the bundles of the bus", () => {
  it("get what Lambda has, with the time when it expires", async () => {
    const service = await playedService((_, response) =>
      told(response, 200, { AccessKeyId: "a", SecretAccessKey: "b", Expiration: "2099-01-01T00:00:00Z" }),
    );
    vi.stubEnv("AWS_ACCESS_KEY_ID", "");
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", service.url.href);
    const provide = defaultProvider();
    expect(await provide()).toEqual({ accessKeyId: "a", secretAccessKey: "b", expiration: new Date("2099-01-01") });
    expect(await provide()).toMatchObject({ accessKeyId: "a" });
    expect(service.calls).toHaveLength(1);
    vi.unstubAllEnvs();
  });

  it("are made without credentials, and fail the call that finds none", async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]) vi.stubEnv(name, "");
    const provide = defaultProvider();
    expect((await failureOf(provide())).message).toContain("There are no credentials");
    vi.unstubAllEnvs();
  });
});
