import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { superviseThread } from "../../../local/supervised-thread.ts";

let folder: string;
let logged: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "supervised-"));
  logged = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const flag = (name: string): string => join(folder, name);
const set = (name: string): void => writeFileSync(flag(name), "");
const log = {
  info: (message: string) => void logged.push(message),
  warn: () => {},
  error: (message: string, fields?: Record<string, unknown>) =>
    void logged.push(`${message}: ${String(fields?.error)}`),
};

/** A thread that serves unless `down` is set, takes until `slow` is gone to get there, and falls over at `fall`. */
const thread = () => {
  const file = flag("thread.mjs");
  writeFileSync(
    file,
    `import { existsSync, rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
const has = (name) => existsSync(${JSON.stringify(folder)} + "/" + name);
if (has("ends")) process.exit(0);
if (has("down")) throw new Error("no port");
parentPort.once("message", () => process.exit(0));
while (has("slow")) await new Promise((resolve) => setTimeout(resolve, 5));
parentPort.postMessage({ port: workerData.port || 4321 });
setInterval(() => {
  if (!has("fall")) return;
  rmSync(${JSON.stringify(folder)} + "/fall");
  throw new Error("fell");
}, 5);`,
  );
  return superviseThread({ name: "it", file, workerData: {}, log, retryMs: 5 });
};
const logs = (text: string): Promise<void> =>
  vi.waitFor(() => expect(logged).toContain(text), { timeout: 10_000, interval: 5 });

describe("a supervised thread", () => {
  test("that falls over is started again, as often as it takes", async () => {
    const supervised = await thread();
    expect(supervised.port).toBe(4321);
    set("down");
    set("fall");
    await logs("it fell over: fell");
    await vi.waitFor(() => expect(logged.filter((line) => line.endsWith("no port")).length).toBeGreaterThan(2), {
      timeout: 10_000,
    });
    rmSync(flag("down"));
    await logs("it was started again");
    logged.length = 0;
    set("fall");
    await logs("it was started again");
    await supervised.close();
  });

  test("can be closed while it cannot be started", async () => {
    const supervised = await thread();
    set("down");
    set("fall");
    await logs("it could not be started again: no port");
    await supervised.close();
  });

  test("can be closed while it starts again", async () => {
    const supervised = await thread();
    set("slow");
    set("fall");
    await logs("it fell over: fell");
    await vi.waitFor(() => expect(existsSync(flag("fall"))).toBe(false));
    const closed = supervised.close();
    rmSync(flag("slow"));
    await closed;
    expect(logged).not.toContain("it was started again");
  });

  test("that ends without an error before it serves is an error", async () => {
    set("ends");
    await expect(thread()).rejects.toThrow("it exited with code 0");
  });
});
