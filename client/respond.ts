/** Answering an event. Every try carries the same response id, so that a retry has no second effect. */
import { replyPath } from "../shared/event.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Verdict } from "../shared/respond.ts";
import type { Answerable, Connection, RespondOptions } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS, type Call } from "./transport.ts";

export async function respond(
  connection: Connection,
  event: Answerable,
  response: JsonObject,
  options: RespondOptions,
): Promise<Verdict> {
  const { path, token } = whereToAnswer(event, options.as);
  const traceparent = options.traceparent ?? ("reply_to" in event ? event.traceparent : undefined);
  const call: Call = {
    ...targetOf("respond"),
    path,
    ...(traceparent === undefined ? {} : { headers: { traceparent } }),
    body: {
      response,
      reply_token: token,
      response_id: options.responseId ?? crypto.randomUUID(),
      status: options.status,
    },
  };
  return withRetries(connection.retry, options.signal, () =>
    connection.transport.json<Verdict>(call, { signal: options.signal, timeoutMs: CALL_TIMEOUT_MS }),
  );
}

/** Only path and query of `reply_to.url` are followed: an event cannot send its answer, or a signature, elsewhere. */
function whereToAnswer(event: Answerable, as: string | undefined): { path: string; token: string } {
  if (!("reply_to" in event))
    return { path: replyPath(encodeURIComponent(event.eventId), as), token: event.replyToken };
  const url = new URL(event.reply_to.url, "http://bus");
  const answersAs = as ?? url.searchParams.get("as");
  return {
    path: `${url.pathname}${answersAs === null ? "" : `?as=${encodeURIComponent(answersAs)}`}`,
    token: event.reply_to.token,
  };
}
