import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The folders whose imports have a direction, and what of ours each may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: ["shared"],
  client: ["shared", "client"],
  functions: ["shared", "functions", "bus.config.ts"],
  infra: ["shared", "infra", "bus.config.ts"],
  local: ["shared", "functions", "client", "local", "bus.config.ts"],
};
const OURS = ["shared", "client", "functions", "infra", "local", "test", "bench", "examples", "bus.config.ts"];

interface Snippet {
  readonly file: string;
  readonly code: string;
  /** The rule that must refuse it, or null when none may. */
  readonly refusedBy: string | null;
}

const imports = (file: string, specifier: string, isAllowed: boolean): Snippet => ({
  file,
  code: `import { thing } from "${specifier}";\nthing();\n`,
  refusedBy: isAllowed ? null : "lint/style/noRestrictedImports",
});

/** From a folder's own files and from those one folder further in. */
const ours: Snippet[] = Object.entries(MAY_IMPORT).flatMap(([folder, allowed]) =>
  OURS.flatMap((target) =>
    ["..", "../.."].map((up, depth) => {
      const specifier = target.endsWith(".ts") ? `${up}/${target}` : `${up}/${target}/deep/module.ts`;
      return imports(
        `${folder}/${depth === 0 ? "" : "inner/"}imports-${target.replace(".", "-")}.ts`,
        specifier,
        allowed.includes(target),
      );
    }),
  ),
);

const libraries: Snippet[] = [
  imports("shared/imports-node.ts", "node:fs", false),
  imports("shared/imports-sdk.ts", "@aws-sdk/client-dynamodb", false),
  imports("shared/imports-cdk.ts", "aws-cdk-lib/aws-events", false),
  imports("shared/imports-any-library.ts", "lodash", false),
  imports("shared/imports-valibot.ts", "valibot", true),
  imports("shared/imports-hash.ts", "#sha256", true),
  imports("shared/imports-clients.ts", "#aws-calls", false),
  imports("shared/imports-own.ts", "./errors.ts", true),
  imports("shared/inner/imports-own.ts", "../errors.ts", true),
  imports("client/imports-node.ts", "node:crypto", false),
  imports("client/imports-sdk.ts", "@aws-sdk/client-eventbridge", false),
  imports("client/imports-signer.ts", "@smithy/signature-v4", true),
  imports("functions/imports-sdk.ts", "@aws-sdk/client-dynamodb", true),
  imports("functions/imports-cdk.ts", "aws-cdk-lib", false),
  imports("infra/imports-cdk.ts", "aws-cdk-lib", true),
  {
    file: "shared/loads.ts",
    code: 'export const loaded = await import("../functions/emit.ts");\n',
    refusedBy: "lint/style/noRestrictedImports",
  },
  {
    file: "shared/type-only.ts",
    code: 'import type { Handle } from "../functions/runtime/http.ts";\nexport type Mine = Handle;\n',
    refusedBy: "lint/style/noRestrictedImports",
  },
  {
    file: "shared/re-exports.ts",
    code: 'export { handle } from "../functions/emit.ts";\n',
    refusedBy: "lint/style/noRestrictedImports",
  },
];

const habits: Snippet[] = [
  {
    file: "functions/env.ts",
    code: "export const region = process.env.AWS_REGION;\n",
    refusedBy: "lint/style/noProcessEnv",
  },
  { file: "functions/runtime/config.ts", code: "export const region = process.env.AWS_REGION;\n", refusedBy: null },
  {
    file: "client/env.ts",
    code: "export const region = process.env.AWS_REGION;\n",
    refusedBy: "lint/style/noProcessEnv",
  },
  { file: "local/env.ts", code: "export const region = process.env.AWS_REGION;\n", refusedBy: null },
  {
    file: "functions/default.ts",
    code: "export default function handle(): void {}\n",
    refusedBy: "lint/style/noDefaultExport",
  },
  { file: "vitest.config.ts", code: "export default {};\n", refusedBy: null },
  { file: "functions/any.ts", code: "export const event: any = 1;\n", refusedBy: "lint/suspicious/noExplicitAny" },
  {
    file: "functions/protocol.ts",
    code: 'import { readFileSync } from "fs";\nreadFileSync("x");\n',
    refusedBy: "lint/style/useNodejsImportProtocol",
  },
  {
    file: "functions/cycle-a.ts",
    code: 'import { b } from "./cycle-b.ts";\nexport const a = (): number => b();\n',
    refusedBy: "lint/suspicious/noImportCycles",
  },
  {
    file: "functions/cycle-b.ts",
    code: 'import { a } from "./cycle-a.ts";\nexport const b = (): number => a();\n',
    refusedBy: "lint/suspicious/noImportCycles",
  },
  {
    file: "functions/index.ts",
    code: 'export { a } from "./cycle-a.ts";\nexport { b } from "./cycle-b.ts";\n',
    refusedBy: "lint/performance/noBarrelFile",
  },
];

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "import-direction-"));
const snippets = [...ours, ...libraries, ...habits];
let refusals: { file: string; rule: string }[] = [];

/** Lints all snippets in one run, in a folder of their own with this repository's configuration. */
beforeAll(() => {
  for (const name of ["biome.json", ".gitignore"]) copyFileSync(join(root, name), join(folder, name));
  for (const { file, code } of snippets) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const run = spawnSync(
    process.execPath,
    [biome, "lint", "--reporter=json", "--max-diagnostics=none", "--error-on-warnings", "."],
    { cwd: folder, encoding: "utf8" },
  );
  const report = JSON.parse(run.stdout) as {
    diagnostics: { severity: string; category: string; location: { path: string } }[];
  };
  refusals = report.diagnostics
    .filter((diagnostic) => diagnostic.severity === "error")
    .map((diagnostic) => ({ file: diagnostic.location.path, rule: diagnostic.category }));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rulesAgainst = (snippet: Snippet): string[] => [
  ...new Set(refusals.filter((one) => one.file === snippet.file).map((one) => one.rule)),
];
const titled = (list: readonly Snippet[]): [string, Snippet][] =>
  list.map((snippet) => [`${snippet.file}: ${snippet.code.split("\n")[0]}`, snippet]);

describe.each([
  ["lint lets imports point one way only", ours],
  ["lint keeps libraries where they belong", libraries],
  ["lint keeps the other habits of the code", habits],
])("%s", (_what, list) => {
  it.each(titled(list))("%s", (_title, snippet) => {
    if (snippet.refusedBy === null) expect(rulesAgainst(snippet)).toEqual([]);
    else expect(rulesAgainst(snippet)).toContain(snippet.refusedBy);
  });
});
