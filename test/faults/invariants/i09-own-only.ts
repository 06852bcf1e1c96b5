import { allows, type TypeRight } from "../../../shared/agents/policy.ts";
import type { Call } from "../history.ts";
import { type Judged, named } from "../judged.ts";
import { acknowledgedEvents } from "./receipts.ts";
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
  faults.push(...policiesAreKept(run), ...nothingElseIsShown(run));
  return faults;
}

/** Nobody sends, wants or answers a type that he may not, or speaks for who he is not. */
function policiesAreKept(run: Judged): string[] {
  const faults: string[] = [];
  const require = (call: Call, right: TypeRight, type: string): void => {
    const agent = run.facts.agentOf?.(call.agent);
    if (agent !== undefined && !allows(agent.policy, right, type))
      faults.push(`${named(call)} was let through with ${type}, which ${call.agent} may not ${right}`);
  };
  for (const { call, sent } of acknowledgedEvents(run)) require(call, "emit", sent.type);
  for (const call of run.answered("subscribe"))
    for (const type of call.input.eventTypes) require(call, "subscribe", type);
  for (const call of run.answered("respond")) {
    const type = run.events.get(call.input.eventId)?.event.type;
    if (type !== undefined) require(call, "answer", type);
    const agent = run.facts.agentOf?.(call.agent);
    const { as } = call.input;
    if (as === undefined || agent === undefined || agent.isOpen === true || agent.subscriber === as) continue;
    if (!run.state.subscriptions.some(({ owner, name }) => owner === call.agent && name === as))
      faults.push(`${named(call)} answered ${call.input.eventId} as ${as}, who ${call.agent} is not`);
  }
  return faults;
}

/** What is shown of others' events, and what came to an agent by a subscription of its own. */
function nothingElseIsShown(run: Judged): string[] {
  const { mayRead } = run.facts;
  if (mayRead === undefined) return [];
  const faults: string[] = [];
  for (const call of run.answered("list"))
    for (const position of call.outcome.answer.positions) {
      const event = run.events.get(position.slice(position.indexOf("#") + 1))?.event;
      if (event !== undefined && !mayRead(call.agent, event)) faults.push(`${named(call)} was shown event ${event.id}`);
    }
  for (const call of run.answered("show"))
    if (!mayRead(call.agent, call.outcome.answer.event) && !wasGiven(run, call.agent, call.outcome.answer.event.id))
      faults.push(`${named(call)} was shown event ${call.outcome.answer.event.id}`);
  return faults;
}

const wasGiven = (run: Judged, agent: string, eventId: string): boolean =>
  run.state.deliveries.some((delivery) => delivery.owner === agent && delivery.eventId === eventId);
