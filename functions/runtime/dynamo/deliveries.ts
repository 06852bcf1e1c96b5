/** Deliveries in the table: found by event, by who polls a queue, by the reconciler, and by who redrives. */
import { DELIVERY_PREFIX, deadKeys, keys, messageKeys, TABLE } from "../../../shared/keys.ts";
import type { CreateOutcome } from "../../../shared/records.ts";
import type { DeliveryRecord } from "../../../shared/subscriptions/records.ts";
import type { DeliveryStore } from "../../../shared/subscriptions/store.ts";
import { number, text } from "./items.ts";
import { deliveryToItem, itemToDelivery } from "./subscription-items.ts";
import { type DynamoTable, type Item, standing } from "./table.ts";

/** @param nowSeconds epoch seconds */
export function deliveryMethods(table: DynamoTable, nowSeconds: () => number): DeliveryStore {
  const isAlive = (item: Item): boolean => number(item, "expires_at") > nowSeconds();

  const getDelivery: DeliveryStore["getDelivery"] = async ({ eventId, subscriptionId }) => {
    const item = await table.get(keys.delivery(eventId, subscriptionId));
    return item === null || !isAlive(item) ? null : itemToDelivery(item);
  };

  return {
    getDelivery,

    async createDelivery(delivery): Promise<CreateOutcome<DeliveryRecord>> {
      const put = await table.create(deliveryToItem(delivery), nowSeconds());
      if (put.kind === "written") return { kind: "created" };
      return { kind: "exists", record: standing(await getDelivery(delivery)) };
    },

    async getDeliveriesOf(refs) {
      const items = await table.getMany(refs.map((ref) => keys.delivery(ref.eventId, ref.subscriptionId)));
      return items.filter(isAlive).map(itemToDelivery);
    },

    async getDeliveries(eventId) {
      const items = await table.queryAll({
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": { S: keys.event(eventId).pk }, ":prefix": { S: DELIVERY_PREFIX } },
        ConsistentRead: true,
      });
      return items.filter(isAlive).map(itemToDelivery);
    },

    async replaceDelivery(next, seenFence) {
      const write = await table.replace(deliveryToItem(next), {
        ConditionExpression: "fence = :seen",
        ExpressionAttributeValues: { ":seen": { S: seenFence } },
      });
      return write.kind === "written";
    },

    async findMessages(subscriptionId, visibleBefore, limit) {
      const { partitionKey, sortKey } = TABLE.indexes.work;
      const { items } = await table.query({
        IndexName: "work",
        KeyConditionExpression: `${partitionKey} = :queue AND ${sortKey} < :before`,
        ExpressionAttributeValues: {
          ":queue": { S: messageKeys(subscriptionId, "", "").work_pk },
          ":before": { S: visibleBefore },
        },
        Limit: limit,
      });
      return items.map((item) => afterHash(text(item, sortKey)));
    },

    async findDead(owner, subscriptionId, after, limit) {
      const { partitionKey, sortKey } = TABLE.indexes.work;
      const { work_pk, work_sk } = deadKeys(owner, subscriptionId ?? "", "", "");
      // Without a subscription there is nothing that all begin with.
      const prefix = subscriptionId === undefined ? "" : work_sk.slice(0, -1);
      const { items, lastKey } = await table.query({
        IndexName: "work",
        KeyConditionExpression: `${partitionKey} = :dead AND ${sortKey} BETWEEN :after AND :before`,
        ExpressionAttributeValues: {
          ":dead": { S: work_pk },
          // BETWEEN includes its bounds: a space moves the lower one past itself.
          ":after": { S: after === "" ? prefix || " " : `${after} ` },
          ":before": { S: `${prefix}~` },
        },
        Limit: limit,
      });
      const places = items.map((item) => text(item, sortKey));
      return {
        refs: places.map((place) => ({
          subscriptionId: place.slice(0, place.indexOf("#")),
          eventId: eventIdAt(place),
        })),
        next: lastKey === undefined ? null : text(lastKey, sortKey),
      };
    },
  };
}

const afterHash = (place: string): string => place.slice(place.indexOf("#") + 1);
const eventIdAt = (place: string): string => place.slice(place.lastIndexOf("#") + 1);
