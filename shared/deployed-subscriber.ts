import type { EventPattern } from "./event-pattern.ts";

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
}
