/** `POST /requests`, `GET` and `DELETE /requests/{event_id}`: ask and wait, join the wait again, cancel it. */
import * as v from "valibot";
import { cancelRequest, findOwnRequest } from "../shared/end-request.ts";
import { readIdempotencyKey, readInput, readTraceparent } from "../shared/input.ts";
import { openRequest } from "../shared/request.ts";
import type { WaitDeps } from "../shared/wait.ts";
import { holdFor, outcomeResponse } from "./runtime/hold.ts";
import { readBody, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";
import { createWaitParts } from "./runtime/wait-parts.ts";

const waitText = "seconds from 0 to 86400 were expected";
const ResumeQuery = v.strictObject({
  wait: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}(\.\d{1,3})?$/, waitText), v.transform(Number), v.maxValue(86_400, waitText)),
    "0",
  ),
});

// Run per event.
const ask: Serve<WaitDeps> = async (call, deps) => {
  const { request, settled } = await openRequest(deps, readBody(call), {
    agent: call.agent,
    idempotencyKey: readIdempotencyKey(call.headers["idempotency-key"]),
    traceparent: readTraceparent(call.headers.traceparent),
  });
  return holdFor(call, deps, request, { settled });
};

const resume: Serve<WaitDeps> = async (call, deps, { event_id = "" }) => {
  const { wait } = readInput(ResumeQuery, readQuery(call));
  return holdFor(call, deps, await findOwnRequest(deps, event_id, call.agent.id), { wantedMs: wait * 1_000 });
};

const cancel: Serve = async (call, deps, { event_id = "" }) =>
  outcomeResponse(deps, await cancelRequest(deps, event_id, call.agent.id));

export const handle = serveOperations({ request: ask, resume, cancel });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle, { parts: createWaitParts, publishes: true });
