/** What an administrator sends to register an agent, to change it, and to replace its key. */
import * as v from "valibot";
import { invalidField } from "../errors.ts";
import { type Catalogue, EVENT_TYPE_NAME, requireEventType } from "../event-types/catalogue.ts";
import { objectField, readInput } from "../input.ts";
import { DEFAULT_KEY_OVERLAP_SECONDS, MAX_KEY_OVERLAP_SECONDS, MAX_TYPE_NAMES } from "../limits.ts";
import { DEFAULT_POLICY, type Policy, type TypeNames, type TypeRight } from "./policy.ts";
import { AGENT_NAME } from "./records.ts";

const nameText = "a lower-case letter, then up to 39 lower-case letters, digits and hyphens were expected";
const namesText = `up to ${MAX_TYPE_NAMES} event types were expected`;
const flagText = "true or false was expected";
const overlapText = `a whole number of seconds from 0 to ${MAX_KEY_OVERLAP_SECONDS} was expected`;

const typeNames = v.pipe(
  v.array(v.string("a string was expected"), "an array of event types was expected"),
  v.maxLength(MAX_TYPE_NAMES, namesText),
);

const PolicyInput = v.pipe(
  objectField,
  v.strictObject({
    emit: v.optional(typeNames),
    subscribe: v.optional(typeNames),
    answer: v.optional(typeNames),
    read: v.optional(typeNames),
    conversations: v.optional(v.picklist(["own", "any"], '"own" or "any" was expected')),
    administer: v.optional(v.boolean(flagText)),
  }),
);

const AgentInput = v.strictObject(
  {
    name: v.pipe(v.string(nameText), v.regex(AGENT_NAME, nameText)),
    policy: v.optional(PolicyInput),
  },
  "an object was expected",
);

const AgentChange = v.strictObject(
  { policy: v.optional(PolicyInput), disabled: v.optional(v.boolean(flagText)) },
  "an object was expected",
);

const KeyInput = v.strictObject(
  {
    overlap_seconds: v.optional(
      v.pipe(
        v.number(overlapText),
        v.integer(overlapText),
        v.minValue(0, overlapText),
        v.maxValue(MAX_KEY_OVERLAP_SECONDS, overlapText),
      ),
      DEFAULT_KEY_OVERLAP_SECONDS,
    ),
  },
  "an object was expected",
);

const TYPE_RIGHTS: readonly TypeRight[] = ["emit", "subscribe", "answer", "read"];

/** The rights that are named; what is not stays as it is, or as the default has it. */
export type PolicyChange = { readonly [Right in keyof Policy]?: Policy[Right] };

export interface AgentWanted {
  readonly name: string;
  readonly policy: Policy;
}

export interface AgentChangeWanted {
  readonly policy: PolicyChange;
  readonly disabled?: boolean;
}

/** @throws BusError `invalid_request`, `unknown_event_type` */
export function readAgent(catalogue: Catalogue, body: unknown): AgentWanted {
  const { name, policy } = readInput(AgentInput, body);
  return { name, policy: { ...DEFAULT_POLICY, ...checkPolicy(catalogue, policy) } };
}

/** @throws BusError `invalid_request`, `unknown_event_type` */
export function readAgentChange(catalogue: Catalogue, body: unknown): AgentChangeWanted {
  const { policy, disabled } = readInput(AgentChange, body);
  return { policy: checkPolicy(catalogue, policy), ...(disabled === undefined ? {} : { disabled }) };
}

/** For how long the older keys stay valid, in seconds. @throws BusError `invalid_request` */
export function readKeyOverlap(body: unknown): number {
  return readInput(KeyInput, body).overlap_seconds;
}

function checkPolicy(catalogue: Catalogue, given: v.InferOutput<typeof PolicyInput> = {}): PolicyChange {
  const { conversations, administer } = given;
  return {
    ...(conversations === undefined ? {} : { conversations }),
    ...(administer === undefined ? {} : { administer }),
    ...Object.fromEntries(
      TYPE_RIGHTS.flatMap((right): [TypeRight, TypeNames][] => {
        const names = given[right];
        return names === undefined ? [] : [[right, checkTypeNames(catalogue, names, `/policy/${right}`)]];
      }),
    ),
  };
}

/** A name must be of the catalogue; a beginning may also fit types that are still to come. */
function checkTypeNames(catalogue: Catalogue, names: readonly string[], at: string): string[] {
  for (const [i, name] of names.entries()) {
    const pointer = `${at}/${i}`;
    if (!name.endsWith("*")) requireEventType(catalogue, name, pointer);
    else if (name !== "*" && !EVENT_TYPE_NAME.test(name.slice(0, -1)))
      throw invalidField(
        pointer,
        'an event type, "*", or the beginning of event types with "*" behind it was expected',
      );
  }
  return [...new Set(names)];
}
