import { describe, expect, it } from "vitest";
import { API_FUNCTIONS } from "../../shared/routes.ts";
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
const keyed = synthesize({ context: { auth: "keys" } });
const policiesOf = (from: typeof template) =>
  Object.entries(from.findResources("AWS::IAM::Policy")).map(([id, policy]) => ({
    id,
    statements: policy.Properties.PolicyDocument.Statement as Statement[],
  }));
const policies = policiesOf(template);
const keyedPolicies = policiesOf(keyed);
const listOf = <T>(one: T | T[]): T[] => (Array.isArray(one) ? one : [one]);
const ofFunction = (idStart: string, of = policies): Statement[] =>
  of.filter(({ id }) => id.startsWith(idStart)).flatMap((one) => one.statements);

/** `<actions> on <partition keys, or indexes>` for everything that a function may do with the table. */
const tableRights = (idStart: string, of = policies): string[] =>
  ofFunction(idStart, of)
    .filter(({ Action }) => JSON.stringify(Action).includes("dynamodb:"))
    .map(({ Action, Resource, Condition }) => {
      const keys = Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"] as string[] | undefined;
      const on =
        keys ?? listOf(Resource).map((one) => /index\/(\w+)/.exec(JSON.stringify(one))?.[1] ?? "the whole table");
      const actions = listOf(Action).map((action) => action.slice("dynamodb:".length));
      return `${actions.sort().join(", ")} on ${on.sort().join(", ")}`;
    })
    .sort();

const everyFunction = [
  ...API_FUNCTIONS.map((name) => `Api${name[0]?.toUpperCase()}${name.slice(1)}`),
  ...["Dispatch", "Webhooks", "DeadLetters", "Reconciler"],
];

