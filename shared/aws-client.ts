/** With what the deployed functions speak to DynamoDB and EventBridge: clients of the bus's own, or the SDK's (docs/decisions/0014). */
export const AWS_CLIENTS = ["lean", "sdk"] as const;

export type AwsClient = (typeof AWS_CLIENTS)[number];

export const DEFAULT_AWS_CLIENT: AwsClient = "lean";

/** What is wrong with the choice, or null. */
export function faultOfAwsClient(chosen: AwsClient): string | null {
  return AWS_CLIENTS.includes(chosen) ? null : `awsClient: must be "lean" or "sdk", not "${chosen}"`;
}
