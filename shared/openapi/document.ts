/** The whole HTTP API as an OpenAPI 3.1 document: each route of `routes.ts` with its description. */
import type { Catalogue } from "../event-types/catalogue.ts";
import { type Operation, ROUTES } from "../routes.ts";
import { ABOUT_OPERATIONS, ABOUT_SCHEMAS } from "./about.ts";
import { AGENT_OPERATIONS, AGENT_SCHEMAS } from "./agents.ts";
import { ANSWER_OPERATIONS, ANSWER_SCHEMAS } from "./answer.ts";
import { ASK_OPERATIONS } from "./ask.ts";
import { ASK_SCHEMAS } from "./ask-schemas.ts";
import { CLOUD_EVENT_SCHEMAS } from "./cloud-events.ts";
import { DELIVERY_OPERATIONS, DELIVERY_SCHEMAS } from "./deliveries.ts";
import { ERROR_SCHEMAS, problemReferences, problemResponses } from "./errors.ts";
import { eventSchemas } from "./events.ts";
import { LOOK_OPERATIONS, LOOK_SCHEMAS } from "./look.ts";
import type { OperationDescription, Parameter } from "./operation.ts";
import { PUBLISH_OPERATIONS, PUBLISH_SCHEMAS } from "./publish.ts";
import { QUEUE_OPERATIONS, QUEUE_SCHEMAS } from "./queue.ts";
import { name } from "./schema.ts";
import { STREAM_OPERATIONS } from "./stream.ts";
import { SUBSCRIPTION_OPERATIONS } from "./subscribe.ts";
import { SUBSCRIPTION_SCHEMAS } from "./subscription-schemas.ts";
import { WEBHOOKS } from "./webhooks.ts";

export interface DocumentOptions {
  /** Its event types are those that may be sent. */
  readonly catalogue: Catalogue;
  /** Where the API is; by default where the document was read from. */
  readonly serverUrl?: string;
}

/** The version of the package and of its wire contract. */
export const API_VERSION = "0.1.0";

/** Every operation of the wire contract. A route without a description does not compile, nor a description without one. */
const OPERATIONS: Readonly<Record<Operation, OperationDescription>> = {
  ...PUBLISH_OPERATIONS,
  ...ASK_OPERATIONS,
  ...ANSWER_OPERATIONS,
  ...LOOK_OPERATIONS,
  ...STREAM_OPERATIONS,
  ...ABOUT_OPERATIONS,
  ...SUBSCRIPTION_OPERATIONS,
  ...QUEUE_OPERATIONS,
  ...DELIVERY_OPERATIONS,
  ...AGENT_OPERATIONS,
};

const TAGS: Readonly<Record<string, string>> = {
  publish: "Say something to whoever wants to hear it.",
  ask: "Ask, and wait for the answer.",
  answer: "Answer what was delivered.",
  "look back": "What was said, and what came of it; and events as they come.",
  subscribe: "Get events by webhook or from a queue, without a deployment.",
  queues: "Take events from a pull queue.",
  deliveries: "What could not be delivered, and sending it again.",
  agents: "Who is let in with a key, and what it may do. For administrators.",
  about: "What there is.",
};

/** The document, as plain data. */
export function openApiDocument({ catalogue, serverUrl = "/" }: DocumentOptions): object {
  return {
    openapi: "3.1.1",
    info: {
      title: "Agent Event Bus",
      version: API_VERSION,
      summary: "AI agents publish, ask, answer, subscribe and look back.",
      description:
        "JSON in UTF-8. Times are ISO 8601 in UTC with milliseconds. Failures are problem documents (RFC 9457). " +
        "The payloads of the event types are described in `/asyncapi.json`.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [
      {
        url: serverUrl,
        description: "One base URL on your machine and behind a gateway; on AWS each function has a URL of its own.",
      },
    ],
    security: [{ sigv4: [] }, { agentKey: [] }, {}],
    tags: Object.entries(TAGS).map(([tag, description]) => ({ name: tag, description })),
    paths: paths(),
    webhooks: WEBHOOKS,
    components: {
      schemas: {
        ...eventSchemas(catalogue),
        ...CLOUD_EVENT_SCHEMAS,
        ...PUBLISH_SCHEMAS,
        ...ASK_SCHEMAS,
        ...ANSWER_SCHEMAS,
        ...LOOK_SCHEMAS,
        ...ABOUT_SCHEMAS,
        ...SUBSCRIPTION_SCHEMAS,
        ...QUEUE_SCHEMAS,
        ...DELIVERY_SCHEMAS,
        ...AGENT_SCHEMAS,
        ...ERROR_SCHEMAS,
      },
      responses: Object.assign(
        {},
        ...Object.values(OPERATIONS).map(({ failures }) => problemResponses(failures)),
      ) as object,
      securitySchemes: {
        sigv4: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description:
            "On AWS: AWS Signature Version 4 for the service `lambda`, with `X-Amz-Date` and, for temporary credentials, " +
            "`X-Amz-Security-Token`. The role or user is the agent. What is not signed or not allowed is refused by AWS " +
            'itself: 403 with `{"Message": …}`. On your machine calls need no signature.',
        },
        agentKey: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "aeb_<name>_<secret>",
          description:
            "Where the bus is run with agent keys. The key is the agent; `POST /agents` gives it. On AWS `/agents` itself " +
            "takes signed calls only.",
        },
      },
    },
  };
}

function paths(): Record<string, Record<string, object>> {
  const byPath: Record<string, Record<string, object>> = {};
  for (const { path, method, operation } of ROUTES)
    byPath[path] = { ...byPath[path], [method.toLowerCase()]: describe(operation, path) };
  return byPath;
}

function describe(operation: Operation, path: string): object {
  const { tag, parameters = [], answers, failures, ...rest } = OPERATIONS[operation];
  const all = [...pathParameters(path), ...parameters];
  return {
    operationId: operation,
    tags: [tag],
    ...rest,
    ...(all.length === 0 ? {} : { parameters: all }),
    responses: { ...answers, ...problemReferences(failures) },
  };
}

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  event_id: "The event's id.",
  subscription_id: "The subscription's id.",
  name: "The agent's name.",
  key_id: "The key's id.",
};

function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = ""]) => ({
    name: parameter,
    in: "path",
    required: true,
    description: PATH_PARAMETERS[parameter] ?? "",
    schema: name(""),
  }));
}
