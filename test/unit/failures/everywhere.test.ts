import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { BusError } from "../../../shared/errors.ts";
import { AWS_CLIENTS } from "../../support/aws-clients.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory } from "../../support/call-in-memory.ts";
import { codeOf } from "../../support/failures.ts";

describe.each(AWS_CLIENTS)("a service that fails, called by %s", (_, connect) => {
  it("is called twice and no more: there is one layer that tries again [all-1]", async () => {
    let calls = 0;
    const server = createServer((request, response) => {
      calls++;
      request.resume();
      response.writeHead(500, { "content-type": "application/x-amz-json-1.0" }).end('{"__type":"InternalServerError"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const aws = connect({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const store = createDynamoEventStore({ calls: aws.table, tableName: "bus" });
    expect(await codeOf(store.getEvent("id"))).toBe("unavailable");
    expect(calls).toBe(2);
    aws.close();
    server.close();
  });
});

describe("an outage of everything behind the bus", () => {
  const body = { type: "CONTEXT_REQUESTED", data: {} };
  it.each([
    ["an event", "POST", "/events", body],
    ["a request", "POST", "/requests", { ...body, timeout: 1 }],
    ["an answer", "POST", "/events/id/responses", { response: {}, reply_token: "token" }],
    ["a look at an event", "GET", "/events/id", undefined],
    ["a page of history", "GET", "/events", undefined],
    ["a subscription", "POST", "/subscriptions", { name: "a", event_types: [body.type], target: { kind: "queue" } }],
    ["a poll", "GET", "/subscriptions/id/messages", undefined],
    ["a look at dead deliveries", "GET", "/deliveries?status=dead", undefined],
  ])(
    "%s is refused for now, with the time to come again; nothing is acknowledged [all-4]",
    async (_, method, path, sent) => {
      const bus = busInMemory();
      const isDown = () => Promise.reject(new BusError("unavailable", "The store did not answer."));
      const store = new Proxy(bus.store, { get: () => isDown });
      bus.publisher.failure = "ServiceUnavailable";
      const { status, headers } = await callInMemory({ ...bus, deps: { ...bus.deps, store } }, method, path, {
        body: sent,
      });
      expect([status, Number(headers.get("retry-after")) > 0]).toEqual([503, true]);
    },
  );
});

describe("no write is half done:", () => {
  it("none is part of a batch, of which a service may leave some items out [cleanup-2]", () => {
    const files = ["shared", "functions", "local", "infra"].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => join(folder, file)),
    );
    expect(files.length).toBeGreaterThan(100);
    const batching = files.filter((file) =>
      /\b(BatchWriteItem|TransactWriteItems)(Command)?\b/.test(readFileSync(file, "utf8")),
    );
    expect(batching).toEqual([]);
  });
});
