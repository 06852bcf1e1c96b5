import { describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import { type BusDeclaration, defineBus } from "../../../shared/bus-config.ts";
import { policyOfSubscriber } from "../../../shared/deployed-subscriber.ts";

const BILLING = "arn:aws:iam::123456789012:role/billing";

function faultsOf(declaration: object): string[] {
  try {
    defineBus(declaration as BusDeclaration);
  } catch (error) {
    return (error as Error).message
      .split("\n")
      .slice(1)
      .map((line) => line.replace("  - ", ""));
  }
  return [];
}

describe("policies in bus.config.ts", () => {
  it("say where an agent differs from the default, and the default where it differs from the bus's own", () => {
    const bus = defineBus({
      defaultPolicy: { emit: ["MESSAGE_*"] },
      agents: { [BILLING]: { read: [], administer: true } },
    });
    expect(bus.defaultPolicy).toEqual({ ...DEFAULT_POLICY, emit: ["MESSAGE_*"] });
    expect(bus.agents).toEqual({ [BILLING]: { ...DEFAULT_POLICY, emit: ["MESSAGE_*"], read: [], administer: true } });
  });

  it("let everybody whom IAM lets in do everything but look into others' conversations, when there are none", () => {
    expect(defineBus({})).toMatchObject({ agents: {}, defaultPolicy: DEFAULT_POLICY });
    expect(DEFAULT_POLICY).toMatchObject({ conversations: "own", administer: false });
  });

  it("of a deployed subscriber let it answer what it is on and subscribe to nothing, unless it is said otherwise", () => {
    const handler = { handler: "a.ts", via: "queue", on: ["MESSAGE_RECEIVED"] } as const;
    const bus = defineBus({
      subscribers: [
        { name: "plain", ...handler },
        { name: "quiet", ...handler, policy: { emit: [] } },
      ],
    });
    const [plain, quiet] = bus.subscribers.map(policyOfSubscriber);
    expect(plain).toEqual({
      emit: ["*"],
      subscribe: [],
      answer: ["MESSAGE_RECEIVED"],
      read: ["*"],
      conversations: "any",
      administer: false,
    });
    expect(quiet).toEqual({ ...plain, emit: [] });
  });

  it.each([
    [
      { defaultPolicy: { emit: ["MESAGE_RECEIVED"] } },
      'defaultPolicy.emit: there is no event type "MESAGE_RECEIVED". Did you mean MESSAGE_RECEIVED?',
    ],
    [
      { defaultPolicy: { emit: ["MESAGE_*"] } },
      'defaultPolicy.emit: no event type begins with "MESAGE_". Did you mean one like MESSAGE_RECEIVED?',
    ],
    [{ defaultPolicy: { read: ["*_RECEIVED"] } }, 'defaultPolicy.read: "*_RECEIVED" has a * that is not at its end'],
    [{ defaultPolicy: { read: ["MESSAGE_**"] } }, 'defaultPolicy.read: "MESSAGE_**" has a * that is not at its end'],
    [{ defaultPolicy: { read: "*" } }, 'defaultPolicy.read: must be a list of event types; ["*"] is all, [] is none'],
    [{ defaultPolicy: { answer: [7] } }, "defaultPolicy.answer: event types are texts"],
    [{ defaultPolicy: { emits: [] } }, 'defaultPolicy: there is no right "emits". Did you mean emit?'],
    [{ defaultPolicy: { conversations: "all" } }, 'defaultPolicy.conversations: must be "own" or "any"'],
    [{ defaultPolicy: { administer: 1 } }, "defaultPolicy.administer: must be true or false"],
    [
      { agents: { [BILLING]: { subscribe: ["PONG"] } } },
      /^agents\["arn:aws:iam::123456789012:role\/billing"\]\.subscribe: there is no event type "PONG"/,
    ],
    [
      { agents: { billing: {} } },
      'agents["billing"]: the ARN of a role or a user was expected, like arn:aws:iam::123456789012:role/billing',
    ],
    [
      { agents: { "arn:aws:sts::123456789012:assumed-role/billing/session": {} } },
      /this is a session of a role; its agent is arn:aws:iam::123456789012:role\/billing$/,
    ],
    [
      { agents: { "arn:aws:iam::123456789012:role/team/a/billing": {} } },
      /callers do not tell the path of their role; write arn:aws:iam::123456789012:role\/billing$/,
    ],
    [{ agents: { "arn:aws:iam::12345:role/billing": {} } }, /the ARN of a role or a user was expected/],
    [
      { subscribers: [{ name: "a", on: "MESSAGE_RECEIVED", handler: "a.ts", via: "queue", policy: { emit: ["NO"] } }] },
      /^subscribers\[0\] \(a\): policy\.emit: there is no event type "NO"/,
    ],
  ])("that cannot be meant are faults that say what is: %j", (declaration, fault) => {
    expect(faultsOf(declaration)).toEqual([typeof fault === "string" ? fault : expect.stringMatching(fault)]);
  });

  it.each([
    BILLING,
    "arn:aws-cn:iam::123456789012:role/billing",
    "arn:aws:iam::123456789012:user/team/ann",
    "arn:aws:iam::123456789012:user/ann",
    "arn:aws:sts::123456789012:federated-user/ann",
  ])("may be for %s", (arn) => {
    expect(faultsOf({ agents: { [arn]: {} } })).toEqual([]);
  });
});
