/** `/subscriptions`: subscribe at run time, change and end it. */
import { listSubscriptions, showSubscription } from "../shared/subscriptions/look-up.ts";
import {
  changeSubscription,
  rotateSecret,
  type SubscribeDeps,
  subscribe,
  unsubscribe,
} from "../shared/subscriptions/subscribe.ts";
import { emptyResponse, jsonResponse, readBody, readQuery, type Serve, serveOperations } from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";
import { createSubscriptionParts } from "./runtime/subscription-parts.ts";

type ServeSubscriptions = Serve<SubscribeDeps>;

// Run per event.
const create: ServeSubscriptions = async (request, deps) => {
  const { created, subscription } = await subscribe(deps, readBody(request), request.agent);
  return jsonResponse(created ? 201 : 200, subscription, {
    location: `/subscriptions/${subscription.subscription_id}`,
  });
};

const list: ServeSubscriptions = async (request, deps) =>
  jsonResponse(200, await listSubscriptions(deps, readQuery(request), request.agent.id));

const show: ServeSubscriptions = async (request, deps, { subscription_id = "" }) =>
  jsonResponse(200, await showSubscription(deps, subscription_id, request.agent.id));

const change: ServeSubscriptions = async (request, deps, { subscription_id = "" }) =>
  jsonResponse(200, await changeSubscription(deps, subscription_id, readBody(request), request.agent));

const end: ServeSubscriptions = async (request, deps, { subscription_id = "" }) => {
  await unsubscribe(deps, subscription_id, request.agent.id);
  return emptyResponse();
};

const rotate: ServeSubscriptions = async (request, deps, { subscription_id = "" }) =>
  jsonResponse(200, await rotateSecret(deps, subscription_id, request.agent.id));

export const handle = serveOperations<SubscribeDeps>({
  subscribe: create,
  subscriptions: list,
  subscription: show,
  change,
  unsubscribe: end,
  rotate,
});

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handle, { parts: createSubscriptionParts });
