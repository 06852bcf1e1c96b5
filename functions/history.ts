/** `GET /events`, `GET /events/{event_id}` and `/explain`, `GET /event-types`, `/openapi.json`, `/asyncapi.json`, `/health`: look back. */
import { explainEvent } from "../shared/explain.ts";
import { listEvents, showEvent } from "../shared/history.ts";
import {
  cloudEventBatchResponse,
  cloudEventResponse,
  wantsCloudEvent,
  wantsCloudEventBatch,
} from "./runtime/cloud-events-http.ts";
import { serveAsyncApi, serveOpenApi } from "./runtime/documents.ts";
import { jsonResponse, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

// Run per event.
const list: Serve = async (request, deps) => {
  const page = await listEvents(deps, readQuery(request), request.agent);
  return wantsCloudEventBatch(request) ? cloudEventBatchResponse(page, request) : jsonResponse(200, page);
};

const show: Serve = async (request, deps, { event_id = "" }) => {
  const shown = await showEvent(deps, event_id, request.agent);
  return wantsCloudEvent(request) ? cloudEventResponse(shown.event) : jsonResponse(200, shown);
};

const explain: Serve = async (request, deps, { event_id = "" }) =>
  jsonResponse(200, await explainEvent(deps, event_id, request.agent));

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
export const handle = serveOperations({
  list,
  show,
  explain,
  types,
  openapi: serveOpenApi,
  asyncapi: serveAsyncApi,
  health,
});

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
