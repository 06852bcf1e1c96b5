import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type config from "../../bus.config.ts";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { functionUrls, type Gateway, startGateway } from "../../local/aws/gateway.ts";
import { projectPath } from "../../local/project.ts";
import type { EventTypesOf } from "../../shared/bus-config.ts";
import { emulatorAvailable, type TestTarget, useEmulator } from "../support/emulator.ts";

const run = promisify(execFile);

/** The CLI as a user calls it, with nothing of this machine's AWS settings. */
async function cdk(target: TestTarget, home: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, ...target.env, HOME: home, CI: "true", CDK_DISABLE_CLI_TELEMETRY: "true" };
  await run(projectPath("node_modules/.bin/cdk"), [...args, "--no-notices", "--output", join(home, "cdk.out")], {
    cwd: projectPath("."),
    env,
    maxBuffer: 16 * 1024 * 1024,
  });
}

/** A call to a Function URL itself, which no DNS resolves here. */
function callUnsigned(target: TestTarget, functionUrl: string): Promise<number> {
  const port = new URL(target.endpoint).port;
  const id = new URL(functionUrl).hostname.split(".")[0];
  const host = `${id}.lambda-url.${target.region}.localhost.localstack.cloud:${port}`;
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path: "/events", headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe.skipIf(!(await emulatorAvailable()))("cdk bootstrap and cdk deploy into an empty account", () => {
  let target: TestTarget;
  let home: string;
  let gateway: Gateway;
  let outputs: Record<string, string>;
  let bus: AgentEventBus<EventTypesOf<typeof config>>;

  beforeAll(async () => {
    target = await useEmulator();
    home = await mkdtemp(join(tmpdir(), "agent-event-bus-cdk-"));
    gateway = await startGateway(0);
    await cdk(target, home, ["bootstrap", `aws://${target.credentials.accessKeyId}/${target.region}`]);
    const outputsFile = join(home, "outputs.json");
    const context = { emulator: "true", removal: "destroy", reservedConcurrency: "false", publicUrl: gateway.url };
    const flags = Object.entries(context).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    await cdk(target, home, ["deploy", "--require-approval", "never", "--outputs-file", outputsFile, ...flags]);
    const byStack = JSON.parse(await readFile(outputsFile, "utf8")) as Record<string, Record<string, string>>;
    outputs = byStack.AgentEventBus ?? {};
    gateway.forwardTo(target, functionUrls(outputs));
    bus = new AgentEventBus({ url: gateway.url });
  });

  afterAll(async () => {
    await gateway?.close();
    if (home !== undefined) await rm(home, { recursive: true, force: true });
  });

  test("the outputs name every URL, the table and the bus", () => {
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining([
        "EmitUrl",
        "RequestUrl",
        "RespondUrl",
        "HistoryUrl",
        "StreamUrl",
        "Urls",
        "TableName",
        "EventBusName",
      ]),
    );
    expect(JSON.parse(outputs.Urls ?? "{}")).toEqual(functionUrls(outputs));
  });

  test("every Function URL refuses a call that nobody signed", async () => {
    for (const url of Object.values(functionUrls(outputs))) expect(await callUnsigned(target, url)).toBe(403);
  });

  test.each([
    ["that EventBridge invokes directly", "pong-direct"],
    ["behind a queue", "pong-queue"],
  ])("a subscriber %s answers the one who waits", async (_, subscriber) => {
    const outcome = await bus.emitAndWait("PING", { note: "hello" }, { timeout: 20, expect: { mode: "all" } });
    expect(outcome).toMatchObject({ status: "answered", missing: [] });
    expect(outcome.responses).toContainEqual(expect.objectContaining({ responder: subscriber, status: "ok" }));

    const kept = await bus.getEvent(outcome.event_id);
    expect(kept.event).toMatchObject({ type: "PING", data: { note: "hello" } });
    expect(kept.responses).toContainEqual(expect.objectContaining({ responder: subscriber, verdict: "accepted" }));
  });
});
