/**
 * What a policy allows, written from the specification and from nothing else: tests judge the bus by it. It shares no code
 * with the bus.
 */
import type { Policy } from "../../shared/agents/policy.ts";

/** What is known of an event that a policy is asked about. */
export interface OracleEvent {
  readonly id: string;
  readonly type: string;
  /** The asking agent emitted it. */
  readonly isOwn: boolean;
  /** The asking agent began its conversation. */
  readonly isInOwnConversation: boolean;
  /** One of the asking agent's subscriptions has a delivery of it. */
  readonly isDelivered: boolean;
  readonly correlationId: string;
}

/** Names, `*`, or the beginning of names with `*` behind it. */
export function covers(names: readonly string[], type: string): boolean {
  return names.some((name) => new RegExp(`^${name.replace(/[.\\]/g, "\\$&").replace("*", ".*")}$`).test(type));
}

/** Among what is looked back at. */
export function isListed(policy: Policy, event: OracleEvent): boolean {
  if (event.isOwn) return true;
  const isConversationOpen = policy.conversations === "any" || event.isInOwnConversation;
  return isConversationOpen && covers(policy.read, event.type);
}

/** Looked at by its id: what was delivered may be looked at too, and then only the own part of it. */
export function sight(policy: Policy, event: OracleEvent): "all" | "own_part" | "absent" {
  if (isListed(policy, event)) return "all";
  return event.isDelivered ? "own_part" : "absent";
}

/** Whether an event that names another as its cause joins the other's conversation. */
export function isJoined(policy: Policy, parent: OracleEvent): boolean {
  return policy.conversations === "any" || sight(policy, parent) !== "absent" || covers(policy.subscribe, parent.type);
}
