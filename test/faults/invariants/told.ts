/** What agents were told of requests. */
import type { PendingRequest, RequestOutcome } from "../../../shared/request-outcome.ts";
import type { AnsweredCall } from "../history.ts";
import type { Judged } from "../judged.ts";

export interface ToldOutcome {
  readonly call: AnsweredCall<"ask"> | AnsweredCall<"resume"> | AnsweredCall<"cancel">;
  readonly answer: RequestOutcome | PendingRequest;
}

export function toldOutcomes(run: Judged): ToldOutcome[] {
  const calls = [...run.answered("ask"), ...run.answered("resume"), ...run.answered("cancel")];
  return calls.map((call) => ({ call, answer: call.outcome.answer }));
}
