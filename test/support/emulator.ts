/**
 * The AWS emulator and a deployment in it, for tests: started when first asked for, one of each per test file.
 *
 * A suite that needs them says `describe.skipIf(!(await emulatorAvailable()))`, and asks for them in `beforeAll`.
 * They end with the test file, whatever becomes of its tests; a worker that is killed takes them along.
 *
 * With AWS_ENDPOINT_URL set, what is there is used, with the region and credentials of the environment.
 */
import { afterAll } from "vitest";
import {
  type AwsTarget,
  type Emulator,
  type EmulatorOptions,
  startEmulator,
  targetEnvironment,
} from "../../local/aws/emulator.ts";
import { hasPython } from "../../local/aws/install.ts";
import { type Deployment, deployBus } from "../../local/aws/local-aws.ts";
import type { Context } from "../../local/aws/synthesize.ts";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** An AWS target, and the same as environment variables. */
export interface TestTarget extends AwsTarget {
  readonly env: Readonly<Record<string, string>>;
}

let emulator: Promise<Emulator> | null = null;
let deployment: Promise<Deployment> | null = null;
let told = false;

const progress = (line: string): void => {
  // Only what happens once per clone, and takes long enough to wonder.
  if (line.startsWith("Installing")) process.stderr.write(`${line}\n`);
};

/**
 * Whether there can be an emulator on this machine. If not, says so in one line.
 *
 * @throws Error in CI, where nothing may be skipped
 */
export async function emulatorAvailable(): Promise<boolean> {
  if (process.env.AWS_ENDPOINT_URL !== undefined || (await hasPython())) return true;
  const reason = "Python 3.10 or newer with venv is not on the PATH";
  if (process.env.CI !== undefined && process.env.CI !== "false")
    throw new Error(`The AWS emulator cannot be tested: ${reason}.`);
  if (!told) process.stderr.write(`SKIPPED: the tests on the AWS emulator, because ${reason}.\n`);
  told = true;
  return false;
}

/**
 * The emulator of this test file, or what AWS_ENDPOINT_URL names.
 *
 * @param options decided by the first call; `enforceRoles` is not for the CDK CLI, whose own roles the emulator refuses
 */
export async function useEmulator(
  options: Pick<EmulatorOptions, "enforceRoles" | "functionEnvironment"> = {},
): Promise<TestTarget> {
  const given = targetOfEnvironment();
  if (given !== null) return given;
  emulator ??= startEmulator({ ...options, progress });
  return emulator;
}

/**
 * The bus deployed there, and one URL in front of it. Its functions may do only what their roles allow.
 * @param context for `infra/`, decided by the first call
 */
export async function useDeployment(context: Context = {}): Promise<Deployment> {
  deployment ??= useEmulator({ enforceRoles: true }).then((target) => deployBus(target, progress, context));
  return deployment;
}

function targetOfEnvironment(): TestTarget | null {
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (endpoint === undefined) return null;
  const target: AwsTarget = {
    endpoint,
    region: region ?? "us-east-1",
    credentials: {
      accessKeyId: AWS_ACCESS_KEY_ID ?? "000000000001",
      secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "local",
    },
  };
  return { ...target, env: targetEnvironment(target) };
}

// Registered where the file is imported, so that it holds for all of the test file.
afterAll(async () => {
  await deployment?.then(({ close }) => close()).catch(() => {});
  await emulator?.then(({ stop }) => stop()).catch(() => {});
});
