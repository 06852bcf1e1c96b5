import type { DeclaredPolicy } from "./agents/declared-policy.ts";
import { deployedPolicy, type Policy } from "./agents/policy.ts";
import type { EventPattern } from "./event-pattern.ts";
import { MAX_RECEIVES } from "./limits.ts";

/**
 * What dead letters call the bus's own dispatching of events to run-time subscriptions. No deployed subscriber can have
 * this name.
 */
export const DISPATCH = "(dispatch)";

/** A subscriber that is written in `bus.config.ts` and deployed with the bus. */
export interface DeployedSubscriber {
  /** Unique in the deployment; lower case, digits and hyphens. It is what `missing` and `responder` say. */
  readonly name: string;
  /** The event types it wants. */
  readonly on: readonly string[];
  /** An EventBridge event pattern on the event; without it, every event of the types. */
  readonly filter?: EventPattern;
  /** The module, relative to the project, whose export `handler` is called. */
  readonly handler: string;
  /** `direct`: EventBridge invokes the function, for low latency. `queue`: through SQS, for retries and batches. */
  readonly via: "direct" | "queue";
  /** False for an observer: it is never expected to answer. */
  readonly answers: boolean;
  /** How long one call may take, in seconds. A message of a queue that failed comes again after six times as long. */
  readonly timeoutSeconds: number;
  /** Memory of its function, in MB; it gets processor time in proportion. */
  readonly memoryMb: number;
  /** Where its policy differs from `deployedPolicy`. */
  readonly policy?: DeclaredPolicy;
}

/** What a deployed subscriber may do. */
export const policyOfSubscriber = ({ on, policy }: Pick<DeployedSubscriber, "on" | "policy">): Policy => ({
  ...deployedPolicy(on),
  ...policy,
});

/**
 * What a subscriber's function finds in its environment about itself; where the bus is comes from who runs it.
 *
 * @param retrySeconds what failed comes from its queue again no sooner than this: where that is after the deadline of
 * who waits, a failure is told at once
 */
export function subscriberEnvironment(
  { name, answers, via }: DeployedSubscriber,
  retrySeconds: number,
): Record<string, string> {
  return {
    AGENT_EVENT_BUS_SUBSCRIBER: name,
    ...(answers ? {} : { AGENT_EVENT_BUS_ANSWERS: "false" }),
    ...(via === "queue"
      ? {
          AGENT_EVENT_BUS_MAX_RECEIVES: String(MAX_RECEIVES),
          AGENT_EVENT_BUS_RETRY_SECONDS: String(retrySeconds),
        }
      : {}),
  };
}
