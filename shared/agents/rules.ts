/** What each operation needs of whoever calls it. An operation without a rule does not compile. */
import type { Operation } from "../routes.ts";
import type { TypeRight } from "./policy.ts";

export type Rule =
  /** It says what the bus is, and nothing of anybody. */
  | { readonly kind: "everybody" }
  /** The agent's own things: what is another's looks absent. */
  | { readonly kind: "own" }
  /** Events that it may see (`may-see.ts`): the others look absent. */
  | { readonly kind: "seen" }
  /** Event types that its policy has under a right. */
  | { readonly kind: "by_type"; readonly right: TypeRight }
  /** Administrators only. */
  | { readonly kind: "administer" };

const EVERYBODY = { kind: "everybody" } as const;
const OWN = { kind: "own" } as const;
const SEEN = { kind: "seen" } as const;
const ADMINISTER = { kind: "administer" } as const;
const byType = <Right extends TypeRight>(right: Right) => ({ kind: "by_type", right }) as const;

export const RULES = {
  emit: byType("emit"),
  request: byType("emit"),
  resume: OWN,
  cancel: OWN,
  respond: byType("answer"),
  stream: byType("subscribe"),
  list: SEEN,
  show: SEEN,
  explain: SEEN,
  types: EVERYBODY,
  openapi: EVERYBODY,
  asyncapi: EVERYBODY,
  health: EVERYBODY,
  subscribe: byType("subscribe"),
  subscriptions: OWN,
  subscription: OWN,
  change: byType("subscribe"),
  unsubscribe: OWN,
  rotate: OWN,
  messages: OWN,
  ack: OWN,
  nack: OWN,
  extend: OWN,
  // Those of deployed subscribers are the administrators' own.
  dead: OWN,
  redrive: OWN,
  registerAgent: ADMINISTER,
  agents: ADMINISTER,
  agent: ADMINISTER,
  changeAgent: ADMINISTER,
  deleteAgent: ADMINISTER,
  rotateKey: ADMINISTER,
  revokeKey: ADMINISTER,
} as const satisfies Readonly<Record<Operation, Rule>>;

/** The operations that go by event types. */
export type TypedOperation = {
  [Name in Operation]: (typeof RULES)[Name] extends { readonly kind: "by_type" } ? Name : never;
}[Operation];
