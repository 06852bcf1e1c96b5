/** `POST /requests`, `GET` and `DELETE /requests/{event_id}`: ask and wait, join the wait again, cancel it. */
import * as v from "valibot";
import { cancelRequest, findOwnRequest } from "../shared/end-request.ts";
import { readIdempotencyKey, readInput, readTraceparent } from "../shared/input.ts";
import { FUNCTION_TIME_MARGIN_MS } from "../shared/limits.ts";
import type { Deps, RequestRecord } from "../shared/ports.ts";
import { openRequest } from "../shared/request.ts";
import { describeOutcome, resumePath } from "../shared/request-outcome.ts";
import { streamRequest } from "../shared/request-stream.ts";
import { waitForEnd } from "../shared/wait.ts";
import {
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
  readBody,
  readQuery,
  type Serve,
  serveOperations,
  wantsEventStream,
} from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";
import { eventStream } from "./runtime/sse.ts";

const waitText = "seconds from 0 to 86400 were expected";
const ResumeQuery = v.strictObject({
  wait: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}(\.\d{1,3})?$/, waitText), v.transform(Number), v.maxValue(86_400, waitText)),
    "0",
  ),
});

// Run per event.
const ask: Serve = async (request, deps) => {
  const { request: opened, settled } = await openRequest(deps, readBody(request), {
    caller: request.caller,
    idempotencyKey: readIdempotencyKey(request.headers["idempotency-key"]),
    traceparent: readTraceparent(request.headers["traceparent"]),
  });
  return hold(request, deps, opened, Number.POSITIVE_INFINITY, () => settled);
};

const resume: Serve = async (request, deps, { event_id = "" }) => {
  const { wait } = readInput(ResumeQuery, readQuery(request));
  return hold(request, deps, await findOwnRequest(deps, event_id, request.caller), wait * 1_000);
};

const cancel: Serve = async (request, deps, { event_id = "" }) =>
  answer(deps, await cancelRequest(deps, event_id, request.caller));

/** Holds the call for as long as it may be, and hands over before the function's own time is up. */
async function hold(
  request: HttpRequest,
  deps: Deps,
  opened: RequestRecord,
  wantedMs: number,
  settled = () => Promise.resolve(),
): Promise<HttpResponse> {
  const holdMs = Math.max(
    0,
    Math.min(wantedMs, deps.limits.holdSeconds * 1_000, request.remainingMs() - FUNCTION_TIME_MARGIN_MS),
  );
  const options = { holdMs, signal: request.signal };
  if (wantsEventStream(request)) return eventStream(streamRequest(deps, opened, options), settled);
  const end = await waitForEnd(deps, opened, options);
  return { ...(await answer(deps, end.request)), afterwards: settled };
}

async function answer(deps: Deps, request: RequestRecord): Promise<HttpResponse> {
  const body = await describeOutcome(deps, request);
  return body.status === "pending"
    ? jsonResponse(202, body, { location: resumePath(request.eventId) })
    : jsonResponse(200, body);
}

export const handle = serveOperations({ request: ask, resume, cancel });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
