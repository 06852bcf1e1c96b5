import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../local/aws/emulator.ts";
import { install } from "../../local/aws/install.ts";
import { cleanUp, eventually, runScript, temporaryFolder } from "../support/embedded.ts";
import { emulatorAvailable } from "../support/emulator.ts";

afterEach(cleanUp);

const SCRIPT = "local/aws/main.ts";
const HINT = "Run it with --help to see the options.";

describe("npm run aws:local", () => {
  test("shows its options", async () => {
    const help = runScript(SCRIPT, ["--help"]);
    expect(await help.exited).toBe(0);
    for (const option of ["--port", "--emulator-port", "--region", "--install-only"])
      expect(help.lines.join("\n")).toContain(option);
  });

  test("refuses what is not a port, by the flag's name", async () => {
    const run = runScript(SCRIPT, ["--port", "many"]);
    expect(await run.exited).toBe(1);
    expect(run.lines).toEqual(['--port: expected a port (0 to 65535), not "many"', HINT]);
  });

  test.each([
    [["--prot", "1"], "Unknown option '--prot'"],
    [["7080"], "Unexpected argument '7080'"],
  ])("refuses the arguments %j, by their name", async (args, message) => {
    const run = runScript(SCRIPT, args);
    expect(await run.exited).toBe(1);
    expect(run.lines).toEqual([expect.stringContaining(message), HINT]);
  });
});

describe.skipIf(!(await emulatorAvailable()))("npm run aws:local with Python", () => {
  // So that the waits below are for a start, not for a download.
  beforeAll(async () => {
    await install(() => {});
  });

  test("deploys the bus, prints a call that is answered, and leaves nothing behind; says whose port is taken", async () => {
    const TMPDIR = temporaryFolder();
    const run = runScript(SCRIPT, ["--port", "0", "--emulator-port", "0"], { env: { TMPDIR } });
    for (const stage of ["Starting", "Bundling", "Deploying", "Ready"]) await run.waitForLine(new RegExp(`^${stage} `));
    const url = lastWord(await run.waitForLine(/^The bus /));
    const emulator = lastWord(await run.waitForLine(/^The emulator /));

    const example = await run.waitForLine(/^ {2}curl /);
    const answered = await fetch(`${url}/requests`, {
      method: "POST",
      body: example.slice(example.indexOf("{"), example.lastIndexOf("}") + 1),
    });
    expect(await answered.json()).toMatchObject({ status: "answered", missing: [] });

    expect(await refusal(["--port", portOf(url)])).toBe(taken(portOf(url), "--port"));
    expect(await refusal(["--port", "0", "--emulator-port", portOf(emulator)])).toBe(
      taken(portOf(emulator), "--emulator-port"),
    );

    run.child.kill("SIGINT");
    expect(await run.exited).toBe(0);
    await expect(fetch(emulator)).rejects.toThrow();
    expect(filesOfOurs(TMPDIR)).toEqual([]);
  });

  test("takes the emulator along when it is killed", async () => {
    const TMPDIR = temporaryFolder();
    const port = await freePort();
    const run = runScript(SCRIPT, ["--port", "0", "--emulator-port", port], { env: { TMPDIR } });
    await run.waitForLine(/^Bundling /);
    const emulator = `http://127.0.0.1:${port}`;
    expect((await fetch(`${emulator}/_ministack/health`)).status).toBe(200);
    run.child.kill("SIGKILL");
    await run.exited;
    await eventually(() => expect(fetch(emulator)).rejects.toThrow());
    expect(filesOfOurs(TMPDIR).filter((name) => name.startsWith("agent-event-bus-aws-"))).toEqual([]);
  });
});

describe.skipIf(!(await emulatorAvailable()))("the emulator serves this machine only", () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
  });
  afterAll(() => emulator.stop());

  const status = async (headers: Record<string, string>, method = "GET"): Promise<number | undefined> => {
    const asked = request(`${emulator.endpoint}/_ministack/health`, { method, headers }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  test.each([
    ["a program", {}],
    ["a program that says localhost", { host: "localhost:4566" }],
    ["one that calls a function by its URL", { host: "abc.lambda-url.eu-west-1.localhost.localstack.cloud:4566" }],
    ["one that calls a bucket by its name", { host: "my-bucket.s3.localhost" }],
    ["a page of this machine", { origin: "http://localhost:5173", "sec-fetch-site": "cross-site" }],
    ["an address typed into a browser", { "sec-fetch-site": "none" }],
  ])("%s is answered", async (_, headers) => expect(await status(headers)).toBe(200));

  test.each([
    ["a name that was made to resolve to this machine", { host: "example.com:4566" }],
    ["a name that only looks local", { host: "localhost.example.com" }],
    ["a function's URL elsewhere", { host: "abc.lambda-url.eu-west-1.localhost.localstack.cloud.example.com" }],
    ["a page of another site", { origin: "https://example.com" }],
    ["a page of another site that only looks local", { origin: "http://localhost.example.com" }],
    ["a page that hides where it is from", { origin: "null" }],
    ["a link or an image on another site", { "sec-fetch-site": "cross-site" }],
  ])("%s is refused", async (_, headers) => {
    expect(await status(headers)).toBe(403);
    expect(await status(headers, "OPTIONS")).toBe(403);
  });

  test("a page of another site cannot run code with a made-up signature", async () => {
    const query = new URLSearchParams({
      "X-Amz-Credential": "000000000001/20260101/eu-west-1/lambda/aws4_request",
      "X-Amz-Signature": "00",
    });
    const call = (origin: string): Promise<Response> =>
      fetch(`${emulator.endpoint}/2015-03-31/functions/?${query}`, { headers: { origin } });
    expect((await call("http://localhost")).status).toBe(200);
    const refused = await call("https://example.com");
    expect(refused.status).toBe(403);
    expect(refused.headers.has("access-control-allow-origin")).toBe(false);
  });

  test("nor can it open a WebSocket", async () => {
    const open = (origin: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = {
          // Emulators accept messages of the Internet of Things without any resource.
          host: "iot.eu-west-1.localhost",
          origin,
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-protocol": "mqtt",
        };
        const settle = (response: IncomingMessage): void => {
          response.destroy();
          resolve(response.statusCode);
        };
        const asked = request(`${emulator.endpoint}/mqtt`, { headers });
        asked.on("response", settle).on("upgrade", settle).on("error", reject).end();
      });
    expect(await open("http://localhost")).toBe(101);
    expect(await open("https://example.com")).toBe(403);
  });
});

const lastWord = (line: string): string => line.split(" ").at(-1) ?? "";
const portOf = (url: string): string => new URL(url).port;
const taken = (port: string, flag: string): string =>
  `Port ${port} is taken. Free it, or choose another with ${flag} (0 for any free one).`;
const filesOfOurs = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith("agent-event-bus-"));

/** The last line of a run that does not start. */
async function refusal(args: readonly string[]): Promise<string | undefined> {
  const run = runScript(SCRIPT, args);
  expect(await run.exited).toBe(1);
  return run.lines.at(-1);
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return String(typeof address === "object" ? address?.port : address);
}
