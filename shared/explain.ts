/**
 * Why who did or did not get an event: every subscriber of its type, from the records as they are. Of another agent's
 * subscription it says whether it got the event, and neither what it wants nor how its endpoint does (I9).
 */

import type { Agent } from "./agents/agent.ts";
import { type MayDo, whatTheyMay } from "./agents/known-agents.ts";
import { isOwnAnswer, isOwnDelivery, sightOf } from "./agents/may-see.ts";
import { type DeliveryView, mayLookInto, viewDelivery } from "./deliveries/view.ts";
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import { BusError } from "./errors.ts";
import type { BusEvent } from "./event.ts";
import { type EventPattern, explainMismatch, type Mismatch } from "./event-pattern.ts";
import { type RequestView, viewRequest, viewVerdicts, waitOf } from "./history.ts";
import type { Deps } from "./ports.ts";
import type { EventRecord, ResponseRecord } from "./records.ts";
import type { ResponseView } from "./request-outcome.ts";
import { DEPLOYED_OWNER, type DeliveryRecord, deployedId, type SubscriptionEntry } from "./subscriptions/records.ts";
import { subscriptionsOf } from "./subscriptions/type-index.ts";
import type { SettledVerdict } from "./verdict.ts";

export type SubscriberVerdict =
  | DeliveryView["status"]
  | "answered"
  | "sent"
  | "filtered_out"
  | "later"
  | "disabled"
  | "not_allowed"
  | "unpublished"
  | "missed";

export interface ExplainedSubscriber {
  readonly subscriber: string;
  readonly subscription_id: string;
  readonly kind: "webhook" | "queue" | "deployed";
  readonly verdict: SubscriberVerdict;
  /** The same in a sentence. */
  readonly detail: string;
  /** The first field that its filter does not take; not of another agent's. */
  readonly mismatch?: Mismatch;
  readonly delivery?: DeliveryView;
}

export interface Explanation {
  readonly event_id: string;
  readonly type: string;
  /** By name. */
  readonly subscribers: readonly ExplainedSubscriber[];
  readonly request: RequestView | null;
  readonly responses: readonly (ResponseView & { readonly verdict: SettledVerdict | null })[];
}

/** What is known of an event. */
interface Known {
  /** Who asks. */
  readonly caller: string;
  /** What the agents whose subscriptions these are may do with the event. */
  readonly may: MayDo;
  readonly record: EventRecord;
  /** By subscription id. */
  readonly deliveries: ReadonlyMap<string, DeliveryRecord>;
  readonly responses: readonly ResponseRecord[];
}

/** To whom the event was only delivered: why he got it. @throws BusError `not_found`, also for what the agent may not see */
export async function explainEvent(
  deps: Pick<Deps, "store" | "subscribers" | "configuredAgent" | "monotonic">,
  eventId: string,
  agent: Agent,
): Promise<Explanation> {
  const [record, deliveries] = await Promise.all([deps.store.getEvent(eventId), deps.store.getDeliveries(eventId)]);
  const sight = await sightOf(deps, agent, eventId, record?.event, deliveries);
  if (record === null || sight === "nothing") throw new BusError("not_found", "There is no such event.");
  const { type } = record.event;
  const [entries, standing, responses] = await Promise.all([
    subscriptionsOf(deps, type),
    deps.store.getRequest(eventId),
    deps.store.getResponses(eventId),
  ]);
  const request = waitOf(record, standing);
  const known: Known = {
    caller: agent.id,
    may: await whatTheyMay(
      deps,
      entries.map(({ owner }) => owner),
      type,
    ),
    record,
    deliveries: new Map(deliveries.map((one) => [one.subscriptionId, one])),
    responses,
  };
  const isShown = (one: Pick<DeliveryRecord, "owner" | "name">): boolean =>
    sight === "all" || isOwnDelivery(agent, one);
  const deployed = deps.subscribers.filter(({ on }) => on.includes(type));
  const ids = new Set([...deployed.map(({ name }) => deployedId(name)), ...entries.map((one) => one.subscriptionId)]);
  const explained = [
    ...deployed
      .filter(({ name }) => isShown({ owner: DEPLOYED_OWNER, name }))
      .map((one) => explainDeployed(one, known)),
    ...entries.filter(isShown).map((entry) => explainEntry(entry, known)),
  ];
  const former = deliveries
    .filter((one) => !ids.has(one.subscriptionId) && isShown(one))
    .map((delivery) => explainFormer(delivery, known));
  return {
    event_id: eventId,
    type,
    subscribers: [...explained, ...former].sort((a, b) => (a.subscriber < b.subscriber ? -1 : 1)),
    request: request === null ? null : viewRequest(request),
    responses: viewVerdicts(
      responses.filter((response) => sight === "all" || isOwnAnswer(agent, response)),
      request,
    ),
  };
}

