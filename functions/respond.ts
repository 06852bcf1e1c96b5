/** `POST /events/{event_id}/responses`: answer an event. */
import * as v from "valibot";
import { nameField, readInput, readTraceparent } from "../shared/input.ts";
import { respond } from "../shared/respond.ts";
import { jsonResponse, readBody, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

const RespondQuery = v.strictObject({ as: v.optional(nameField) });

// Run per event.
const serveRespond: Serve = async (request, deps, { event_id = "" }) => {
  const { as } = readInput(RespondQuery, readQuery(request));
  const verdict = await respond(deps, event_id, readBody(request), {
    agent: request.agent,
    as,
    traceparent: readTraceparent(request.headers["traceparent"]),
  });
  // 202: stored, and it came too late to count.
  const isTooLate = verdict.verdict === "late" || verdict.verdict === "cancelled";
  return jsonResponse(isTooLate ? 202 : 200, verdict);
};

export const handle = serveOperations({ respond: serveRespond });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
