import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { API_FUNCTIONS } from "../../shared/routes.ts";
import { only, subscriber, synthesize } from "./synthesize.ts";

const FUNCTION = "AWS::Lambda::Function";
/** dispatch, deliver-webhook, dead-letters and reconcile: what works on what others began. */
const WORKERS = 4;
const template = synthesize({
  subscribers: [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })],
});

describe("what agents call", () => {
  it("every operation has a URL that takes signed calls only, and can stream its answer", () => {
    const urls = Object.values(template.findResources("AWS::Lambda::Url"));
    expect(urls).toHaveLength(API_FUNCTIONS.length);
    for (const url of urls)
      expect(url.Properties).toMatchObject({ AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM" });
  });

  it("agents with keys get URLs of their own, that ask for the key, beside those that take signed calls", () => {
    const keyed = synthesize({ context: { auth: "keys" } });
    const urls = Object.values(keyed.findResources("AWS::Lambda::Url")).map((url) => url.Properties);
    const open = urls.filter(({ AuthType }) => AuthType === "NONE");
    expect(urls.filter(({ AuthType }) => AuthType === "AWS_IAM")).toHaveLength(API_FUNCTIONS.length);
    // All but `agents`: who is let in is settled with signed calls alone.
    expect(open).toHaveLength(API_FUNCTIONS.length - 1);
    for (const url of open) expect(url).toMatchObject({ Qualifier: "keys", InvokeMode: "RESPONSE_STREAM" });
    for (const alias of Object.values(keyed.findResources("AWS::Lambda::Alias")))
      expect(alias.Properties).toMatchObject({ Name: "keys", FunctionVersion: "$LATEST" });
    const openToAll = Object.values(keyed.findResources("AWS::Lambda::Permission")).filter(
      ({ Properties }) => Properties.Principal === "*",
    );
    expect(openToAll.map(({ Properties }) => Properties.Action)).toContain("lambda:InvokeFunctionUrl");
    for (const { Properties } of openToAll)
      expect(Properties.FunctionUrlAuthType === "NONE" || Properties.InvokedViaFunctionUrl === true).toBe(true);
    for (const name of API_FUNCTIONS) {
      const id = `Api${name[0]?.toUpperCase()}${name.slice(1)}Function`;
      const { Variables } = only<{ Environment: { Variables: Record<string, unknown> } }>(keyed, FUNCTION, id)
        .Properties.Environment;
      expect(Variables["CALLER_AUTH"]).toBe("keys");
    }
    expect(Object.keys(keyed.findOutputs("KeyUrls"))).toHaveLength(1);
    expect(Object.keys(template.findOutputs("KeyUrls"))).toHaveLength(0);
  });

  it("policies can name what they grant: the functions are called after the stack", () => {
    const named = synthesize({ context: { stackName: "Staging" } }).findResources(FUNCTION);
    const names = Object.values(named).flatMap((one) => one.Properties.FunctionName ?? []);
    expect(names).toEqual(API_FUNCTIONS.map((name) => `Staging-${name}`));
    expect(Math.max(...API_FUNCTIONS.map((name) => `${"s".repeat(50)}-${name}`.length))).toBeLessThanOrEqual(64);
  });

  it("no browser may call unless its origin is named", () => {
    for (const url of Object.values(template.findResources("AWS::Lambda::Url")))
      expect(url.Properties).not.toHaveProperty("Cors");
    const opened = synthesize({ context: { allowedOrigins: "https://a.example,https://b.example" } });
    for (const url of Object.values(opened.findResources("AWS::Lambda::Url")))
      expect(url.Properties.Cors).toMatchObject({
        AllowOrigins: ["https://a.example", "https://b.example"],
        AllowMethods: ["GET", "POST", "PATCH", "DELETE"],
        AllowHeaders: expect.arrayContaining([
          "authorization",
          "x-amz-security-token",
          "idempotency-key",
          "last-event-id",
          "ce-id",
        ]),
        ExposeHeaders: expect.arrayContaining(["link", "location"]),
      });
  });

  it("all code runs on Node.js 24 on arm64", () => {
    const functions = Object.values(template.findResources(FUNCTION));
    expect(functions).toHaveLength(API_FUNCTIONS.length + WORKERS + 2);
    for (const one of functions)
      expect(one.Properties).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Handler: "index.handler",
      });
  });

  it("every function keeps its logs for a month in a group of its own", () => {
    const groups = Object.values(template.findResources("AWS::Logs::LogGroup"));
    expect(groups).toHaveLength(Object.keys(template.findResources(FUNCTION)).length);
    for (const group of groups) expect(group.Properties).toMatchObject({ RetentionInDays: 30 });
  });

  it("a held call outlives the hold limit, whatever the limit is", () => {
    const timeoutAt = (holdSeconds: number) =>
      only<{ Timeout: number }>(synthesize({ limits: { holdSeconds } }), FUNCTION, "ApiRequest").Properties.Timeout;
    expect(only(template, FUNCTION, "ApiRequest").Properties).toMatchObject({ Timeout: 65 });
    expect(timeoutAt(10.5)).toBe(21);
    expect(timeoutAt(890)).toBe(900);
  });

  it("waits cannot starve answers: they have an own, bounded concurrency and the least memory", () => {
    expect(only(template, FUNCTION, "ApiRequest").Properties).toMatchObject({
      ReservedConcurrentExecutions: 200,
      MemorySize: 128,
    });
    expect(only(template, FUNCTION, "ApiStream").Properties).toMatchObject({
      ReservedConcurrentExecutions: 100,
      MemorySize: 128,
    });
    expect(only(template, FUNCTION, "ApiQueue").Properties).toMatchObject({
      ReservedConcurrentExecutions: 100,
      MemorySize: 128,
    });
    for (const name of ["ApiEmit", "ApiRespond", "ApiHistory", "ApiSubscriptions"])
      expect(only(template, FUNCTION, name).Properties).not.toHaveProperty("ReservedConcurrentExecutions");
  });

  it("a poll of a queue that is held for its 20 s has time left for what surrounds the wait", () => {
    expect(only(template, FUNCTION, "ApiQueue").Properties).toMatchObject({ Timeout: 30 });
  });

  it("a stream that nobody reads any more does not run, and cost, for long", () => {
    expect(only(template, FUNCTION, "ApiStream").Properties).toMatchObject({ Timeout: 125 });
  });

  it("an account with little concurrency can deploy without reserving any, or with its own numbers", () => {
    const without = synthesize({ context: { reservedConcurrency: "false" } });
    without.resourcePropertiesCountIs(FUNCTION, { ReservedConcurrentExecutions: Match.anyValue() }, 0);
    const own = synthesize({ context: { reservedConcurrency: "20,10,5" } });
    expect(only(own, FUNCTION, "ApiRequest").Properties).toMatchObject({ ReservedConcurrentExecutions: 20 });
    expect(only(own, FUNCTION, "ApiStream").Properties).toMatchObject({ ReservedConcurrentExecutions: 10 });
    expect(only(own, FUNCTION, "ApiQueue").Properties).toMatchObject({ ReservedConcurrentExecutions: 5 });
  });

  it("callers without an identity are turned away, except on an emulator, which knows none", () => {
    const allowed = (from: typeof template) =>
      Object.entries(from.findResources(FUNCTION))
        .filter(([id]) => !id.startsWith("Subscriber"))
        .map(([, one]) => one.Properties.Environment.Variables.ALLOW_ANONYMOUS);
    const functions = API_FUNCTIONS.length + WORKERS;
    expect(allowed(template)).toEqual(Array(functions).fill("false"));
    expect(allowed(synthesize({ context: { emulator: "true" } }))).toEqual(Array(functions).fill("true"));
  });

  it("what works behind the queues has no URL", () => {
    const urls = JSON.stringify(template.findResources("AWS::Lambda::Url"));
    for (const worker of ["Dispatch", "Webhooks", "DeadLetters"]) {
      expect(Object.keys(template.findResources(FUNCTION)).filter((id) => id.startsWith(worker))).toHaveLength(1);
      expect(urls).not.toContain(worker);
    }
  });

  it("the reconciler runs each minute and cannot be called from outside", () => {
    template.hasResourceProperties("AWS::Events::Rule", {
      ScheduleExpression: "rate(1 minute)",
      Targets: [
        Match.objectLike({ Arn: { "Fn::GetAtt": [Match.stringLikeRegexp("^ReconcilerReconcileFunction"), "Arn"] } }),
      ],
    });
    for (const url of Object.values(template.findResources("AWS::Lambda::Url")))
      expect(JSON.stringify(url.Properties.TargetFunctionArn)).not.toContain("Reconcile");
  });

  it("the outputs say where everything is, each URL by itself and all as one map", () => {
    const outputs = template.findOutputs("*");
    expect(Object.keys(outputs).sort()).toEqual(
      [
        ...[
          "AgentsUrl",
          "DeliveriesUrl",
          "EmitUrl",
          "HistoryUrl",
          "QueueUrl",
          "RequestUrl",
          "RespondUrl",
          "StreamUrl",
          "SubscriptionsUrl",
          "Urls",
        ],
        ...["EventBusName", "TableName"],
      ].sort(),
    );
    const map = JSON.parse(asText(outputs.Urls?.Value)) as Record<string, string>;
    expect(Object.keys(map)).toEqual([...API_FUNCTIONS]);
    for (const name of API_FUNCTIONS)
      expect(map[name]).toBe(asText(outputs[`${name[0]?.toUpperCase()}${name.slice(1)}Url`]?.Value));
  });
});

/** A value of the template with `<logical id>` in place of what only the deployment knows. */
function asText(value: unknown): string {
  if (typeof value === "string") return value;
  const { "Fn::Join": join, "Fn::GetAtt": attribute } = value as {
    "Fn::Join"?: [string, unknown[]];
    "Fn::GetAtt"?: string[];
  };
  if (join !== undefined) return join[1].map(asText).join(join[0]);
  if (attribute !== undefined) return `<${attribute.join(".")}>`;
  throw new Error(`not a text: ${JSON.stringify(value)}`);
}
