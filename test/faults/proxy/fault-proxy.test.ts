import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { createTable, TABLE_NAME } from "../../../local/table.ts";
import { BusError } from "../../../shared/errors.ts";
import { TABLE } from "../../../shared/keys.ts";
import type { EventStore } from "../../../shared/ports.ts";
import { AWS_CLIENTS, type AwsAt } from "../../support/aws-clients.ts";
import { anEvent } from "./an-event.ts";
import { type FaultProxy, type Moment, startFaultProxy } from "./fault-proxy.ts";
import { fits, NEMESES, type NemesisName } from "./nemeses.ts";
import { type ScriptedService, startRealStore } from "./services.ts";

let service: ScriptedService;
let proxy: FaultProxy;
let client: DynamoDBClient;

beforeAll(async () => {
  service = await startRealStore();
  const direct = new DynamoDBClient({ ...local(service.url) });
  await createTable(direct, TABLE_NAME);
  direct.destroy();
});
afterAll(() => service.close());

beforeEach(async () => {
  proxy = await startFaultProxy({ seed: 1, targets: { dynamodb: service.url } });
  client = new DynamoDBClient({ ...local(proxy.url), maxAttempts: 1 });
});
afterEach(async () => {
  proxy.setRates({});
  await proxy.quiet();
  client.destroy();
  await proxy.close();
});

