// Sums Vitest's JSON reports in a folder: count.mjs <folder> [steps that failed...]. Exits with 1 when anything failed.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const [folder, ...broken] = process.argv.slice(2);
const reported = new Map(
  readdirSync(folder).map((file) => [basename(file, ".json"), JSON.parse(readFileSync(join(folder, file), "utf8"))]),
);
const sum = (field) => [...reported.values()].reduce((total, report) => total + report[field], 0);

// A step that failed without a failed test (a lint finding, a file that does not load, a crash) counts as one.
const failedOtherwise = broken.filter((step) => (reported.get(step)?.numFailedTests ?? 0) === 0).length;
const failed = sum("numFailedTests") + failedOtherwise;
const skipped = sum("numPendingTests") + sum("numTodoTests");
process.stdout.write(`${sum("numPassedTests")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed > 0 ? 1 : 0);
