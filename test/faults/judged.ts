/** A run as the invariants look at it: the calls, the final state, and ways to find things in them. */
import { deliveryWorkId } from "../../shared/keys.ts";
import type {
  FinalDelivery,
  FinalEvent,
  FinalRequest,
  FinalResponse,
  FinalState,
  FinalSubscription,
  RunFacts,
} from "./final-state.ts";
import { type AnsweredCall, answered, type Call, type CallOf, callsOf, type Operation } from "./history.ts";

export class Judged {
  readonly calls: readonly Call[];
  readonly state: FinalState;
  readonly facts: RunFacts;
  readonly events: ReadonlyMap<string, FinalEvent>;
  readonly eventsByMarker: ReadonlyMap<string, readonly FinalEvent[]>;
  readonly requests: ReadonlyMap<string, FinalRequest>;
  readonly responses: ReadonlyMap<string, readonly FinalResponse[]>;
  readonly responsesByMarker: ReadonlyMap<string, readonly FinalResponse[]>;
  readonly subscriptions: ReadonlyMap<string, FinalSubscription>;
  private readonly deliveries: ReadonlyMap<string, FinalDelivery>;

  constructor(calls: readonly Call[], state: FinalState, facts: RunFacts) {
    this.calls = calls;
    this.state = state;
    this.facts = facts;
    this.events = new Map(state.events.map((one) => [one.event.id, one]));
    this.eventsByMarker = groupBy(state.events, ({ event }) => String(event.data["marker"]));
    this.requests = new Map(state.requests.map((one) => [one.eventId, one]));
    this.responses = groupBy(state.responses, ({ eventId }) => eventId);
    this.responsesByMarker = groupBy(state.responses, ({ response }) => String(response["marker"]));
    this.subscriptions = new Map(state.subscriptions.map((one) => [one.subscriptionId, one]));
    this.deliveries = new Map(state.deliveries.map((one) => [deliveryWorkId(one.eventId, one.subscriptionId), one]));
  }

  callsOf<Name extends Operation>(operation: Name): CallOf<Name>[] {
    return callsOf(this.calls, operation);
  }

  answered<Name extends Operation>(operation: Name): AnsweredCall<Name>[] {
    return answered(this.calls, operation);
  }

  delivery(eventId: string, subscriptionId: string): FinalDelivery | undefined {
    return this.deliveries.get(deliveryWorkId(eventId, subscriptionId));
  }
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** A call in the words of a violation. */
export const named = ({ number, agent, operation }: Call | CallOf<Operation>): string =>
  `call ${number} (${agent}, ${operation})`;
