/** Agents with keys in the table, each in a partition of its own: they are read at every call. */

import type { Policy } from "../../../shared/agents/policy.ts";
import type { AgentKey, AgentRecord } from "../../../shared/agents/records.ts";
import type { AgentStore } from "../../../shared/agents/store.ts";
import { agentListKeys, keys, TABLE } from "../../../shared/keys.ts";
import { FORMAT, json, number, strings, text } from "./items.ts";
import { type DynamoTable, type Item, toKey } from "./table.ts";

const { partitionKey, sortKey } = TABLE.indexes.work;

/** @param nowSeconds epoch seconds */
export function agentMethods(table: DynamoTable, nowSeconds: () => number): AgentStore {
  const isAlive = (item: Item): boolean =>
    item["expires_at"] === undefined || number(item, "expires_at") > nowSeconds();

  return {
    async getAgent(name) {
      const item = await table.get(keys.agent(name));
      return item === null || !isAlive(item) ? null : itemToAgent(item);
    },

    async replaceAgent(next, seenVersion) {
      const isAbsent = "attribute_not_exists(pk)";
      const isAsSeen = "version = :seen";
      const hasExpired = "expires_at <= :now";
      const write =
        seenVersion === 0
          ? await table.replace(agentToItem(next), {
              ConditionExpression: `${isAbsent} OR ${hasExpired}`,
              ExpressionAttributeValues: { ":now": { N: String(Math.floor(nowSeconds())) } },
            })
          : await table.replace(agentToItem(next), {
              ConditionExpression: isAsSeen,
              ExpressionAttributeValues: { ":seen": { N: String(seenVersion) } },
            });
      return write.kind === "written";
    },

    async listAgents(after, limit) {
      const found: AgentRecord[] = [];
      // What has expired counts for nothing, so a stretch may have to be followed by another.
      for (let place: string | null = after; place !== null && found.length < limit; ) {
        const names = await namesAfter(place, limit - found.length);
        const items = await table.getMany(names.map(keys.agent));
        const inOrder = items
          .filter(isAlive)
          .map(itemToAgent)
          .sort((a, b) => (a.name < b.name ? -1 : 1));
        found.push(...inOrder);
        place = names.at(-1) ?? null;
      }
      return found;
    },
  };

  async function namesAfter(after: string, limit: number): Promise<string[]> {
    const names: string[] = [];
    // A sort key is never empty, nor may what it is compared with be.
    for (let place: string | undefined = after || " "; place !== undefined && names.length < limit; ) {
      const { items, lastKey } = await table.query({
        IndexName: "work",
        KeyConditionExpression: `${partitionKey} = :pk AND ${sortKey} > :after`,
        ExpressionAttributeValues: { ":pk": { S: agentListKeys("").work_pk }, ":after": { S: place } },
        Limit: limit - names.length,
      });
      names.push(...items.map((item) => text(item, sortKey)));
      place = lastKey === undefined ? undefined : text(lastKey, sortKey);
    }
    return names;
  }
}

function agentToItem(record: AgentRecord): Item {
  const { name, expiresAt } = record;
  return {
    ...toKey(keys.agent(name)),
    ...FORMAT,
    ...strings({
      name,
      policy: JSON.stringify(record.policy),
      status: record.status,
      keys: JSON.stringify(record.keys),
      created_at: record.createdAt,
      updated_at: record.updatedAt,
      ...agentListKeys(name),
    }),
    version: { N: String(record.version) },
    ...(expiresAt === undefined ? {} : { expires_at: { N: String(expiresAt) } }),
  };
}

function itemToAgent(item: Item): AgentRecord {
  return {
    name: text(item, "name"),
    policy: json<Policy>(item, "policy"),
    status: text(item, "status") as AgentRecord["status"],
    keys: json<AgentKey[]>(item, "keys"),
    createdAt: text(item, "created_at"),
    updatedAt: text(item, "updated_at"),
    version: number(item, "version"),
    ...(item.expires_at === undefined ? {} : { expiresAt: number(item, "expires_at") }),
  };
}
