/** Who calls, and what it may do. */
import { OPEN_POLICY, type Policy } from "./policy.ts";

/** A verified caller. */
export interface Agent {
  /** The `source` of its events, and the owner of what it makes. */
  readonly id: string;
  readonly policy: Policy;
  /** The deployed subscriber that it is, if it is one. */
  readonly subscriber?: string;
  /** Nobody proves anything here: it may speak for anybody. */
  readonly isOpen?: boolean;
}

/** An agent that nobody has verified. */
export function openAgent(id: string): Agent {
  return { id, policy: OPEN_POLICY, isOpen: true };
}
