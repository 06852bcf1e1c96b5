/** Deliveries: what became of events on their way, the dead ones, and sending those again. */
import type { DeliveryPage } from "../deliveries/list-dead.ts";
import type { Redriven, RedriveView } from "../deliveries/redrive.ts";
import type { AttemptView, DeliveryStatus, DeliveryView, ListedDelivery } from "../deliveries/view.ts";
import { DEFAULT_REDRIVE, MAX_LOGGED_ATTEMPTS, MAX_REDRIVE } from "../limits.ts";
import type { Operation } from "../routes.ts";
import type { DeliveryKind } from "../subscriptions/records.ts";
import { EVENT_EXAMPLE } from "./events.ts";
import { CURSOR, LIMIT } from "./look.ts";
import { json, type OperationDescription, query } from "./operation.ts";
import {
  closed,
  closedObject,
  type FieldsOf,
  flag,
  instant,
  type JsonSchema,
  listOf,
  NEXT_CURSOR,
  name,
  oneOfWords,
  ref,
  text,
  whole,
} from "./schema.ts";

type Always = "subscription_id" | "subscriber" | "kind" | "status" | "attempts" | "created_at" | "log";
type Maybe = "ended_at" | "next_attempt_at" | "reason";

const ALWAYS: FieldsOf<Always> = {
  subscription_id: text("`deployed:<name>` for a deployed subscriber."),
  subscriber: text("The subscriber's name."),
  kind: ref("DeliveryKind"),
  status: oneOfWords<DeliveryStatus>({
    pending: "on its way",
    delivered: "its subscriber has it",
    dead: "given up, with a reason",
    redriven: "a dead one of a deployed subscriber, handed to it again",
  }),
  attempts: whole("", 0),
  created_at: instant(""),
  log: listOf(ref("Attempt"), { maxItems: MAX_LOGGED_ATTEMPTS, description: "The last attempts, oldest first." }),
};

const MAYBE: FieldsOf<Maybe> = {
  ended_at: instant(""),
  next_attempt_at: instant("While it is pending."),
  reason: text("Why it is dead."),
};

const LISTED: FieldsOf<Always | "event_id" | "event_type"> = {
  event_id: text("", { format: "uuid" }),
  event_type: text(""),
  ...ALWAYS,
};

export const DELIVERY_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  DeliveryKind: oneOfWords<DeliveryKind>({
    webhook: "a subscription with an endpoint",
    queue: "a subscription that is polled",
    deployed: "a subscriber that is deployed with the bus",
  }),
  Attempt: closed<AttemptView>(
    "",
    { at: instant(""), outcome: text("For example `HTTP 503`.") },
    { elapsed_ms: { type: "number", minimum: 0 } },
  ),
  Delivery: closed<DeliveryView>("One event on its way to one subscriber.", ALWAYS, MAYBE),
  ListedDelivery: closed<ListedDelivery>("The same in a list of deliveries of many events.", LISTED, MAYBE),
  DeliveryPage: closed<DeliveryPage>("", { deliveries: listOf(ref("ListedDelivery")), next_cursor: NEXT_CURSOR }),
  RedriveInput: closedObject(
    "Which dead deliveries to send again; without a field, all.",
    {},
    {
      status: { const: "dead" },
      subscription_id: name("Only those of this subscription."),
      event_id: name("Only those of this event."),
      dry_run: flag("Say what would be sent, and send nothing.", { default: false }),
      limit: whole("How many at most.", 1, { maximum: MAX_REDRIVE, default: DEFAULT_REDRIVE }),
      cursor: text("The `next_cursor` of the call before; not beside an `event_id`."),
    },
  ),
  Redriven: closed<Redriven>("", {
    dry_run: flag(""),
    deliveries: listOf(
      closed<RedriveView>("As it was before.", LISTED, { ...MAYBE, problem: text("Why it cannot be sent again.") }),
    ),
    redriven: whole("How many were sent again; with a dry run, how many would be.", 0),
    failed: whole("How many cannot be.", 0),
    remaining: flag("There are more that fit."),
    next_cursor: NEXT_CURSOR,
  }),
};

const DEAD: ListedDelivery = {
  event_id: EVENT_EXAMPLE.id,
  event_type: EVENT_EXAMPLE.type,
  subscription_id: "7c0e1a52-3b4d-8f60-9a1b-2c3d4e5f6a7b",
  subscriber: "billing",
  kind: "webhook",
  status: "dead",
  attempts: 8,
  created_at: "2026-01-31T12:00:00.000Z",
  ended_at: "2026-02-01T15:35:35.000Z",
  reason: "HTTP 503, at attempt 8, the last",
  log: [{ at: "2026-02-01T15:35:34.000Z", outcome: "HTTP 503", elapsed_ms: 112 }],
};

export const DELIVERY_OPERATIONS = {
  dead: {
    tag: "deliveries",
    summary: "All dead deliveries of your subscriptions; for administrators, of the deployed subscribers too.",
    parameters: [
      query("status", { const: "dead", default: "dead" }, ""),
      query("subscription_id", name(""), "Only those of this subscription."),
      LIMIT,
      CURSOR,
    ],
    answers: {
      200: {
        description: "A page.",
        content: json("DeliveryPage", { page: { deliveries: [DEAD], next_cursor: null } }),
      },
    },
    failures: ["invalid_request"],
  },
  redrive: {
    tag: "deliveries",
    summary: "Send dead deliveries again, or say what that would do.",
    requestBody: {
      required: true,
      content: json("RedriveInput", {
        all: {},
        some: {
          status: "dead",
          subscription_id: DEAD.subscription_id,
          event_id: DEAD.event_id,
          dry_run: true,
          limit: 10,
        },
      }),
    },
    answers: {
      200: {
        description: "What was sent, and what cannot be.",
        content: json("Redriven", {
          sent: { dry_run: false, deliveries: [DEAD], redriven: 1, failed: 0, remaining: false, next_cursor: null },
        }),
      },
    },
    failures: ["invalid_json", "invalid_request", "payload_too_large"],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
