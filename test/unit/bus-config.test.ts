import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import config from "../../bus.config.ts";
import example from "../../examples/bus.config.ts";
import { DEFAULT_AWS_CLIENT } from "../../shared/aws-client.ts";
import {
  type BusDeclaration,
  defineBus,
  type EventTypesOf,
  type SubscriberDeclaration,
} from "../../shared/bus-config.ts";
import { BUILT_IN_EVENT_TYPES, requireEventType } from "../../shared/event-types/catalogue.ts";
import { DEFAULT_LIMITS } from "../../shared/limits.ts";

const subscriber: SubscriberDeclaration = {
  name: "one",
  on: "MESSAGE_RECEIVED",
  handler: "agents/one.ts",
  via: "direct",
};

function faultsOf(declaration: BusDeclaration): string[] {
  try {
    defineBus(declaration);
  } catch (error) {
    const [title, ...faults] = (error as Error).message.split("\n");
    expect(title).toBe("bus.config.ts:");
    return faults.map((fault) => fault.replace("  - ", ""));
  }
  return [];
}

describe("the clients of AWS", () => {
  it("are the bus's own, or the SDK's where that is said", () => {
    expect(defineBus({}).awsClient).toBe(DEFAULT_AWS_CLIENT);
    expect(defineBus({ awsClient: "sdk" }).awsClient).toBe("sdk");
    expect(defineBus({ awsClient: "lean" }).awsClient).toBe("lean");
  });

  it("are none other", () => {
    const mistyped = { awsClient: "SDK" } as unknown as BusDeclaration;
    expect(faultsOf(mistyped)).toEqual(['awsClient: must be "lean" or "sdk", not "SDK"']);
  });
});

describe("a configuration with nothing in it", () => {
  it("has the 13 built-in types in their three groups, no subscribers and the default limits", () => {
    const bus = defineBus({});
    expect(Object.keys(bus.catalogue)).toHaveLength(13);
    const groups = Object.values(bus.catalogue).map((type) => type.group);
    expect(["system", "process", "state"].map((group) => groups.filter((one) => one === group).length)).toEqual([
      5, 4, 4,
    ]);
    expect(bus.subscribers).toEqual([]);
    expect(bus.limits).toEqual(DEFAULT_LIMITS);
  });
});

describe("event types of one's own", () => {
  const schema = v.object({ order: v.number() });

  it("stand beside the built-in ones", () => {
    const bus = defineBus({
      eventTypes: { ORDER_PLACED: { group: "shop", description: "An order is in.", schema }, PLAIN: {} },
    });
    expect(bus.catalogue.ORDER_PLACED).toEqual({ group: "shop", description: "An order is in.", schema });
    expect(bus.catalogue.PLAIN).toEqual({ group: "custom", description: "" });
    expect(bus.catalogue.MESSAGE_RECEIVED).toBe(BUILT_IN_EVENT_TYPES.MESSAGE_RECEIVED);
  });

  it("do not leak into another configuration", () => {
    defineBus({ eventTypes: { LEAKED: {} } });
    expect(defineBus({}).catalogue).not.toHaveProperty("LEAKED");
    expect(BUILT_IN_EVENT_TYPES).not.toHaveProperty("LEAKED");
  });

  it("give `data` its type", () => {
    const bus = defineBus({ eventTypes: { ORDER_PLACED: { schema }, PLAIN: {} } });
    expectTypeOf<EventTypesOf<typeof bus>["ORDER_PLACED"]>().toEqualTypeOf<{ order: number }>();
    expectTypeOf<EventTypesOf<typeof bus>["PLAIN"]>().toEqualTypeOf<Record<string, unknown>>();
    expectTypeOf<EventTypesOf<typeof bus>["MESSAGE_RECEIVED"]["text"]>().toEqualTypeOf<string | undefined>();
    // @ts-expect-error a type that is not declared is not there
    expectTypeOf<EventTypesOf<typeof bus>["NOT_DECLARED"]>();
  });

  it("may not take a built-in name, nor one that EventBridge or a key could not carry", () => {
    expect(faultsOf({ eventTypes: { MESSAGE_RECEIVED: {} } })).toEqual([
      "eventTypes.MESSAGE_RECEIVED: this name is built in",
    ]);
    for (const name of ["", "1ST", "WITH SPACE", "A#B", "_A", "Ä", "x".repeat(129), "A "])
      expect(faultsOf({ eventTypes: { [name]: {} } })).toHaveLength(1);
    for (const name of ["A", "order.placed", "a-b_c.1", "x".repeat(128), "constructor"])
      expect(faultsOf({ eventTypes: { [name]: {} } })).toEqual([]);
  });
});

describe("an event type that is looked up", () => {
  const { catalogue } = defineBus({});

  it("is found by its exact name", () => {
    expect(requireEventType(catalogue, "MESSAGE_RECEIVED").group).toBe("process");
  });

  it.each([["message_received"], ["toString"], ["__proto__"], ["constructor"], [""]])(
    "%s is unknown, and the nearest is named",
    (name) => {
      expect(() => requireEventType(catalogue, name)).toThrow(
        expect.objectContaining({
          code: "unknown_event_type",
          errors: [{ pointer: "/type", detail: expect.any(String) }],
        }),
      );
      expect(() => requireEventType(catalogue, name)).toThrow(/Did you mean [A-Z_]+\?/);
    },
  );

  it("is not quoted at length", () => {
    expect(() => requireEventType(catalogue, "x".repeat(100_000))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,400}$/s) }),
    );
  });
});

