/** Emulator, stack and gateway together. */
import { deployStack, type Outputs } from "./deploy.ts";
import { type AwsTarget, type Emulator, startEmulator } from "./emulator.ts";
import { functionUrls, type Gateway, keyUrls, startGateway } from "./gateway.ts";
import type { Progress } from "./install.ts";
import type { Context } from "./synthesize.ts";

export interface LocalAwsOptions {
  /** Of the gateway; 0 for any free one. */
  readonly port: number;
  /** Of the emulator; 0 for any free one. */
  readonly emulatorPort: number;
  readonly region?: string;
  readonly progress?: Progress;
}

export interface LocalAws {
  /** Where the same calls work as on a deployment, unsigned too. */
  readonly url: string;
  readonly emulator: Emulator;
  readonly outputs: Outputs;
  /** Deploys the stack again. */
  deploy(): Promise<Outputs>;
  close(): Promise<void>;
}

/** A stack in the emulator with one URL in front of it. */
export interface Deployment {
  readonly url: string;
  readonly outputs: Outputs;
  deploy(): Promise<Outputs>;
  close(): Promise<void>;
}

/** Starts all of it. Ready when it resolves; whatever was started is ended when it fails. */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const { port, emulatorPort, ...rest } = options;
  // First, so that a port that is taken is told before anything is installed.
  const gateway = await startGateway(port);
  let emulator: Emulator | null = null;
  const close = async (): Promise<void> => {
    await gateway.close();
    await emulator?.stop();
  };
  try {
    options.progress?.("Starting the AWS emulator");
    emulator = await startEmulator({ port: emulatorPort, enforceRoles: true, ...rest });
    const deployment = await deployBehind(gateway, emulator, options.progress);
    return { ...deployment, emulator, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Deploys the stack behind a gateway of its own. @param context more of it for `infra/` */
export async function deployBus(target: AwsTarget, progress?: Progress, context?: Context): Promise<Deployment> {
  const gateway = await startGateway(0);
  try {
    return await deployBehind(gateway, target, progress, context);
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

async function deployBehind(
  gateway: Gateway,
  target: AwsTarget,
  progress?: Progress,
  context?: Context,
): Promise<Deployment> {
  const deploy = async (): Promise<Outputs> => {
    const outputs = await deployStack(target, {
      publicUrl: gateway.url,
      ...(progress === undefined ? {} : { progress }),
      ...(context === undefined ? {} : { context }),
    });
    gateway.forwardTo(target, functionUrls(outputs), keyUrls(outputs));
    return outputs;
  };
  const outputs = await deploy();
  return { url: gateway.url, outputs, deploy, close: () => gateway.close() };
}
