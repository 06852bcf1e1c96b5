/** `/subscriptions/{subscription_id}/messages`, `/ack`, `/nack` and `/extend`: take from a pull queue. */
import { readAcknowledgement, readExtension, readPoll, readReturn } from "../shared/deliveries/message-input.ts";
import { takeMessages } from "../shared/deliveries/message-queue.ts";
import { acknowledge, giveBack, keepHidden } from "../shared/deliveries/message-receipts.ts";
import { FUNCTION_TIME_MARGIN_MS } from "../shared/limits.ts";
import { messagesResponse } from "./runtime/cloud-events-http.ts";
import { jsonResponse, readBody, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

// Run per event.
const messages: Serve = async (request, deps, { subscription_id = "" }) => {
  const { waitMs, ...options } = readPoll(readQuery(request));
  const mostMs = Math.max(0, request.remainingMs() - FUNCTION_TIME_MARGIN_MS);
  // What is taken for somebody who has gone would stay hidden for nothing.
  const signal = AbortSignal.any([request.signal, request.gone]);
  const hold = { ...options, waitMs: Math.min(waitMs, mostMs), signal };
  return messagesResponse(request, await takeMessages(deps, subscription_id, request.caller, hold));
};

const ack: Serve = async (request, deps, { subscription_id = "" }) => {
  const { receipts } = readAcknowledgement(readBody(request));
  return jsonResponse(200, { results: await acknowledge(deps, subscription_id, request.caller, receipts) });
};

const nack: Serve = async (request, deps, { subscription_id = "" }) => {
  const { receipts, ...how } = readReturn(readBody(request));
  return jsonResponse(200, { results: await giveBack(deps, subscription_id, request.caller, receipts, how) });
};

const extend: Serve = async (request, deps, { subscription_id = "" }) => {
  const { receipts, visibilityMs } = readExtension(readBody(request));
  return jsonResponse(200, {
    results: await keepHidden(deps, subscription_id, request.caller, receipts, visibilityMs),
  });
};

export const handle = serveOperations({ messages, ack, nack, extend });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
