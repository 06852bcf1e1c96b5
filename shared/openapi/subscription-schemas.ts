/** A subscription: as it is made, changed and seen. */
import {
  DEFAULT_VISIBILITY_SECONDS,
  MAX_EVENT_TYPES_PER_SUBSCRIPTION,
  MAX_QUEUE_ATTEMPTS,
  MAX_RECEIVES,
  MAX_SUBSCRIPTION_NAME_CHARS,
  MAX_VISIBILITY_SECONDS,
} from "../limits.ts";
import type { SubscriptionPage } from "../subscriptions/look-up.ts";
import type { DisabledReason, WebhookFormat } from "../subscriptions/records.ts";
import type { RotatedSecret, Subscribed } from "../subscriptions/subscribe.ts";
import type { SubscriptionView, TargetView } from "../subscriptions/view.ts";
import {
  anyObject,
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
  orNull,
  ref,
  text,
  whole,
} from "./schema.ts";

type TargetOf<Kind extends TargetView["kind"]> = Extract<TargetView, { kind: Kind }>;
type Always =
  | "subscription_id"
  | "name"
  | "event_types"
  | "target"
  | "answers"
  | "status"
  | "created_at"
  | "updated_at";
type Maybe = Exclude<keyof SubscriptionView, Always>;

const URL_FIELD = text("`https`, on port 443, to public addresses only.", { format: "uri" });
const FORMAT = oneOfWords<WebhookFormat>({
  event: "the delivered event",
  cloudevents: "a CloudEvent in structured mode",
  "cloudevents-binary": "a CloudEvent in binary mode",
});
const VISIBILITY = whole("For how many seconds what is taken is hidden.", 1, { maximum: MAX_VISIBILITY_SECONDS });
const ATTEMPTS = whole("After so many receives that were not acknowledged a message is dead.", 1, {
  maximum: MAX_QUEUE_ATTEMPTS,
});
const FILTER: JsonSchema = { ...anyObject("An EventBridge event pattern on the event."), minProperties: 1 };
const ANSWERS = flag("False: an observer, from whom nobody expects an answer.");

const eventTypes = (items: JsonSchema): JsonSchema =>
  listOf(items, { minItems: 1, maxItems: MAX_EVENT_TYPES_PER_SUBSCRIPTION });

const ALWAYS: FieldsOf<Always> = {
  subscription_id: text(""),
  name: name("", MAX_SUBSCRIPTION_NAME_CHARS),
  event_types: eventTypes(text("")),
  target: ref("Target"),
  answers: ANSWERS,
  status: oneOfWords<SubscriptionView["status"]>({ active: "", disabled: "nothing is delivered and nothing is kept" }),
  created_at: instant(""),
  updated_at: instant(""),
};

const MAYBE: FieldsOf<Maybe> = {
  filter: FILTER,
  disabled_reason: oneOfWords<DisabledReason>({
    by_owner: "paused",
    gone: "the endpoint answered 410",
    failing: "it has failed for five days",
  }),
  disabled_at: instant(""),
  failing_since: instant("Of a webhook whose last attempt failed."),
  last_failure: closed<NonNullable<SubscriptionView["last_failure"]>>("", { at: instant(""), reason: text("") }),
};

export const SUBSCRIPTION_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Target: {
    description: "Where events go.",
    oneOf: [
      closed<TargetOf<"webhook">>("", { kind: { const: "webhook" }, url: text("", { format: "uri" }), format: FORMAT }),
      closed<TargetOf<"queue">>("", { kind: { const: "queue" }, visibility: VISIBILITY, max_attempts: ATTEMPTS }),
    ],
  },
  SubscriptionInput: closedObject(
    "What a subscription is to be.",
    {
      name: name(
        "Yours; it is what `responder`, `missing` and `expected` say. The same name again is the same subscription.",
        MAX_SUBSCRIPTION_NAME_CHARS,
      ),
      event_types: eventTypes(ref("EventType")),
      target: {
        oneOf: [
          closedObject("", { kind: { const: "webhook" }, url: URL_FIELD }, { format: { ...FORMAT, default: "event" } }),
          closedObject(
            "",
            { kind: { const: "queue" } },
            {
              visibility: { ...VISIBILITY, default: DEFAULT_VISIBILITY_SECONDS },
              max_attempts: { ...ATTEMPTS, default: MAX_RECEIVES },
            },
          ),
        ],
      },
    },
    { filter: FILTER, answers: { ...ANSWERS, default: true } },
  ),
  SubscriptionChange: closedObject(
    "What is to be different.",
    {},
    {
      event_types: eventTypes(ref("EventType")),
      target: closedObject(
        "The kind cannot be changed; `url` and `format` are a webhook's, the others a queue's.",
        {},
        {
          kind: { enum: ["webhook", "queue"] },
          url: URL_FIELD,
          format: FORMAT,
          visibility: VISIBILITY,
          max_attempts: ATTEMPTS,
        },
      ),
      filter: { ...orNull(FILTER), description: "Null removes it." },
      answers: ANSWERS,
      status: { enum: ["active", "disabled"], description: "`disabled` pauses, `active` goes on." },
    },
  ),
  Subscription: closed<SubscriptionView>("A subscription as its agent sees it.", ALWAYS, MAYBE),
  NewSubscription: closed<Subscribed["subscription"]>("A subscription that was just made.", ALWAYS, {
    ...MAYBE,
    secret: text("Of a webhook, shown this once: what its deliveries are signed with, as Standard Webhooks have it.", {
      pattern: "^whsec_",
    }),
  }),
  SubscriptionPage: closed<SubscriptionPage>("", {
    subscriptions: listOf(ref("Subscription"), { description: "By id." }),
    next_cursor: NEXT_CURSOR,
  }),
  RotatedSecret: closed<RotatedSecret>("", {
    subscription_id: text(""),
    secret: text("", { pattern: "^whsec_" }),
    previous_valid_until: instant("Until then deliveries carry the signatures of both."),
  }),
};
