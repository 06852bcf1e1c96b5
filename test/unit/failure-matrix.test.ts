import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const STEPS = "emit|wait|deliver|respond|history|subscribe|cleanup|all";

/** The ids of the table, in its order. */
function casesOfTheMatrix(): string[] {
  const rows = readFileSync(join(ROOT, "docs/failure-matrix.md"), "utf8").matchAll(
    new RegExp(`^\\| ((?:${STEPS})-\\d+) \\|`, "gm"),
  );
  return [...rows].map(([, id = ""]) => id);
}

/** The ids at the end of test titles, each with the file that names it. */
function casesInTests(): { readonly id: string; readonly file: string }[] {
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.(test|suite)\.ts$/.test(file),
  );
  return files.flatMap((file) => {
    const brackets = readFileSync(join(ROOT, "test", file), "utf8").matchAll(
      new RegExp(`\\[((?:${STEPS})-\\d+(?:, (?:${STEPS})-\\d+)*)\\]["\`]`, "g"),
    );
    return [...brackets].flatMap(([, ids = ""]) => ids.split(", ").map((id) => ({ id, file })));
  });
}

describe("the failure matrix", () => {
  const cases = casesOfTheMatrix();
  const shown = casesInTests();

  it("has each case once, and counts those of a step without gaps", () => {
    expect(cases.length).toBeGreaterThan(80);
    const places = new Map<string, number>();
    for (const id of cases) {
      const [step = "", number] = id.split("-");
      expect(Number(number), id).toBe((places.get(step) ?? 0) + 1);
      places.set(step, Number(number));
    }
  });

  it("has a test for each case that names it", () => {
    const named = new Set(shown.map(({ id }) => id));
    expect(cases.filter((id) => !named.has(id))).toEqual([]);
  });

  it("has each case that a test names", () => {
    expect(shown.filter(({ id }) => !cases.includes(id))).toEqual([]);
  });
});
