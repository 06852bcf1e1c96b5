import type { Context, SQSBatchResponse, SQSRecord } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { deliveryToItem } from "../../../functions/runtime/dynamo/subscription-items.ts";
import { newDelivery } from "../../../shared/deliveries/delivery.ts";
import { keys } from "../../../shared/keys.ts";
import { isoAt } from "../../../shared/time.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";
import { PlayedServices } from "../../support/played-services.ts";

/** The functions that AWS calls with batches, with clients as deployed, on services that are played by a local server. */

// Each function is loaded for it.
vi.setConfig({ testTimeout: 30_000 });

const services = new PlayedServices();

beforeAll(() => services.start());
afterAll(() => services.close());
beforeEach(() => services.reset());

const context = (leftMs = 30_000): Context =>
  ({ functionName: "one", awsRequestId: "r", getRemainingTimeInMillis: () => leftMs }) as Context;

const message = (messageId: string, body: object | string, attributes: object = {}): SQSRecord =>
  ({
    messageId,
    receiptHandle: `receipt of ${messageId}`,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: "1", ...attributes },
    messageAttributes: {},
  }) as unknown as SQSRecord;

const comingAgain = ({ batchItemFailures }: SQSBatchResponse): string[] =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

const of = (operation: string): PlayedServices["calls"][number]["body"][] =>
  services.calls.filter((call) => call.operation === operation).map(({ body }) => body);

const HOUR_MS = 3_600_000;

/** A webhook that is to be called in so many milliseconds. */
function waiting(eventId: string, inMs: number): { owner: string; subscriptionId: string; eventId: string } {
  const nowMs = Date.now();
  const task = { owner: "agent", subscriptionId: "hook", eventId };
  const times = { nowMs, fence: "f", expiresAt: Math.ceil((nowMs + HOUR_MS) / 1_000) };
  const delivery = newDelivery(
    { id: eventId, type: "MESSAGE_RECEIVED" },
    { ...task, name: "hook", kind: "webhook" },
    times,
  );
  const item = deliveryToItem({ ...delivery, nextAttemptAt: isoAt(nowMs + inMs) });
  services.put(item);
  return task;
}

describe("the function that calls webhooks", () => {
  const deliver = async (...records: SQSRecord[]) => {
    const { handler } = await import("../../../functions/deliver-webhook.ts");
    return comingAgain(await handler({ Records: records }, context()));
  };

  it("hides what is to be tried soon until then, and leaves it in its queue [deliver-6]", async () => {
    expect(await deliver(message("soon", waiting("e-1", 60_000)))).toEqual(["soon"]);
    const [hidden] = of("ChangeMessageVisibility");
    expect(hidden?.["ReceiptHandle"]).toBe("receipt of soon");
    expect(hidden?.["VisibilityTimeout"]).toBeGreaterThan(50);
    expect(hidden?.["VisibilityTimeout"]).toBeLessThanOrEqual(60);
  });

  it("takes out of its queue what is done, and what the reconciler will send for", async () => {
    const done = { owner: "agent", subscriptionId: "hook", eventId: "e-2" };
    expect(await deliver(message("done", done), message("far", waiting("e-3", HOUR_MS)))).toEqual([]);
    expect(of("ChangeMessageVisibility")).toEqual([]);
  });

  it("leaves what it could not look up to be brought again", async () => {
    services.isTableAway = true;
    expect(await deliver(message("one", waiting("e-4", 0)))).toEqual(["one"]);
  });

  it.each([["owner"], ["subscriptionId"], ["eventId"]])("does not take for a task what has no %s", async (part) => {
    const task: Record<string, string> = { owner: "agent", subscriptionId: "hook", eventId: "e-5" };
    delete task[part];
    expect(await deliver(message("one", task))).toEqual(["one"]);
    expect(of("GetItem")).toEqual([]);
  });
});

describe("the function that dispatches events", () => {
  const dispatch = async (...records: SQSRecord[]) => {
    const { handler } = await import("../../../functions/dispatch.ts");
    return comingAgain(await handler({ Records: records }, context()));
  };

  it("looks for who subscribes, and has only those events come again that failed", async () => {
    const good = message("good", { detail: deliveredEvent({ id: "e-1" }) });
    expect(await dispatch(good, message("broken", "no JSON"))).toEqual(["broken"]);
    expect(of("Query").map((query) => query["ExpressionAttributeValues"])).toHaveLength(1);
  });

  it("loses no event when the table does not answer", async () => {
    services.isTableAway = true;
    const { id } = deliveredEvent({ id: "e-2" });
    expect(await dispatch(message(id, { detail: deliveredEvent({ id }) }))).toEqual([id]);
  });
});

describe("the function that records dead letters", () => {
  const record = async (...records: SQSRecord[]) => {
    const { handler } = await import("../../../functions/dead-letters.ts");
    return comingAgain(await handler({ Records: records }, context()));
  };
  const origin = { DeadLetterQueueSourceArn: "arn:aws:sqs:eu-west-1:111122223333:Bus-agent-librarian" };
  const letter = (id: string) => message(id, { detail: deliveredEvent({ id }) }, origin);

  it("writes down each by itself; what it cannot make anything of stays in the queue [deliver-1]", async () => {
    expect(await record(letter("e-1"), message("odd", { detail: {} }, origin))).toEqual(["odd"]);
    const [written, ...more] = of("PutItem").map(({ Item }) => Item ?? {});
    expect(more).toEqual([]);
    expect(written?.["pk"]?.S).toBe(keys.event("e-1").pk);
    expect([written?.["state"]?.S, written?.["name"]?.S]).toEqual(["DEAD", "librarian"]);
  });

  it("keeps what could not be written", async () => {
    services.isTableAway = true;
    expect(await record(letter("e-2"))).toEqual(["e-2"]);
  });
});

describe("the function that reconciles", () => {
  const reconcile = async (leftMs: number) => {
    const { handler } = await import("../../../functions/reconcile.ts");
    return handler({}, context(leftMs));
  };

  it("looks for all kinds of work, and says what it did", async () => {
    expect(await reconcile(60_000)).toEqual({
      published: 0,
      ended: 0,
      tended: 0,
      failed: 0,
      oldest_unpublished_ms: 0,
    });
    const partitions = of("Query").map((query) => JSON.stringify(query["ExpressionAttributeValues"]));
    for (const kind of ["publish", "deadline", "subscription", "delivery"])
      expect(partitions.some((values) => values.includes(`WORK#${kind}#`))).toBe(true);
  });

  it("begins nothing that its time is too short for", async () => {
    await reconcile(9_000);
    expect(services.calls).toEqual([]);
  });
});
