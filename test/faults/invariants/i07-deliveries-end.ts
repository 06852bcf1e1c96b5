import { deployedId } from "../../../shared/subscriptions/records.ts";
import type { CallOf } from "../history.ts";
import { type Judged, named } from "../judged.ts";
import { acknowledgedEvents } from "./receipts.ts";

/** I7: every delivery ends, a dead one says why, and nobody who was to get an event is left out. */
export function deliveriesEnd(run: Judged): string[] {
  return [...endings(run), ...nobodyLeftOut(run), ...nothingDeliveredUnseen(run), ...deadOnesSaidWhy(run)];
}

function endings(run: Judged): string[] {
  return run.state.deliveries.flatMap((delivery) => {
    const which = `the delivery of ${delivery.eventId} to ${delivery.name}`;
    if (delivery.state === "PENDING") return [`${which} is still pending`];
    if (delivery.state === "DEAD" && !delivery.reason) return [`${which} is dead and does not say why`];
    return [];
  });
}

/** Who subscribed before an event was sent, and has left it at that, gets it; so does every deployed subscriber. */
function nobodyLeftOut(run: Judged): string[] {
  const handedOver = new Set(run.state.handOvers.map((one) => `${one.subscriptionId} ${one.eventId}`));
  const faults: string[] = [];
  const standing = standingSubscriptions(run);
  for (const { event } of run.state.events) {
    for (const { name, eventTypes } of run.facts.deployed) {
      if (!eventTypes.includes(event.type)) continue;
      const id = deployedId(name);
      if (!handedOver.has(`${id} ${event.id}`) && run.delivery(event.id, id)?.state !== "DEAD")
        faults.push(`${name} never got event ${event.id}, and its delivery is not dead`);
    }
  }
  for (const { call, eventId, by } of acknowledgedEvents(run)) {
    const event = run.events.get(eventId)?.event;
    if (event === undefined) continue;
    for (const { subscriptionId, name, eventTypes, since } of standing)
      if (since < firstSentAt(run, call.number, eventId) && eventTypes.includes(event.type))
        if (run.delivery(eventId, subscriptionId) === undefined)
          faults.push(
            `${by} sent event ${eventId}, and ${name} (${subscriptionId}), subscribed before, has no delivery`,
          );
  }
  return faults;
}

/** When an event may have been sent for the first time: an earlier call with its key may have had an unknown end. */
function firstSentAt(run: Judged, number: number, eventId: string): number {
  const marker = run.events.get(eventId)?.event.data["marker"];
  const first = run.calls.find(
    (call) =>
      ("marker" in call.input && call.input.marker === marker) ||
      (call.operation === "emitBatch" && call.input.events.some((one) => one.marker === marker)),
  );
  return first?.invokedAt ?? run.calls[number]?.invokedAt ?? 0;
}

interface Standing {
  readonly subscriptionId: string;
  readonly name: string;
  readonly eventTypes: readonly string[];
  /** The place of the call's end that made it so. */
  readonly since: number;
}

/** Subscriptions that stand as their last subscribe said, with no other call of any end that may have changed them. */
function standingSubscriptions(run: Judged): Standing[] {
  return run.state.subscriptions.flatMap(({ subscriptionId, owner, name, status, eventTypes }) => {
    const changes = run.calls.filter(
      (call): call is CallOf<"subscribe"> | CallOf<"changeSubscription"> | CallOf<"unsubscribe"> =>
        call.agent === owner &&
        ((call.operation === "subscribe" && call.input.name === name) ||
          ((call.operation === "changeSubscription" || call.operation === "unsubscribe") &&
            call.input.subscriptionId === subscriptionId)),
    );
    const last = changes.at(-1);
    if (status !== "active" || last?.operation !== "subscribe" || last.endedAt === null) return [];
    const said = JSON.stringify(last.input);
    // The same said again, with whatever end, changes nothing.
    const others = changes.filter(({ input }) => JSON.stringify(input) !== said);
    const mayComeLater = others.some(
      ({ outcome, endedAt }) => outcome.kind === "unknown" || endedAt === null || endedAt > last.invokedAt,
    );
    if (last.outcome.kind !== "ok" || mayComeLater) return [];
    return [{ subscriptionId, name, eventTypes, since: last.endedAt }];
  });
}

/** What is marked as delivered was handed over. */
function nothingDeliveredUnseen(run: Judged): string[] {
  const handedOver = new Set(run.state.handOvers.map((one) => `${one.subscriptionId} ${one.eventId}`));
  return run.state.deliveries.flatMap(({ state, subscriptionId, eventId, name }) =>
    state === "DELIVERED" && !handedOver.has(`${subscriptionId} ${eventId}`)
      ? [`event ${eventId} is marked as delivered to ${name}, who never got it`]
      : [],
  );
}

/** What is sent again was dead, and had said why. */
function deadOnesSaidWhy(run: Judged): string[] {
  return run
    .answered("redrive")
    .flatMap((call) =>
      call.outcome.answer.deliveries.flatMap(({ event_id, subscriber, reason }) =>
        reason ? [] : [`${named(call)} found the delivery of ${event_id} to ${subscriber} dead, without a reason`],
      ),
    );
}
