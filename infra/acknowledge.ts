/** Findings of cdk-nag that are as they should be. */
import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** @param findings rule id to the reason why the construct, and all below it, is right as it is */
export function acknowledge(construct: IConstruct, findings: Readonly<Record<string, string>>): void {
  Validations.of(construct).acknowledge(...Object.entries(findings).map(([id, reason]) => ({ id, reason })));
}
