/** `GET /events/stream`: events as they come, as server-sent events. */
import * as v from "valibot";
import { requireStream } from "../shared/agents/may-stream.ts";
import { type CursorScope, openCursor } from "../shared/cursor.ts";
import { BusError } from "../shared/errors.ts";
import { toSelection } from "../shared/history.ts";
import { nameField, readInput } from "../shared/input.ts";
import { FUNCTION_TIME_MARGIN_MS } from "../shared/limits.ts";
import { type StreamDeps, streamEvents } from "../shared/live-stream.ts";
import { readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";
import { begun, eventStream } from "./runtime/sse.ts";
import { toServerSentEvents } from "./runtime/streamed-events.ts";

const StreamQuery = v.strictObject({
  type: v.optional(nameField),
  correlation_id: v.optional(nameField),
  as: v.optional(nameField),
  after: v.optional(v.string()),
});

const CANNOT_STREAM = "Nothing is streamed here: this platform hands over a response only at its end.";

// Run per event.
const stream: Serve<StreamDeps> = async (request, deps) => {
  if (!request.canStream) throw new BusError("unavailable", CANNOT_STREAM, { retryable: false });
  const { as, after, ...given } = readInput(StreamQuery, readQuery(request));
  const selection = toSelection(deps, given);
  requireStream(deps, request.agent, selection.type);
  const scope: CursorScope = { caller: request.agent.id, query: { stream: { ...selection } } };
  const lastEventId = request.headers["last-event-id"];
  const cursor = lastEventId ?? after;
  const pointer = lastEventId === undefined ? "/after" : "Last-Event-ID";
  const place = cursor === undefined ? undefined : await openCursor(deps, scope, cursor, pointer);
  const holdMs = Math.max(0, request.remainingMs() - FUNCTION_TIME_MARGIN_MS);
  const signal = AbortSignal.any([request.signal, request.gone]);
  const steps = streamEvents(deps, { agent: request.agent, selection, as, place, holdMs, signal });
  return eventStream(await begun(toServerSentEvents(deps, scope, as, steps)));
};

export const handle = serveOperations({ stream });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
