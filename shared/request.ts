/**
 * Ask: recognise a repetition, find who can answer, open the wait, record and publish the event.
 *
 * The request stands before the event is published, so an answer can never come too early; the event record is the
 * commit point (I1). A crash in between leaves a request that a repetition completes or the sweeper ends (I6).
 */
import * as v from "valibot";
import { expectedFields } from "./agents/speaker.ts";
import {
  type AskedFor,
  draftEvent,
  EVENT_FIELDS,
  type EventIdentity,
  identify,
  requireSamePayload,
  type Sender,
} from "./draft-event.ts";
import { publish, putOnce, settle } from "./emit.ts";
import { endRequest } from "./end-request.ts";
import { BusError, invalidField } from "./errors.ts";
import { objectField, readInput } from "./input.ts";
import { MAX_COUNTED_ANSWERS, MAX_EXPECTED, MAX_TIMEOUT_SECONDS, MIN_TIMEOUT_SECONDS } from "./limits.ts";
import { openWait } from "./open-waits.ts";
import type { Deps } from "./ports.ts";
import type { EventRecord, RequestRecord } from "./records.ts";
import { whoCanAnswer } from "./subscribers.ts";

const countText = `a whole number from 1 to ${MAX_COUNTED_ANSWERS} was expected`;
const timeoutText = `seconds from ${MIN_TIMEOUT_SECONDS} to ${MAX_TIMEOUT_SECONDS} were expected`;

const Expectation = v.variant(
  "mode",
  [
    v.strictObject({ mode: v.literal("first") }),
    v.strictObject({
      mode: v.literal("count"),
      count: v.pipe(
        v.number(countText),
        v.integer(countText),
        v.minValue(1, countText),
        v.maxValue(MAX_COUNTED_ANSWERS, countText),
      ),
    }),
    v.strictObject({ mode: v.literal("all") }),
  ],
  'an object with "mode" "first", "count" or "all" was expected',
);

const RequestInput = v.strictObject(
  {
    ...EVENT_FIELDS,
    timeout: v.pipe(
      v.number(timeoutText),
      v.minValue(MIN_TIMEOUT_SECONDS, timeoutText),
      v.maxValue(MAX_TIMEOUT_SECONDS, timeoutText),
    ),
    expect: v.optional(v.pipe(objectField, Expectation), { mode: "first" }),
    require_subscribers: v.optional(v.boolean("true or false was expected"), true),
  },
  "an object was expected",
);

/** A request that is under way or has ended. */
export interface OpenedRequest {
  readonly request: RequestRecord;
  /** Never throws; to be awaited before the function ends. */
  readonly settled: Promise<void>;
}

/**
 * Opens a wait, or joins the one that the idempotency key stands for.
 *
 * @throws BusError `no_subscribers` when nobody can answer, and what `emit` throws
 */
export async function openRequest(deps: Deps, body: unknown, sender: Sender): Promise<OpenedRequest> {
  const { timeout, expect, require_subscribers, ...input } = readInput(RequestInput, body);
  const asked: AskedFor = { timeoutMs: timeout * 1_000, terms: { expect, require_subscribers } };
  const identity = identify(deps, input, sender, asked);

  const underWay = sender.idempotencyKey === undefined ? null : await findRepeated(deps, identity, sender);
  if (underWay?.recorded) return { request: underWay.request, settled: Promise.resolve() };

  const draft = await draftEvent(deps, input, sender, identity, asked);
  const request =
    underWay?.request ?? (await createRequest(deps, draft, expect, require_subscribers, identity, sender));
  if (request.state !== "PENDING") return { request, settled: Promise.resolve() };
  return recordAndPublish(deps, withTermsOf(draft, request), request, identity);
}

/** What a repeated key finds; `recorded` when the event stands too, so that nothing is left to do but wait. */
async function findRepeated(
  deps: Deps,
  identity: EventIdentity,
  sender: Sender,
): Promise<{ request: RequestRecord; recorded: boolean } | null> {
  const [request, event] = await Promise.all([deps.store.getRequest(identity.id), deps.store.getEnvelope(identity.id)]);
  if (event !== null) requireSamePayload(event, event.event.timestamp, identity);
  if (request === null) return null;
  requireJoinable(request, identity, sender);
  return { request, recorded: event !== null };
}

async function createRequest(
  deps: Deps,
  draft: EventRecord,
  expect: RequestRecord["expect"],
  requireSubscribers: boolean,
  identity: EventIdentity,
  sender: Sender,
): Promise<RequestRecord> {
  const { event } = draft;
  const speakers = await whoCanAnswer(deps, event);
  if (speakers.length === 0 && requireSubscribers) {
    throw new BusError(
      "no_subscribers",
      `Nobody who could answer subscribes to ${event.type}. "require_subscribers": false waits all the same.`,
    );
  }
  if (speakers.length > MAX_EXPECTED && expect.mode === "all")
    throw invalidField("/expect", `${speakers.length} subscribers can answer; "all" waits for ${MAX_EXPECTED} at most`);
  const request: RequestRecord = {
    eventId: event.id,
    eventType: event.type,
    state: "PENDING",
    expect,
    ...expectedFields(speakers.slice(0, MAX_EXPECTED)),
    requester: sender.agent.id,
    createdAt: event.timestamp,
    deadline: event.deadline as string,
    payloadHash: draft.payloadHash,
    replyToken: draft.replyToken,
    acceptedIds: [],
    answeredBy: [],
    progressCount: 0,
  };
  const put = await openWait(deps, request.requester, () => deps.store.createRequest(request));
  if (put.kind === "created") return request;
  requireJoinable(put.record, identity, sender);
  return put.record;
}

function requireJoinable(request: RequestRecord, identity: EventIdentity, sender: Sender): void {
  requireSamePayload(request, request.createdAt, identity);
  // I9: ids derived from keys differ by agent, so this is another's only if something is very wrong.
  if (request.requester !== sender.agent.id) throw new BusError("not_found", "There is no such request.");
}

/**
 * The request that stands decides token and deadline: a racing or repeated attempt takes them over. The time is the
 * attempt's own, for history and streams have settled what is older.
 */
function withTermsOf(draft: EventRecord, request: RequestRecord): EventRecord {
  return { ...draft, replyToken: request.replyToken, event: { ...draft.event, deadline: request.deadline } };
}

async function recordAndPublish(
  deps: Deps,
  draft: EventRecord,
  request: RequestRecord,
  identity: EventIdentity,
): Promise<OpenedRequest> {
  const entry = await putOnce(deps, draft, identity).catch(async (error: unknown) => {
    // An emit took the key at the same moment: its event is nobody's question, so the wait must not stay open.
    if (error instanceof BusError && error.code === "idempotency_conflict")
      await endRequest(deps, request.eventId, "CANCELLED", "idempotency_conflict");
    throw error;
  });
  const [published] = await publish(deps, [entry]);
  return { request, settled: settle(deps, entry, published === true) };
}
