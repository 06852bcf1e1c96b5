/** Agents that call with keys, and what they may do: `/agents`. For administrators. */
import type { RegisteredAgent, RotatedKey } from "../agents/administer.ts";
import type { AgentPage } from "../agents/look-up.ts";
import { DEFAULT_POLICY, type Policy } from "../agents/policy.ts";
import { AGENT_NAME } from "../agents/records.ts";
import type { AgentKeyView, AgentView } from "../agents/view.ts";
import { DEFAULT_KEY_OVERLAP_SECONDS, MAX_AGENT_KEYS, MAX_KEY_OVERLAP_SECONDS, MAX_TYPE_NAMES } from "../limits.ts";
import type { Operation } from "../routes.ts";
import { CURSOR, LIMIT } from "./look.ts";
import { json, type OperationDescription } from "./operation.ts";
import {
  closed,
  closedObject,
  type FieldsOf,
  flag,
  instant,
  type JsonSchema,
  listOf,
  NEXT_CURSOR,
  oneOfWords,
  ref,
  text,
  whole,
} from "./schema.ts";

const NAME = text("Lower-case letters, digits and hyphens.", { pattern: AGENT_NAME.source });
const KEY = text("To be sent as `Authorization: Bearer …`. Shown this once.", { pattern: "^aeb_" });
const KEY_ID = text("Names a key, and opens nothing.");

const types = (description: string): JsonSchema =>
  listOf(text(""), {
    maxItems: MAX_TYPE_NAMES,
    description: `${description} \`*\`: all; \`ORDER_*\`: all that begin so.`,
  });

const POLICY: FieldsOf<keyof Policy> = {
  emit: types("Types that it may publish and ask."),
  subscribe: types("Types that it may subscribe to and stream."),
  answer: types("Types of the events that it may answer."),
  read: types("Types of the events of others that it may look up."),
  conversations: oneOfWords<Policy["conversations"]>({
    own: "it looks into and joins conversations that it began",
    any: "also those of others",
  }),
  administer: flag("Agents and their keys; what could not be delivered to deployed subscribers."),
};

const AGENT: FieldsOf<keyof AgentView> = {
  name: NAME,
  id: text("The `source` of its events."),
  policy: ref("Policy"),
  disabled: flag("No key lets it in."),
  keys: listOf(
    closed<AgentKeyView>(
      "",
      { key_id: KEY_ID, created_at: instant("") },
      { expires_at: instant("Of one that was replaced.") },
    ),
    {
      maxItems: MAX_AGENT_KEYS,
      description: "Those that are valid, newest first.",
    },
  ),
  created_at: instant(""),
  updated_at: instant(""),
};

export const AGENT_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Policy: closed<Policy>("What an agent may do.", POLICY),
  PolicyInput: closedObject("The rights that are to be other than they are; at first, than the default.", {}, POLICY),
  AgentInput: closedObject("An agent that is to be let in.", { name: NAME }, { policy: ref("PolicyInput") }),
  AgentChange: closedObject(
    "What is to be different.",
    {},
    {
      policy: ref("PolicyInput"),
      disabled: flag("True: no key lets it in, and nothing is delivered to it, until it is false again."),
    },
  ),
  KeyInput: closedObject(
    "",
    {},
    {
      overlap_seconds: whole("For how long the keys before it stay valid.", 0, {
        maximum: MAX_KEY_OVERLAP_SECONDS,
        default: DEFAULT_KEY_OVERLAP_SECONDS,
      }),
    },
  ),
  Agent: closed<AgentView>("An agent as administrators see it.", AGENT),
  RegisteredAgent: closed<RegisteredAgent>("An agent that was just registered, with its key.", {
    ...AGENT,
    key_id: KEY_ID,
    key: KEY,
  }),
  AgentPage: closed<AgentPage>("", {
    agents: listOf(ref("Agent"), { description: "By name." }),
    next_cursor: NEXT_CURSOR,
  }),
  RotatedKey: closed<RotatedKey>("", {
    name: NAME,
    key_id: KEY_ID,
    key: KEY,
    previous_valid_until: instant("Until then the keys before it are valid too."),
  }),
};

