/**
 * What handing events to deployed subscribers again takes: their names, and the rights to send to just them.
 *
 * By name, for subscribers know the URLs of the functions that call them so: neither could be made before the other.
 */
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedSubscriber } from "../shared/deployed-subscriber.ts";
import type { NodeFunction } from "./node-function.ts";
import { functionArnOf, queueArnOf, subscriberPrefix } from "./subscriber-name.ts";

/** Lets a function hand events to the deployed subscribers: into a queue, or to a function that has none before it. */
export function letRedrive(sender: NodeFunction, subscribers: readonly DeployedSubscriber[]): void {
  sender.function.addEnvironment("SUBSCRIBER_PREFIX", subscriberPrefix(sender));
  const namesOf = (via: DeployedSubscriber["via"]): string[] =>
    subscribers.filter((one) => one.via === via).map(({ name }) => name);
  grant(
    sender,
    ["sqs:SendMessage", "sqs:GetQueueUrl"],
    namesOf("queue").map((name) => queueArnOf(sender, name)),
  );
  grant(
    sender,
    ["lambda:InvokeFunction"],
    namesOf("direct").map((name) => functionArnOf(sender, name)),
  );
}

function grant({ role }: NodeFunction, actions: string[], resources: string[]): void {
  if (resources.length > 0) role.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
}
