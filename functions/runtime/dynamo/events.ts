/** Events in the table: recorded once, read by id, marked as published, taken on by the relay. */
import { keys, workKeys } from "../../../shared/keys.ts";
import type { EventStore } from "../../../shared/ports.ts";
import type { CreateOutcome, EventRecord } from "../../../shared/records.ts";
import { bodyHashOf, eventToItems, itemToEnvelope, itemToEvent, number } from "./items.ts";
import { type DynamoTable, type Item, standing } from "./table.ts";

export type EventMethods = Pick<
  EventStore,
  "putEvent" | "getEvent" | "getEnvelope" | "getEnvelopes" | "getEvents" | "markPublished" | "leaseForRelay"
>;

/** @param nowSeconds epoch seconds: what has expired is not served, whenever TTL removes it */
export function eventMethods(table: DynamoTable, nowSeconds: () => number): EventMethods {
  const isAlive = (item: Item): boolean => number(item, "expires_at") > nowSeconds();

  const getMeta = async (eventId: string): Promise<Item | null> => {
    const meta = await table.get(keys.event(eventId));
    return meta === null || !isAlive(meta) ? null : meta;
  };

  const getMetas = (eventIds: readonly string[]): Promise<Item[]> =>
    table.getManyUnchanging(
      eventIds.map((id) => keys.event(id)),
      isAlive,
    );

  const getEvent = async (eventId: string): Promise<EventRecord | null> => {
    const meta = await getMeta(eventId);
    if (meta === null) return null;
    const bodyHash = bodyHashOf(meta);
    const body = bodyHash === null ? null : await table.get(keys.body(eventId, bodyHash));
    return itemToEvent(meta, body?.["data"]?.S);
  };

  return {
    getEvent,

    async getEnvelope(eventId) {
      const meta = await getMeta(eventId);
      return meta === null ? null : itemToEnvelope(meta);
    },

    getEnvelopes: async (eventIds) => (await getMetas(eventIds)).map(itemToEnvelope),

    async putEvent(record): Promise<CreateOutcome<EventRecord>> {
      const { meta, body } = eventToItems(record);
      // Its key holds the payload's hash, so that whoever loses the race for META has not changed the winner's data.
      if (body !== null) await table.put(body);
      // I1: from here on the event is never lost. I5: whoever comes second finds the first.
      const put = await table.create(meta, nowSeconds());
      if (put.kind === "written") return { kind: "created" };
      return { kind: "exists", record: standing(await getEvent(record.event.id)) };
    },

    async getEvents(eventIds) {
      const metas = await getMetas(eventIds);
      const bodies = await bodiesOf(table, metas);
      const byId = new Map(metas.map((meta) => [meta["id"]?.S, itemToEvent(meta, bodies.get(meta["pk"]?.S ?? ""))]));
      return eventIds.flatMap((id) => byId.get(id) ?? []);
    },

    async markPublished(eventId) {
      await table.update(keys.event(eventId), {
        UpdateExpression: "SET published = :true REMOVE work_pk, work_sk",
        ConditionExpression: "attribute_exists(pk)",
        ExpressionAttributeValues: { ":true": { BOOL: true } },
      });
    },

    async leaseForRelay(eventId, attemptsSeen, until) {
      const isUnpublished = "published = :false";
      const nobodyCameBetween = "relay_attempts = :seen";
      const write = await table.update(keys.event(eventId), {
        UpdateExpression: "SET relay_attempts = :next, work_sk = :until",
        ConditionExpression: `${isUnpublished} AND ${nobodyCameBetween}`,
        ExpressionAttributeValues: {
          ":false": { BOOL: false },
          ":seen": { N: String(attemptsSeen) },
          ":next": { N: String(attemptsSeen + 1) },
          ":until": { S: workKeys("publish", eventId, until).work_sk },
        },
      });
      return write.kind === "written";
    },
  };
}

/** The data that stands in items of its own, by partition key. */
async function bodiesOf(table: DynamoTable, metas: readonly Item[]): Promise<Map<string, string>> {
  const wanted = metas.flatMap((meta) => {
    const hash = bodyHashOf(meta);
    return hash === null ? [] : [keys.body(meta["id"]?.S ?? "", hash)];
  });
  const bodies = await table.getManyUnchanging(wanted, () => true);
  return new Map(bodies.map((body) => [body["pk"]?.S ?? "", body["data"]?.S ?? ""]));
}
