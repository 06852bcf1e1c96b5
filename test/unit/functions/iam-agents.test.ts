import { describe, expect, it } from "vitest";
import { accountOf, configuredAgents, iamAgentId } from "../../../functions/runtime/iam-agents.ts";
import { DEFAULT_POLICY, NO_POLICY } from "../../../shared/agents/policy.ts";
import { subscriberRoleName } from "../../../shared/agents/subscriber-role.ts";
import { defineBus } from "../../../shared/bus-config.ts";

const ACCOUNT = "123456789012";
const roleArn = (name: string, account = ACCOUNT): string => `arn:aws:iam::${account}:role/${name}`;
const bus = { eventBusName: "AgentEventBus", region: "eu-central-1" };
const config = defineBus({
  subscribers: [{ name: "clerk", on: "MESSAGE_RECEIVED", handler: "clerk.ts", via: "queue" }],
  agents: { [roleArn("billing")]: { emit: [] } },
  defaultPolicy: { read: [] },
});
const agentOf = configuredAgents(config, { bus });

describe("a caller that IAM has verified", () => {
  it("has the policy of its role in bus.config.ts, or the default one", () => {
    const billing = iamAgentId(`arn:aws:sts::${ACCOUNT}:assumed-role/billing/any-session`);
    expect(agentOf(billing, ACCOUNT)).toEqual({
      id: roleArn("billing"),
      policy: { ...DEFAULT_POLICY, read: [], emit: [] },
    });
    expect(agentOf(roleArn("else"), ACCOUNT).policy).toEqual({ ...DEFAULT_POLICY, read: [] });
    // No name of an object's own.
    expect(agentOf("__proto__").policy).toEqual({ ...DEFAULT_POLICY, read: [] });
  });

  it("is a deployed subscriber when its role has that one's name, in the account of the bus", () => {
    const role = subscriberRoleName("AgentEventBus", "clerk", "eu-central-1");
    expect(agentOf(roleArn(role), ACCOUNT)).toMatchObject({
      subscriber: "clerk",
      policy: { answer: ["MESSAGE_RECEIVED"] },
    });
    expect(agentOf(roleArn(role, "999999999999"), ACCOUNT)).not.toHaveProperty("subscriber");
    expect(configuredAgents(config, {})(roleArn(role), ACCOUNT)).not.toHaveProperty("subscriber");
  });

  it("is none by the role of another bus, another subscriber or another region", () => {
    for (const role of [
      subscriberRoleName("Other", "clerk", "eu-central-1"),
      subscriberRoleName("AgentEventBus", "other", "eu-central-1"),
      subscriberRoleName("AgentEventBus", "clerk", "eu-west-1"),
    ])
      expect(agentOf(roleArn(role), ACCOUNT)).not.toHaveProperty("subscriber");
  });

  it("may do everything where nobody is verified, and only there", () => {
    expect(configuredAgents(config, { open: "local" })("local")).toMatchObject({ isOpen: true });
    expect(agentOf(roleArn("local"))).not.toHaveProperty("isOpen");
    // Subscriptions that were made when the run was open stay, and get nothing.
    expect(agentOf("local")).toEqual({ id: "local", policy: NO_POLICY });
    expect(configuredAgents(config, { open: "local" })("anonymous")).toEqual({ id: "anonymous", policy: NO_POLICY });
  });

  it("knows the account of the bus by the function that is called", () => {
    expect(accountOf(`arn:aws:lambda:eu-central-1:${ACCOUNT}:function:emit`)).toBe(ACCOUNT);
    expect(accountOf(`arn:aws:lambda:eu-central-1:${ACCOUNT}:function:emit:keys`)).toBe(ACCOUNT);
  });
});

describe("the name of a subscriber's role", () => {
  it("is always the same, fits into IAM's 64 characters, and differs by bus, subscriber and region", () => {
    const names = [
      ["b", "s", "eu-central-1"],
      ["b", "s", "ap-southeast-1"],
      ["bs", "", "eu-central-1"],
      ["b", "t", "eu-central-1"],
      ["x".repeat(256), "y".repeat(40), "ap-northeast-1"],
    ].map(([busName = "", name = "", region = ""]) => subscriberRoleName(busName, name, region));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^agent-event-bus-[0-9a-f]{16}-[a-z0-9-]{1,31}$/);
    expect(names[0]).toBe(subscriberRoleName("b", "s", "eu-central-1"));
  });
});
