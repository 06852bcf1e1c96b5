/**
 * From what a caller sent to an event that can be recorded: identify, check, place in its conversation, stamp.
 *
 * Nothing is written here; a fault leaves no trace.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import type { Agent } from "./agents/agent.ts";
import { requireType } from "./agents/authorize.ts";
import { findParent, requireConversation } from "./agents/may-join.ts";
import { checkBudget } from "./conversation-budget.ts";
import { BusError } from "./errors.ts";
import type { BusEvent } from "./event.ts";
import { type EventType, requireEventType } from "./event-types/catalogue.ts";
import { derivedId, hashOf } from "./hash.ts";
import { nameField, objectField, pointerTo, utf8Bytes } from "./input.ts";
import type { JsonObject } from "./json.ts";
import { MAX_EVENT_BYTES, MAX_HOPS, NESTED_DEADLINE_MARGIN_MS } from "./limits.ts";
import { fieldsOfEvent } from "./log.ts";
import type { Deps } from "./ports.ts";
import type { EnvelopeRecord, EventRecord } from "./records.ts";

/** The fields of an event that its sender sets. */
export const EVENT_FIELDS = {
  type: v.string("a string was expected"),
  data: objectField,
  agent_type: v.optional(nameField),
  correlation_id: v.optional(nameField),
  causation_id: v.optional(nameField),
};

export const EventInput = v.strictObject(EVENT_FIELDS, "an object was expected");
export type EventInput = v.InferOutput<typeof EventInput>;

/** Who sends it, and what came beside the body. */
export interface Sender {
  /** The verified agent. */
  readonly agent: Agent;
  readonly idempotencyKey?: string | undefined;
  /** The place in a batch, when the key is one for the whole batch. */
  readonly batchIndex?: number;
  readonly traceparent?: string | undefined;
}

/** What makes an event a request. */
export interface AskedFor {
  readonly timeoutMs: number;
  /** Decides the effect, so it belongs to the payload that a key stands for. The time-out does not. */
  readonly terms: JsonObject;
}

/** The id and the payload hash: known before anything is read, so that a repetition is recognised first. */
export interface EventIdentity {
  readonly id: string;
  readonly payloadHash: string;
}

/** The event id is derived from (agent, key) when there is a key: one key, one event (I5). */
export function identify(
  deps: Pick<Deps, "newId">,
  input: EventInput,
  sender: Sender,
  asked?: AskedFor,
): EventIdentity {
  const { agent, idempotencyKey, batchIndex } = sender;
  const id =
    idempotencyKey === undefined
      ? deps.newId()
      : derivedId("event", agent.id, idempotencyKey, ...(batchIndex === undefined ? [] : [batchIndex]));
  const payloadHash = hashOf({ ...(input as JsonObject), terms: asked?.terms ?? null });
  return { id, payloadHash };
}

/** @throws BusError `unknown_event_type`, `forbidden`, `schema_violation`, `payload_too_large`, `loop_detected` */
export async function draftEvent(
  deps: Deps,
  input: EventInput,
  sender: Sender,
  identity: EventIdentity,
  asked?: AskedFor,
): Promise<EventRecord> {
  const type = requireEventType(deps.catalogue, input.type);
  deps.log.note?.({ event_id: identity.id, event_type: input.type });
  const operation = asked === undefined ? "emit" : "request";
  requireType(deps, sender.agent, operation, input.type, "/type");
  await checkData(type, input);
  const place = await placeInConversation(deps, input, sender.agent, operation);
  const nowMs = deps.now();
  const event: BusEvent = {
    id: identity.id,
    type: input.type,
    data: input.data,
    ...(input.agent_type === undefined ? {} : { agent_type: input.agent_type }),
    timestamp: new Date(nowMs).toISOString(),
    correlation_id: place.correlationId ?? identity.id,
    ...(input.causation_id === undefined ? {} : { causation_id: input.causation_id }),
    hops: place.hops,
    source: sender.agent.id,
    ...(asked === undefined ? {} : { deadline: deadlineOf(nowMs, asked.timeoutMs, place.parent) }),
    ...traceOf(sender, place.parent),
  };
  deps.log.note?.(fieldsOfEvent(event));
  checkSize(event);
  return {
    event,
    kind: asked === undefined ? "event" : "request",
    payloadHash: identity.payloadHash,
    replyToken: deps.newToken(),
    commitId: deps.newToken(),
    published: false,
    relayAttempts: 0,
    expiresAt: expiryOf(deps, nowMs),
  };
}

