/** `GET /events/stream`: events as they come, as server-sent events. */
import * as v from "valibot";
import type { Agent } from "../shared/agents/agent.ts";
import { refusal, requireType } from "../shared/agents/authorize.ts";
import { allows } from "../shared/agents/policy.ts";
import { type CursorScope, openCursor, sealCursor } from "../shared/cursor.ts";
import { BusError } from "../shared/errors.ts";
import { deliveredCopy } from "../shared/event.ts";
import { toSelection } from "../shared/history.ts";
import { nameField, readInput } from "../shared/input.ts";
import { FUNCTION_TIME_MARGIN_MS } from "../shared/limits.ts";
import { type StreamStep, streamEvents } from "../shared/live-stream.ts";
import type { Deps } from "../shared/ports.ts";
import { readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";
import { begun, eventStream, type ServerSentEvent } from "./runtime/sse.ts";

const StreamQuery = v.strictObject({
  type: v.optional(nameField),
  correlation_id: v.optional(nameField),
  as: v.optional(nameField),
  after: v.optional(v.string()),
});

const CANNOT_STREAM = "Nothing is streamed here: this platform hands over a response only at its end.";

// Run per event.
const stream: Serve = async (request, deps) => {
  if (!request.canStream) throw new BusError("unavailable", CANNOT_STREAM, { retryable: false });
  const { as, after, ...given } = readInput(StreamQuery, readQuery(request));
  const selection = toSelection(deps, given);
  requireSelection(deps, request.agent, selection.type);
  const scope: CursorScope = { caller: request.agent.id, query: { stream: { ...selection } } };
  const lastEventId = request.headers["last-event-id"];
  const cursor = lastEventId ?? after;
  const pointer = lastEventId === undefined ? "/after" : "Last-Event-ID";
  const place = cursor === undefined ? undefined : await openCursor(deps, scope, cursor, pointer);
  const holdMs = Math.max(0, request.remainingMs() - FUNCTION_TIME_MARGIN_MS);
  const signal = AbortSignal.any([request.signal, request.gone]);
  const events = format(
    deps,
    scope,
    as,
    streamEvents(deps, { agent: request.agent, selection, as, place, holdMs, signal }),
  );
  return eventStream(await begun(events));
};

/** Of a type that it may subscribe to; of all, where there is any such type. @throws BusError `forbidden` */
function requireSelection(deps: Deps, agent: Agent, type: string | undefined): void {
  const ofCatalogue = Object.keys(deps.catalogue);
  if (type !== undefined) requireType(deps, agent, "stream", type, "/type");
  else if (!ofCatalogue.some((name) => allows(agent.policy, "subscribe", name)))
    throw refusal(deps, agent, "stream", "This agent may not subscribe to any event type.");
}

/** Each event with the cursor after it; first of all the cursor from which the stream starts. */
async function* format(
  deps: Deps,
  scope: CursorScope,
  as: string | undefined,
  steps: AsyncIterable<StreamStep>,
): AsyncGenerator<ServerSentEvent, void> {
  for await (const step of steps) {
    const id = await sealCursor(deps, scope, step.place.toText());
    if (step.kind === "opened") yield { id };
    else yield { id, data: deliveredCopy(step.record.event, step.record.replyToken, as) };
  }
}

export const handle = serveOperations({ stream });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
