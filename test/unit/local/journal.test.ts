import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Journal, openJournal } from "../../../local/journal.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

let folder: string;
let path: string;
const open: Journal[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  path = join(folder, "deliveries.jsonl");
});
afterEach(() => {
  for (const journal of open.splice(0)) journal.close();
  rmSync(folder, { recursive: true });
});

/** Opens it as the next run would; the run before was killed, so nothing was closed. */
function reopen(onSkipped?: (lines: number) => void): Journal {
  const journal = openJournal(path, onSkipped);
  open.push(journal);
  return journal;
}

const keysOf = (deliveries: readonly { key: string }[]): string[] => deliveries.map(({ key }) => key);
const to = (subscriber: string, id: string) => ({ subscriber, event: deliveredEvent({ id }) });

describe("what has ended", () => {
  test.each(["done", "dead"] as const)("as %s can be taken on again, and is there after a kill", (how) => {
    const journal = reopen();
    const [delivery] = journal.put([to("a", "1")]);
    if (delivery === undefined) throw new Error("nothing was put");
    if (how === "done") journal.done(delivery);
    else journal.dead(delivery, "no such luck");
    expect(journal.put([to("a", "1")])).toEqual([]);
    journal.again(to("a", "1"));
    expect(keysOf(journal.pending())).toEqual(["a/1"]);

    const next = reopen();
    expect(next.pending()).toMatchObject([{ key: "a/1", receives: 0 }]);
    expect(next.deadOnes()).toEqual([]);
  });
});

describe("undelivered work", () => {
  test("is there after a kill, in its order and whole; what was done is not", () => {
    const journal = reopen();
    const [, second] = journal.put([to("a", "1"), to("b", "1"), to("a", "2")]);
    if (second === undefined) throw new Error("nothing was put");
    journal.done(second);

    const pending = reopen().pending();
    expect(keysOf(pending)).toEqual(["a/1", "a/2"]);
    expect(pending[0]?.event).toEqual(deliveredEvent({ id: "1" }));
  });

  test("remembers how often a handler was about to get it, also when that killed the run", () => {
    const journal = reopen();
    const [delivery] = journal.put([to("a", "1"), to("a", "2")]);
    if (delivery === undefined) throw new Error("nothing was put");
    for (let i = 0; i < 3; i++) journal.received([delivery]);
    const receives = (): number[] =>
      reopen()
        .pending()
        .map((pending) => pending.receives);
    expect(receives()).toEqual([3, 0]);
    expect(receives()).toEqual([3, 0]);
    journal.notReceived([delivery]);
    expect(delivery.receives).toBe(2);
  });

  test("is kept when it is dead, with the reason, across runs", () => {
    const journal = reopen();
    const [delivery] = journal.put([to("a", "1")]);
    if (delivery === undefined) throw new Error("nothing was put");
    journal.dead(delivery, "it threw");
    for (let run = 0; run < 2; run++) {
      const next = reopen();
      expect(next.pending()).toEqual([]);
      expect(next.deadOnes()).toMatchObject([{ key: "a/1", reason: "it threw", event: { id: "1" } }]);
    }
  });

  test("is taken on once, however often its event is published, also by a later run", () => {
    const journal = reopen();
    expect(keysOf(journal.put([to("a", "1")]))).toEqual(["a/1"]);
    expect(journal.put([to("a", "1")])).toEqual([]);
    const [delivery] = journal.pending();
    if (delivery === undefined) throw new Error("nothing is pending");
    journal.done(delivery);
    expect(journal.put([to("a", "1")])).toEqual([]);
    expect(reopen().put([to("a", "1"), to("b", "1")])).toMatchObject([{ key: "b/1" }]);
    // Each run has compacted what the run before left.
    expect(reopen().put([to("a", "1"), to("b", "1")])).toEqual([]);
  });

  test.each([1, 10, 50, 200])("survives a line torn %i bytes before its end", (bytes) => {
    reopen().put([to("a", "1")]);
    reopen().put([to("a", "2")]);
    truncateSync(path, readFileSync(path).length - bytes);
    let skipped = 0;
    const journal = reopen((lines) => {
      skipped = lines;
    });
    expect(keysOf(journal.pending())).toEqual(bytes === 1 ? ["a/1", "a/2"] : ["a/1"]);
    expect(skipped).toBe(bytes === 1 ? 0 : 1);
    journal.put([to("a", "3")]);
    expect(keysOf(reopen().pending()).at(-1)).toBe("a/3");
  });

  test("survives lines that are no journal at all", () => {
    reopen().put([to("a", "1")]);
    appendFileSync(path, 'null\n[]\n"x"\n{"op":"done","key":"a/9"}\n\n');
    let skipped = 0;
    expect(keysOf(reopen((lines) => (skipped = lines)).pending())).toEqual(["a/1"]);
    expect(skipped).toBe(3);
  });

  test("does not grow with what is done", () => {
    const journal = reopen();
    for (let i = 0; i < 50; i++) for (const delivery of journal.put([to("a", String(i))])) journal.done(delivery);
    const before = readFileSync(path).length;
    reopen();
    expect(readFileSync(path).length).toBeLessThan(before / 5);
  });

  test("is kept while much of it comes and goes, and its file does not grow with that", () => {
    const text = "x".repeat(1_000_000);
    const large = (id: string) => ({ subscriber: "a", event: deliveredEvent({ id, data: { text } }) });
    const journal = reopen();
    journal.put([to("b", "first")]);
    for (let i = 0; i < 40; i++) for (const delivery of journal.put([large(String(i))])) journal.done(delivery);
    journal.put([to("b", "last")]);
    expect(readFileSync(path).length).toBeLessThan(20_000_000);
    expect(keysOf(reopen().pending())).toEqual(["b/first", "b/last"]);
  });

  test("starts empty, also where a run died while it compacted", () => {
    writeFileSync(`${path}.new`, '{"op":"put"');
    expect(reopen().pending()).toEqual([]);
  });
});
