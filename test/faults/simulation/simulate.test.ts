import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { PLANTED_BUGS } from "./planted-bugs/all.ts";
import { REGRESSIONS } from "./regressions.ts";
import { failureReport, replayCommand } from "./report.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

const OPERATIONS = 60;

describe("a simulated run", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("is the same whenever it is run, to the last call (seed %i)", async (seed) => {
    const options = { seed, operations: OPERATIONS, isTraced: true };
    const [first, second] = [await simulate(options), await simulate(options)];
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(second.trace).toEqual(first.trace);
    expect(second.faults).toEqual(first.faults);
  });

  it("is the same among others that run at the same time", async () => {
    const alone = await simulate({ seed: 11, operations: OPERATIONS });
    const together = await Promise.all([11, 12, 13].map((seed) => simulate({ seed, operations: OPERATIONS })));
    expect(together[0]?.fingerprint).toBe(alone.fingerprint);
  });

  it("differs from seed to seed, and meets every kind of fault within a few", async () => {
    const runs = [];
    for (let seed = 1; seed <= 60; seed++) runs.push(await simulate({ seed, operations: OPERATIONS }));
    expect(new Set(runs.map(({ fingerprint }) => fingerprint)).size).toBe(runs.length);
    const kinds = new Set(runs.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual(
      "again crashAfter crashBefore failedEntry late lost slow stale throttled twice unacknowledged zombie".split(" "),
    );
    const operations = new Set(runs.flatMap(({ calls }) => calls.map(({ operation }) => operation)));
    expect(operations.size).toBe(16);
  });

  it.each(REGRESSIONS.map((one) => [one.found, one] as const))("finds no more: %s", async (_, { seed, operations }) => {
    expect((await simulate({ seed, operations })).violations).toEqual([]);
  });
});

describe("a run that fails", () => {
  const bug = PLANTED_BUGS.find(({ name }) => name === "the relay is off");
  const failing = { seed: 1, operations: 100, ...bug?.plant };

  it("is made small, and fails in the same way with what is left", async () => {
    const { options, result } = await shrink(failing, "I1");
    expect(result.plan.length).toBeLessThanOrEqual(3);
    expect(result.faults.length).toBeLessThanOrEqual(3);
    expect((await simulate(options)).violations.map(({ invariant }) => invariant)).toContain("I1");
  });

  it("is told with the commands that have it again, and what happened", async () => {
    // Broken code is not there when the command runs, so only the words are looked at.
    const { options } = await shrink(failing, "I1");
    expect(replayCommand(failing)).toBe("npm run sim -- --seed 1 --ops 100");
    expect(replayCommand(options)).toMatch(/^npm run sim -- --seed 1 --ops 100 --only \d+(,\d+)* --faults \w+(,\w+)*$/);
    expect(await failureReport({ seed: 1, operations: 10 })).toContain("does not fail");
  });
});

describe("npm run sim", () => {
  const sim = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
    const command = ["--import", "tsx", "test/faults/simulation/main.ts", ...args];
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { maxBuffer: 64 * 1024 * 1024 });
      return { code: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    }
  };

  it("prints a run's timeline and its verdict", async () => {
    const { code, out } = await sim("--seed", "7", "--ops", "12");
    expect(code).toBe(0);
    expect(out).toContain("call 0: subscribe");
    expect(out).toContain("all faults have ended");
    expect(out).toContain("No invariant is violated.");
    const { fingerprint } = await simulate({ seed: 7, operations: 12 });
    expect(out).toContain(`fingerprint ${fingerprint}`);
  });

  it("looks through many seeds", async () => {
    const { code, out } = await sim("--seed", "1", "--seeds", "5", "--ops", "20");
    expect(out).toContain("5 runs of 20 operations each, no invariant is violated.");
    expect(code).toBe(0);
  });

  it("says what is wrong with what it is told, and how it is used", async () => {
    for (const [args, message] of [
      [[], "--seed is missing."],
      [["--seed", "x"], '--seed: a whole number from 0 to 4294967295 was expected, and not "x".'],
      [["--seed", "1", "--ops", "0"], '--ops: a whole number from 5 to 10000 was expected, and not "0".'],
      [["--seed", "1", "--speed", "2"], "Unknown option '--speed'"],
    ] as const) {
      const { code, err } = await sim(...args);
      expect(code).toBe(2);
      expect(err).toContain(message);
      expect(err).toContain("npm run sim -- --seed 7");
    }
    expect((await sim("--help")).out).toContain("--seeds K");
  });
});