/** When something recorded now may be forgotten, in epoch seconds. */
export function expiryOf(deps: Pick<Deps, "limits">, nowMs: number): number {
  return Math.ceil(nowMs / 1_000) + deps.limits.retentionDays * 86_400;
}

async function checkData(type: EventType, input: EventInput): Promise<void> {
  if (type.schema === undefined) return;
  const result = await type.schema["~standard"].validate(input.data);
  if (result.issues === undefined) return;
  const errors = result.issues.map((issue) => ({ pointer: `/data${pointerTo(pathOf(issue))}`, detail: issue.message }));
  throw new BusError(
    "schema_violation",
    `data does not fit ${input.type}: ${errors.map((e) => `${e.pointer}: ${e.detail}`).join("; ")}`,
    {
      errors,
    },
  );
}

function pathOf(issue: StandardSchemaV1.Issue): unknown[] {
  return (issue.path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment));
}

interface Place {
  readonly parent: EnvelopeRecord["event"] | null;
  readonly correlationId: string | undefined;
  readonly hops: number;
}

/**
 * A parent that is unknown (expired, of another system, or nothing that the agent may know of) still counts as a hop; the
 * budget covers what it hides.
 */
async function placeInConversation(
  deps: Deps,
  input: EventInput,
  agent: Agent,
  operation: "emit" | "request",
): Promise<Place> {
  const parent = input.causation_id === undefined ? null : await findParent(deps, agent, input.causation_id);
  const hops = input.causation_id === undefined ? 0 : (parent?.hops ?? 0) + 1;
  // I10: a chain of causes ends.
  if (hops > MAX_HOPS) {
    throw new BusError(
      "loop_detected",
      `This event would be ${hops} hops from the first of its chain; the limit is ${MAX_HOPS}.`,
      {
        errors: [{ pointer: "/causation_id", detail: `an event of at most ${MAX_HOPS - 1} hops was expected` }],
      },
    );
  }
  if (input.correlation_id !== undefined && input.correlation_id !== parent?.correlation_id)
    await requireConversation(deps, agent, operation, input.correlation_id);
  const correlationId = input.correlation_id ?? parent?.correlation_id;
  if (correlationId !== undefined) await checkBudget(deps, correlationId);
  return { parent, correlationId, hops };
}

/** A nested wait ends before its parent's does, so that the parent can still answer. */
function deadlineOf(nowMs: number, timeoutMs: number, parent: EnvelopeRecord["event"] | null): string {
  const own = nowMs + timeoutMs;
  const inherited = parent?.deadline === undefined ? own : Date.parse(parent.deadline) - NESTED_DEADLINE_MARGIN_MS;
  return new Date(Math.max(nowMs, Math.min(own, inherited))).toISOString();
}

function traceOf(sender: Sender, parent: EnvelopeRecord["event"] | null): { traceparent?: string } {
  const traceparent = sender.traceparent ?? parent?.traceparent;
  return traceparent === undefined ? {} : { traceparent };
}

function checkSize(event: BusEvent): void {
  // In UTF-8 a unit of a string has three bytes at most, so that most events need not be measured.
  if (JSON.stringify(event).length * 3 <= MAX_EVENT_BYTES) return;
  const bytes = utf8Bytes(event);
  if (bytes <= MAX_EVENT_BYTES) return;
  throw new BusError(
    "payload_too_large",
    `The event has ${bytes} bytes with its envelope; the limit is ${MAX_EVENT_BYTES}.`,
    {
      errors: [{ pointer: "/data", detail: "less data was expected: send a link to what is large" }],
    },
  );
}

/**
 * Whether what is recorded under an id is what this payload stands for. @throws BusError `idempotency_conflict`
 *
 * @param timestamp when the recorded one was accepted
 */
export function requireSamePayload(
  recorded: { payloadHash: string },
  timestamp: string,
  identity: EventIdentity,
): void {
  if (recorded.payloadHash === identity.payloadHash) return;
  throw new BusError("idempotency_conflict", "This idempotency key was used with another payload.", {
    errors: [{ pointer: "Idempotency-Key", detail: "a fresh key was expected for a new payload" }],
    members: { event_id: identity.id, timestamp },
  });
}
