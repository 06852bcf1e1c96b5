import { type Judged, named } from "../judged.ts";

/** I4: an acknowledged response is recorded as it was given, and history says of it what its responder was told. */
export function responsesAreKept(run: Judged): string[] {
  const faults: string[] = [];
  for (const call of run.answered("respond")) {
    const { event_id, response_id, verdict, first_verdict } = call.outcome.answer;
    const kept = run.responses.get(event_id)?.find(({ responseId }) => responseId === response_id);
    const told = verdict === "replayed" ? first_verdict : verdict;
    if (kept === undefined) faults.push(`${named(call)} gave response ${response_id} to ${event_id}, which is dropped`);
    else if (kept.response["marker"] !== call.input.marker || kept.sender !== call.agent)
      faults.push(`${named(call)} gave response ${response_id} to ${event_id}, and another one stands there`);
    else if (kept.verdict !== told)
      faults.push(`${named(call)} was told that response ${response_id} is ${told}, and history says ${kept.verdict}`);
  }
  for (const { eventId, state, acceptedIds } of run.state.requests)
    for (const id of acceptedIds)
      if (!run.responses.get(eventId)?.some(({ responseId }) => responseId === id))
        faults.push(`request ${eventId} is ${state} by response ${id}, which is not recorded`);
  return faults;
}