describe("subscribers", () => {
  it("get their defaults: a list of types, and that they answer", () => {
    const { subscribers } = defineBus({
      subscribers: [
        subscriber,
        {
          ...subscriber,
          name: "two",
          on: ["SESSION_CREATED", "SESSION_UPDATED"],
          answers: false,
          filter: { data: { a: [1] } },
        },
      ],
    });
    const sizes = { timeoutSeconds: 60, memoryMb: 256 };
    expect(subscribers).toEqual([
      { name: "one", on: ["MESSAGE_RECEIVED"], handler: "agents/one.ts", via: "direct", answers: true, ...sizes },
      {
        name: "two",
        on: ["SESSION_CREATED", "SESSION_UPDATED"],
        handler: "agents/one.ts",
        via: "direct",
        answers: false,
        filter: { data: { a: [1] } },
        ...sizes,
      },
    ]);
  });

  it("may want types of one's own", () => {
    expect(faultsOf({ eventTypes: { OWN: {} }, subscribers: [{ ...subscriber, on: "OWN" }] })).toEqual([]);
  });

  it("that name a type twice get its events once", () => {
    expect(
      defineBus({ subscribers: [{ ...subscriber, on: ["SESSION_CREATED", "SESSION_CREATED"] }] }).subscribers[0]?.on,
    ).toEqual(["SESSION_CREATED"]);
  });

  it.each<[string, Partial<SubscriberDeclaration>, RegExp]>([
    [
      "a type that is not there",
      { on: "MESAGE_RECEIVED" },
      /no event type "MESAGE_RECEIVED". Did you mean MESSAGE_RECEIVED\?$/,
    ],
    ["a type that only a prototype has", { on: "toString" }, /no event type "toString"/],
    ["no type", { on: [] }, /"on" names no event type$/],
    ["a name with capitals", { name: "One" }, /name must match/],
    ["a name that is too long", { name: "x".repeat(41) }, /name must match/],
    ["a name that begins with a digit", { name: "1st" }, /name must match/],
    ["an empty name", { name: "" }, /name must match/],
    ["another way of delivery", { via: "pigeon" as "direct" }, /via must be "direct" or "queue"$/],
    [
      "a time-out longer than a function lives",
      { timeoutSeconds: 901 },
      /timeoutSeconds must be a whole number from 1 to 900$/,
    ],
    ["less memory than a function takes", { memoryMb: 64 }, /memoryMb must be a whole number from 128 to 10240$/],
    ["a filter with a fault", { filter: { data: { a: 5 } } }, /filter\/data\/a: expected an array/],
  ])("%s is a fault", (_what, change, fault) => {
    expect(faultsOf({ subscribers: [{ ...subscriber, ...change }] })).toEqual([expect.stringMatching(fault)]);
  });

  it("need a name each", () => {
    expect(faultsOf({ subscribers: [subscriber, subscriber] })).toEqual([
      "subscribers[1] (one): another subscriber has this name",
    ]);
  });
});

describe("limits", () => {
  it("are taken where they are given", () => {
    expect(defineBus({ limits: { holdSeconds: 20 } }).limits).toEqual({ ...DEFAULT_LIMITS, holdSeconds: 20 });
    expect(faultsOf({ limits: { holdSeconds: 890, retentionDays: 15, eventsPerConversation: 1 } })).toEqual([]);
  });

  it.each([
    [{ holdSeconds: 0 }, "holdSeconds"],
    [{ holdSeconds: 891 }, "holdSeconds"],
    [{ holdSeconds: Number.NaN }, "holdSeconds"],
    [{ retentionDays: 14 }, "retentionDays"],
    [{ retentionDays: 20.5 }, "retentionDays"],
    [{ eventsPerConversation: 0 }, "eventsPerConversation"],
    [{ eventsPerConversation: Number.POSITIVE_INFINITY }, "eventsPerConversation"],
    [{ ratePerAgent: { perSecond: 0, burst: 1 } }, "ratePerAgent.perSecond"],
    [{ ratePerAgent: { perSecond: 20_001, burst: 1 } }, "ratePerAgent.perSecond"],
    [{ ratePerAgent: { perSecond: Number.NaN, burst: 1 } }, "ratePerAgent.perSecond"],
    [{ ratePerAgent: { perSecond: 1, burst: 0 } }, "ratePerAgent.burst"],
    [{ ratePerAgent: { perSecond: 1, burst: 2.5 } }, "ratePerAgent.burst"],
    [{ openWaitsPerAgent: 0 }, "openWaitsPerAgent"],
    [{ subscriptionsPerAgent: -1 }, "subscriptionsPerAgent"],
    [{ subscriptionsPerType: 50_001 }, "subscriptionsPerType"],
  ])("%o is out of range", (limits, name) => {
    expect(faultsOf({ limits })).toEqual([expect.stringMatching(`^limits.${name}: expected`)]);
  });
});

describe("faults", () => {
  it("are all told at once", () => {
    expect(
      faultsOf({
        eventTypes: { "1": {} },
        subscribers: [{ ...subscriber, name: "X", on: "NONE" }],
        limits: { holdSeconds: -1 },
      }),
    ).toHaveLength(4);
  });

  it("the configurations of this repository have none", () => {
    expect(config.subscribers.map((one) => one.via)).toEqual(["direct", "queue"]);
    expect(config.catalogue).toHaveProperty("PING");
    expect(example.subscribers.map((one) => one.name)).toEqual(["normalizer", "librarian"]);
  });
});
