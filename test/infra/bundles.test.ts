import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { App, Stack } from "aws-cdk-lib";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { functionBundle, PROJECT_ROOT } from "../../infra/bundling.ts";
import { bundleWith, NodeFunction } from "../../infra/node-function.ts";
import { AWS_CLIENTS, type AwsClient } from "../../shared/aws-client.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

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

  it.each(functions)("%s hashes by Node, and does not check bus.config.ts once more", async (entry) => {
    const { metafile } = await build({ ...functionBundle(entry, "lean"), metafile: true, write: false });
    const inputs = Object.keys(metafile?.inputs ?? {});
    expect(inputs).toContain("shared/bus-config-checked.ts");
    expect(inputs).not.toContain("shared/bus-config-faults.ts");
    expect(inputs.filter((path) => path.includes("@noble"))).toEqual([]);
  });

  it("of a deployed subscriber may look for credentials everywhere: what it runs is its author's", async () => {
    const { alias } = functionBundle("agents/reviewer.ts", "lean");
    expect(alias).toEqual({});
  });
});

/** What a function is called with, as far as it looks. */
const CALL = JSON.stringify({
  rawPath: "/events",
  rawQueryString: "",
  headers: {},
  body: JSON.stringify({ type: "MESSAGE_RECEIVED", data: {} }),
  requestContext: { http: { method: "POST" } },
});

/** Runs a bundle's handler once, in a process that has what Lambda gives it. @returns what it answered */
async function calledIn(file: string, env: Record<string, string>): Promise<{ statusCode: number }> {
  const script = `
    const { handler } = require(${JSON.stringify(file)});
    const context = { functionName: "emit", awsRequestId: "r", invokedFunctionArn: "", getRemainingTimeInMillis: () => 30000 };
    handler(${CALL}, context).then((answer) => {
      process.stdout.write("\\n" + JSON.stringify(answer) + "\\n");
      process.exit(0);
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
    env: { PATH: process.env.PATH, ...env },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { statusCode: number };
}

describe.each(AWS_CLIENTS)("a function with the %s clients", (awsClient) => {
  it.each([
    [
      "from its environment",
      (_: string) => ({ AWS_ACCESS_KEY_ID: "GIVEN", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" }),
    ],
    [
      "from an endpoint",
      (url: string) => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "token",
      }),
    ],
  ])("records and publishes an event as whom it knows %s", async (_, identity) => {
    const signedBy = new Map<string, string | undefined>();
    const server = createServer((request, response) => {
      const [, operation] = String(request.headers["x-amz-target"]).split(".");
      if (operation !== undefined)
        signedBy.set(operation, /Credential=(\w+)/.exec(String(request.headers.authorization))?.[1]);
      const answer =
        operation === undefined
          ? { AccessKeyId: "ASKED", SecretAccessKey: "s", Token: "t", Expiration: "2099-01-01T00:00:00Z" }
          : operation === "PutEvents"
            ? { FailedEntryCount: 0, Entries: [{ EventId: "1" }] }
            : {};
      request
        .resume()
        .on("end", () =>
          response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer)),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const folder = await mkdtemp(join(tmpdir(), "bundles-"));
    folders.push(folder);
    const file = join(folder, "index.cjs");
    await build({ ...functionBundle("functions/emit.ts", awsClient), outfile: file });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { statusCode } = await calledIn(file, {
      AWS_LAMBDA_FUNCTION_NAME: "emit",
      AWS_REGION: "eu-central-1",
      AWS_ENDPOINT_URL: url,
      TABLE_NAME: "table",
      EVENT_BUS_NAME: "bus",
      ALLOW_ANONYMOUS: "true",
      ...identity(url),
    });
    server.closeAllConnections();
    server.close();
    expect(statusCode).toBe(202);
    expect([...signedBy.keys()]).toEqual(expect.arrayContaining(["PutItem", "PutEvents"]));
    expect(new Set(signedBy.values())).toEqual(
      new Set([Object.hasOwn(identity(url), "AWS_ACCESS_KEY_ID") ? "GIVEN" : "ASKED"]),
    );
  });
});

/** To which ports a bundle begins to connect while it is loaded as Lambda does. */
async function portsOpenedBy(file: string): Promise<number[]> {
  const script = `
    const tls = require("node:tls");
    const ports = [];
    tls.connect = ({ port }) => { ports.push(port); return new (require("node:net").Socket)(); };
    require(${JSON.stringify(file)});
    process.stdout.write(JSON.stringify(ports));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
    env: {
      PATH: process.env.PATH,
      AWS_LAMBDA_FUNCTION_NAME: "any",
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      AWS_ENDPOINT_URL_DYNAMODB: "https://127.0.0.1:1111",
      AWS_ENDPOINT_URL_EVENTBRIDGE: "https://127.0.0.1:2222",
      TABLE_NAME: "table",
      EVENT_BUS_NAME: "bus",
    },
  });
  return JSON.parse(stdout) as number[];
}

describe("while it starts", () => {
  it.each([
    ["emit", [1111, 2222]],
    ["request", [1111, 2222]],
    ["respond", [1111]],
    ["history", [1111]],
  ])("%s opens connections to just what nearly each of its calls needs", async (name, ports) => {
    const folder = await mkdtemp(join(tmpdir(), "bundles-"));
    folders.push(folder);
    const file = join(folder, "index.cjs");
    await build({ ...functionBundle(`functions/${name}.ts`, "lean"), outfile: file });
    expect(await portsOpenedBy(file)).toEqual(ports);
  });
});

describe("what is deployed", () => {
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
