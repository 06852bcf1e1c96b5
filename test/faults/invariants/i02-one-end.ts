import { type Judged, named } from "../judged.ts";
import { toldOutcomes } from "./told.ts";

/** I2: a request has one terminal state, whoever looks and whenever. */
export function requestsEndOnce(run: Judged): string[] {
  const faults: string[] = [];
  for (const { eventId, state } of run.state.terminalStates) {
    const final = run.requests.get(eventId)?.state;
    if (final !== state) faults.push(`request ${eventId} ended ${state}, and is ${final ?? "gone"} in the end`);
  }
  for (const { call, answer } of toldOutcomes(run)) {
    if (answer.status === "pending") continue;
    const final = run.requests.get(answer.event_id)?.state.toLowerCase();
    if (final !== answer.status)
      faults.push(
        `${named(call)} was told that request ${answer.event_id} is ${answer.status}, and it is ${final ?? "gone"}`,
      );
  }
  for (const { eventId, state, acceptedIds, expect, expected, answeredBy } of run.state.requests) {
    const few = acceptedIds.length;
    if (state === "ANSWERED" && expect.mode === "first" && few !== 1)
      faults.push(`request ${eventId} wanted one answer and ended with ${few}`);
    if (state === "ANSWERED" && expect.mode === "count" && few !== expect.count)
      faults.push(`request ${eventId} wanted ${expect.count} answers and ended with ${few}`);
    if (state === "ANSWERED" && expect.mode === "all" && !expected.every((name) => answeredBy.includes(name)))
      faults.push(`request ${eventId} waited for ${expected.join(", ")} and ended with ${answeredBy.join(", ")}`);
  }
  return faults;
}
