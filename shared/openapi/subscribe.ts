/** Subscribe at run time: `/subscriptions`. */
import type { Operation } from "../routes.ts";
import type { SubscriptionView } from "../subscriptions/view.ts";
import { CURSOR, LIMIT } from "./look.ts";
import { json, type OperationDescription } from "./operation.ts";

const WEBHOOK: SubscriptionView = {
  subscription_id: "7c0e1a52-3b4d-8f60-9a1b-2c3d4e5f6a7b",
  name: "billing",
  event_types: ["UPGRADE_REQUESTED"],
  target: { kind: "webhook", url: "https://agent.example.com/hook", format: "event" },
  filter: { data: { target: ["billing", { prefix: "invoice-" }] } },
  answers: true,
  status: "active",
  created_at: "2026-01-31T12:00:00.000Z",
  updated_at: "2026-01-31T12:00:00.000Z",
};

const SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const LOCATION = {
  description: "The subscription's path.",
  required: true,
  schema: { type: "string", format: "uri-reference" },
} as const;

const failuresOfInput = ["invalid_json", "invalid_request", "unknown_event_type", "payload_too_large"] as const;

export const SUBSCRIPTION_OPERATIONS = {
  subscribe: {
    tag: "subscribe",
    summary: "Subscribe, effective for the next event.",
    description: "A subscription belongs to the agent that made it; to others it does not exist.",
    requestBody: {
      required: true,
      content: json("SubscriptionInput", {
        webhook: {
          name: WEBHOOK.name,
          event_types: WEBHOOK.event_types,
          target: WEBHOOK.target,
          filter: WEBHOOK.filter,
          answers: true,
        },
        queue: {
          name: "night-shift",
          event_types: ["MESSAGE_RECEIVED"],
          target: { kind: "queue", visibility: 60, max_attempts: 3 },
        },
      }),
    },
    answers: {
      200: {
        description: "There was one of this name: it is as you now sent it, active again.",
        headers: { Location: LOCATION },
        content: json("Subscription", { webhook: WEBHOOK }),
      },
      201: {
        description: "It is new.",
        headers: { Location: LOCATION },
        content: json("NewSubscription", { webhook: { ...WEBHOOK, secret: SECRET } }),
      },
    },
    failures: [...failuresOfInput, "limit_reached"],
  },
  subscriptions: {
    tag: "subscribe",
    summary: "Your subscriptions.",
    parameters: [LIMIT, CURSOR],
    answers: {
      200: {
        description: "A page.",
        content: json("SubscriptionPage", { page: { subscriptions: [WEBHOOK], next_cursor: null } }),
      },
    },
    failures: ["invalid_request"],
  },
  subscription: {
    tag: "subscribe",
    summary: "One of your subscriptions.",
    answers: { 200: { description: "The subscription.", content: json("Subscription", { webhook: WEBHOOK }) } },
    failures: ["not_found"],
  },
  change: {
    tag: "subscribe",
    summary: "Change a subscription, pause it, or let it go on.",
    requestBody: {
      required: true,
      content: json("SubscriptionChange", {
        pause: { status: "disabled" },
        move: {
          event_types: WEBHOOK.event_types,
          target: { kind: "webhook", url: "https://agent.example.com/other", format: "cloudevents" },
          filter: null,
          answers: false,
        },
      }),
    },
    answers: { 200: { description: "As it now is.", content: json("Subscription", { webhook: WEBHOOK }) } },
    failures: [...failuresOfInput, "not_found", "limit_reached"],
  },
  unsubscribe: {
    tag: "subscribe",
    summary: "End a subscription. What is on its way to it ends dead.",
    answers: { 204: { description: "It has ended." } },
    failures: ["not_found"],
  },
  rotate: {
    tag: "subscribe",
    summary: "A new secret for a webhook; the one before signs too for 24 h.",
    answers: {
      200: {
        description: "The new secret, shown this once.",
        content: json("RotatedSecret", {
          rotated: {
            subscription_id: WEBHOOK.subscription_id,
            secret: SECRET,
            previous_valid_until: "2026-02-01T12:00:00.000Z",
          },
        }),
      },
    },
    failures: ["invalid_request", "not_found", "rate_limited"],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
