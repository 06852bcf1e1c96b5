/** A process that is killed in the middle of writes: what the table acknowledged is there, and each item where its index says. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { projectPath } from "../../../local/project.ts";
import { openTable } from "../../../local/table/open.ts";
import type { Item } from "../../../local/table/values.ts";
import { TABLE_NAME } from "../../../local/table.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "table-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

const ROUNDS = 5;
/** Acknowledgements after which it is killed, in each round more. */
const WRITES = 40;

/** Kills a process that moves items about in the work index. What it had acknowledged of each item: its last place. */
async function killedWhileWriting(from: number, writes: number): Promise<Map<string, number>> {
  const child = fork(projectPath("test/support/moving-items.ts"), [folder, String(from)], {
    execArgv: ["--import", "tsx"],
  });
  const acknowledged = new Map<string, number>();
  const exited = once(child, "exit");
  let count = 0;
  child.on("message", ({ item, place }: { item: string; place: number }) => {
    acknowledged.set(item, place);
    if (++count === writes) child.kill("SIGKILL");
  });
  await exited;
  return acknowledged;
}

const placesIn = (items: readonly Item[]): string[] =>
  items.map(({ pk, work_sk }) => `${pk?.S} at ${work_sk?.S}`).sort();

test("a table that was killed in the middle of writes has all that it acknowledged, each where its index says, and nowhere else", async () => {
  let place = 100_000;
  for (let round = 1; round <= ROUNDS; round++) {
    const acknowledged = await killedWhileWriting(place, round * WRITES);
    expect(acknowledged.size).toBeGreaterThan(0);
    const { calls, close } = await openTable(folder, TABLE_NAME);
    const { Items: items = [] } = await calls.scan({ TableName: TABLE_NAME });
    const { Items: indexed = [] } = await calls.query({
      TableName: TABLE_NAME,
      IndexName: "work",
      KeyConditionExpression: "work_pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: "work" } },
    });
    await close();
    expect(placesIn(indexed)).toEqual(placesIn(items));
    const standing = new Map(items.map(({ pk, work_sk }) => [pk?.S, Number(work_sk?.S)]));
    // A later move may have been written, and its acknowledgement lost.
    for (const [item, last] of acknowledged) expect(standing.get(item)).toBeGreaterThanOrEqual(last);
    place = Math.max(...standing.values()) + 1;
  }
});
