import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { API_FUNCTIONS } from "../../shared/routes.ts";
import { busStack, only, subscriber, synthesize } from "./synthesize.ts";

describe("what a deployment may choose", () => {
  it("keeps an archive of all events only when asked to, for as long as history keeps them", () => {
    synthesize().resourceCountIs("AWS::Events::Archive", 0);
    synthesize({ context: { archive: "true" }, limits: { retentionDays: 30 } }).hasResourceProperties(
      "AWS::Events::Archive",
      {
        EventPattern: { source: ["agent-event-bus"] },
        RetentionDays: 30,
      },
    );
  });

  it("two buses stand side by side in one account under different names", () => {
    const stack = busStack({ context: { stackName: "Staging" } });
    expect(stack.stackName).toBe("Staging");
    expect(only(synthesize({ context: { stackName: "Staging" } }), "AWS::Events::EventBus").Properties).toMatchObject({
      Name: "Staging",
    });
  });

  it("can do without alarms and a dashboard, which cost money while nobody talks", () => {
    const template = synthesize({ subscribers: [subscriber()], context: { monitoring: "false" } });
    template.resourceCountIs("AWS::CloudWatch::Alarm", 0);
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 0);
  });

  it("has every call logged only when asked to", () => {
    const levelOf = (context: Record<string, string>) =>
      only<{ Environment: { Variables: Record<string, string> } }>(
        synthesize({ context }),
        "AWS::Lambda::Function",
        "ApiEmit",
      ).Properties.Environment.Variables["LOG_LEVEL"];
    expect([levelOf({}), levelOf({ logLevel: "debug" })]).toEqual(["info", "debug"]);
  });

  it("an emulator gets nothing reserved and nothing streamed: it can do neither", () => {
    const template = synthesize({ context: { emulator: "true" } });
    const reserved = { ReservedConcurrentExecutions: Match.anyValue() };
    template.resourcePropertiesCountIs("AWS::Lambda::Function", reserved, 0);
    template.resourcePropertiesCountIs("AWS::Lambda::Url", { InvokeMode: "BUFFERED" }, API_FUNCTIONS.length);
  });

  it.each([
    ["removal", "maybe", /-c removal: expected retain or destroy/],
    ["archive", "yes", /-c archive: expected true or false/],
    ["reservedConcurrency", "lots", /-c reservedConcurrency: expected false, or/],
    [
      "reservedConcurrency",
      "200,100",
      /expected false, or "<request>,<stream>,<queue>" as in 200,100,100, not "200,100"/,
    ],
    ["publicUrl", "bus.example", /-c publicUrl: expected an http or https URL/],
    ["stackName", "1st", /-c stackName: expected a letter/],
    ["tableName", "a b", /-c tableName: expected the name of a DynamoDB table/],
    ["logLevel", "loud", /-c logLevel: expected info or debug/],
  ])("says what -c %s takes when it is given %s", (name, value, message) => {
    expect(() => busStack({ context: { [name]: value } })).toThrow(message);
  });

  it("refuses before deploying what EventBridge would refuse", () => {
    const subscribers = [subscriber({ filter: { data: { id: Array.from({ length: 600 }, (_, i) => i) } } })];
    expect(() => busStack({ subscribers })).toThrow(
      /bus.config.ts cannot be deployed:\n {2}- the pattern of rule filter:librarian/,
    );
  });
});
