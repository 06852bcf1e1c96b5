/** `POST /events`: one event, or a batch of up to 100, in the bus's own form or as CloudEvents. */
import { contentModeOf } from "../shared/cloud-events/content-mode.ts";
import { type BatchReceipt, type EmitReceipt, emit, emitBatch, type WithAfterwards } from "../shared/emit.ts";
import { readIdempotencyKey, readTraceparent } from "../shared/input.ts";
import type { Deps } from "../shared/ports.ts";
import { emitCloudEvents } from "./runtime/cloud-events-http.ts";
import { type HttpRequest, jsonResponse, readBody, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

// Run per event.
const serveEmit: Serve = async (request, deps) => {
  const mode = contentModeOf(request.headers);
  const emitted = mode === null ? emitOwnForm(request, deps) : emitCloudEvents(deps, request, mode);
  const { result, afterwards } = await emitted;
  return { ...jsonResponse(202, result), afterwards };
};

async function emitOwnForm(request: HttpRequest, deps: Deps): Promise<WithAfterwards<EmitReceipt | BatchReceipt>> {
  const body = readBody(request);
  const sender = {
    agent: request.agent,
    idempotencyKey: readIdempotencyKey(request.headers["idempotency-key"]),
    traceparent: readTraceparent(request.headers["traceparent"]),
  };
  const isBatch = typeof body === "object" && body !== null && Object.hasOwn(body, "events");
  return isBatch ? emitBatch(deps, body, sender) : emit(deps, body, sender);
}

export const handle = serveOperations({ emit: serveEmit });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle, { publishes: true });
