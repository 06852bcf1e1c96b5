/** The embedded run as its users start it: `npm run dev`, a process of its own. */
import { join } from "node:path";
import { type StartedProcess, startUntilLine } from "./started-process.ts";

const ROOT = join(import.meta.dirname, "../..");

export interface EmbeddedRun extends StartedProcess {
  readonly url: string;
}

/** @param configPath absolute, of a `bus.config.ts` */
export async function startEmbeddedRun(dataDir: string, configPath: string): Promise<EmbeddedRun> {
  const options = ["--port", "0", "--data-dir", dataDir, "--config", configPath];
  const run = await startUntilLine(
    { path: process.execPath, args: ["--import", "tsx", join(ROOT, "local/dev.ts"), ...options], cwd: ROOT },
    /^listening on (http:.*)$/,
  );
  return { ...run, url: run.line[1] as string };
}
