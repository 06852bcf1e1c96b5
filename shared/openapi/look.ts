/** Look back: pages of events, one event with all that came of it, and why who got it. */
import type { ExplainedSubscriber, Explanation, SubscriberVerdict } from "../explain.ts";
import type { EventPage, EventWithResponses, RequestView } from "../history.ts";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../limits.ts";
import type { OutcomeStatus, ResponseView } from "../request-outcome.ts";
import type { Operation } from "../routes.ts";
import type { SettledVerdict } from "../verdict.ts";
import { SETTLED_VERDICT } from "./answer.ts";
import { RESPONSE_FIELDS, RESPONSE_MAYBE } from "./ask-schemas.ts";
import { AS_CLOUD_EVENT, AS_CLOUD_EVENT_BATCH } from "./cloud-events.ts";
import { EVENT_EXAMPLE } from "./events.ts";
import { json, type OperationDescription, type Parameter, query } from "./operation.ts";
import {
  closed,
  instant,
  type JsonSchema,
  listOf,
  NEXT_CURSOR,
  name,
  oneOfWords,
  orNull,
  ref,
  text,
} from "./schema.ts";

/** How many a page has at most. */
export const LIMIT: Parameter = query(
  "limit",
  { type: "integer", minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE },
  "How many a page has at most. It can be shorter, even empty, and yet not the last.",
);

export const CURSOR: Parameter = query("cursor", { type: "string" }, "The `next_cursor` of the page before.");

const INSTANT_QUERY: JsonSchema = { type: "string", format: "date-time" };

/** What selects events. */
export const SELECTION: readonly Parameter[] = [
  query("type", ref("EventType"), "Only events of this type."),
  query("agent_type", name(""), "Only events of this kind of agent."),
  query("correlation_id", name(""), "Only events of this conversation."),
];

const KEPT_RESPONSES = listOf(ref("KeptResponse"), { description: "All answers, oldest first." });

export const LOOK_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  EventPage: closed<EventPage>("A page of history.", {
    events: listOf(ref("Event")),
    next_cursor: NEXT_CURSOR,
    as_of: instant(
      "What happened before is all in this page and those after it; what is younger may be missing still.",
    ),
  }),
  RequestView: closed<RequestView>(
    "A wait, as it stands or ended.",
    {
      status: oneOfWords<OutcomeStatus>({ pending: "", answered: "", timed_out: "", cancelled: "", failed: "" }),
      expect: ref("Expect"),
      deadline: instant(""),
      created_at: instant(""),
      ended_at: orNull(instant("")),
      expected: listOf(text(""), { description: "Who could answer when it was made." }),
      missing: listOf(text(""), { description: "Who was expected and has not answered; nobody once it is answered." }),
    },
    { reason: text("Why it ended, where the status does not say it: `never_published`, `idempotency_conflict`.") },
  ),
  KeptResponse: closed<ResponseView & { readonly verdict: SettledVerdict | null }>(
    "An answer, and what came of it.",
    {
      ...RESPONSE_FIELDS,
      verdict: {
        ...orNull(SETTLED_VERDICT),
        description: "Null: stored, and not yet decided upon.",
      },
    },
    RESPONSE_MAYBE,
  ),
  EventWithResponses: closed<EventWithResponses>("One event with all that came of it.", {
    event: ref("Event"),
    request: { ...orNull(ref("RequestView")), description: "Its wait; null when nobody asked." },
    responses: KEPT_RESPONSES,
    deliveries: listOf(ref("Delivery"), {
      description: "By subscriber. Deployed ones only once they are dead, or were redriven.",
    }),
  }),
  Mismatch: closed<NonNullable<ExplainedSubscriber["mismatch"]>>("The first field that a filter does not take.", {
    field: text("JSON pointer into the event."),
    found: listOf({}, { description: "What stands there; nothing when it is absent." }),
    expected: listOf({}, { description: "What the filter takes." }),
    detail: text("The same in a sentence."),
  }),
  ExplainedSubscriber: closed<ExplainedSubscriber>(
    "One subscriber of the event's type.",
    {
      subscriber: text("Its name."),
      subscription_id: text("`deployed:<name>` for a deployed one."),
      kind: ref("DeliveryKind"),
      verdict: oneOfWords<SubscriberVerdict>({
        delivered: "it got it",
        pending: "it is about to get it",
        dead: "it could not be delivered",
        redriven: "it was handed over again",
        answered: "a deployed subscriber that got it, for it has answered",
        sent: "a deployed subscriber that fits: EventBridge has the event for it",
        filtered_out: "its filter does not fit",
        later: "it subscribed, or came back, after the event",
        disabled: "it was disabled",
        not_allowed: "its agent may not subscribe to this type any more",
        unpublished: "the event itself waits to be published",
        missed: "it fits and there is no delivery yet: on its way, or a fault",
      }),
      detail: text("The same in a sentence."),
    },
    { mismatch: ref("Mismatch"), delivery: ref("Delivery") },
  ),
  Explanation: closed<Explanation>("Why who did or did not get an event.", {
    event_id: text("", { format: "uuid" }),
    type: text(""),
    subscribers: listOf(ref("ExplainedSubscriber"), { description: "By name." }),
    request: orNull(ref("RequestView")),
    responses: KEPT_RESPONSES,
  }),
};