function explainDeployed({ name, filter }: DeployedSubscriber, known: Known): ExplainedSubscriber {
  const who = { subscriber: name, subscription_id: deployedId(name), kind: "deployed" } as const;
  const delivery = known.deliveries.get(who.subscription_id);
  const mismatch = mismatchOf(filter, known.record.event);
  if (delivery !== undefined) return { ...who, ...ofDelivery(delivery, known) };
  if (mismatch !== null) return { ...who, ...filteredOut(mismatch) };
  const answer = known.responses.find(({ subscriber }) => subscriber === name);
  if (answer !== undefined)
    return { ...who, verdict: "answered", detail: `It got the event: it answered at ${answer.timestamp}.` };
  if (!known.record.published) return { ...who, ...UNPUBLISHED };
  return {
    ...who,
    verdict: "sent",
    detail: "The event fits, and was handed to it. It has not answered, nor failed for good.",
  };
}

function explainEntry(entry: SubscriptionEntry, known: Known): ExplainedSubscriber {
  const { name, subscriptionId, kind, filter, status, activeSince } = entry;
  const { event, published } = known.record;
  const who = { subscriber: name, subscription_id: subscriptionId, kind };
  const delivery = known.deliveries.get(subscriptionId);
  if (delivery !== undefined) return { ...who, ...ofDelivery(delivery, known) };
  if (status === "disabled") return { ...who, verdict: "disabled", detail: "Its subscription is disabled." };
  if (!known.may(entry.owner, "subscribe"))
    return { ...who, verdict: "not_allowed", detail: "Its agent may not subscribe to this type any more." };
  const mismatch = mismatchOf(filter, event);
  if (mismatch !== null)
    return { ...who, ...(mayLookInto(entry, known.caller) ? filteredOut(mismatch) : FILTERED_OUT) };
  if (activeSince > event.timestamp)
    return {
      ...who,
      verdict: "later",
      detail: `It has wanted such events since ${activeSince}; the event came before.`,
    };
  if (!published) return { ...who, ...UNPUBLISHED };
  return {
    ...who,
    verdict: "missed",
    detail: "The event fits, and no delivery has begun: it is on its way, or dispatching fails.",
  };
}

/** A subscription that does not want this type any more, or is gone. */
function explainFormer(delivery: DeliveryRecord, known: Known): ExplainedSubscriber {
  const { name, subscriptionId, kind } = delivery;
  return { subscriber: name, subscription_id: subscriptionId, kind, ...ofDelivery(delivery, known) };
}

const UNPUBLISHED = {
  verdict: "unpublished",
  detail: "The event is recorded and not published yet; the relay publishes it within 90 s.",
} as const;

const FILTERED_OUT = { verdict: "filtered_out", detail: "Its filter does not take the event." } as const;

function ofDelivery(
  delivery: DeliveryRecord,
  { caller }: Known,
): Pick<ExplainedSubscriber, "verdict" | "detail" | "delivery"> {
  const view = viewDelivery(delivery, caller);
  return { verdict: view.status, detail: detailOf(view), delivery: view };
}

function detailOf({ status, attempts, reason, ended_at, next_attempt_at, log }: DeliveryView): string {
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  switch (status) {
    case "delivered":
      return `It got the event at ${ended_at}, after ${tries}.`;
    case "dead":
      return reason === undefined
        ? `It could not be delivered, after ${tries}.`
        : `It could not be delivered: ${reason} (${tries}).`;
    case "redriven":
      return `It was handed over again at ${ended_at}.`;
    case "pending": {
      const last = log.at(-1);
      const before = last === undefined ? "" : ` The last was: ${last.outcome}.`;
      return `It is to get the event from ${next_attempt_at} on, after ${tries} so far.${before}`;
    }
  }
}

const filteredOut = (mismatch: Mismatch): Pick<ExplainedSubscriber, "verdict" | "detail" | "mismatch"> => ({
  verdict: "filtered_out",
  detail: mismatch.detail,
  mismatch,
});

function mismatchOf(filter: EventPattern | undefined, event: BusEvent): Mismatch | null {
  return filter === undefined ? null : explainMismatch(filter, event);
}
