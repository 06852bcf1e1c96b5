import { type appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openJournal } from "../../../local/journal.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

/** While it is full, half of what is to be written gets through. */
let isFull = false;

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const append: typeof appendFileSync = (file, data) => {
    if (!isFull) return fs.appendFileSync(file, data);
    const text = String(data);
    fs.appendFileSync(file, text.slice(0, text.length / 2));
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  return { ...fs, appendFileSync: append };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "full-disk-"));
  path = join(folder, "deliveries.jsonl");
});
afterEach(() => {
  isFull = false;
  rmSync(folder, { recursive: true });
});

const to = (id: string) => ({ subscriber: "a", event: deliveredEvent({ id }) });
const keysOf = (deliveries: readonly { key: string }[]): string[] => deliveries.map(({ key }) => key);

describe("a disk that is full for a while", () => {
  test("has nothing taken on that a crash would lose, and spoils nothing that is written afterwards", () => {
    const journal = openJournal(path);
    journal.put([to("1")]);
    isFull = true;
    expect(() => journal.put([to("2")])).toThrow("no space left");
    expect(keysOf(journal.pending())).toEqual(["a/1"]);
    isFull = false;
    // Sent once more, it is taken on as if for the first time.
    expect(keysOf(journal.put([to("3"), to("2")]))).toEqual(["a/3", "a/2"]);
    journal.close();

    const next = openJournal(path);
    expect(keysOf(next.pending())).toEqual(["a/1", "a/3", "a/2"]);
    next.close();
  });

  test("does not lose what had ended, to be made once more", () => {
    const journal = openJournal(path);
    const [delivery] = journal.put([to("1")]);
    if (delivery === undefined) throw new Error("nothing was put");
    journal.dead(delivery, "it threw");
    isFull = true;
    expect(() => journal.again(to("1"))).toThrow("no space left");
    expect(journal.pending()).toEqual([]);
    expect(keysOf(journal.deadOnes())).toEqual(["a/1"]);
    journal.close();
  });
});
