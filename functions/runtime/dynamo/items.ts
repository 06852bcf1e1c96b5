/** Records as items and back. `data` and `response` are kept as JSON text: exact, and cheap to read and write. */
import type { JsonObject } from "../../../shared/json.ts";
import { heldKeys, historyKeys, keys, workKeys } from "../../../shared/keys.ts";
import { MAX_INLINE_DATA_BYTES } from "../../../shared/limits.ts";
import type {
  EnvelopeRecord,
  EventRecord,
  Expect,
  ListenerLease,
  RequestRecord,
  RequestState,
  ResponseRecord,
  ResponseStatus,
} from "../../../shared/records.ts";
import { type Item, toKey } from "./table.ts";

/** Written into every item: what a later version reads it by. */
export const FORMAT = { v: { N: "1" } };

/** `META`, and `BODY` when the data is large; `BODY` is to be written first. */
export function eventToItems(record: EventRecord): { meta: Item; body: Item | null } {
  const { event } = record;
  const data = JSON.stringify(event.data);
  const isLarge = Buffer.byteLength(data) > MAX_INLINE_DATA_BYTES;
  const expires_at = { N: String(record.expiresAt) };
  const { pk, sk } = keys.event(event.id);
  const meta: Item = {
    pk: { S: pk },
    sk: { S: sk },
    v: FORMAT.v,
    id: { S: event.id },
    type: { S: event.type },
    timestamp: { S: event.timestamp },
    correlation_id: { S: event.correlation_id },
    source: { S: event.source },
    kind: { S: record.kind },
    payload_hash: { S: record.payloadHash },
    reply_token: { S: record.replyToken },
    commit_id: { S: record.commitId },
    hops: { N: String(event.hops) },
    published: { BOOL: record.published },
    relay_attempts: { N: String(record.relayAttempts) },
    expires_at,
  };
  const { agent_type, causation_id, deadline, traceparent } = event;
  addTexts(meta, { agent_type, causation_id, deadline, traceparent });
  addTexts(meta, isLarge ? { body_hash: record.payloadHash } : { data });
  addTexts(meta, historyKeys(event));
  if (!record.published) addTexts(meta, { ...workKeys("publish", event.id, event.timestamp) });
  const body = isLarge
    ? { ...toKey(keys.body(event.id, record.payloadHash)), ...FORMAT, data: { S: data }, expires_at }
    : null;
  return { meta, body };
}

/** The hash in the key of an event's `BODY`; null when the data stands in `META`. */
export const bodyHashOf = (meta: Item): string | null => meta["body_hash"]?.S ?? null;

export function itemToEnvelope(meta: Item): EnvelopeRecord {
  return {
    event: {
      id: text(meta, "id"),
      type: text(meta, "type"),
      ...optional(meta, "agent_type"),
      timestamp: text(meta, "timestamp"),
      correlation_id: text(meta, "correlation_id"),
      ...optional(meta, "causation_id"),
      hops: number(meta, "hops"),
      source: text(meta, "source"),
      ...optional(meta, "deadline"),
      ...optional(meta, "traceparent"),
    },
    kind: text(meta, "kind") as EventRecord["kind"],
    payloadHash: text(meta, "payload_hash"),
    replyToken: text(meta, "reply_token"),
    commitId: text(meta, "commit_id"),
    published: meta.published?.BOOL === true,
    relayAttempts: number(meta, "relay_attempts"),
    expiresAt: number(meta, "expires_at"),
  };
}

/** @param body the text of `BODY`, for an event that has one */
export function itemToEvent(meta: Item, body: string | undefined): EventRecord {
  const envelope = itemToEnvelope(meta);
  const { id, type, ...rest } = envelope.event;
  const data = JSON.parse(body ?? text(meta, "data")) as JsonObject;
  return { ...envelope, event: { id, type, data, ...rest } };
}

export function requestToItem(request: RequestRecord): Item {
  return {
    ...toKey(keys.request(request.eventId)),
    ...FORMAT,
    ...strings({
      event_id: request.eventId,
      event_type: request.eventType,
      state: request.state,
      expect: JSON.stringify(request.expect),
      expected: JSON.stringify(request.expected),
      speakers: request.speakers === undefined ? undefined : JSON.stringify(request.speakers),
      requester: request.requester,
      created_at: request.createdAt,
      deadline: request.deadline,
      payload_hash: request.payloadHash,
      reply_token: request.replyToken,
      ...workKeys("deadline", request.eventId, request.deadline),
      ...heldKeys("wait", request.requester, request.deadline, request.eventId),
    }),
    answers: { N: String(request.acceptedIds.length) },
    progress_count: { N: String(request.progressCount) },
  };
}