const BILLING: AgentView = {
  name: "billing",
  id: "agent:billing",
  policy: { ...DEFAULT_POLICY, emit: ["UPGRADE_*"], subscribe: ["UPGRADE_REQUESTED"] },
  disabled: false,
  keys: [{ key_id: "01976f2a-4c7e-7d3b-9a61-2f8e5b0c4d11", created_at: "2026-01-31T12:00:00.000Z" }],
  created_at: "2026-01-31T12:00:00.000Z",
  updated_at: "2026-01-31T12:00:00.000Z",
};

const SHOWN = {
  key_id: "01976f2a-4c7e-7d3b-9a61-2f8e5b0c4d11",
  key: "aeb_billing_9n3Ff2Yk0QmWl7VtZ5xRbCe1hUdJoGaPiSsTqKwM4yE",
};

const NO_STORE = {
  description: "`no-store`: the answer has a key in it.",
  required: true,
  schema: { const: "no-store" },
} as const;

const failuresOfInput = ["invalid_json", "invalid_request", "unknown_event_type", "payload_too_large"] as const;

export const AGENT_OPERATIONS = {
  registerAgent: {
    tag: "agents",
    summary: "Let an agent in: gives its key.",
    description: "Like all of these, for administrators: on AWS, whoever IAM lets call this function.",
    requestBody: {
      required: true,
      content: json("AgentInput", {
        billing: { name: "billing", policy: { emit: ["UPGRADE_*"], subscribe: ["UPGRADE_REQUESTED"] } },
        default: { name: "planner" },
      }),
    },
    answers: {
      201: {
        description: "It is let in with this key.",
        headers: {
          Location: {
            description: "The agent's path.",
            required: true,
            schema: { type: "string", format: "uri-reference" },
          },
          "Cache-Control": NO_STORE,
        },
        content: json("RegisteredAgent", { billing: { ...BILLING, ...SHOWN } }),
      },
    },
    failures: [...failuresOfInput, "agent_exists"],
  },
  agents: {
    tag: "agents",
    summary: "All agents that have keys.",
    parameters: [LIMIT, CURSOR],
    answers: {
      200: { description: "A page.", content: json("AgentPage", { page: { agents: [BILLING], next_cursor: null } }) },
    },
    failures: ["invalid_request"],
  },
  agent: {
    tag: "agents",
    summary: "One agent.",
    answers: { 200: { description: "The agent.", content: json("Agent", { billing: BILLING }) } },
    failures: ["not_found"],
  },
  changeAgent: {
    tag: "agents",
    summary: "Change what an agent may do, shut it out, or let it in again. In effect with its next call.",
    requestBody: {
      required: true,
      content: json("AgentChange", {
        "shut out": { disabled: true },
        rights: { policy: { read: [], conversations: "own" }, disabled: false },
      }),
    },
    answers: { 200: { description: "As it now is.", content: json("Agent", { billing: BILLING }) } },
    failures: [...failuresOfInput, "not_found"],
  },
  deleteAgent: {
    tag: "agents",
    summary: "Shut an agent out for good. Its keys are dead at once, and its subscriptions end.",
    description: "Its name stays its own while its events are kept.",
    answers: { 204: { description: "It is let in no more." } },
    failures: ["not_found"],
  },
  rotateKey: {
    tag: "agents",
    summary: "A new key for an agent; those before it stay valid for a while.",
    requestBody: { content: json("KeyInput", { "in an hour": { overlap_seconds: 3_600 }, default: {} }) },
    answers: {
      201: {
        description: "The new key.",
        headers: { "Cache-Control": NO_STORE },
        content: json("RotatedKey", {
          rotated: { name: "billing", ...SHOWN, previous_valid_until: "2026-02-01T12:00:00.000Z" },
        }),
      },
    },
    failures: ["invalid_json", "invalid_request", "payload_too_large", "not_found", "rate_limited"],
  },
  revokeKey: {
    tag: "agents",
    summary: "End a key at once.",
    answers: { 204: { description: "The next call with it is refused." } },
    failures: ["not_found"],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