/** `<actions> on <queues or functions>` for what a function may do with others, by their logical ids or names. */
const otherRights = (idStart: string): string[] =>
  ofFunction(idStart)
    .filter(({ Action }) => /"(sqs|lambda):/.test(JSON.stringify(Action)))
    .map(({ Action, Resource }) => {
      const names = listOf(Resource).map((one) => {
        const text = JSON.stringify(one);
        // By its logical id, or by its name at the end of an ARN.
        return /"Fn::GetAtt":\["(\w+?)[0-9A-F]{8}"/.exec(text)?.[1] ?? /:(function:)?([\w-]+)"\]\]\}$/.exec(text)?.[2];
      });
      return `${listOf(Action).sort().join(", ")} on ${names.sort().join(", ")}`;
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
    expect(policies.length).toBe(15);
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
    // The dead letters', dispatch's and the queued subscriber's.
    expect(allowed).toHaveLength(3);
    for (const { Action, Condition } of allowed) {
      expect(Action).toBe("sqs:SendMessage");
      expect(JSON.stringify(Condition)).toContain(":rule/AgentEventBus/*");
    }
  });

  it.each([
    [
      "emit writes events, looks to whom what led to them was delivered, and counts them against their conversation's budget",
      "ApiEmit",
      ["GetItem, PutItem, Query, UpdateItem on EVENT#*", "GetItem, UpdateItem on CONVERSATION#*"],
    ],
    [
      "request does the same, reads the answers, learns how long they take, and looks who listens and who subscribes",
      "ApiRequest",
      [
        "BatchGetItem, GetItem, PutItem, Query, UpdateItem on EVENT#*",
        "GetItem, PutItem, UpdateItem on ANSWER_TIMES#*",
        "GetItem, Query on SUBSCRIBERS#*",
        "GetItem, UpdateItem on CONVERSATION#*",
        "Query on LISTENER#*",
        "Query on by_agent",
      ],
    ],
    [
      "respond writes and counts answers, and looks who listens and who subscribes",
      "ApiRespond",
      ["GetItem, PutItem, Query, UpdateItem on EVENT#*", "GetItem, Query on SUBSCRIBERS#*", "Query on LISTENER#*"],
    ],
    [
      "history reads events and who subscribes, and keeps its signing key",
      "ApiHistory",
      [
        "BatchGetItem, GetItem, Query on EVENT#*",
        "GetItem, PutItem on SETTINGS",
        "GetItem, Query on SUBSCRIBERS#*",
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
      "subscriptions keeps subscriptions and their index, ends deliveries, and keeps its signing key",
      "ApiSubscriptions",
      [
        "GetItem, PutItem on EVENT#*",
        "GetItem, PutItem on SETTINGS",
        "GetItem, PutItem, Query on SUBSCRIPTIONS_OF#*",
        "PutItem, Query, UpdateItem on SUBSCRIBERS#*",
        "Query on by_agent, work",
      ],
    ],
    [
      "queue reads a subscription, finds messages and takes them, and says that somebody polls",
      "ApiQueue",
      [
        "BatchGetItem, GetItem, PutItem on EVENT#*",
        "GetItem on SUBSCRIPTIONS_OF#*",
        "PutItem on LISTENER#*",
        "Query on work",
      ],
    ],
    [
      "deliveries reads and writes deliveries, reads subscriptions, says that somebody is busy, and keeps its signing key",
      "ApiDeliveries",
      [
        "BatchGetItem, GetItem, PutItem, Query on EVENT#*",
        "GetItem on SUBSCRIPTIONS_OF#*",
        "GetItem, PutItem on SETTINGS",
        "PutItem on LISTENER#*",
        "Query on work",
      ],
    ],
    [
      "dispatch reads who subscribes and begins deliveries",
      "Dispatch",
      ["GetItem, PutItem, Query on EVENT#*", "GetItem, Query on SUBSCRIBERS#*"],
    ],
    [
      "deliver-webhook reads and ends deliveries, answers events, and disables subscriptions",
      "Webhooks",
      [
        "GetItem, PutItem on SUBSCRIPTIONS_OF#*",
        "GetItem, PutItem, Query, UpdateItem on EVENT#*",
        "PutItem, UpdateItem on SUBSCRIBERS#*",
      ],
    ],
    ["dead-letters records deliveries", "DeadLetters", ["GetItem, PutItem on EVENT#*"]],
    [
      "the reconciler finds work, reads it and marks it done",
      "Reconciler",
      [
        "GetItem, PutItem on SUBSCRIPTIONS_OF#*",
        "GetItem, PutItem, UpdateItem on EVENT#*",
        "PutItem, UpdateItem on SUBSCRIBERS#*",
        "Query on work",
      ],
    ],
  ])("%s, and nothing else", (_title, idStart, rights) => {
    const limited = idStart.startsWith("Api") ? ["GetItem, UpdateItem on RATE#*"] : [];
    const looksAgentsUp = ["ApiRequest", "ApiHistory", "ApiQueue", "Dispatch", "Webhooks"].includes(idStart);
    const asked = looksAgentsUp ? ["GetItem on AGENT#*"] : [];
    expect(tableRights(idStart)).toEqual([...rights, ...limited, ...asked].sort());
  });

  it("where agents have keys, whoever takes a key reads whose it is; only administration writes who is let in", () => {
    const rightsOnAgents = (name: string) =>
      tableRights(name, keyedPolicies).filter((right) => right.includes("AGENT#"));
    for (const name of everyFunction)
      expect([name, rightsOnAgents(name)]).toEqual([
        name,
        name === "ApiAgents"
          ? ["BatchGetItem, GetItem, PutItem on AGENT#*"]
          : ["DeadLetters", "Reconciler"].includes(name)
            ? []
            : ["GetItem on AGENT#*"],
      ]);
  });

  it("only who gives out cursors can read the key that signs them", () => {
    const readers = everyFunction.filter((name) =>
      tableRights(name).some((right) => right.endsWith("SETTINGS") || right.endsWith("the whole table")),
    );
    expect(readers).toEqual(["ApiHistory", "ApiStream", "ApiSubscriptions", "ApiDeliveries", "ApiAgents"]);
  });

  it("only who manages, calls or looks after webhooks, or shuts an agent out, can read subscriptions, in which their secrets stand", () => {
    const readers = everyFunction.filter((name) =>
      tableRights(name).some((right) => right.includes("GetItem") && right.includes("SUBSCRIPTIONS_OF")),
    );
    expect(readers).toEqual(["ApiSubscriptions", "ApiQueue", "ApiDeliveries", "ApiAgents", "Webhooks", "Reconciler"]);
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

  it("deliveries hands events to just the deployed subscribers again, each in its own way, and to dispatch and webhooks", () => {
    expect(otherRights("ApiDeliveries")).toEqual([
      "lambda:InvokeFunction on AgentEventBus-agent-librarian",
      "sqs:GetQueueUrl, sqs:SendMessage on AgentEventBus-agent-normalizer",
      "sqs:SendMessage on DispatchQueue, WebhooksQueue",
    ]);
    const without = synthesize({ subscribers: [] });
    expect(JSON.stringify(without.findResources("AWS::IAM::Policy"))).not.toContain("lambda:InvokeFunction");
  });

  it("who works behind a queue takes from that one, and only dispatch and the reconciler send for webhooks beside it", () => {
    const take = [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ReceiveMessage",
    ].join(", ");
    expect(otherRights("Webhooks")).toEqual([`${take} on WebhooksQueue`]);
    expect(otherRights("DeadLetters")).toEqual([`${take} on DeadLettersQueue`]);
    expect(otherRights("Dispatch")).toEqual([`${take} on DispatchQueue`, "sqs:SendMessage on WebhooksQueue"]);
    expect(otherRights("Reconciler")).toEqual(["sqs:SendMessage on WebhooksQueue"]);
    for (const name of ["ApiEmit", "ApiRequest", "ApiRespond", "ApiHistory", "ApiStream", "ApiQueue"])
      expect(otherRights(name), name).toEqual([]);
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