export function itemToRequest(item: Item): RequestRecord {
  return {
    eventId: text(item, "event_id"),
    ...optionalAs(item, "event_type", "eventType"),
    state: text(item, "state") as RequestState,
    expect: JSON.parse(text(item, "expect")) as Expect,
    expected: JSON.parse(text(item, "expected")) as string[],
    ...optionalJson<"speakers", string[][]>(item, "speakers", "speakers"),
    requester: text(item, "requester"),
    createdAt: text(item, "created_at"),
    deadline: text(item, "deadline"),
    payloadHash: text(item, "payload_hash"),
    replyToken: text(item, "reply_token"),
    acceptedIds: item["accepted_ids"]?.SS ?? [],
    answeredBy: item["answered_by"]?.SS ?? [],
    ...(item["answered_speakers"]?.SS === undefined ? {} : { answeredSpeakers: item["answered_speakers"].SS }),
    progressCount: number(item, "progress_count"),
    ...(item["ended_at"]?.S === undefined ? {} : { endedAt: item["ended_at"].S }),
    ...optional(item, "reason"),
  };
}

export function responseToItem(response: ResponseRecord): Item {
  return {
    ...toKey(keys.response(response.eventId, response.responseId)),
    ...FORMAT,
    ...strings({
      response_id: response.responseId,
      event_id: response.eventId,
      response: JSON.stringify(response.response),
      status: response.status,
      sender: response.sender,
      subscriber: response.subscriber,
      traceparent: response.traceparent,
      speaker: response.speaker,
      timestamp: response.timestamp,
      payload_hash: response.payloadHash,
    }),
    after_end: { BOOL: response.afterEnd },
    expires_at: { N: String(response.expiresAt) },
  };
}

export function itemToResponse(item: Item): ResponseRecord {
  return {
    responseId: text(item, "response_id"),
    eventId: text(item, "event_id"),
    response: JSON.parse(text(item, "response")) as JsonObject,
    status: text(item, "status") as ResponseStatus,
    sender: text(item, "sender"),
    ...optional(item, "subscriber"),
    ...optional(item, "traceparent"),
    ...optional(item, "speaker"),
    afterEnd: item.after_end?.BOOL === true,
    timestamp: text(item, "timestamp"),
    payloadHash: text(item, "payload_hash"),
    expiresAt: number(item, "expires_at"),
  };
}

export function listenerToItem(lease: ListenerLease): Item {
  return {
    ...toKey(keys.listener(lease.eventType, lease.name, lease.streamId)),
    ...FORMAT,
    ...strings({
      event_type: lease.eventType,
      name: lease.name,
      stream_id: lease.streamId,
      kind: lease.kind,
      owner: lease.owner,
      correlation_id: lease.correlationId,
    }),
    leased_until: { N: String(lease.leasedUntil) },
    // Reads go by `leased_until`; TTL only cleans up.
    expires_at: { N: String(Math.ceil(lease.leasedUntil / 1_000) + 3_600) },
  };
}

export function itemToListener(item: Item): ListenerLease {
  const correlationId = item["correlation_id"]?.S;
  return {
    eventType: text(item, "event_type"),
    name: text(item, "name"),
    streamId: text(item, "stream_id"),
    kind: item["kind"]?.S === "queue" ? "queue" : "stream",
    ...optional(item, "owner"),
    ...(correlationId === undefined ? {} : { correlationId }),
    leasedUntil: number(item, "leased_until"),
  };
}

/** Text attributes; what is undefined is left out. */
export function strings(fields: Texts): Item {
  const item: Item = {};
  addTexts(item, fields);
  return item;
}

type Texts = Readonly<Record<string, string | undefined>>;

/** The same into an item that is being made: to spread an object of many fields takes longer than all else of an item. */
function addTexts(item: Item, fields: Texts): void {
  for (const name of Object.keys(fields)) {
    const S = fields[name];
    if (S !== undefined) item[name] = { S };
  }
}

export function text(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) throw new Error(`The item ${item["pk"]?.S} / ${item["sk"]?.S} has no ${name}.`);
  return value;
}

export function number(item: Item, name: string): number {
  return Number(item[name]?.N ?? 0);
}

/** A text attribute; nothing when it is not there. */
export function optional<Name extends string>(item: Item, name: Name): { [Key in Name]?: string } {
  return optionalAs(item, name, name);
}

/** A text attribute as a field of another name; nothing when it is not there. */
export function optionalAs<As extends string>(item: Item, name: string, as: As): { [Key in As]?: string } {
  const value = item[name]?.S;
  return (value === undefined ? {} : { [as]: value }) as { [Key in As]?: string };
}

/** A value that is kept as JSON text. */
export function json<Value>(item: Item, name: string): Value {
  return JSON.parse(text(item, name)) as Value;
}

/** The same as a field of a record; nothing when it is not there. */
export function optionalJson<As extends string, Value>(item: Item, name: string, as: As): { [Key in As]?: Value } {
  return (item[name] === undefined ? {} : { [as]: json<Value>(item, name) }) as { [Key in As]?: Value };
}
