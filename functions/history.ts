/** `GET /events`, `GET /events/{event_id}`, `GET /event-types`, `GET /health`: look back. */
import { listEvents, showEvent } from "../shared/history.ts";
import { jsonResponse, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

// Run per event.
const list: Serve = async (request, deps) =>
  jsonResponse(200, await listEvents(deps, readQuery(request), request.caller));

const show: Serve = async (_request, deps, { event_id = "" }) => jsonResponse(200, await showEvent(deps, event_id));

const types: Serve = async (_request, { catalogue }) => {
  const event_types = Object.entries(catalogue).map(([name, { group, description, schema }]) => ({
    name,
    group,
    description,
    has_schema: schema !== undefined,
  }));
  return jsonResponse(200, { event_types });
};

const health: Serve = async () => jsonResponse(200, { status: "ok" });

/** A path that no function serves ends here too, so that its error is the same everywhere. */
export const handle = serveOperations({ list, show, types, health });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
