/** `POST /events`: one event, or a batch of up to 100. */
import { emit, emitBatch } from "../shared/emit.ts";
import { readIdempotencyKey, readTraceparent } from "../shared/input.ts";
import { jsonResponse, readBody, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

// Run per event.
const serveEmit: Serve = async (request, deps) => {
  const body = readBody(request);
  const sender = {
    caller: request.caller,
    idempotencyKey: readIdempotencyKey(request.headers["idempotency-key"]),
    traceparent: readTraceparent(request.headers["traceparent"]),
  };
  const isBatch = typeof body === "object" && body !== null && Object.hasOwn(body, "events");
  const { result, afterwards } = isBatch ? await emitBatch(deps, body, sender) : await emit(deps, body, sender);
  return { ...jsonResponse(202, result), afterwards };
};

export const handle = serveOperations({ emit: serveEmit });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
