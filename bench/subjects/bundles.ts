/** The bundles that are measured, each made as whoever deploys it would. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { BUNDLE, functionBundle } from "../../infra/bundling.ts";

export type SubjectName = "lean" | "sdk" | "bare" | "bareLean" | "floor" | "firstTry";

/** As the tables call them. */
export const SUBJECT_NAMES: Readonly<Record<SubjectName, string>> = {
  lean: "the bus, lean clients",
  sdk: "the bus, the SDK's clients",
  bare: "two bare SDK clients",
  bareLean: "two bare lean clients",
  floor: "two unsigned posts",
  firstTry: "a first try without thinking of it",
};

export interface Bundle {
  readonly file: string;
  readonly bytes: number;
}

const own = (name: string): string => join(import.meta.dirname, `${name}.ts`);
/** The best way known: the bus's own. */
const best: BuildOptions = { ...BUNDLE, mainFields: [...BUNDLE.mainFields], bundle: true, platform: "node" };

const OPTIONS: Readonly<Record<SubjectName, BuildOptions>> = {
  lean: functionBundle("functions/emit.ts", "lean"),
  sdk: functionBundle("functions/emit.ts", "sdk"),
  bare: { ...best, entryPoints: [own("bare-sdk")] },
  bareLean: { ...best, entryPoints: [own("bare-lean")] },
  floor: { ...best, entryPoints: [own("floor")] },
  firstTry: { entryPoints: [own("first-try")], bundle: true, platform: "node", format: "cjs", target: "node24" },
};

export async function buildSubjects(workDir: string): Promise<Record<SubjectName, Bundle>> {
  const folder = join(workDir, "subjects");
  await mkdir(folder, { recursive: true });
  const built = Object.entries(OPTIONS).map(async ([name, options]): Promise<[string, Bundle]> => {
    const file = join(folder, `${name}.cjs`);
    await build({ ...options, outfile: file, logLevel: "error" });
    return [name, { file, bytes: (await stat(file)).size }];
  });
  return Object.fromEntries(await Promise.all(built)) as Record<SubjectName, Bundle>;
}
