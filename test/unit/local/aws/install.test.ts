import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { install, PythonMissing } from "../../../../local/aws/install.ts";
import { installOnce } from "../../../../local/aws/install-once.ts";

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "agent-event-bus-install-"));
  folder = join(parent, "thing");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(parent, { recursive: true });
});

const fillWith =
  (text: string) =>
  (into: string): Promise<void> =>
    writeFile(join(into, "content"), text);
const content = (): Promise<string> => readFile(join(folder, "content"), "utf8");

test("without Python nothing is installed", async () => {
  vi.stubEnv("PYTHON", join(parent, "no-python"));
  const steps: string[] = [];
  await expect(install((line) => steps.push(line), parent)).rejects.toThrow(PythonMissing);
  expect(steps).toEqual([]);
  expect(await readdir(parent)).toEqual([]);
});

describe("what is installed once", () => {
  test("is not installed again, until another release is wanted", async () => {
    await installOnce(folder, "thing 1", fillWith("one"));
    await installOnce(folder, "thing 1", fillWith("another one"));
    expect(await content()).toBe("one");
    await installOnce(folder, "thing 2", fillWith("two"));
    expect(await content()).toBe("two");
  });

  test("is whole for two who install it at once", async () => {
    await Promise.all([installOnce(folder, "thing", fillWith("one")), installOnce(folder, "thing", fillWith("two"))]);
    expect(await content()).toMatch(/^(one|two)$/);
    expect(await readdir(parent)).toEqual(["thing"]);
  });

  test("leaves nothing behind when it fails, and says what the command said last", async () => {
    const failed = Object.assign(new Error("exit code 1"), { stderr: "a warning\nno such package\n" });
    await expect(installOnce(folder, "thing", () => Promise.reject(failed))).rejects.toThrow(
      "Could not install thing: no such package",
    );
    expect(await readdir(parent)).toEqual([]);
  });

  test("clears what a killed process left half-made, and only that", async () => {
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    const abandoned = join(parent, `thing-${ended}-abcdef`);
    const others = ["thing-of-mine", `thing-${process.ppid}-abcdef`, `other-${ended}-abcdef`];
    for (const path of [abandoned, ...others.map((name) => join(parent, name))])
      await mkdir(join(path, "deep"), { recursive: true });
    await installOnce(folder, "thing", fillWith("whole"));
    expect(existsSync(abandoned)).toBe(false);
    expect((await readdir(parent)).sort()).toEqual([...others, "thing"].sort());
  });
});
