import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { functionBundle, PROJECT_ROOT } from "../../infra/bundling.ts";
import { bundleWith, NodeFunction } from "../../infra/node-function.ts";
import { AWS_CLIENTS, type AwsClient } from "../../shared/aws-client.ts";

const functions = readdirSync(join(PROJECT_ROOT, "functions"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => `functions/${name}`);

/** Those that speak to SQS or Lambda as well, for which there are the SDK's clients only. */
const WITH_OTHER_SERVICES = [
  "functions/deliver-webhook.ts",
  "functions/deliveries.ts",
  "functions/dispatch.ts",
  "functions/reconcile.ts",
];

/** The packages of a bundle, and those of the project's own files in it that choose between clients. */
async function insideOf(entry: string, awsClient: AwsClient): Promise<{ packages: Set<string>; own: Set<string> }> {
  const { metafile } = await build({ ...functionBundle(entry, awsClient), metafile: true, write: false });
  const inputs = Object.keys(metafile?.inputs ?? {});
  const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return {
    packages: new Set(packages),
    own: new Set(inputs.filter((path) => path.startsWith("functions/runtime/aws/"))),
  };
}

const ofSdk = (packages: Set<string>): string[] =>
  [...packages].filter((name) => /^@(aws-sdk|smithy|aws-crypto)\//.test(name));

describe("the bundle of a function", () => {
  it.each(functions)("%s has the lean clients in it, or the SDK's, and never both", async (entry) => {
    const lean = await insideOf(entry, "lean");
    expect(lean.own).toContain("functions/runtime/aws/lean-calls.ts");
    expect(lean.own).not.toContain("functions/runtime/aws/sdk-calls.ts");
    expect(lean.packages).not.toContain("@aws-sdk/client-dynamodb");
    expect(lean.packages).not.toContain("@aws-sdk/client-eventbridge");
    if (!WITH_OTHER_SERVICES.includes(entry)) expect(ofSdk(lean.packages)).toEqual([]);

    const sdk = await insideOf(entry, "sdk");
    expect(sdk.own).toContain("functions/runtime/aws/sdk-calls.ts");
    expect(sdk.own).not.toContain("functions/runtime/aws/lean-calls.ts");
    expect(sdk.packages).toContain("@aws-sdk/client-dynamodb");
  });

  it.each(functions)("%s looks for credentials where Lambda has them, and nowhere else", async (entry) => {
    const { packages } = await insideOf(entry, "sdk");
    expect([...packages].filter((name) => name.includes("credential-provider"))).toEqual([]);
  });

  it("of a deployed subscriber may look for credentials everywhere: what it runs is its author's", async () => {
    const { alias } = functionBundle("agents/reviewer.ts", "lean");
    expect(alias).toEqual({});
  });
});

describe("what is deployed", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it.each(AWS_CLIENTS)("is that bundle, with the %s clients that bus.config.ts names", async (awsClient) => {
    const outdir = await mkdtemp(join(tmpdir(), "bundles-"));
    folders.push(outdir);
    const stack = new Stack(new App({ outdir }), "Bundles");
    bundleWith(stack, awsClient);
    const entry = "functions/emit.ts";
    new NodeFunction(stack, "Emit", { entry, description: "", timeoutSeconds: 1, memoryMb: 128, environment: {} });
    const [asset = ""] = readdirSync(outdir).filter((name) => name.startsWith("asset."));
    const made = await build({ ...functionBundle(entry, awsClient), write: false });
    expect(readFileSync(join(outdir, asset, "index.js"), "utf8")).toBe(made.outputFiles?.[0]?.text);
  });
});
