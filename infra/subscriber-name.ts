/**
 * What the functions and queues of deployed subscribers are called. Redriving finds them by their names, and a dead
 * letter tells by the name whose it is.
 */
import { ArnFormat, Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html; a queue's may have 80. */
const MAX_FUNCTION_NAME_CHARS = 64;

/** What stands before a subscriber's name. */
export const subscriberPrefix = (scope: IConstruct): string => `${Stack.of(scope).stackName}-agent-`;

/** @throws Error that names the subscriber, when Lambda would refuse the name */
export function physicalName(scope: IConstruct, subscriber: string): string {
  const name = `${subscriberPrefix(scope)}${subscriber}`;
  if (name.length > MAX_FUNCTION_NAME_CHARS)
    throw new Error(
      `bus.config.ts cannot be deployed:\n  - subscriber "${subscriber}": its function would be called ${name}, ` +
        `which has ${name.length} characters; Lambda takes ${MAX_FUNCTION_NAME_CHARS}. Shorten its name or the stack's`,
    );
  return name;
}

/** The ARN of a subscriber's queue, from its name alone. */
export function queueArnOf(scope: IConstruct, subscriber: string): string {
  return Stack.of(scope).formatArn({ service: "sqs", resource: physicalName(scope, subscriber) });
}

/** The ARN of a subscriber's function, from its name alone. */
export function functionArnOf(scope: IConstruct, subscriber: string): string {
  return Stack.of(scope).formatArn({
    service: "lambda",
    resource: "function",
    resourceName: physicalName(scope, subscriber),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
