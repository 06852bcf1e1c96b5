/** What the bus has recorded, and what left it, when all is quiet again: beside the calls, what a run is judged by. */
import type { Agent } from "../../shared/agents/agent.ts";
import type { BusEvent } from "../../shared/event.ts";
import type { RequestRecord, RequestState, ResponseRecord } from "../../shared/records.ts";
import type { DeliveryRecord, SubscriptionRecord } from "../../shared/subscriptions/records.ts";
import type { SettledVerdict } from "../../shared/verdict.ts";

export interface FinalEvent {
  readonly event: BusEvent;
  /** Whether it is marked as published. */
  readonly published: boolean;
}

export type FinalRequest = Pick<
  RequestRecord,
  "eventId" | "state" | "expect" | "expected" | "requester" | "createdAt" | "deadline" | "acceptedIds" | "answeredBy"
>;

export interface FinalResponse
  extends Pick<ResponseRecord, "responseId" | "eventId" | "response" | "status" | "sender" | "subscriber"> {
  /** As history tells it; null when nothing is decided. */
  readonly verdict: SettledVerdict | null;
}

export type FinalDelivery = Pick<
  DeliveryRecord,
  "eventId" | "subscriptionId" | "eventType" | "owner" | "name" | "kind" | "state" | "attempts" | "redrives"
> & { readonly reason?: string };

export type FinalSubscription = Pick<SubscriptionRecord, "subscriptionId" | "owner" | "name" | "eventTypes" | "status">;

/** An event that a subscriber got: by a call of a deployed one, by a webhook, or out of a queue. */
export interface HandOver {
  /** A run-time subscription by its id; a deployed subscriber as `deployed:<name>`. */
  readonly subscriptionId: string;
  readonly eventId: string;
}

export interface FinalState {
  readonly events: readonly FinalEvent[];
  /** Also those without an event. */
  readonly requests: readonly FinalRequest[];
  readonly responses: readonly FinalResponse[];
  readonly deliveries: readonly FinalDelivery[];
  /** Also deleted ones, as long as they are remembered. */
  readonly subscriptions: readonly FinalSubscription[];
  /** Every time that an event was put on the bus between the store and the subscribers, by its id; in any order. */
  readonly publications: readonly string[];
  readonly handOvers: readonly HandOver[];
  /** Every terminal state that was ever seen in the record of a request, one after the other. */
  readonly terminalStates: readonly { readonly eventId: string; readonly state: RequestState }[];
}

/** What is known of how the run was set up. */
export interface RunFacts {
  /** Deployed subscribers, and the types that they are on. */
  readonly deployed: readonly { readonly name: string; readonly eventTypes: readonly string[] }[];
  /** An event shows in history at the latest so long after its call ended, in milliseconds. */
  readonly historyLagMs: number;
  /** True when nothing went wrong in this run: then nothing is published or delivered twice (R7). */
  readonly isFaultless: boolean;
  /** Whether what an agent is shown may be shown to him (I9); everything when not given. */
  readonly mayRead?: (agent: string, event: BusEvent) => boolean;
  /** What an agent may do (I9); everything, and speak for anybody, when not given or undefined. */
  readonly agentOf?: (id: string) => Agent | undefined;
}
