/** The AWS emulator as a child process of this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectPath } from "../project.ts";
import { install, type Progress } from "./install.ts";

/** How long the emulator may take to answer; it takes one second on an idle machine. */
const READY_TIMEOUT_MS = 60_000;

/** How long it may take to end when asked to, before it is killed. */
const STOP_TIMEOUT_MS = 3_000;

/** What it writes is kept up to this much, to be shown when it fails. */
const OUTPUT_CHARS = 4_000;

/** Starts it behind a guard against web pages, and ends it with its workers when this process ends, however it does. */
const LAUNCHER = projectPath("local/aws/launch.py");

export interface EmulatorOptions {
  /** 0, or nothing, for any free port. */
  readonly port?: number;
  readonly region?: string;
  /** Functions may do only what their roles allow, as on AWS. Default false. */
  readonly enforceRoles?: boolean;
  /** What functions find in their environment beside what they are deployed with. */
  readonly functionEnvironment?: Readonly<Record<string, string>>;
  readonly progress?: Progress;
}

export interface Credentials {
  /** A 12-digit access key is an account of its own. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where the emulator is, as an AWS client takes it. */
export interface AwsTarget {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}

export interface Emulator extends AwsTarget {
  readonly pid: number;
  /** The same target as environment variables: all that the SDK and the CDK CLI need. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it, its workers and what they wrote. */
  stop(): Promise<void>;
}

/** The port is taken. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
  constructor(port: number, flag: string) {
    super(`Port ${port} is taken. Free it, or choose another with ${flag} (0 for any free one).`);
  }
}

/**
 * Installs what is missing, starts an emulator without any resource in it, and waits until it answers.
 *
 * @throws PortTaken, PythonMissing, Error with the emulator's last words
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const progress = options.progress ?? (() => {});
  const { python, nodeFolder } = await install(progress);
  const port = await claimPort(options.port ?? 0);
  const home = await mkdtemp(join(tmpdir(), "agent-event-bus-aws-"));
  const inherited = environment(port, home, nodeFolder, options.enforceRoles ?? false);
  const child = launch(python, { ...options.functionEnvironment, ...inherited });
  const output = lastWords(child);
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await untilReady(child, `http://127.0.0.1:${port}/_ministack/health`);
  } catch (error) {
    await stop();
    throw new Error(`The AWS emulator did not start.\n${output()}`, { cause: error });
  }
  const target: AwsTarget = {
    endpoint: `http://127.0.0.1:${port}`,
    region: options.region ?? "eu-west-1",
    credentials: { accessKeyId: "000000000001", secretAccessKey: "local" },
  };
  return { ...target, env: targetEnvironment(target), pid: child.pid ?? 0, stop };
}

export function targetEnvironment({ endpoint, region, credentials }: AwsTarget): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

/** Functions inherit it, so it holds nothing of ours. */
function environment(port: number, home: string, nodeFolder: string, enforceRoles: boolean): Record<string, string> {
  return {
    // It runs functions on the `node` it finds first, whatever runtime they declare.
    PATH: [nodeFolder, process.env.PATH ?? ""].join(delimiter),
    HOME: home,
    AGENT_EVENT_BUS_EMULATOR_FOLDER: home,
    TMPDIR: home,
    // Otherwise it listens on every interface.
    BIND_HOST: "127.0.0.1",
    MINISTACK_HOST: "127.0.0.1",
    GATEWAY_PORT: String(port),
    LAMBDA_EXECUTOR: "local",
    // An access key of 12 digits stays the account's root; functions get sessions of their roles.
    AUTH: String(enforceRoles),
    IOT_MTLS_ENABLED: "0",
    SFTP_ENABLED: "0",
    LAMBDA_WARM_TTL_SECONDS: "60",
    // A function that writes a warning to its log at each start tells nobody anything.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
}

function launch(python: string, env: Record<string, string>): ChildProcess {
  const child = spawn(python, [LAUNCHER], { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  // It may end before we do; that is seen by waiting for it.
  child.stdin?.on("error", () => {});
  child.on("error", () => {});
  return child;
}

function lastWords(child: ChildProcess): () => string {
  let text = "";
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-OUTPUT_CHARS);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => text.trim();
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (child.pid === undefined || hasEnded(child)) throw new Error("It ended at once.");
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await sleep(50);
  }
  throw new Error(`No answer within ${READY_TIMEOUT_MS / 1000} s.`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  if (!hasEnded(child)) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }
  // Its workers are in its group and nobody else is.
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** The port if it is free, or any free one for 0. @throws PortTaken */
async function claimPort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(wanted, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : wanted;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new PortTaken(wanted, "--emulator-port");
    throw error;
  } finally {
    server.close();
  }
}
