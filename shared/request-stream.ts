/** A wait as a stream of steps: `accepted`, then `progress` and `response` as they come, then one `done`. */
import type { Deps } from "./ports.ts";
import type { RequestRecord } from "./records.ts";
import {
  describeOutcome,
  type PendingRequest,
  type RequestOutcome,
  type ResponseView,
  resumePath,
  viewResponse,
} from "./request-outcome.ts";
import { verdictOf } from "./verdict.ts";
import { type HoldOptions, type WaitDeps, watchRequest } from "./wait.ts";

export interface AcceptedRequest {
  readonly event_id: string;
  readonly deadline: string;
  /** Who could answer when the request was made. */
  readonly expected: readonly string[];
  readonly resume: string;
}

export type RequestStep =
  | { readonly event: "accepted"; readonly data: AcceptedRequest }
  | { readonly event: "progress" | "response"; readonly data: ResponseView }
  | { readonly event: "done"; readonly data: RequestOutcome | PendingRequest };

/** A stream that is joined again repeats what has come so far: every response has its `response_id`. */
export async function* streamRequest(
  deps: WaitDeps,
  request: RequestRecord,
  options: HoldOptions,
): AsyncGenerator<RequestStep, void> {
  const { eventId, deadline, expected } = request;
  yield { event: "accepted", data: { event_id: eventId, deadline, expected, resume: resumePath(eventId) } };
  const shown = new Set<string>();
  if (request.progressCount + request.acceptedIds.length > 0) yield* newResponses(deps, request, shown);
  const watch = watchRequest(deps, request, options);
  for (;;) {
    const step = await watch.next();
    if (step.done !== true) yield* newResponses(deps, step.value, shown);
    else {
      const last = step.value.request;
      yield* newResponses(deps, last, shown);
      yield { event: "done", data: await describeOutcome(deps, last) };
      return;
    }
  }
}

async function* newResponses(
  deps: Deps,
  request: RequestRecord,
  shown: Set<string>,
): AsyncGenerator<RequestStep, void> {
  for (const response of await deps.store.getResponses(request.eventId)) {
    const isProgress = response.status === "progress";
    if (shown.has(response.responseId) || (!isProgress && verdictOf(response, request) !== "accepted")) continue;
    shown.add(response.responseId);
    yield { event: isProgress ? "progress" : "response", data: viewResponse(response) };
  }
}
