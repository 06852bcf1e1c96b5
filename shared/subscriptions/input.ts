/** What an agent sends to subscribe, and to change a subscription. */
import * as v from "valibot";
import { BusError } from "../errors.ts";
import { checkPattern, type EventPattern } from "../event-pattern.ts";
import { type Catalogue, requireEventType } from "../event-types/catalogue.ts";
import { objectField, readInput } from "../input.ts";
import {
  DEFAULT_VISIBILITY_SECONDS,
  MAX_EVENT_TYPES_PER_SUBSCRIPTION,
  MAX_QUEUE_ATTEMPTS,
  MAX_RECEIVES,
  MAX_SUBSCRIPTION_NAME_CHARS,
  MAX_VISIBILITY_SECONDS,
} from "../limits.ts";
import { type SubscriptionTarget, WEBHOOK_FORMATS } from "./records.ts";

const nameText = `1 to ${MAX_SUBSCRIPTION_NAME_CHARS} characters were expected`;
const typesText = `1 to ${MAX_EVENT_TYPES_PER_SUBSCRIPTION} event types were expected`;
const answersText = "true or false was expected";

const wholeNumber = (least: number, most: number, unit: string) => {
  const text = `a whole number of ${unit} from ${least} to ${most} was expected`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text));
};

/** Seconds for which a message that was taken is hidden. */
export const visibilityField = wholeNumber(1, MAX_VISIBILITY_SECONDS, "seconds");

const urlField = v.string("a URL was expected");
const formatField = v.picklist(WEBHOOK_FORMATS, `one of ${WEBHOOK_FORMATS.join(", ")} was expected`);
const attemptsField = wholeNumber(1, MAX_QUEUE_ATTEMPTS, "receives");

const Target = v.pipe(
  objectField,
  v.variant(
    "kind",
    [
      v.strictObject({ kind: v.literal("webhook"), url: urlField, format: v.optional(formatField, "event") }),
      v.strictObject({
        kind: v.literal("queue"),
        visibility: v.optional(visibilityField, DEFAULT_VISIBILITY_SECONDS),
        max_attempts: v.optional(attemptsField, MAX_RECEIVES),
      }),
    ],
    'an object with "kind" "webhook" or "queue" was expected',
  ),
);

const TargetChange = v.pipe(
  objectField,
  v.strictObject({
    kind: v.optional(v.picklist(["webhook", "queue"], '"webhook" or "queue" was expected')),
    url: v.optional(urlField),
    format: v.optional(formatField),
    visibility: v.optional(visibilityField),
    max_attempts: v.optional(attemptsField),
  }),
);

const eventTypesField = v.pipe(
  v.array(v.string("a string was expected"), "an array of event types was expected"),
  v.minLength(1, typesText),
  v.maxLength(MAX_EVENT_TYPES_PER_SUBSCRIPTION, typesText),
);

const SubscriptionInput = v.strictObject(
  {
    name: v.pipe(v.string(nameText), v.minLength(1, nameText), v.maxLength(MAX_SUBSCRIPTION_NAME_CHARS, nameText)),
    event_types: eventTypesField,
    target: Target,
    filter: v.optional(objectField),
    answers: v.optional(v.boolean(answersText), true),
  },
  "an object was expected",
);

const SubscriptionChange = v.strictObject(
  {
    event_types: v.optional(eventTypesField),
    target: v.optional(TargetChange),
    filter: v.optional(v.nullable(objectField)),
    answers: v.optional(v.boolean(answersText)),
    status: v.optional(v.picklist(["active", "disabled"], '"active" or "disabled" was expected')),
  },
  "an object was expected",
);

/** What a subscription is to be. */
export interface WantedSubscription {
  readonly name: string;
  readonly eventTypes: readonly string[];
  readonly target: SubscriptionTarget;
  readonly filter?: EventPattern;
  readonly answers: boolean;
}

/** What is to be different; `filter: null` removes it. */
export interface WantedChange {
  readonly eventTypes?: readonly string[];
  readonly target?: v.InferOutput<typeof TargetChange>;
  readonly filter?: EventPattern | null;
  readonly answers?: boolean;
  readonly status?: "active" | "disabled";
}

/** Whether a type may be named; throws when it may not. */
export type CheckType = (type: string, pointer: string) => void;

const anyType: CheckType = () => undefined;

/** @throws BusError `invalid_request`, `unknown_event_type`, and what `checkType` throws */
export function readSubscription(
  catalogue: Catalogue,
  body: unknown,
  checkType: CheckType = anyType,
): WantedSubscription {
  const { name, event_types, target, filter, answers } = readInput(SubscriptionInput, body);
  return {
    name,
    eventTypes: checkTypes(catalogue, event_types, checkType),
    target:
      target.kind === "webhook"
        ? target
        : { kind: "queue", visibilitySeconds: target.visibility, maxAttempts: target.max_attempts },
    ...(filter === undefined ? {} : { filter: checkFilter(filter) }),
    answers,
  };
}

/** @throws BusError `invalid_request`, `unknown_event_type`, and what `checkType` throws */
export function readChange(catalogue: Catalogue, body: unknown, checkType: CheckType = anyType): WantedChange {
  const { event_types, target, filter, answers, status } = readInput(SubscriptionChange, body);
  return {
    ...(event_types === undefined ? {} : { eventTypes: checkTypes(catalogue, event_types, checkType) }),
    ...(target === undefined ? {} : { target }),
    ...(filter === undefined ? {} : { filter: filter === null ? null : checkFilter(filter) }),
    ...(answers === undefined ? {} : { answers }),
    ...(status === undefined ? {} : { status }),
  };
}

function checkTypes(catalogue: Catalogue, names: readonly string[], checkType: CheckType): string[] {
  for (const [i, name] of names.entries()) {
    requireEventType(catalogue, name, `/event_types/${i}`);
    checkType(name, `/event_types/${i}`);
  }
  return [...new Set(names)].sort();
}

/** A filter that would never fit, or could not be run, is refused now and not when the first event comes. */
function checkFilter(filter: EventPattern): EventPattern {
  const faults = checkPattern(filter);
  if (faults.length === 0) return filter;
  const errors = faults.map(({ pointer, detail }) => ({ pointer: `/filter${pointer}`, detail }));
  throw new BusError("invalid_request", errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join("; "), {
    errors,
  });
}
