import { type CfnResource, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { describe, expect, it } from "vitest";
import { busStack, subscriber } from "./synthesize.ts";

const everyKind = (context: Record<string, string> = {}) =>
  busStack({
    subscribers: [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })],
    context: { archive: "true", allowedOrigins: "https://a.example", ...context },
  });

/** `<rule> at <path>` of every finding. */
const findings = (stack: CfnResource["stack"]): string[] =>
  [new AwsSolutionsChecks(), new ServerlessChecks()].flatMap((pack) =>
    pack
      .validateScope(stack)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map((resource) => `${ruleName} at ${resource.constructPath}`),
      ),
  );

describe("cdk-nag (AwsSolutions, Serverless)", () => {
  it("finds nothing that is not explained", () => {
    expect(findings(everyKind())).toEqual([]);
    expect(findings(everyKind({ emulator: "true" }))).toEqual([]);
    expect(findings(everyKind({ auth: "keys" }))).toEqual([]);
  });

  it("would find each thing that is explained, so that no explanation outlives its reason", () => {
    const stack = everyKind();
    const explained: { rule: string; path: string; reason: string }[] = [];
    for (const construct of stack.node.findAll())
      for (const { type, data } of construct.node.metadata)
        if (type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
          for (const [id, reason] of Object.entries(data as Record<string, string>))
            explained.push({ rule: id.replace(/^annotation::/i, ""), path: construct.node.path, reason });
    for (const construct of stack.node.findAll()) Object.defineProperty(construct.node, "metadata", { value: [] });
    const unexplained = findings(stack);

    expect(explained.length).toBeGreaterThan(0);
    for (const { rule, path, reason } of explained) {
      expect(
        unexplained.some((finding) => finding.startsWith(`${rule} at ${path}/`)),
        `${rule} at ${path}`,
      ).toBe(true);
      expect(reason.length).toBeGreaterThan(20);
    }
  });
});