const WITH_RESPONSES: EventWithResponses = { event: EVENT_EXAMPLE, request: null, responses: [], deliveries: [] };

const EXPLAINED: Explanation = {
  event_id: EVENT_EXAMPLE.id,
  type: EVENT_EXAMPLE.type,
  subscribers: [
    {
      subscriber: "librarian",
      subscription_id: "deployed:librarian",
      kind: "deployed",
      verdict: "sent",
      detail: "The event fits, and was handed to it. It has not answered, nor failed for good.",
    },
  ],
  request: null,
  responses: [],
};

export const LOOK_OPERATIONS = {
  list: {
    tag: "look back",
    summary: "A page of events.",
    description:
      "Of the events that the agent may see. Filters combine; newest first unless asked otherwise. Go on with `cursor` until `next_cursor` is null. As a batch " +
      "of CloudEvents, where it goes on is told by `Link`.",
    parameters: [
      ...SELECTION,
      query("from", INSTANT_QUERY, "From this time on, inclusive."),
      query("to", INSTANT_QUERY, "Up to this time, exclusive."),
      query("order", { type: "string", enum: ["asc", "desc"], default: "desc" }, "By time."),
      LIMIT,
      CURSOR,
    ],
    answers: {
      200: {
        description: "A page.",
        headers: {
          Link: {
            description: 'Of a page of CloudEvents that is not the last: `<…>; rel="next"` (RFC 8288).',
            schema: { type: "string" },
          },
        },
        content: {
          ...json("EventPage", {
            page: { events: [EVENT_EXAMPLE], next_cursor: null, as_of: EVENT_EXAMPLE.timestamp },
          }),
          ...AS_CLOUD_EVENT_BATCH,
        },
      },
    },
    failures: ["invalid_request", "unknown_event_type"],
  },
  show: {
    tag: "look back",
    summary: "One event with all that came of it; as a CloudEvent, the event alone.",
    description:
      "What the agent may not see is absent. Of an event that it may see only because it was delivered to it, the answers " +
      "and deliveries are its own.",
    answers: {
      200: {
        description: "The event.",
        content: { ...json("EventWithResponses", { event: WITH_RESPONSES }), ...AS_CLOUD_EVENT },
      },
    },
    failures: ["not_found"],
  },
  explain: {
    tag: "look back",
    summary: "Why every subscriber of the event's type did or did not get it.",
    answers: { 200: { description: "Why.", content: json("Explanation", { sent: EXPLAINED }) } },
    failures: ["not_found"],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
