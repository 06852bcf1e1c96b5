import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { projectPath } from "../../../local/project.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-event-bus-count-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const report = (name: string, passed: number, failed: number, pending = 0, todo = 0): void => {
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: todo };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(counts));
};

function count(...broken: readonly string[]): { lines: string[]; code: number | null } {
  const { stdout, status } = spawnSync(process.execPath, [projectPath(".ci/count.mjs"), folder, ...broken]);
  return { lines: stdout.toString().trimEnd().split("\n"), code: status };
}

describe("the last line of .ci/run", () => {
  test("is the sum over all runs", () => {
    report("one", 3, 0);
    report("two", 4, 0);
    expect(count()).toEqual({ lines: ["7 passed, 0 failed"], code: 0 });
  });

  test("says nothing of what was skipped: that has a line of its own before it", () => {
    report("one", 3, 0, 2, 1);
    expect(count()).toEqual({ lines: ["3 skipped", "3 passed, 0 failed"], code: 0 });
  });

  test("counts a step that failed once: by its failed tests, or as one", () => {
    report("tests", 3, 2);
    report("unloadable", 1, 0);
    expect(count("lint", "tests", "unloadable")).toEqual({ lines: ["4 passed, 4 failed"], code: 1 });
  });

  test("has before it which tests failed, and the first line of why, for a log whose end is all that is kept", () => {
    const failing = { status: "failed", fullName: "an agent is served", failureMessages: ["Error: 429\n    at x"] };
    const passing = { status: "passed", fullName: "an agent is heard", failureMessages: [] };
    const counts = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 };
    const results = [
      { name: resolve("test/a.test.ts"), status: "failed", message: "", assertionResults: [passing, failing] },
      { name: resolve("test/b.test.ts"), status: "failed", message: "Cannot find 'c'\nat y", assertionResults: [] },
    ];
    writeFileSync(join(folder, "npm-test.json"), JSON.stringify({ ...counts, testResults: results }));
    expect(count("npm-test").lines).toEqual([
      "failed in npm-test: test/a.test.ts: an agent is served: Error: 429",
      "failed in npm-test: test/b.test.ts: Cannot find 'c'",
      "1 passed, 1 failed",
    ]);
  });

  test.each(['{"numPassedTests": 5, "numFai', "{}", "null", ""])("is there when a report is %j", (text) => {
    report("whole", 3, 0);
    writeFileSync(join(folder, "half.json"), text);
    expect(count("half").lines.at(-1)).toBe("3 passed, 1 failed");
    expect(count()).toEqual({ lines: ["not a report: half.json", "3 passed, 1 failed"], code: 1 });
  });
});
