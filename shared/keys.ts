/**
 * Keys, indexes and access patterns of the one table. Built here and nowhere else.
 *
 * | what                     | pk                        | sk                     | read by                              |
 * | ------------------------ | ------------------------- | ---------------------- | ------------------------------------ |
 * | an event                 | EVENT#<id>                | META                   | id; the four history indexes         |
 * | its data when over 4 KB  | EVENT#<id>                | BODY#<payload hash>    | id                                   |
 * | the wait for its answer  | EVENT#<id>                | REQUEST                | id                                   |
 * | an answer                | EVENT#<id>                | RESPONSE#<response id> | id                                   |
 * | its way to a subscriber  | EVENT#<id>                | DELIVERY#<subscription> | id; the work index, until delivered |
 * | a stream or queue that   | LISTENER#<type or *>      | <name>#<stream or      | type                                 |
 * | somebody listens to      |                           | subscription id>       |                                      |
 * | a run-time subscription  | SUBSCRIPTIONS_OF#<agent>  | <subscription id>      | agent and id                         |
 * | who wants a type         | SUBSCRIBERS#<type>        | ENTRY#<subscription>   | type                                 |
 * | how often that changed   | SUBSCRIBERS#<type>        | GENERATION             | type                                 |
 * | an agent with keys       | AGENT#<name>              | AGENT                  | name; the work index, to list them   |
 * | a conversation's budget  | CONVERSATION#<id>         | BUDGET                 | conversation                         |
 * | an agent's bucket of     | RATE#<agent>              | BUCKET                 | agent                                |
 * | tokens for its calls     |                           |                        |                                      |
 * | how long answers to a    | ANSWER_TIMES#<type>       | ANSWER_TIMES           | type                                 |
 * | type have taken          |                           |                        |                                      |
 * | the cursor signing key   | SETTINGS                  | CURSOR_KEY             |                                      |
 *
 * The history indexes sort by `<timestamp>#<id>` and hold only what filters need, all of it immutable, so that
 * marking an event as published never writes to them. The work index is sparse: what is done leaves it. Beside the
 * reconciler's work it holds what waits for others, messages in queues and dead deliveries, and the list of agents.
 * Requests that are pending, and subscriptions, stand in the index by agent, in partitions of their own, to be counted.
 */
import { INDEX_SHARDS, WORK_SHARDS } from "./limits.ts";

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

const eventPk = (eventId: string): string => `EVENT#${eventId}`;

export const keys = {
  event: (eventId: string): ItemKey => ({ pk: eventPk(eventId), sk: "META" }),
  body: (eventId: string, payloadHash: string): ItemKey => ({ pk: eventPk(eventId), sk: `BODY#${payloadHash}` }),
  request: (eventId: string): ItemKey => ({ pk: eventPk(eventId), sk: "REQUEST" }),
  response: (eventId: string, responseId: string): ItemKey => ({
    pk: eventPk(eventId),
    sk: `${RESPONSE_PREFIX}${responseId}`,
  }),
  listener: (eventType: string, name: string, streamId: string): ItemKey => ({
    pk: listenerPk(eventType),
    sk: `${name}#${streamId}`,
  }),
  delivery: (eventId: string, subscriptionId: string): ItemKey => ({
    pk: eventPk(eventId),
    sk: `${DELIVERY_PREFIX}${subscriptionId}`,
  }),
  subscription: (owner: string, subscriptionId: string): ItemKey => ({
    pk: `SUBSCRIPTIONS_OF#${owner}`,
    sk: subscriptionId,
  }),
  entry: (eventType: string, subscriptionId: string): ItemKey => ({
    pk: subscribersPk(eventType),
    sk: `${ENTRY_PREFIX}${subscriptionId}`,
  }),
  generation: (eventType: string): ItemKey => ({ pk: subscribersPk(eventType), sk: "GENERATION" }),
  agent: (name: string): ItemKey => ({ pk: `AGENT#${name}`, sk: "AGENT" }),
  conversationBudget: (correlationId: string): ItemKey => ({ pk: `CONVERSATION#${correlationId}`, sk: "BUDGET" }),
  bucket: (agentId: string): ItemKey => ({ pk: `RATE#${agentId}`, sk: "BUCKET" }),
  answerTimes: (eventType: string): ItemKey => ({ pk: `ANSWER_TIMES#${eventType}`, sk: "ANSWER_TIMES" }),
  cursorKey: (): ItemKey => ({ pk: "SETTINGS", sk: "CURSOR_KEY" }),
} as const;

/** All responses to an event stand behind this prefix in its partition. */
export const RESPONSE_PREFIX = "RESPONSE#";

/** All deliveries of an event stand behind this prefix in its partition. */
export const DELIVERY_PREFIX = "DELIVERY#";

/** The partition of those who subscribe to a type at run time, and what stands before each of them. */
export const subscribersPk = (eventType: string): string => `SUBSCRIBERS#${eventType}`;
export const ENTRY_PREFIX = "ENTRY#";

/** The partition of the streams that listen to a type; `*` for those that listen to all. */
export const listenerPk = (eventType: string): string => `LISTENER#${eventType}`;

/** The event id of an item in an event's partition. */
export const eventIdOf = (pk: string): string => pk.slice("EVENT#".length);

/** Attribute names of the table and its indexes, as infrastructure and the embedded store create them. */
export const TABLE = {
  partitionKey: "pk",
  sortKey: "sk",
  ttlAttribute: "expires_at",
  indexes: {
    by_type: { partitionKey: "type_pk", sortKey: "time_sk" },
    by_agent: { partitionKey: "agent_pk", sortKey: "time_sk" },
    by_conversation: { partitionKey: "conversation_pk", sortKey: "time_sk" },
    by_time: { partitionKey: "all_pk", sortKey: "time_sk" },
    work: { partitionKey: "work_pk", sortKey: "work_sk" },
  },
  /** Immutable fields that the history indexes carry beside their keys; the work index carries keys only. */
  historyProjection: ["type", "agent_type"],
} as const;