const local = (endpoint: string) => ({
  endpoint,
  region: "local",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

let keys = 0;
const freshKey = () => ({
  [TABLE.partitionKey]: { S: `proxy-test-${++keys}` },
  [TABLE.sortKey]: { S: "counter" },
});

/** Adds one: how often it was done shows in the item. */
const addOne = (key: ReturnType<typeof freshKey>) =>
  client.send(
    new UpdateItemCommand({
      TableName: TABLE_NAME,
      Key: key,
      UpdateExpression: "ADD #n :one",
      ExpressionAttributeNames: { "#n": "n" },
      ExpressionAttributeValues: { ":one": { N: "1" } },
      ReturnValues: "ALL_NEW",
    }),
  );

/** How often it was done, once all faults are over. */
async function timesDone(key: ReturnType<typeof freshKey>): Promise<number> {
  proxy.setRates({});
  await proxy.quiet();
  const { Item } = await client.send(new GetItemCommand({ TableName: TABLE_NAME, Key: key, ConsistentRead: true }));
  return Number(Item?.n?.N ?? 0);
}

/** What an SDK client sees of one call under one nemesis. */
async function seen(nemesis: NemesisName, key: ReturnType<typeof freshKey>): Promise<string> {
  proxy.setRates({ [nemesis]: 1 });
  try {
    const { Attributes } = await addOne(key);
    return `answered ${Attributes?.n?.N}`;
  } catch (error) {
    const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return $metadata?.httpStatusCode === undefined ? "broken off" : `${$metadata.httpStatusCode} ${name}`;
  }
}

describe("without a nemesis", () => {
  test("calls go through as they are", async () => {
    const key = freshKey();
    await addOne(key);
    expect(await timesDone(key)).toBe(1);
    expect(proxy.tally.of("calls", "UpdateItem")).toBe(1);
    expect(proxy.tally.of("forwarded", "UpdateItem")).toBe(1);
  });
});

describe("a nemesis", () => {
  test("N1 drops a call before the store has it", async () => {
    const key = freshKey();
    expect(await seen("dropped", key)).toBe("broken off");
    expect(await timesDone(key)).toBe(0);
  });

  test("N2 loses the acknowledgement of what is done", async () => {
    const key = freshKey();
    for (let i = 0; i < 8; i++) expect(await seen("acknowledgementLost", key)).toMatch(/^broken off$|^50[03] /);
    expect(await timesDone(key)).toBe(8);
  });

  test("N3 does it after the client has given up", async () => {
    const key = freshKey();
    expect(await seen("zombie", key)).toBe("broken off");
    expect(await timesDone(key)).toBe(1);
  });

  test("N4 does it twice and tells of one", async () => {
    const answers = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const key = freshKey();
      answers.add(await seen("duplicated", key));
      expect(await timesDone(key)).toBe(2);
    }
    expect([...answers].sort()).toEqual(["answered 1", "answered 2"]);
  });

  test("N5 lets a later call get there first", async () => {
    const key = freshKey();
    proxy.setRates({ reordered: 1 });
    const first = addOne(key);
    while (proxy.tally.of("calls") < 1) await new Promise(setImmediate);
    proxy.setRates({});
    const second = addOne(key);
    expect([(await first).Attributes?.n?.N, (await second).Attributes?.n?.N]).toEqual(["2", "1"]);
  });

  test("N6 refuses in the store's own words, and the SDK knows them for throttling", async () => {
    const key = freshKey();
    const answers = new Set<string>();
    for (let i = 0; i < 20; i++) answers.add(await seen("throttled", key));
    expect([...answers].sort()).toEqual([
      "400 ProvisionedThroughputExceededException",
      "400 RequestLimitExceeded",
      "400 ThrottlingException",
    ]);
    expect(await timesDone(key)).toBe(0);
  });

  test("N7 fails a row of calls", async () => {
    const key = freshKey();
    expect(await seen("burst", key)).toMatch(/^50[03] /);
    const bursts = proxy.tally.of("burst");
    proxy.setRates({ burst: 1 });
    for (let i = 0; i < 5; i++) expect(await seen("burst", key)).toMatch(/^50[03] /);
    expect(proxy.tally.of("burst")).toBe(bursts + 5);
    expect(await timesDone(key)).toBe(0);
  });

  test("N8 takes its time", async () => {
    const key = freshKey();
    expect(await seen("delayed", key)).toBe("answered 1");
    expect(await timesDone(key)).toBe(1);
  });

  test("N8 stalls until the client gives up, and does it all the same", async () => {
    const key = freshKey();
    client.destroy();
    client = new DynamoDBClient({
      ...local(proxy.url),
      maxAttempts: 1,
      requestHandler: { requestTimeout: 100, throwOnRequestTimeout: true },
    });
    for (let i = 0; i < 4; i++) expect(await seen("stalled", key)).toBe("broken off");
    expect(await timesDone(key)).toBe(4);
  });
});

describe.each(AWS_CLIENTS)("the store under every nemesis, called by %s", (_, connect) => {
  const names = Object.keys(NEMESES) as NemesisName[];

  test.each(names.filter((name) => fits(name, { service: "dynamodb", operation: "PutItem" })))(
    "records an event once, or says that it does not know: %s",
    async (nemesis) => {
      const aws = connect({ endpoint: proxy.url, answerTimeoutMs: 500 });
      const store: EventStore = createDynamoEventStore({ calls: aws.table, tableName: TABLE_NAME });
      const record = anEvent();
      proxy.setRates({ [nemesis]: 0.5 });
      for (let tries = 1; ; tries++) {
        try {
          const put = await store.putEvent(record);
          if (put.kind === "exists") expect(put.record).toEqual(record);
          break;
        } catch (error) {
          expect(error).toBeInstanceOf(BusError);
          expect(error).toMatchObject({ code: "unavailable", retryable: true });
          if (tries === 20) throw error;
        }
      }
      proxy.setRates({});
      await proxy.quiet();
      expect(await store.getEvent(record.event.id)).toEqual(record);
      aws.close();
    },
  );
});

describe.each(AWS_CLIENTS)("a batch of which keys stay unread, asked for by %s", (_, connect) => {
  let aws: AwsAt;
  let store: EventStore;
  beforeEach(() => {
    aws = connect({ endpoint: proxy.url });
    store = createDynamoEventStore({ calls: aws.table, tableName: TABLE_NAME });
  });
  afterEach(() => aws.close());

  test("N10 is read in the next rounds [history-3]", async () => {
    const records = Array.from({ length: 12 }, () => anEvent());
    for (const record of records) await store.putEvent(record);
    proxy.setRates({ keysUnprocessed: 0.5 });
    for (let i = 0; i < 5; i++) {
      const read = await store.getEvents(records.map(({ event }) => event.id));
      expect(read.map(({ event }) => event.id)).toEqual(records.map(({ event }) => event.id));
    }
    expect(proxy.tally.of("keysUnprocessed")).toBeGreaterThan(2);
  });

  test("N10 without end is told as a failure that can be retried, not as a short page [history-3]", async () => {
    const record = anEvent();
    await store.putEvent(record);
    proxy.setRates({ keysUnprocessed: 1 });
    await expect(store.getEvents([record.event.id])).rejects.toMatchObject({ code: "unavailable", retryable: true });
  });
});

describe("the proxy", () => {
  test("does the same to the same calls, by its seed", async () => {
    const told = async (seed: number): Promise<string[]> => {
      const own = await startFaultProxy({ seed, targets: { dynamodb: service.url } });
      own.setRates({ throttled: 0.3, burst: 0.1 });
      const ownClient = new DynamoDBClient({ ...local(own.url), maxAttempts: 1 });
      const outcomes: string[] = [];
      for (let i = 0; i < 30; i++)
        outcomes.push(
          await ownClient.send(new PutItemCommand({ TableName: TABLE_NAME, Item: freshKey() })).then(
            () => "done",
            (error: Error) => error.name,
          ),
        );
      ownClient.destroy();
      await own.close();
      return outcomes;
    };
    const first = await told(7);
    expect(await told(7)).toEqual(first);
    expect(await told(8)).not.toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(2);
  });

  test("tells of each call when it arrives and when it is done and nobody knows it yet", async () => {
    const moments: Moment[] = [];
    proxy.setHook((moment) => void moments.push(moment));
    await addOne(freshKey());
    expect(moments).toEqual([
      { call: 1, operation: "UpdateItem", phase: "arrived" },
      { call: 1, operation: "UpdateItem", phase: "answered" },
    ]);
  });

  test("breaks off calls while the store is not there, and goes on when it is elsewhere", async () => {
    const key = freshKey();
    proxy.setTarget("dynamodb", "http://127.0.0.1:1");
    await expect(addOne(key)).rejects.toThrow();
    proxy.setTarget("dynamodb", service.url);
    await addOne(key);
    expect(await timesDone(key)).toBe(1);
  });
});
