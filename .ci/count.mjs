// Sums Vitest's JSON reports in a folder: count.mjs <folder> [steps that failed...]. Exits with 1 when anything failed.
// Names each test that failed, with the first line of why. Its last line is always "<n> passed, <n> failed".
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";

const [folder, ...broken] = process.argv.slice(2);
const reports = new Map(readdirSync(folder).map((file) => [basename(file, ".json"), readReport(join(folder, file))]));
const sum = (field) => [...reports.values()].reduce((total, report) => total + report[field], 0);

// A step that failed without a failed test (a lint finding, a file that does not load, a crash) counts as one.
const failedOtherwise = broken.filter((step) => (reports.get(step)?.failed ?? 0) === 0).length;
const failed = sum("failed") + failedOtherwise;
for (const [name, report] of reports)
  for (const why of report.reasons) process.stdout.write(`failed in ${name}: ${why}\n`);
if (sum("skipped") > 0) process.stdout.write(`${sum("skipped")} skipped\n`);
process.stdout.write(`${sum("passed")} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

// What a run that crashed has left half-written counts as a failure.
function readReport(path) {
  try {
    const whole = JSON.parse(readFileSync(path, "utf8"));
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = whole;
    const counts = { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
    if (Object.values(counts).every(Number.isInteger)) return { ...counts, reasons: reasonsIn(whole) };
  } catch {
    // Counted below.
  }
  process.stdout.write(`not a report: ${basename(path)}\n`);
  return { passed: 0, failed: 1, skipped: 0, reasons: [] };
}

// A file that did not load has no tests, and says itself why.
function reasonsIn({ testResults = [] }) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const tests = assertionResults.filter((test) => test.status === "failed");
    if (tests.length === 0 && status === "failed") return [`${file}: ${firstLine(message)}`];
    return tests.map(({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLine(failureMessages[0])}`);
  });
}

function firstLine(text) {
  return String(text ?? "").split("\n", 1)[0];
}
