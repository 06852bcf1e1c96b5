/** What the role of a deployed subscriber is called: by its name the bus knows who calls. */
import { sha256 } from "../hash.ts";

/**
 * Up to 64 characters, which is what IAM takes. The hash keeps subscribers and buses of one account apart; the region, since
 * roles are of the whole account, the same bus in two regions.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @param region may also be a placeholder that CloudFormation fills in
 */
export function subscriberRoleName(busName: string, subscriber: string, region: string): string {
  return `agent-event-bus-${sha256(JSON.stringify([busName, subscriber])).slice(0, 16)}-${region}`;
}
