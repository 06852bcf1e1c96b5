import type { ResponseView } from "../../../shared/request-outcome.ts";
import type { FinalRequest, FinalResponse } from "../final-state.ts";
import { type Judged, named } from "../judged.ts";
import { toldOutcomes } from "./told.ts";

/** I3: what a waiter was told is what the record says: these answers and no others, and who is missing. */
export function waitersAreToldTheRecord(run: Judged): string[] {
  return toldOutcomes(run).flatMap(({ call, answer }) => {
    const request = run.requests.get(answer.event_id);
    if (request === undefined) return [`${named(call)} was told of request ${answer.event_id}, which is not recorded`];
    const responses = run.responses.get(answer.event_id) ?? [];
    const faults = answer.responses.flatMap((told) => faultOf(told, request, responses));
    // While it was open there may have been fewer.
    if (answer.status !== "pending" && answer.responses.length !== request.acceptedIds.length)
      faults.push(`${answer.responses.length} answers, of ${request.acceptedIds.length}`);
    if (answer.status === "answered" || answer.status === "failed") {
      if (JSON.stringify(answer.response) !== JSON.stringify(answer.responses[0]?.response))
        faults.push("an answer that is not the first of those that count");
      if (answer.missing.length > 0)
        faults.push(`that ${answer.missing.join(", ")} is missing, although it is answered`);
    }
    if (answer.status === "timed_out" || answer.status === "cancelled") {
      const missing = request.expected.filter((name) => !request.answeredBy.includes(name));
      if (missing.join() !== answer.missing.join())
        faults.push(`that ${answer.missing.join(", ") || "nobody"} is missing, and it is ${missing.join(", ")}`);
    }
    return faults.map((fault) => `${named(call)}, of request ${answer.event_id}, was told ${fault}`);
  });
}

function faultOf(told: ResponseView, request: FinalRequest, responses: readonly FinalResponse[]): string[] {
  const kept = responses.find(({ responseId }) => responseId === told.response_id);
  if (kept === undefined) return [`an answer ${told.response_id} that is not recorded`];
  if (!request.acceptedIds.includes(told.response_id)) return [`an answer ${told.response_id} that does not count`];
  if (JSON.stringify(kept.response) !== JSON.stringify(told.response))
    return [`other words of answer ${told.response_id} than are recorded`];
  return [];
}
