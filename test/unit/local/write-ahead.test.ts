import { appendFileSync, cpSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WriteAhead } from "../../../local/table/write-ahead.ts";

let folder: string;
const opened: WriteAhead[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "write-ahead-"));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(name: string): Promise<WriteAhead> {
  const store = await WriteAhead.open(join(folder, name));
  opened.push(store);
  return store;
}

/** What a run finds that begins after the one before was killed: the folder as it is at this moment. */
async function afterKill(name: string, change: (log: string) => void = () => {}): Promise<WriteAhead> {
  const copy = `${name}-after`;
  cpSync(join(folder, name), join(folder, copy), { recursive: true });
  change(join(folder, copy, "writes.log"));
  return open(copy);
}

const put = (key: string, value: string) => ({ type: "put", key, value }) as const;
const del = (key: string) => ({ type: "del", key }) as const;

async function all(store: WriteAhead): Promise<readonly string[]> {
  const entries = store.values({ gte: "a", lt: "z", highWaterMarkBytes: 1_000 });
  const found = await entries.nextv(100);
  await entries.close();
  return found;
}

describe("a write that was acknowledged", () => {
  test("is read at once, by its key and in its range, before LevelDB has it and after", async () => {
    const store = await open("one");
    await store.batch([put("b", "1"), put("c", "2")]);
    await store.batch([put("b", "3"), del("c")]);
    expect([store.getSync("b"), store.getSync("c")]).toEqual(["3", undefined]);
    expect(await all(store)).toEqual(["3"]);
    await store.flush();
    expect([store.getSync("b"), store.getSync("c")]).toEqual(["3", undefined]);
    expect(await all(store)).toEqual(["3"]);
  });

  test("is there after a kill, whether LevelDB had it or not", async () => {
    const store = await open("one");
    await store.batch([put("b", "1"), put("d", "old")]);
    await store.flush();
    await store.batch([put("c", "2 \u{1F600}"), del("d")]);
    const next = await afterKill("one");
    expect(await all(next)).toEqual(["1", "2 \u{1F600}"]);
    expect(next.getSync("d")).toBeUndefined();
  });

  test("is there after a kill, also behind one that was written by half", async () => {
    const store = await open("one");
    await store.batch([put("b", "1")]);
    const next = await afterKill("one", (log) => appendFileSync(log, "*\n=c\t2\n=d\t3\n."));
    expect(await all(next)).toEqual(["1"]);
    await next.batch([put("e", "4")]);
    const last = await afterKill("one-after");
    expect(await all(last)).toEqual(["1", "4"]);
  });

  test("leaves nothing in the log once the run has ended, and is in LevelDB then", async () => {
    const store = await open("one");
    await store.batch([put("b", "1")]);
    await store.close();
    opened.splice(0);
    expect(statSync(join(folder, "one", "writes.log")).size).toBe(0);
    expect(await all(await open("one"))).toEqual(["1"]);
  });

  test("is not kept in the log for ever, also where the writes never pause", async () => {
    const store = await open("one");
    const large = "x".repeat(1_000_000);
    for (let n = 0; n < 20; n++) {
      await store.batch([put(`b${n}`, `${n}${large}`)]);
      expect(statSync(join(folder, "one", "writes.log")).size).toBeLessThan(6_000_000);
    }
    const next = await afterKill("one");
    for (const at of [store, next])
      for (let n = 0; n < 20; n++) expect(at.getSync(`b${n}`)?.length).toBe(`${n}`.length + large.length);
  });
});
