import type { Judged } from "../judged.ts";

/** I6: when all is quiet, no request is open any more: each has had its deadline, its grace and two sweeps. */
export function nothingStaysPending(run: Judged): string[] {
  return run.state.requests.flatMap(({ eventId, state, deadline }) =>
    state === "PENDING" ? [`request ${eventId} is still pending, its deadline was ${deadline}`] : [],
  );
}
