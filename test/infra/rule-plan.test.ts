import { describe, expect, it } from "vitest";
import { planRules } from "../../infra/subscription.ts";
import { DISPATCH } from "../../shared/deployed-subscriber.ts";
import { subscriber } from "./synthesize.ts";

/** The rules but the first, which brings everything to dispatch. */
const rulesOf = (...args: Parameters<typeof planRules>) => planRules(...args).slice(1);

const named = (count: number, fields: Parameters<typeof subscriber>[0] = {}) =>
  Array.from({ length: count }, (_, i) => subscriber({ name: `agent-${i}`, ...fields }));

describe("rules of a deployment", () => {
  it("one rule brings every event, of whatever type, to the subscriptions that are made at run time [subscribe-3]", () => {
    expect(planRules([])).toMatchObject([
      { id: "dispatch", pattern: { source: ["agent-event-bus"] }, targets: [DISPATCH] },
    ]);
    expect(planRules(named(3)).filter(({ targets }) => targets.includes(DISPATCH))).toHaveLength(1);
  });

  it("one rule carries up to five subscribers of an event type", () => {
    const rules = rulesOf(named(5));
    expect(rules.map((rule) => rule.targets)).toEqual([["agent-0", "agent-1", "agent-2", "agent-3", "agent-4"]]);
  });

  it("the sixth subscriber of an event type is reached by a sibling rule [subscribe-3]", () => {
    const rules = rulesOf(named(6));
    expect(rules.map((rule) => rule.targets.length)).toEqual([5, 1]);
    expect(rules[1]?.pattern).toEqual(rules[0]?.pattern);
    expect(new Set(rules.map((rule) => rule.id)).size).toBe(2);
  });

  it("a subscriber to several event types is reached once for each", () => {
    const rules = rulesOf([subscriber({ on: ["SESSION_CREATED", "SESSION_UPDATED", "SESSION_CREATED"] })]);
    expect(rules.map((rule) => rule.pattern["detail-type"])).toEqual([["SESSION_CREATED"], ["SESSION_UPDATED"]]);
  });

  it("a filtered subscription has one rule of its own, with all its event types and the filter on the event", () => {
    const rules = rulesOf([
      subscriber({ name: "all", on: ["SESSION_CREATED"] }),
      subscriber({
        name: "german",
        on: ["SESSION_CREATED", "SESSION_UPDATED"],
        filter: { data: { language: ["de"] } },
      }),
    ]);
    expect(rules.find((rule) => rule.targets.includes("german"))).toMatchObject({
      targets: ["german"],
      pattern: {
        source: ["agent-event-bus"],
        "detail-type": ["SESSION_CREATED", "SESSION_UPDATED"],
        detail: { data: { language: ["de"] } },
      },
    });
    expect(rules.find((rule) => rule.targets.includes("all"))?.pattern).not.toHaveProperty("detail");
  });

  it("names that look alike never share a rule", () => {
    const rules = rulesOf([
      ...named(6, { on: ["A", "A-2"] }),
      subscriber({ name: "a", on: ["A"], filter: { hops: [0] } }),
    ]);
    expect(new Set(rules.map((rule) => rule.id)).size).toBe(rules.length);
  });

  it("says which rule's pattern is too long for EventBridge", () => {
    const filter = { data: { city: Array.from({ length: 300 }, (_, i) => `city-${i}`) } };
    expect(() => planRules([subscriber({ name: "traveller", filter })])).toThrow(
      /filter:traveller has \d+ characters; EventBridge takes 2048/,
    );
  });

  it("refuses what needs more than 300 rules, and says how many it needs [subscribe-3]", () => {
    const filter = { hops: [0] };
    expect(planRules(named(299, { filter }))).toHaveLength(300);
    expect(() => planRules(named(300, { filter }))).toThrow(/need 301 rules; an EventBridge bus has 300/);
  });
});
