/** Run-time subscriptions in the table, and the index of those who want a type. */
import { ENTRY_PREFIX, keys, subscribersPk, TABLE } from "../../../shared/keys.ts";
import { REMOVED_ENTRY_MS } from "../../../shared/limits.ts";
import type { SubscriptionStore } from "../../../shared/subscriptions/store.ts";
import { number, text } from "./items.ts";
import { entryToItem, itemToEntry, itemToSubscription, subscriptionToItem } from "./subscription-items.ts";
import type { DynamoTable, Item } from "./table.ts";

/** A write that was under way when an entry was removed has long ended by then. */
const REMOVED_SECONDS = REMOVED_ENTRY_MS / 1_000;

/** @param nowSeconds epoch seconds */
export function subscriptionMethods(table: DynamoTable, nowSeconds: () => number): SubscriptionStore {
  const isAlive = (item: Item): boolean =>
    item["expires_at"] === undefined || number(item, "expires_at") > nowSeconds();

  return {
    async getSubscription(owner, subscriptionId) {
      const item = await table.get(keys.subscription(owner, subscriptionId));
      return item === null || !isAlive(item) ? null : itemToSubscription(item);
    },

    async listSubscriptions(owner, after, limit) {
      const found: Item[] = [];
      // A stretch is shorter than its limit where items are large; and what has expired counts for nothing.
      for (let place: string | undefined = after || " "; place !== undefined && found.length < limit; ) {
        const { items, lastKey } = await table.query({
          KeyConditionExpression: "pk = :pk AND sk > :after",
          // A sort key is never empty, nor may what it is compared with be.
          ExpressionAttributeValues: { ":pk": { S: keys.subscription(owner, "").pk }, ":after": { S: place } },
          ConsistentRead: true,
          Limit: limit - found.length,
        });
        found.push(...items.filter(isAlive));
        place = lastKey === undefined ? undefined : text(lastKey, TABLE.sortKey);
      }
      return found.map(itemToSubscription);
    },

    async replaceSubscription(next, seenVersion) {
      const isAbsent = "attribute_not_exists(pk)";
      const isAsSeen = "version = :seen";
      const hasExpired = "expires_at <= :now";
      const write =
        seenVersion === 0
          ? await table.replace(subscriptionToItem(next), {
              ConditionExpression: `${isAbsent} OR ${hasExpired}`,
              ExpressionAttributeValues: { ":now": { N: String(Math.floor(nowSeconds())) } },
            })
          : await table.replace(subscriptionToItem(next), {
              ConditionExpression: isAsSeen,
              ExpressionAttributeValues: { ":seen": { N: String(seenVersion) } },
            });
      return write.kind === "written";
    },

    async putEntry(entry) {
      const isAbsent = "attribute_not_exists(pk)";
      const isOlder = "version <= :version";
      // Versions begin anew once the subscription itself is forgotten.
      const hasExpired = "expires_at <= :now";
      await table.replace(entryToItem(entry, Math.ceil(nowSeconds()) + REMOVED_SECONDS), {
        ConditionExpression: `${isAbsent} OR ${isOlder} OR ${hasExpired}`,
        ExpressionAttributeValues: {
          ":version": { N: String(entry.version) },
          ":now": { N: String(Math.floor(nowSeconds())) },
        },
      });
    },

    async getEntries(eventType) {
      const items = await table.queryAll({
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": { S: subscribersPk(eventType) }, ":prefix": { S: ENTRY_PREFIX } },
        ConsistentRead: true,
      });
      return items.map(itemToEntry).filter(({ status }) => status !== "removed");
    },

    countEntries: (eventType, atMost) =>
      table.count(
        {
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
          FilterExpression: "#status <> :removed",
          ExpressionAttributeNames: { "#status": "status" },
          ExpressionAttributeValues: {
            ":pk": { S: subscribersPk(eventType) },
            ":prefix": { S: ENTRY_PREFIX },
            ":removed": { S: "removed" },
          },
        },
        atMost,
      ),

    async getGeneration(eventType) {
      const item = await table.get(keys.generation(eventType));
      return item === null ? 0 : number(item, "generation");
    },

    async bumpGeneration(eventType) {
      await table.update(keys.generation(eventType), {
        UpdateExpression: "ADD generation :one",
        ExpressionAttributeValues: { ":one": { N: "1" } },
      });
    },
  };
}
