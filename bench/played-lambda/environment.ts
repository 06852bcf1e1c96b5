/** Environments of the played Lambda: started, told what to do, ended. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { build } from "esbuild";
import type { Call, Order, Report } from "./child.ts";

export interface PlayedEnvironment {
  /** Loads the bundle, and makes its first call. */
  start(call: Call): Promise<Report>;
  /** Makes further calls. */
  calls(count: number, atOnce: number, call: Call): Promise<Report>;
  close(): Promise<void>;
}

/** What Lambda sets, and what the bus's deployment does. */
const VARIABLES: Readonly<Record<string, string>> = {
  AWS_LAMBDA_FUNCTION_NAME: "emit",
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  AWS_SESSION_TOKEN: "a-token-of-some-length/".repeat(30),
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  TABLE_NAME: "events",
  EVENT_BUS_NAME: "bus",
};

/** Builds what is run in a child. @returns its file */
export async function buildPlayedLambda(workDir: string): Promise<string> {
  const outfile = join(workDir, "played-lambda.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "child.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
  });
  return outfile;
}

/**
 * @param file of `buildPlayedLambda`
 * @param node another Node than the one that runs this
 */
export function startEnvironment(
  file: string,
  bundle: string,
  variables: Readonly<Record<string, string>>,
  node: string = process.execPath,
): PlayedEnvironment {
  const child = fork(file, {
    execPath: node,
    execArgv: [],
    env: { PATH: process.env["PATH"] ?? "", ...VARIABLES, ...variables },
    // What a function prints are its log records.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const tell = async (order: Order): Promise<Report> => {
    child.send(order);
    const [answer] = (await Promise.race([
      once(child, "message"),
      ended.then(() => Promise.reject(new Error(`The environment of ${bundle} ended.`))),
    ])) as [{ report?: Report; error?: string }];
    if (answer.report === undefined) throw new Error(`${bundle}: ${answer.error}`);
    return answer.report;
  };
  return {
    start: (call) => tell({ kind: "start", bundle, call }),
    calls: (count, atOnce, call) => tell({ kind: "calls", count, atOnce, call }),
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
