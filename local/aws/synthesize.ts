/** The CDK app as a cloud assembly, without the CDK CLI. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { projectPath } from "../project.ts";

const run = promisify(execFile);

/** Context as `-c` gives it. */
export type Context = Readonly<Record<string, string>>;

/** What an emulator needs otherwise than AWS, whichever way the stack gets there. */
export const EMULATOR_CONTEXT: Context = {
  emulator: "true",
  removal: "destroy",
  // A throttled direct target loses its event there.
  reservedConcurrency: "false",
};

/**
 * Bundles the functions and writes templates and assets.
 *
 * @param outDir the assembly's folder
 * @throws Error with what the app wrote when it fails
 */
export async function synthesize(outDir: string, context: Context): Promise<void> {
  const cdkJson = JSON.parse(await readFile(projectPath("cdk.json"), "utf8")) as { context: object };
  try {
    await run(process.execPath, ["--import", "tsx", "infra/app.ts"], {
      cwd: projectPath("."),
      env: {
        ...process.env,
        CDK_OUTDIR: outDir,
        CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, ...context }),
        // It takes seconds, and `npm run synth` does it.
        CDK_VALIDATION: "false",
      },
    });
  } catch (error) {
    throw new Error(`The stack cannot be synthesized.\n${(error as { stderr?: string }).stderr ?? ""}`, {
      cause: error,
    });
  }
}
