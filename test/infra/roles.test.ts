import { describe, expect, it } from "vitest";
import { subscriber, synthesize } from "./synthesize.ts";

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

const template = synthesize({
  subscribers: [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })],
});
const policies = Object.entries(template.findResources("AWS::IAM::Policy")).map(([id, policy]) => ({
  id,
  statements: policy.Properties.PolicyDocument.Statement as Statement[],
}));
const listOf = <T>(one: T | T[]): T[] => (Array.isArray(one) ? one : [one]);
const ofFunction = (idStart: string): Statement[] =>
  policies.filter(({ id }) => id.startsWith(idStart)).flatMap((one) => one.statements);

/** `<actions> on <partition keys, or indexes>` for everything that a function may do with the table. */
const tableRights = (idStart: string): string[] =>
  ofFunction(idStart)
    .filter(({ Action }) => JSON.stringify(Action).includes("dynamodb:"))
    .map(({ Action, Resource, Condition }) => {
      const keys = Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"] as string[] | undefined;
      const on =
        keys ?? listOf(Resource).map((one) => /index\/(\w+)/.exec(JSON.stringify(one))?.[1] ?? "the whole table");
      const actions = listOf(Action).map((action) => action.slice("dynamodb:".length));
      return `${actions.sort().join(", ")} on ${on.sort().join(", ")}`;
    })
    .sort();

describe("what each function may do", () => {
  it("every function has a role of its own, without a policy that AWS manages", () => {
    const roles = Object.values(template.findResources("AWS::IAM::Role"));
    const functions = Object.values(template.findResources("AWS::Lambda::Function"));
    expect(roles).toHaveLength(functions.length);
    expect(new Set(functions.map((one) => JSON.stringify(one.Properties.Role))).size).toBe(functions.length);
    for (const role of roles) expect(role.Properties).not.toHaveProperty("ManagedPolicyArns");
  });

  it("no role has a wildcard, in an action or in a resource", () => {
    expect(policies.length).toBe(8);
    for (const { id, statements } of policies)
      for (const { Effect, Action, Resource } of statements) {
        expect(Effect, id).toBe("Allow");
        for (const action of listOf(Action)) expect(action, id).not.toContain("*");
        for (const resource of listOf(Resource)) expect(JSON.stringify(resource), id).not.toContain("*");
      }
  });

  it("what services may do to a resource is bound to the rules of this bus", () => {
    const allowed = Object.values(template.findResources("AWS::SQS::QueuePolicy"))
      .flatMap((policy) => policy.Properties.PolicyDocument.Statement as Statement[])
      .filter((statement) => statement.Effect === "Allow");
    expect(allowed).toHaveLength(3);
    for (const { Action, Condition } of allowed) {
      expect(Action).toBe("sqs:SendMessage");
      expect(JSON.stringify(Condition)).toContain(":rule/AgentEventBus/*");
    }
  });

  it.each([
    [
      "emit writes events and counts them against their conversation's budget",
      "ApiEmit",
      ["GetItem, PutItem, UpdateItem on EVENT#*", "GetItem, UpdateItem on CONVERSATION#*"],
    ],
    [
      "request does the same, reads the answers, and looks who listens",
      "ApiRequest",
      [
        "GetItem, PutItem, Query, UpdateItem on EVENT#*",
        "GetItem, UpdateItem on CONVERSATION#*",
        "Query on LISTENER#*",
      ],
    ],
    ["respond writes and counts answers", "ApiRespond", ["GetItem, PutItem, Query, UpdateItem on EVENT#*"]],
    [
      "history reads events and keeps its signing key",
      "ApiHistory",
      [
        "BatchGetItem, GetItem, Query on EVENT#*",
        "GetItem, PutItem on SETTINGS",
        "Query on by_agent, by_conversation, by_time, by_type",
      ],
    ],
    [
      "stream reads events, keeps the signing key and its own lease",
      "ApiStream",
      [
        "BatchGetItem, GetItem on EVENT#*",
        "DeleteItem, PutItem on LISTENER#*",
        "GetItem, PutItem on SETTINGS",
        "Query on by_agent, by_conversation, by_time, by_type",
      ],
    ],
    [
      "the reconciler finds work, reads it and marks it done",
      "Reconciler",
      ["GetItem, UpdateItem on EVENT#*", "Query on work"],
    ],
  ])("%s, and nothing else", (_title, idStart, rights) => {
    expect(tableRights(idStart)).toEqual(rights);
  });

  it("only history and stream can read the key that signs cursors", () => {
    const readers = ["ApiEmit", "ApiRequest", "ApiRespond", "ApiHistory", "ApiStream", "Reconciler"].filter((name) =>
      tableRights(name).some((right) => right.endsWith("SETTINGS") || right.endsWith("the whole table")),
    );
    expect(readers).toEqual(["ApiHistory", "ApiStream"]);
  });

  it("only emit, request and the reconciler can publish", () => {
    const publishers = policies
      .filter(({ statements }) => JSON.stringify(statements).includes("events:PutEvents"))
      .map(({ id }) => id);
    expect(publishers).toEqual([
      expect.stringMatching(/^ApiEmit/),
      expect.stringMatching(/^ApiRequest/),
      expect.stringMatching(/^Reconciler/),
    ]);
  });

  it("a subscriber has no rights on the table and calls emit, request, respond and history through their URLs only", () => {
    for (const name of ["Subscriberlibrarian", "Subscribernormalizer"]) {
      expect(tableRights(name)).toEqual([]);
      const calls = ofFunction(name).filter(({ Action }) => String(Action).startsWith("lambda:"));
      expect(calls.map(({ Action, Condition }) => [Action, Condition])).toEqual([
        ["lambda:InvokeFunctionUrl", { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } }],
        ["lambda:InvokeFunction", { Bool: { "lambda:InvokedViaFunctionUrl": "true" } }],
      ]);
      for (const { Resource } of calls)
        expect(
          listOf(Resource).map((one) =>
            JSON.stringify(one).replace(/.*Api(Emit|Request|Respond|History)Function.*/, "$1"),
          ),
        ).toEqual(["Emit", "History", "Request", "Respond"]);
    }
  });
});
