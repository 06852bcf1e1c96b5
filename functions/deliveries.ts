/**
 * `/deliveries`, and `/ack`, `/nack` and `/extend` of a queue's messages: what became of deliveries, told and asked. Apart
 * from `queue`, so that agents that wait for messages never starve those that are done with theirs.
 */
import { listDead } from "../shared/deliveries/list-dead.ts";
import { readAcknowledgement, readExtension, readReturn } from "../shared/deliveries/message-input.ts";
import { acknowledge, giveBack, keepHidden } from "../shared/deliveries/message-receipts.ts";
import { type RedriveDeps, redrive } from "../shared/deliveries/redrive.ts";
import { jsonResponse, readBody, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";
import { createRedriveParts } from "./runtime/redrive-parts.ts";

// Run per event.
const ack: Serve = async (request, deps, { subscription_id = "" }) => {
  const { receipts } = readAcknowledgement(readBody(request));
  return jsonResponse(200, { results: await acknowledge(deps, subscription_id, request.agent.id, receipts) });
};

const nack: Serve = async (request, deps, { subscription_id = "" }) => {
  const { receipts, ...how } = readReturn(readBody(request));
  return jsonResponse(200, { results: await giveBack(deps, subscription_id, request.agent.id, receipts, how) });
};

const extend: Serve = async (request, deps, { subscription_id = "" }) => {
  const { receipts, visibilityMs } = readExtension(readBody(request));
  return jsonResponse(200, {
    results: await keepHidden(deps, subscription_id, request.agent.id, receipts, visibilityMs),
  });
};

const dead: Serve = async (request, deps) => jsonResponse(200, await listDead(deps, readQuery(request), request.agent));

const sendAgain: Serve<RedriveDeps> = async (request, deps) =>
  jsonResponse(200, await redrive(deps, readBody(request), request.agent));

export const handle = serveOperations<RedriveDeps>({ ack, nack, extend, dead, redrive: sendAgain });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle, { parts: createRedriveParts });
