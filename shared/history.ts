/** Look back: pages of events, and one event with all that came of it. */
import * as v from "valibot";
import type { Agent } from "./agents/agent.ts";
import { isOwnAnswer, isOwnDelivery, maySeeAll, sightOf } from "./agents/may-see.ts";
import { textFromBase64Url, textToBase64Url } from "./base64url.ts";
import { type CursorScope, openCursor, sealCursor } from "./cursor.ts";
import { type DeliveryView, viewDelivery } from "./deliveries/view.ts";
import { BusError, invalidField } from "./errors.ts";
import type { BusEvent } from "./event.ts";
import { requireEventType } from "./event-types/catalogue.ts";
import { FIRST_POSITION, LAST_POSITION, type Page, type PageQuery, readPage, type Selection } from "./history-page.ts";
import { type FilledPage, readVisible } from "./history-visible.ts";
import { limitField, nameField, readInput, utf8Bytes } from "./input.ts";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_BYTES } from "./limits.ts";
import type { Deps } from "./ports.ts";
import { readEvents } from "./read-events.ts";
import type { EventRecord, Expect, RequestRecord, ResponseRecord } from "./records.ts";
import { missingOf, type OutcomeStatus, type ResponseView, statusOf, viewResponse } from "./request-outcome.ts";
import { isoAt } from "./time.ts";
import { type SettledVerdict, verdictOf } from "./verdict.ts";

const instantText = "a time in ISO 8601 with its zone, like 2026-01-31T12:00:00.000Z, was expected";

/** An instant as callers write it, as the bus writes it. */
const instantField = v.pipe(
  v.string(),
  v.check(isInstant, instantText),
  v.transform((text) => new Date(text).toISOString()),
);

/** A day that exists, at a time of four-digit years also in UTC. `Date` would take 30 February for 2 March. */
function isInstant(text: string): boolean {
  const parts = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (parts === null || Number.isNaN(Date.parse(text))) return false;
  const [, day = ""] = parts;
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) && /^\d{4}-/.test(new Date(text).toISOString());
}

/** What selects events, in a page's or a stream's query. */
export const SELECTION_FIELDS = {
  type: v.optional(nameField),
  agent_type: v.optional(nameField),
  correlation_id: v.optional(nameField),
};

const ListQuery = v.strictObject({
  ...SELECTION_FIELDS,
  from: v.optional(instantField),
  to: v.optional(instantField),
  order: v.optional(v.picklist(["asc", "desc"], '"asc" or "desc" was expected'), "desc"),
  limit: limitField,
  cursor: v.optional(v.string()),
});

export interface EventPage {
  readonly events: readonly BusEvent[];
  /** For the next page; null when there is none. */
  readonly next_cursor: string | null;
  /**
   * ISO 8601. What happened before is all in this page and those after it; what is younger may be missing still. An event
   * is there at once when it is read by its id.
   */
  readonly as_of: string;
}

/** A wait as history shows it; never its token. */
export interface RequestView {
  readonly status: OutcomeStatus;
  readonly expect: Expect;
  readonly deadline: string;
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly expected: readonly string[];
  readonly missing: readonly string[];
  readonly reason?: string;
}

/** One event with its wait and everything that was answered. */
export interface EventWithResponses {
  readonly event: BusEvent;
  readonly request: RequestView | null;
  /** Oldest first; `verdict` is null for one that is stored and not yet decided upon. */
  readonly responses: readonly (ResponseView & { readonly verdict: SettledVerdict | null })[];
  /** By subscriber. Deployed ones only once they are dead, or were redriven. */
  readonly deliveries: readonly DeliveryView[];
}

/**
 * A page of events, newest first unless asked otherwise. Complete and stable while it is paged (I8): positions are
 * (timestamp, id), so what was there is neither skipped nor repeated by what comes.
 *
 * @throws BusError `invalid_request`, `unknown_event_type`
 */
