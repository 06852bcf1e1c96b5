import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Level } from "level";
import { afterEach, expect, it } from "vitest";
import { bulkLoad } from "../../../bench/p6-history/bulk-load.ts";
import { EXPIRES_AT, eventAt, isDead, isQuestion, isQueued } from "../../../bench/p6-history/events.ts";
import { deadDelivery, itemsAt, queuedMessage, requestOf, responseTo } from "../../../bench/p6-history/items.ts";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { openStore, storeFolder } from "../../../local/store.ts";
import { TABLE_NAME } from "../../../local/table.ts";
import type { EventStore } from "../../../shared/ports.ts";

const COUNT = 100;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A data folder in which the table has been made, and something done with it. */
async function folderAfter(work: (store: EventStore) => Promise<void>): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "agent-event-bus-p6-"));
  folders.push(dataDir);
  const { calls, close } = await openStore(dataDir);
  await work(createDynamoEventStore({ calls, tableName: TABLE_NAME }));
  await close();
  return storeFolder(dataDir);
}

/** Everything in a LevelDB. */
async function contentsOf(path: string): Promise<[string, string][]> {
  const level = new Level<string, string>(path, { valueEncoding: "utf8" });
  const entries = await level.iterator().all();
  await level.close();
  return entries;
}

/** As the bus does it: each record is put, and changed by the writes that follow. */
async function writeOneByOne(store: EventStore, age: number): Promise<void> {
  const record = eventAt(age, COUNT);
  const { event } = record;
  const request = requestOf(record);
  if (isQuestion(age)) await store.createRequest(request);
  await store.putEvent({ ...record, published: false });
  await store.markPublished(event.id);
  if (isQuestion(age)) {
    const { responseId, subscriber = "" } = responseTo(record);
    await store.putResponse(responseTo(record));
    await store.acceptAnswer({
      eventId: event.id,
      replyToken: request.replyToken,
      responseId,
      subscriber,
      answersSeen: 0,
      state: "ANSWERED",
      at: event.timestamp,
      expiresAt: EXPIRES_AT,
    });
  }
  if (isDead(age)) await store.createDelivery(deadDelivery(event));
  if (isQueued(age)) await store.createDelivery(queuedMessage(event));
}

it("a table that was filled at once holds byte for byte what the bus's own writes leave", async () => {
  const written = await folderAfter(async (store) => {
    for (let age = 0; age < COUNT; age++) await writeOneByOne(store, age);
  });
  const loaded = await folderAfter(async () => {});
  await bulkLoad({ path: loaded, count: COUNT, itemsAt: (age) => itemsAt(age, COUNT) });
  const [expected, found] = [await contentsOf(written), await contentsOf(loaded)];
  expect(found.map(([key]) => key)).toEqual(expected.map(([key]) => key));
  expect(found).toEqual(expected);
});
