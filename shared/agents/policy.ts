/** What an agent may do: a policy, and whether it allows an event type. */

/** Event types: names of the catalogue, `*` for all, or a beginning with `*` behind it: `ORDER_*`. */
export type TypeNames = readonly string[];

export interface Policy {
  /** Types that it may publish and ask. */
  readonly emit: TypeNames;
  /** Types that it may subscribe to: webhooks, queues, live streams. */
  readonly subscribe: TypeNames;
  /** Types of the events that it may answer. */
  readonly answer: TypeNames;
  /** Types of the events of others that it may look up. */
  readonly read: TypeNames;
  /** Whose conversations it may look into and join: those that it began, or all. */
  readonly conversations: "own" | "any";
  /** Agents and their keys; what could not be delivered to deployed subscribers. */
  readonly administer: boolean;
}

/** What can be allowed by event type. */
export type TypeRight = "emit" | "subscribe" | "answer" | "read";

const ALL: TypeNames = ["*"];

/** For whoever is let in and not named: all types, and the conversations of others closed. */
export const DEFAULT_POLICY: Policy = {
  emit: ALL,
  subscribe: ALL,
  answer: ALL,
  read: ALL,
  conversations: "own",
  administer: false,
};

/** Where nobody proves anything: on loopback without keys, and on an emulator that tells no identity. */
export const OPEN_POLICY: Policy = { ...DEFAULT_POLICY, conversations: "any", administer: true };

/** For whoever is not let in any more, and has left something behind. */
export const NO_POLICY: Policy = {
  emit: [],
  subscribe: [],
  answer: [],
  read: [],
  conversations: "own",
  administer: false,
};

/** For a deployed subscriber: it says and answers what its deployment is for, and asks for no events beside its own. */
export const deployedPolicy = (on: readonly string[]): Policy => ({
  emit: ALL,
  subscribe: [],
  answer: on,
  read: ALL,
  conversations: "any",
  administer: false,
});

/** Whether a policy allows something for a type. */
export function allows(policy: Policy, right: TypeRight, type: string): boolean {
  return policy[right].some((name) => (name.endsWith("*") ? type.startsWith(name.slice(0, -1)) : name === type));
}

/** Whether a policy allows something for every type, those that are still to come too. */
export const allowsAll = (policy: Policy, right: TypeRight): boolean => policy[right].includes("*");
