/** What is read through indexes and partitions: history, due work, listeners; and the small counters and settings. */
import { heldPartition, keys, listenerPk, TABLE, untilOf, workPartitions } from "../../../shared/keys.ts";
import type { EventStore, HistoryQuery, HistorySlice } from "../../../shared/ports.ts";
import { itemToListener, listenerToItem, number, text } from "./items.ts";
import { type DynamoTable, type Item, toKey } from "./table.ts";

export type IndexMethods = Pick<
  EventStore,
  | "readHistory"
  | "findDueWork"
  | "putListener"
  | "deleteListener"
  | "getListeners"
  | "countHeld"
  | "getConversationCount"
  | "addToConversationCount"
  | "getOrCreateSecret"
>;

export function indexMethods(table: DynamoTable): IndexMethods {
  return {
    readHistory: (query) => readHistory(table, query),

    async findDueWork(kind, dueBefore, limit) {
      const { partitionKey, sortKey } = TABLE.indexes.work;
      const slices = await Promise.all(
        workPartitions(kind).map((partition) =>
          table.query({
            IndexName: "work",
            KeyConditionExpression: `${partitionKey} = :partition AND ${sortKey} < :due`,
            ExpressionAttributeValues: { ":partition": { S: partition }, ":due": { S: dueBefore } },
            Limit: limit,
          }),
        ),
      );
      const due = slices.flatMap((slice) => slice.items.map((item) => text(item, sortKey))).sort();
      return due.slice(0, limit).map((key) => key.slice(key.indexOf("#") + 1));
    },

    async putListener(lease) {
      await table.put(listenerToItem(lease));
    },

    async deleteListener({ eventType, name, streamId }) {
      await table.delete(keys.listener(eventType, name, streamId));
    },

    async getListeners(eventType, nowMs) {
      const items = await table.queryAll({
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: listenerPk(eventType) } },
        ConsistentRead: true,
      });
      return items.map(itemToListener).filter((lease) => lease.leasedUntil > nowMs);
    },

    async countHeld(kind, agentId, at, atMost) {
      const { partitionKey, sortKey } = TABLE.indexes.by_agent;
      const held = {
        IndexName: "by_agent",
        KeyConditionExpression: `${partitionKey} = :partition AND ${sortKey} > :at`,
        ExpressionAttributeValues: { ":partition": { S: heldPartition(kind, agentId) }, ":at": { S: at } },
      };
      const count = await table.count(held, atMost);
      if (count < atMost) return { count, firstEndsAt: null };
      const [first] = (await table.query({ ...held, Limit: 1 })).items;
      return { count, firstEndsAt: first === undefined ? null : untilOf(text(first, sortKey)) };
    },

    async getConversationCount(correlationId) {
      const item = await table.get(keys.conversationBudget(correlationId), "eventual");
      return item === null ? 0 : number(item, "events");
    },

    async addToConversationCount(correlationId, events, expiresAt) {
      await table.update(keys.conversationBudget(correlationId), {
        UpdateExpression: "ADD events :events SET expires_at = :expires",
        ExpressionAttributeValues: { ":events": { N: String(events) }, ":expires": { N: String(expiresAt) } },
      });
    },

    async getOrCreateSecret(key, candidate) {
      const secretOf = async (): Promise<string | null> => (await table.get(key))?.["secret"]?.S ?? null;
      const standing = await secretOf();
      if (standing !== null) return standing;
      const put = await table.create({ ...toKey(key), secret: { S: candidate } }, 0);
      return put.kind === "written" ? candidate : ((await secretOf()) ?? candidate);
    },
  };
}

async function readHistory(table: DynamoTable, query: HistoryQuery): Promise<HistorySlice> {
  // BETWEEN includes its bounds: a space moves the lower one past itself, the upper one is left out below.
  const lowest = `${query.after} `;
  if (lowest > query.before) return { positions: [], readUpTo: null };
  const { partitionKey, sortKey } = TABLE.indexes[query.index];
  const filters = (["type", "agent_type"] as const).flatMap((field) => {
    const value = query[field];
    return value === undefined ? [] : [{ field, value }];
  });
  const { items, lastKey } = await table.query({
    IndexName: query.index,
    KeyConditionExpression: `${partitionKey} = :partition AND ${sortKey} BETWEEN :after AND :before`,
    ExpressionAttributeValues: {
      ":partition": { S: query.partition },
      ":after": { S: lowest },
      ":before": { S: query.before },
      ...Object.fromEntries(filters.map(({ field, value }) => [`:${field}`, { S: value }])),
    },
    ...(filters.length === 0
      ? {}
      : {
          FilterExpression: filters.map(({ field }) => `#${field} = :${field}`).join(" AND "),
          ExpressionAttributeNames: Object.fromEntries(filters.map(({ field }) => [`#${field}`, field])),
        }),
    ScanIndexForward: query.order === "asc",
    Limit: query.limit,
  });
  const positions = items.map((item: Item) => text(item, sortKey)).filter((position) => position !== query.before);
  return { positions, readUpTo: lastKey === undefined ? null : text(lastKey, sortKey) };
}
