import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const out = mkdtempSync(join(tmpdir(), "cdk-out-"));
const cli = createRequire(import.meta.url).resolve("aws-cdk/bin/cdk");

interface Template {
  readonly Resources: Readonly<Record<string, { Type: string; Metadata?: Record<string, string> }>>;
}

/** Bundles by the logical id of their function. */
const bundles = new Map<string, string>();

describe("cdk synth", () => {
  beforeAll(async () => {
    // No credentials, no region, every proxy a closed port, no Docker: what still works needs none of them.
    const env = {
      PATH: process.env.PATH,
      HOME: out,
      HTTPS_PROXY: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
    };
    const docker = { CDK_DOCKER: join(out, "there-is-no-docker") };
    const args = [cli, "synth", "--quiet", "--output", out, "-c", "archive=true"];
    await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...env, ...docker } });
    const template = JSON.parse(readFileSync(join(out, "AgentEventBus.template.json"), "utf8")) as Template;
    for (const [id, { Type, Metadata }] of Object.entries(template.Resources))
      if (Type === "AWS::Lambda::Function") bundles.set(id, join(out, String(Metadata?.["aws:asset:path"])));
  }, 120_000);

  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it("works without network, credentials or Docker, and passes cdk-nag and CloudFormation's own checks", () => {
    const report = JSON.parse(readFileSync(join(out, "validation-report.json"), "utf8")) as {
      pluginReports: unknown[];
    };
    expect(report.pluginReports).toEqual([]);
    expect(bundles.size).toBeGreaterThanOrEqual(11);
  });

  it("makes of each function one file of CommonJS with the SDK inside, without source maps", () => {
    for (const [id, folder] of bundles) {
      expect(readdirSync(folder), id).toEqual(["index.js"]);
      const code = readFileSync(join(folder, "index.js"), "utf8");
      const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => String(name));
      // The SDK tries for this one, and does without: it is native code.
      const optional = "@aws-sdk/signature-v4-crt";
      expect(
        required.filter((name) => name.startsWith("@") && name !== optional),
        id,
      ).toEqual([]);
      expect(code, id).not.toContain("sourceMappingURL");
    }
  });

  it("makes functions that start on Node with nothing but their own file", async () => {
    for (const [id, folder] of bundles) {
      const env = {
        PATH: process.env.PATH,
        AWS_REGION: "eu-west-1",
        AWS_ENDPOINT_URL: "http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID: "a",
        AWS_SECRET_ACCESS_KEY: "b",
        AWS_LAMBDA_FUNCTION_NAME: id,
        TABLE_NAME: "events",
        EVENT_BUS_NAME: "bus",
        WEBHOOK_QUEUE_URL: "http://127.0.0.1:9/webhooks",
        DISPATCH_QUEUE_URL: "http://127.0.0.1:9/dispatch",
        SUBSCRIBER_PREFIX: "bus-agent-",
        AGENT_EVENT_BUS_SUBSCRIBER: "someone",
        AGENT_EVENT_BUS_URL: "http://127.0.0.1:9",
      };
      const check = `process.stdout.write(typeof require(${JSON.stringify(join(folder, "index.js"))}).handler)`;
      const { stdout } = await promisify(execFile)(process.execPath, ["-e", check], { cwd: out, env });
      expect(stdout, id).toBe("function");
    }
  });
});
