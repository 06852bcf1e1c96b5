/** The functions that agents call, each behind a Function URL of its own. */
import { Duration, Stack } from "aws-cdk-lib";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import {
  FunctionUrlAuthType,
  type FunctionUrlCorsOptions,
  type FunctionUrlOptions,
  HttpMethod,
  InvokeMode,
} from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { CLOUD_EVENT_HEADERS } from "../shared/cloud-events/outgoing.ts";
import { MAX_POLL_SECONDS } from "../shared/limits.ts";
import { API_FUNCTIONS, type ApiFunction } from "../shared/routes.ts";
import { acknowledge } from "./acknowledge.ts";
import type { EventBus } from "./event-bus.ts";
import type { EventTable } from "./event-table.ts";
import { addKeyUrl } from "./key-urls.ts";
import { NodeFunction } from "./node-function.ts";
import type { WaitConcurrency } from "./options.ts";
import { grantTableAccess } from "./table-access.ts";

export interface ApiProps {
  readonly table: EventTable;
  readonly bus: EventBus;
  readonly environment: Readonly<Record<string, string>>;
  /** How long one call may be held, in seconds (`limits.holdSeconds`). */
  readonly holdSeconds: number;
  readonly waitConcurrency: WaitConcurrency | null;
  readonly allowedOrigins: readonly string[];
  /** False where functions cannot stream: what they return at once would then be taken for the body itself. */
  readonly streaming: boolean;
  /** Besides signed calls, take those with an agent key. */
  readonly agentKeys: boolean;
}

/** Those that take agent keys. */
export type KeyedFunction = Exclude<ApiFunction, "agents">;

/** No function lives longer. */
const MAX_FUNCTION_SECONDS = 900;

/**
 * Two minutes and a margin. A function never learns that its client has gone: Lambda neither stops the stream nor tells, and
 * bills it to its end. An abandoned one therefore has to end soon; one that is wanted is resumed without a gap.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
const STREAM_SECONDS = 125;

/** What a held call needs beside the wait: the start, the writes before it, and the margin in which it hands over. */
const HOLD_MARGIN_SECONDS = 10;

/** Waiting is billed by memory, so what only waits gets the least there is. */
const WORKING_MEMORY_MB = 256;
const WAITING_MEMORY_MB = 128;

/** Those that hold a call, and can be given a concurrency of their own. */
const isWaiting = (name: ApiFunction): name is keyof WaitConcurrency =>
  name === "request" || name === "stream" || name === "queue";

const PUBLISHERS: readonly ApiFunction[] = ["emit", "request"];

const DESCRIPTIONS: Readonly<Record<ApiFunction, string>> = {
  emit: "Publishes events",
  request: "Publishes an event and waits for the answer",
  respond: "Takes answers to events",
  history: "Looks events up",
  stream: "Sends events to an agent as they come",
  subscriptions: "Subscribes agents, and changes and ends subscriptions",
  queue: "Gives agents the messages of their queues",
  deliveries: "Takes acknowledgements; lists what could not be delivered, and sends it again",
  agents: "Lets agents in with keys, and says what they may do",
};

export class Api extends Construct {
  readonly functions: Readonly<Record<ApiFunction, NodeFunction>>;
  readonly urls: Readonly<Record<ApiFunction, string>>;
  /** For agents with keys; null when only signed calls are taken. Agents are administered with signed calls alone. */
  readonly keyUrls: Readonly<Record<KeyedFunction, string>> | null;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const functions: Partial<Record<ApiFunction, NodeFunction>> = {};
    const urls: Partial<Record<ApiFunction, string>> = {};
    const keyUrls: Partial<Record<KeyedFunction, string>> = {};
    const how: Omit<FunctionUrlOptions, "authType"> = {
      invokeMode: props.streaming ? InvokeMode.RESPONSE_STREAM : InvokeMode.BUFFERED,
      ...(props.allowedOrigins.length === 0 ? {} : { cors: corsFor(props.allowedOrigins) }),
    };
    for (const name of API_FUNCTIONS) {
      const one = this.addFunction(name, props);
      functions[name] = one;
      urls[name] = one.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM, ...how }).url;
      if (props.agentKeys && name !== "agents") keyUrls[name] = addKeyUrl(one, how);
    }
    this.functions = functions as Record<ApiFunction, NodeFunction>;
    this.urls = urls as Record<ApiFunction, string>;
    this.keyUrls = props.agentKeys ? (keyUrls as Record<KeyedFunction, string>) : null;
  }

  /** Lets a role call some of the functions, through their URLs only. */
  grantCall(role: IRole, names: readonly ApiFunction[]): void {
    const resources = names.map((name) => this.functions[name].function.functionArn);
    // Since October 2025 a Function URL asks for both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunctionUrl"],
        resources,
        conditions: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } },
      }),
    );
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunction"],
        resources,
        conditions: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
      }),
    );
  }

  private addFunction(name: ApiFunction, props: ApiProps): NodeFunction {
    const reserved = isWaiting(name) ? props.waitConcurrency?.[name] : undefined;
    const one = new NodeFunction(this, capitalised(name), {
      entry: `functions/${name}.ts`,
      name: `${Stack.of(this).stackName}-${name}`,
      description: DESCRIPTIONS[name],
      timeoutSeconds: timeoutSeconds(name, props.holdSeconds),
      memoryMb: isWaiting(name) ? WAITING_MEMORY_MB : WORKING_MEMORY_MB,
      environment: { ...props.environment, ...(props.agentKeys ? { CALLER_AUTH: "keys" } : {}) },
      ...(reserved === undefined ? {} : { reservedConcurrency: reserved }),
    });
    grantTableAccess(props.table.table, one.role, name, props.agentKeys && name !== "agents");
    if (PUBLISHERS.includes(name)) props.bus.grantPublish(one.role);
    acknowledge(one, {
      "Serverless-LambdaDLQ": "only ever called synchronously, through its URL: the caller is told of the failure",
    });
    return one;
  }
}

const capitalised = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)}`;

function timeoutSeconds(name: ApiFunction, holdSeconds: number): number {
  if (name === "stream") return STREAM_SECONDS;
  if (name === "request") return Math.min(MAX_FUNCTION_SECONDS, Math.ceil(holdSeconds) + HOLD_MARGIN_SECONDS);
  if (name === "queue") return MAX_POLL_SECONDS + HOLD_MARGIN_SECONDS;
  return 30;
}

function corsFor(allowedOrigins: readonly string[]): FunctionUrlCorsOptions {
  return {
    allowedOrigins: [...allowedOrigins],
    allowedMethods: [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.DELETE],
    allowedHeaders: [
      "authorization",
      "content-type",
      "idempotency-key",
      "last-event-id",
      "traceparent",
      "x-amz-content-sha256",
      "x-amz-date",
      "x-amz-security-token",
      ...CLOUD_EVENT_HEADERS,
    ],
    exposedHeaders: ["link", "location", "retry-after"],
    maxAge: Duration.hours(1),
  };
}