export type HistoryIndex = Exclude<keyof typeof TABLE.indexes, "work">;

/** A position in history: sorts as time does, and is unique. */
export const timeKey = (timestamp: string, eventId: string): string => `${timestamp}#${eventId}`;

/** The index attributes of an event. */
export function historyKeys(event: {
  id: string;
  type: string;
  agent_type?: string;
  correlation_id: string;
  timestamp: string;
}): Record<string, string> {
  const shard = shardOf(event.id, INDEX_SHARDS);
  return {
    type_pk: `TYPE#${event.type}#${shard}`,
    ...(event.agent_type === undefined ? {} : { agent_pk: `AGENT#${event.agent_type}#${shard}` }),
    conversation_pk: `CONVERSATION#${event.correlation_id}`,
    all_pk: `ALL#${shard}`,
    time_sk: timeKey(event.timestamp, event.id),
  };
}

/** The timestamp of a position. */
export const untilOf = (position: string): string => position.slice(0, position.indexOf("#"));

/** What an agent has at this moment, and is counted against a cap of its own. */
export type HeldKind = "wait" | "subscription";

/** The partition of what an agent has of a kind, in the index by agent: beside history's, and apart from it. */
export const heldPartition = (kind: HeldKind, agentId: string): string => `HELD#${kind}#${agentId}`;

/** The index attributes of something that an agent has until an instant (ISO 8601). */
export const heldKeys = (kind: HeldKind, agentId: string, until: string, id: string): Record<string, string> => ({
  [TABLE.indexes.by_agent.partitionKey]: heldPartition(kind, agentId),
  [TABLE.indexes.by_agent.sortKey]: timeKey(until, id),
});

/** The partitions that together hold the whole of one selection, and the index they are in. */
export interface HistoryWay {
  readonly index: HistoryIndex;
  readonly partitions: readonly string[];
}

/** The ways to one selection, each of which leads to all of it; first the one that is likely to be the shortest. */
export function historyWays(selection: {
  type?: string;
  agent_type?: string;
  correlation_id?: string;
}): readonly [HistoryWay, ...HistoryWay[]] {
  const { type, agent_type, correlation_id } = selection;
  const sharded = (index: HistoryIndex, name: string): HistoryWay => ({
    index,
    partitions: Array.from({ length: INDEX_SHARDS }, (_, shard) => `${name}#${shard}`),
  });
  // A conversation is short, an agent has fewer events than a type has; but there are types that hardly ever occur.
  if (correlation_id !== undefined)
    return [{ index: "by_conversation", partitions: [`CONVERSATION#${correlation_id}`] }];
  const ofType = type === undefined ? [] : [sharded("by_type", `TYPE#${type}`)];
  if (agent_type !== undefined) return [sharded("by_agent", `AGENT#${agent_type}`), ...ofType];
  const [way = sharded("by_time", "ALL")] = ofType;
  return [way];
}

/**
 * What the reconciler finds in the work index: an event to be published, a request to be ended, a subscription or a
 * delivery to be looked after.
 */
export type WorkKind = "publish" | "deadline" | "subscription" | "delivery";

export interface WorkKeys {
  readonly work_pk: string;
  readonly work_sk: string;
}

/** Work attributes: due at an instant (ISO 8601). */
export const workKeys = (kind: WorkKind, id: string, dueAt: string): WorkKeys => ({
  work_pk: `WORK#${kind}#${shardOf(id, WORK_SHARDS)}`,
  work_sk: `${dueAt}#${id}`,
});

export const workPartitions = (kind: WorkKind): string[] =>
  Array.from({ length: WORK_SHARDS }, (_, shard) => `WORK#${kind}#${shard}`);

/** A subscription as a piece of work, and back. Ids of agents may hold anything, ids of subscriptions no `#`. */
export const subscriptionWorkId = (owner: string, subscriptionId: string): string => `${owner}#${subscriptionId}`;

export function readSubscriptionWorkId(id: string): { owner: string; subscriptionId: string } {
  const hash = id.lastIndexOf("#");
  return { owner: id.slice(0, hash), subscriptionId: id.slice(hash + 1) };
}

/** A delivery as a piece of work, and back. Ids of events hold no slash. */
export const deliveryWorkId = (eventId: string, subscriptionId: string): string => `${eventId}/${subscriptionId}`;

export function readDeliveryWorkId(id: string): { eventId: string; subscriptionId: string } {
  const slash = id.indexOf("/");
  return { eventId: id.slice(0, slash), subscriptionId: id.slice(slash + 1) };
}

/** A message in a pull queue: visible from an instant (ISO 8601) on. */
export const messageKeys = (subscriptionId: string, eventId: string, visibleAt: string): WorkKeys => ({
  work_pk: `QUEUE#${subscriptionId}`,
  work_sk: `${visibleAt}#${eventId}`,
});

/** A dead delivery, among all that its owner has; by subscription, then by the instant (ISO 8601) of its death. */
export const deadKeys = (owner: string, subscriptionId: string, diedAt: string, eventId: string): WorkKeys => ({
  work_pk: `DEAD#${owner}`,
  work_sk: `${subscriptionId}#${diedAt}#${eventId}`,
});

/** An agent with keys, among all that there are. */
export const agentListKeys = (name: string): WorkKeys => ({ work_pk: "AGENTS", work_sk: name });

/** FNV-1a (32 bit): spreads ids evenly and costs nothing. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function shardOf(id: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}
