/** `GET /subscriptions/{subscription_id}/messages`: take from a pull queue, and wait there. */
import { readPoll } from "../shared/deliveries/message-input.ts";
import { takeMessages } from "../shared/deliveries/message-queue.ts";
import { FUNCTION_TIME_MARGIN_MS } from "../shared/limits.ts";
import { messagesResponse } from "./runtime/cloud-events-http.ts";
import { readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

// Run per event.
const messages: Serve = async (request, deps, { subscription_id = "" }) => {
  const { waitMs, ...options } = readPoll(readQuery(request));
  const mostMs = Math.max(0, request.remainingMs() - FUNCTION_TIME_MARGIN_MS);
  // What is taken for somebody who has gone would stay hidden for nothing.
  const signal = AbortSignal.any([request.signal, request.gone]);
  const hold = { ...options, waitMs: Math.min(waitMs, mostMs), signal };
  return messagesResponse(request, await takeMessages(deps, subscription_id, request.agent.id, hold));
};

export const handle = serveOperations({ messages });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle);
