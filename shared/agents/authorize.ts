/** Refusing what a policy does not allow: told to the caller with its place, and to whoever runs the bus in one line. */
import { BusError } from "../errors.ts";
import type { Deps } from "../ports.ts";
import type { Operation } from "../routes.ts";
import type { Agent } from "./agent.ts";
import { allows, type TypeRight } from "./policy.ts";
import { RULES, type Rule, type TypedOperation } from "./rules.ts";

type LogDeps = Pick<Deps, "log">;

const DONE_BY: Readonly<Record<TypeRight, string>> = {
  emit: "publish or ask",
  subscribe: "subscribe to",
  answer: "answer",
  read: "read",
};

/** Before anything else of an operation. @throws BusError `forbidden`: only administrators may call it */
export function requireOperation(deps: LogDeps, agent: Agent, operation: Operation): void {
  const rule: Rule = RULES[operation];
  if (rule.kind !== "administer" || agent.policy.administer) return;
  throw refusal(deps, agent, operation, "Only administrators may do this.");
}

/** What an operation does with a type. @param pointer where the type was named @throws BusError `forbidden` */
export function requireType(
  deps: LogDeps,
  agent: Agent,
  operation: TypedOperation,
  type: string,
  pointer: string,
): void {
  const { right } = RULES[operation];
  if (allows(agent.policy, right, type)) return;
  const may = DONE_BY[right];
  throw refusal(deps, agent, operation, `This agent may not ${may} ${type}.`, {
    type,
    pointer,
    detail: `an event type that this agent may ${may} was expected`,
  });
}

/** What the refusal is about. */
export interface RefusedPart {
  readonly type?: string;
  readonly pointer: string;
  readonly detail: string;
}

/** The failure to throw, with its line in the log. */
export function refusal(
  { log }: LogDeps,
  agent: Agent,
  operation: Operation,
  text: string,
  part?: RefusedPart,
): BusError {
  log.warn("refused by policy", {
    agent: agent.id,
    operation,
    ...(part?.type === undefined ? {} : { event_type: part.type }),
  });
  const errors = part === undefined ? [] : [{ pointer: part.pointer, detail: part.detail }];
  return new BusError("forbidden", text, { errors });
}
