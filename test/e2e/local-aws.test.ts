import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { installEmulator, installNode } from "../../local/aws/install.ts";
import { cleanUp, eventually, runScript, temporaryFolder } from "../support/embedded.ts";
import { emulatorAvailable } from "../support/emulator.ts";

afterEach(cleanUp);

const SCRIPT = "local/aws/main.ts";

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
    expect(run.lines.at(-1)).toBe('--port: expected a port (0 to 65535), not "many"');
  });
});

describe.skipIf(!(await emulatorAvailable()))("npm run aws:local with Python", () => {
  // So that the waits below are for a start, not for a download.
  beforeAll(async () => {
    await installEmulator(() => {});
    await installNode(() => {});
  });

  test("deploys the bus, prints a call that is answered, says whose port is taken, and leaves nothing behind", async () => {
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
