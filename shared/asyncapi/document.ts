/**
 * The event types as an AsyncAPI 3.0 document, as an agent sees them: a channel a type, on which it publishes, asks and
 * receives. How events travel is left open; over HTTP it is as `/openapi.json` says.
 */
import type { Catalogue, EventType } from "../event-types/catalogue.ts";
import { ANSWER_SCHEMAS } from "../openapi/answer.ts";
import { ASK_SCHEMAS } from "../openapi/ask-schemas.ts";
import { API_VERSION } from "../openapi/document.ts";
import { ENVELOPE_SCHEMAS } from "../openapi/events.ts";
import { type JsonSchema, ref } from "../openapi/schema.ts";
import { dataSchemaOf } from "./data-schema.ts";

/** The document, as plain data. */
export function asyncApiDocument({ catalogue }: { readonly catalogue: Catalogue }): object {
  const types = Object.entries(catalogue);
  const perType = (describe: (name: string, type: EventType) => object): Record<string, object> =>
    Object.fromEntries(types.map(([name, type]) => [name, describe(name, type)]));
  return {
    asyncapi: "3.0.0",
    id: "urn:agent-event-bus",
    info: {
      title: "Agent Event Bus: event types",
      version: API_VERSION,
      description:
        "Delivery is at least once and in no order. Every delivered event says in `reply_to` how to answer it. Over HTTP, " +
        "`/openapi.json` says how to publish, ask, answer and subscribe.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      tags: [...new Set(types.map(([, { group }]) => group))].map((group) => ({ name: group })),
    },
    defaultContentType: "application/json",
    channels: { ...perType(channelOf), [ANSWERS]: ANSWERS_CHANNEL },
    operations: Object.assign({}, ...types.map(([name]) => operationsOf(name))) as object,
    components: {
      messages: { ...perType(messageOf), ...ANSWER_MESSAGES },
      schemas: {
        ...ENVELOPE_SCHEMAS,
        AnswerInput: ANSWER_SCHEMAS["AnswerInput"],
        Response: ASK_SCHEMAS["Response"],
        ...Object.fromEntries(
          types.map(([name, type]) => [
            dataName(name),
            dataSchemaOf(name, type, ref(dataName(name))["$ref"] as string),
          ]),
        ),
      },
    },
  };
}

/** The channel of all answers. No event type is called so: their names begin with a letter. */
const ANSWERS = "_answers";

const dataName = (type: string): string => `${type}.data`;

function channelOf(name: string, { description, group }: EventType): object {
  return {
    address: name,
    title: name,
    ...described(description),
    messages: { [name]: { $ref: `#/components/messages/${name}` } },
    tags: [{ name: group }],
  };
}

function messageOf(name: string, { description, group }: EventType): object {
  const ofThisType: JsonSchema = {
    type: "object",
    properties: { type: { const: name }, data: ref(dataName(name)) },
  };
  return {
    name,
    title: name,
    ...described(description),
    contentType: "application/json",
    correlationId: { description: "Answers name the event that they answer.", location: "$message.payload#/id" },
    payload: { allOf: [ref("DeliveredEvent"), ofThisType] },
    tags: [{ name: group }],
  };
}

const described = (description: string): { description?: string } => (description === "" ? {} : { description });

function operationsOf(name: string): Record<string, object> {
  const channel = { $ref: `#/channels/${name}` };
  const messages = [{ $ref: `#/channels/${name}/messages/${name}` }];
  return {
    [`${name}.publish`]: { action: "send", channel, messages, summary: `Publish ${name}.` },
    [`${name}.ask`]: {
      action: "send",
      channel,
      messages,
      summary: `Ask with ${name}, and wait for the answer.`,
      reply: { channel: ANSWERS_REF, messages: [{ $ref: `#/channels/${ANSWERS}/messages/response` }] },
    },
    [`${name}.receive`]: {
      action: "receive",
      channel,
      messages,
      summary: `Receive ${name}, and answer it if there is something to say.`,
      reply: {
        channel: ANSWERS_REF,
        address: { description: "Where this copy is answered.", location: "$message.payload#/reply_to/url" },
        messages: [{ $ref: `#/channels/${ANSWERS}/messages/answer` }],
      },
    },
  };
}

const ANSWERS_REF = { $ref: `#/channels/${ANSWERS}` };

const ANSWERS_CHANNEL = {
  address: null,
  title: "Answers",
  description: "Each delivered event says where it is answered; who asks is told by the call that asks.",
  messages: {
    answer: { $ref: "#/components/messages/_answer" },
    response: { $ref: "#/components/messages/_response" },
  },
};

const ANSWER_MESSAGES = {
  _answer: {
    name: "answer",
    title: "An answer, as it is sent",
    contentType: "application/json",
    payload: ref("AnswerInput"),
  },
  _response: {
    name: "response",
    title: "An answer, as it is told to who asked",
    contentType: "application/json",
    correlationId: { description: "The event that it answers.", location: "$message.payload#/event_id" },
    payload: ref("Response"),
  },
};
