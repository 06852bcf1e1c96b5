import { type Judged, named } from "../judged.ts";
import { toldOutcomes } from "./told.ts";

/** I9: no agent reads or writes what it may not. */
export function nobodyLooksInto(run: Judged): string[] {
  const faults: string[] = [];
  for (const { call, answer } of toldOutcomes(run)) {
    const requester = run.requests.get(answer.event_id)?.requester;
    if (requester !== undefined && requester !== call.agent)
      faults.push(`${named(call)} was told of request ${answer.event_id} of ${requester}`);
  }
  for (const call of run.calls) {
    if (call.outcome.kind !== "ok" || !("subscriptionId" in call.input) || call.input.subscriptionId === undefined)
      continue;
    const owner = run.subscriptions.get(call.input.subscriptionId)?.owner;
    const isEmptyHanded = call.operation === "redrive" && call.outcome.answer.deliveries.length === 0;
    if (owner !== undefined && owner !== call.agent && !isEmptyHanded)
      faults.push(`${named(call)} reached subscription ${call.input.subscriptionId} of ${owner}`);
  }
  for (const call of run.answered("respond"))
    if (call.input.isForged === true) faults.push(`${named(call)} answered ${call.input.eventId} with a forged token`);
  const { mayRead } = run.facts;
  if (mayRead === undefined) return faults;
  for (const call of run.answered("list"))
    for (const position of call.outcome.answer.positions) {
      const event = run.events.get(position.slice(position.indexOf("#") + 1))?.event;
      if (event !== undefined && !mayRead(call.agent, event)) faults.push(`${named(call)} was shown event ${event.id}`);
    }
  for (const call of run.answered("show"))
    if (!mayRead(call.agent, call.outcome.answer.event))
      faults.push(`${named(call)} was shown event ${call.outcome.answer.event.id}`);
  return faults;
}