export async function listEvents(deps: Deps, query: Record<string, string>, agent: Agent): Promise<EventPage> {
  const { from, to, order, limit = DEFAULT_PAGE_SIZE, cursor, ...given } = readInput(ListQuery, query);
  if (from !== undefined && to !== undefined && to < from)
    throw invalidField("/to", "a time not before `from` was expected");
  const selection = toSelection(deps, given);
  const scope: CursorScope = { caller: agent.id, query: { ...selection, from: from ?? null, to: to ?? null, order } };
  // Before the first read: what becomes visible while the page is read may be missing from it.
  const as_of = isoAt(deps.now() - deps.indexSettleMs);
  const place = cursor === undefined ? null : await openPosition(deps, scope, cursor);
  const wanted: PageQuery = {
    selection,
    order,
    limit,
    // A time alone sorts before all positions of that time: `from` is inclusive, `to` is exclusive.
    after: order === "asc" && place !== null ? place : (from ?? FIRST_POSITION),
    before: order === "desc" && place !== null ? place : (to ?? LAST_POSITION),
  };
  const { events, next } = maySeeAll(agent)
    ? await fillPage(deps, await readPage(deps.store, wanted))
    : await readVisible(deps, agent, wanted);
  return {
    events,
    next_cursor: next === null ? null : await sealCursor(deps, scope, textToBase64Url(next)),
    as_of,
  };
}

async function openPosition(deps: Deps, scope: CursorScope, cursor: string): Promise<string> {
  return textFromBase64Url(await openCursor(deps, scope, cursor, "/cursor"));
}

/** The events of a page; it ends early when it has grown large. */
async function fillPage(deps: Deps, page: Page): Promise<FilledPage> {
  const events: BusEvent[] = [];
  let bytes = 0;
  let last = "";
  for await (const { position, record } of readEvents(deps.store, page.positions)) {
    if (record !== null) {
      bytes += utf8Bytes(record.event);
      if (bytes > MAX_PAGE_BYTES && events.length > 0) return { events, next: last };
      events.push(record.event);
    }
    last = position;
  }
  return { events, next: page.next };
}

/** @throws BusError `unknown_event_type` */
export function toSelection(
  deps: Pick<Deps, "catalogue">,
  given: { [Field in keyof Selection]?: string | undefined },
): Selection {
  const { type, agent_type, correlation_id } = given;
  if (type !== undefined) requireEventType(deps.catalogue, type);
  return {
    ...(type === undefined ? {} : { type }),
    ...(agent_type === undefined ? {} : { agent_type }),
    ...(correlation_id === undefined ? {} : { correlation_id }),
  };
}

/**
 * One event, its wait, its responses and its deliveries. To whom it was only delivered: his own of these.
 *
 * @throws BusError `not_found`, also for what the agent may not see
 */
export async function showEvent(
  deps: Pick<Deps, "store" | "subscribers">,
  eventId: string,
  agent: Agent,
): Promise<EventWithResponses> {
  const [record, standing, responses, deliveries] = await Promise.all([
    deps.store.getEvent(eventId),
    deps.store.getRequest(eventId),
    deps.store.getResponses(eventId),
    deps.store.getDeliveries(eventId),
  ]);
  const sight = await sightOf(deps, agent, eventId, record?.event, deliveries);
  if (record === null || sight === "nothing") throw new BusError("not_found", "There is no such event.");
  const isAll = sight === "all";
  const request = waitOf(record, standing);
  return {
    event: record.event,
    request: request === null ? null : viewRequest(request),
    responses: viewVerdicts(
      responses.filter((response) => isAll || isOwnAnswer(agent, response)),
      request,
    ),
    deliveries: deliveries
      .filter((delivery) => isAll || isOwnDelivery(agent, delivery))
      .map((delivery) => viewDelivery(delivery, agent.id))
      .sort((a, b) => (a.subscriber < b.subscriber ? -1 : 1)),
  };
}

/**
 * The wait for an event's answer. Beside an event that was emitted there may stand one that was never completed: its key
 * was used to ask, that broke off, and then to emit. It says nothing of this event.
 */
export function waitOf({ kind }: EventRecord, standing: RequestRecord | null): RequestRecord | null {
  return kind === "request" ? standing : null;
}

/** Responses, each with its verdict; null for one that is stored and not yet decided upon. */
export function viewVerdicts(
  responses: readonly ResponseRecord[],
  request: RequestRecord | null,
): (ResponseView & { readonly verdict: SettledVerdict | null })[] {
  return responses.map((response) => ({
    ...viewResponse(response),
    verdict: request === null ? "accepted" : verdictOf(response, request),
  }));
}

export function viewRequest(request: RequestRecord): RequestView {
  return {
    status: statusOf(request.state),
    expect: request.expect,
    deadline: request.deadline,
    created_at: request.createdAt,
    ended_at: request.endedAt ?? null,
    expected: request.expected,
    missing: missingOf(request),
    ...(request.reason === undefined ? {} : { reason: request.reason }),
  };
}
