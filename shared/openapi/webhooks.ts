/** What the bus posts to the endpoints of subscriptions, and what it makes of their answers. */

import { CLOUD_EVENT_MEDIA_TYPE } from "../cloud-events/media-types.ts";
import { toCloudEvent } from "../cloud-events/outgoing.ts";
import { DELIVERED_EXAMPLE } from "./events.ts";
import { header, type MediaType, mediaType, type Parameter, type Response } from "./operation.ts";
import { anyObject, type JsonSchema, ref } from "./schema.ts";

const required = (name: string, description: string): Parameter => ({
  ...header(name, { type: "string" }, description),
  required: true,
});

/** Open: endpoints return all kinds of things, and what is no answer is let be. */
const ANSWER: JsonSchema = {
  type: "object",
  properties: {
    response: anyObject("The answer to the event."),
    status: { enum: ["ok", "rejected"], default: "ok" },
  },
};

const ANSWERS: Readonly<Record<string, MediaType>> = {
  "application/json": mediaType(ANSWER, { answer: { response: { approved: true } }, nothing: {} }),
};

const RESPONSES: Readonly<Record<string, Response>> = {
  "2XX": { description: "It is delivered. JSON with a `response` is the answer to the event.", content: ANSWERS },
  "410": { description: "It is not tried again, and the subscription is disabled." },
  default: {
    description:
      "It is tried again: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, or after `Retry-After` where that is later " +
      "(up to 10 h); then it is dead. So is no answer within 15 s. A redirect is not followed.",
  },
};

/** The `webhooks` of the document. */
export const WEBHOOKS: object = {
  delivery: {
    post: {
      operationId: "webhook",
      tags: ["subscribe"],
      summary: "An event for a subscription with an endpoint.",
      description:
        "Signed as Standard Webhooks say (https://www.standardwebhooks.com). What is posted is the target's `format`: the " +
        "delivered event, a CloudEvent in structured mode, or one in binary mode, with its attributes in `ce-` headers and " +
        "the data as the body.",
      security: [],
      parameters: [
        required("webhook-id", "The same whenever it is sent again."),
        required("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
        required("webhook-signature", "One signature for each secret that is valid, separated by spaces."),
      ],
      requestBody: {
        required: true,
        content: {
          "application/json": mediaType(ref("DeliveredEvent"), { event: DELIVERED_EXAMPLE }),
          [CLOUD_EVENT_MEDIA_TYPE]: mediaType(ref("CloudEvent"), { event: toCloudEvent(DELIVERED_EXAMPLE) }),
        },
      },
      responses: RESPONSES,
    },
  },
};
