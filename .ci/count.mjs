// Sums Vitest's JSON reports in a folder: count.mjs <folder> [steps that failed...]. Exits with 1 when anything failed.
// Its last line is always "<n> passed, <n> failed".
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const [folder, ...broken] = process.argv.slice(2);
const reports = new Map(readdirSync(folder).map((file) => [basename(file, ".json"), readReport(join(folder, file))]));
const sum = (field) => [...reports.values()].reduce((total, report) => total + report[field], 0);

// A step that failed without a failed test (a lint finding, a file that does not load, a crash) counts as one.
const failedOtherwise = broken.filter((step) => (reports.get(step)?.failed ?? 0) === 0).length;
const failed = sum("failed") + failedOtherwise;
if (sum("skipped") > 0) process.stdout.write(`${sum("skipped")} skipped\n`);
process.stdout.write(`${sum("passed")} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

// What a run that crashed has left half-written counts as a failure.
function readReport(path) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(path, "utf8"));
    const report = { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
    if (Object.values(report).every(Number.isInteger)) return report;
  } catch {
    // Counted below.
  }
  process.stdout.write(`not a report: ${basename(path)}\n`);
  return { passed: 0, failed: 1, skipped: 0 };
}
