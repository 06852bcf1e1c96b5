/** Every operation of the bus, tried on every kind of target; and what a policy makes of it, by the oracle. */
import type { Policy } from "../../shared/agents/policy.ts";
import type { Operation } from "../../shared/routes.ts";
import { covers, isJoined, sight } from "./policy-oracle.ts";
import {
  asked,
  CLERK,
  deadLetter,
  deadOf,
  other,
  queueOf,
  SUBJECT,
  said,
  subject,
  TYPES,
  takenBy,
  type World,
  type WorldEvent,
  webhookOf,
} from "./policy-world.ts";

export interface ProbeCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `forbidden` with the place that is to be named; `absent`: exactly as for an id that never was. */
export type Expected =
  | { readonly kind: "done"; readonly status?: number; readonly shows?: (json: Record<string, unknown>) => unknown }
  | { readonly kind: "forbidden"; readonly pointer?: string }
  | { readonly kind: "absent" };

export interface Prepared {
  readonly call: ProbeCall;
  /** The same for an id that never was. */
  readonly absent?: ProbeCall;
  readonly expected: (policy: Policy) => Expected;
}

export interface Probe {
  readonly operation: Operation;
  readonly title: string;
  /** Whether what it is tried on has to be made anew each time. */
  readonly prepare: (world: World) => Promise<Prepared> | Prepared;
}

const DONE: Expected = { kind: "done" };
const ABSENT: Expected = { kind: "absent" };
const forbidden = (pointer?: string): Expected =>
  pointer === undefined ? { kind: "forbidden" } : { kind: "forbidden", pointer };
const always = (expected: Expected) => (): Expected => expected;
const given = (isAllowed: (policy: Policy) => boolean, pointer?: string) => (policy: Policy) =>
  isAllowed(policy) ? DONE : forbidden(pointer);

export const NOBODYS_ID = "0190f000-0000-7000-8000-00000000dead";
const NOBODYS_QUEUE = "0190f000-0000-8000-8000-00000000dead";

const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): ProbeCall => ({
  method: "POST",
  path,
  body,
  headers,
});
const get = (path: string): ProbeCall => ({ method: "GET", path });

const FORMS = {
  event: (type: string) => post("/events", { type, data: {} }),
  "a structured CloudEvent": (type: string) =>
    post(
      "/events",
      { specversion: "1.0", id: "1", source: `/${type}/${Math.random()}`, type, data: {} },
      { "content-type": "application/cloudevents+json" },
    ),
  "a binary CloudEvent": (type: string) =>
    post(
      "/events",
      {},
      {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": `/${type}/${Math.random()}`,
        "ce-type": type,
      },
    ),
} as const;

function publishing(): Probe[] {
  const forms = Object.entries(FORMS).flatMap(([form, callOf]) =>
    TYPES.map(
      (type): Probe => ({
        operation: "emit",
        title: `${form} of ${type}`,
        prepare: () => ({
          call: callOf(type),
          expected: given(({ emit }) => covers(emit, type), form === "a binary CloudEvent" ? "ce-type" : "/type"),
        }),
      }),
    ),
  );
  const batch: Probe = {
    operation: "emit",
    title: "a batch, each entry by itself",
    prepare: () => ({
      call: post("/events", { events: TYPES.map((type) => ({ type, data: {} })) }),
      expected: ({ emit }) => ({
        kind: "done",
        status: 202,
        shows: ({ events }) =>
          (events as { error?: { code: string; errors: { pointer: string }[] } }[])
            .map(({ error }, i) =>
              error === undefined ? covers(emit, TYPES[i] ?? "") : !covers(emit, TYPES[i] ?? "") && error.code,
            )
            .every((fits) => fits === true || fits === "forbidden"),
      }),
    }),
  };
  const asking = TYPES.map(
    (type): Probe => ({
      operation: "request",
      title: type,
      prepare: () => ({
        call: post("/requests", { type, data: {}, timeout: 0.05, require_subscribers: false }),
        expected: given(({ emit }) => covers(emit, type), "/type"),
      }),
    }),
  );
  return [...forms, batch, ...asking];
}

/** Joining a conversation: by an event that led to the new one, and by its name. */
function joining(): Probe[] {
  const byCause = (["emit", "request"] as const).flatMap((operation) =>
    Array.from(
      { length: 18 },
      (_, i): Probe => ({
        operation,
        title: `led to by event ${i} of the world`,
        prepare: ({ events }) => {
          const parent = events[i] as WorldEvent;
          return {
            call: sending(operation, { causation_id: parent.id }),
            expected: (policy) =>
              !covers(policy.emit, TYPES[0])
                ? forbidden("/type")
                : {
                    kind: "done",
                    shows: ({ correlation_id, event_id }) =>
                      // An answer to a request does not say which conversation it is in.
                      operation === "request" ||
                      correlation_id === (isJoined(policy, parent) ? parent.correlationId : event_id),
                  },
          };
        },
      }),
    ),
  );
  const named = (title: string, idOf: (world: World) => string, isAllowed: (policy: Policy) => boolean): Probe[] =>
    (["emit", "request"] as const).map((operation) => ({
      operation,
      title: `in ${title}, by its name`,
      prepare: (world) => ({
        call: sending(operation, { correlation_id: idOf(world) }),
        expected: (policy) => {
          if (!covers(policy.emit, TYPES[0])) return forbidden("/type");
          return isAllowed(policy) ? DONE : forbidden("/correlation_id");
        },
      }),
    }));
  const ofOthers = (policy: Policy): boolean => policy.conversations === "any";
  const first = ({ events }: World, isOwn: boolean): string =>
    (events.find((one) => one.isOwn === isOwn && one.id === one.correlationId) as WorldEvent).id;
  return [
    ...byCause,
    ...named(
      "its own conversation",
      (world) => first(world, true),
      () => true,
    ),
    ...named("another's conversation", (world) => first(world, false), ofOthers),
    ...named("a conversation that could be another's and is nobody's", () => NOBODYS_ID, ofOthers),
    ...named(
      "a conversation with a name",
      () => "ticket 7",
      () => true,
    ),
  ];
}

const sending = (operation: "emit" | "request", change: object): ProbeCall =>
  operation === "emit"
    ? post("/events", { type: TYPES[0], data: {}, ...change })
    : post("/requests", { type: TYPES[0], data: {}, timeout: 0.05, require_subscribers: false, ...change });

function answering(): Probe[] {
  const answer = (id: string, reply_token: string, as?: string): ProbeCall =>
    post(`/events/${id}/responses${as === undefined ? "" : `?as=${as}`}`, { response: {}, reply_token });
  const may = (type: string, pointer: string) => (policy: Policy) => {
    if (!covers(policy.answer, type)) return forbidden("/event_id");
    return pointer === "" ? DONE : forbidden(pointer);
  };
  const asItself = TYPES.flatMap((type): Probe[] => [
    {
      operation: "respond",
      title: `a question of type ${type}, as itself`,
      prepare: async ({ bus }) => {
        const { id, token } = await asked(bus, other, type);
        return { call: answer(id, token), expected: may(type, "") };
      },
    },
    {
      operation: "respond",
      title: `an event of type ${type} that nobody waits for`,
      prepare: async ({ bus }) => {
        const { id, token } = await said(bus, other, type);
        return { call: answer(id, token), expected: may(type, "") };
      },
    },
  ]);
  const claims: Readonly<Record<string, readonly [as: string, isExpected: boolean, pointer: string]>> = {
    "in the name of its own subscription": ["mine", true, ""],
    "in the name of its own subscription, which nobody expects to answer": ["mine", false, ""],
    "in the name of another's subscription": ["theirs", true, "/as"],
    "in the name of another's subscription, which nobody expects to answer": ["theirs", false, "/as"],
    "in the name of a deployed subscriber": [CLERK, true, "/as"],
    "in the name of nobody": ["nobody", false, "/as"],
  };
  const inNames = Object.entries(claims).map(
    ([title, [as, isExpected, pointer]]): Probe => ({
      operation: "respond",
      title,
      prepare: async ({ bus }) => {
        await webhookOf(bus, subject, "mine");
        await webhookOf(bus, other, "theirs");
        const { id, token } = isExpected
          ? await asked(bus, other, TYPES[0], { expect: { mode: "all" } })
          : await said(bus, other, TYPES[0]);
        return { call: answer(id, token, as), expected: may(TYPES[0], pointer) };
      },
    }),
  );
  const withoutToken = Array.from(
    { length: 18 },
    (_, i): Probe => ({
      operation: "respond",
      title: `with a forged token, to event ${i} of the world`,
      prepare: ({ events }) => {
        const event = events[i] as WorldEvent;
        return {
          call: answer(event.id, "forged"),
          absent: answer(NOBODYS_ID, "forged"),
          expected: (policy) => (sight(policy, event) === "absent" ? ABSENT : forbidden("/reply_token")),
        };
      },
    }),
  );
  return [...asItself, ...inNames, ...withoutToken];
}

/** Waits of its own and of another's. */
function waiting(): Probe[] {
  const calls: readonly [Operation, string][] = [
    ["resume", "GET"],
    ["cancel", "DELETE"],
  ];
  return calls.flatMap(([operation, method]): Probe[] =>
    [subject, other].map((agent) => ({
      operation,
      title: agent === subject ? "its own" : "another's",
      prepare: async ({ bus }) => {
        const { id } = await asked(bus, agent, TYPES[0]);
        return {
          call: { method, path: `/requests/${id}` },
          absent: { method, path: `/requests/${NOBODYS_ID}` },
          expected: always(agent === subject ? DONE : ABSENT),
        };
      },
    })),
  );
}

function subscribing(): Probe[] {
  const wanted = (type: string): object => ({ name: "new", event_types: [type], target: { kind: "queue" } });
  const create = TYPES.map(
    (type): Probe => ({
      operation: "subscribe",
      title: type,
      prepare: () => ({
        call: post("/subscriptions", wanted(type)),
        expected: given(({ subscribe }) => covers(subscribe, type), "/event_types/0"),
      }),
    }),
  );
  const change = TYPES.map(
    (type): Probe => ({
      operation: "change",
      title: `its own, to ${type}`,
      prepare: async ({ bus }) => ({
        call: {
          method: "PATCH",
          path: `/subscriptions/${await queueOf(bus, subject, "my queue")}`,
          body: { event_types: [type] },
        },
        expected: given(({ subscribe }) => covers(subscribe, type), "/event_types/0"),
      }),
    }),
  );
  const again: Probe = {
    operation: "change",
    title: "its own, active again",
    prepare: async ({ bus }) => ({
      call: {
        method: "PATCH",
        path: `/subscriptions/${await queueOf(bus, subject, "my queue")}`,
        body: { status: "active" },
      },
      expected: given(({ subscribe }) => covers(subscribe, TYPES[0]), "/event_types"),
    }),
  };
  const paused: Probe = {
    operation: "change",
    title: "its own, paused",
    prepare: async ({ bus }) => ({
      call: {
        method: "PATCH",
        path: `/subscriptions/${await queueOf(bus, subject, "my queue")}`,
        body: { status: "disabled" },
      },
      expected: always(DONE),
    }),
  };
  const streams = TYPES.map(
    (type): Probe => ({
      operation: "stream",
      title: type,
      prepare: () => ({
        call: get(`/events/stream?type=${type}`),
        expected: given(({ subscribe }) => covers(subscribe, type), "/type"),
      }),
    }),
  );
  return [...create, ...change, again, paused, ...streams];
}

/** What is another's looks absent, whatever the policy. */
function ownThings(): Probe[] {
  type MakeCalls = (world: World, agent: typeof subject) => Promise<readonly [ProbeCall, ProbeCall]>;
  const onSubscription =
    (method: string, suffix = "", body?: unknown): MakeCalls =>
    async ({ bus }, agent) => {
      const id = await (suffix === "/rotate-secret" ? webhookOf : queueOf)(bus, agent, `thing ${Math.random()}`);
      const at = (one: string): ProbeCall => ({ method, path: `/subscriptions/${one}${suffix}`, body });
      return [at(id), at(NOBODYS_QUEUE)];
    };
  const onReceipt =
    (operation: string, more: object = {}): MakeCalls =>
    async ({ bus }, agent) => {
      const { queue, receipt } = await takenBy(bus, agent);
      const body = { receipts: [receipt], ...more };
      return [
        post(`/subscriptions/${queue}/${operation}`, body),
        post(`/subscriptions/${NOBODYS_QUEUE}/${operation}`, body),
      ];
    };
  const made: Partial<Record<Operation, MakeCalls>> = {
    subscription: onSubscription("GET"),
    change: onSubscription("PATCH", "", { status: "disabled" }),
    unsubscribe: onSubscription("DELETE"),
    rotate: onSubscription("POST", "/rotate-secret"),
    messages: onSubscription("GET", "/messages"),
    ack: onReceipt("ack"),
    nack: onReceipt("nack"),
    extend: onReceipt("extend", { visibility: 60 }),
  };
  return Object.entries(made).flatMap(([operation, makeCalls]): Probe[] =>
    [subject, other].map((agent) => ({
      operation: operation as Operation,
      title: agent === subject ? "its own" : "another's",
      prepare: async (world) => {
        const [call, absent] = await makeCalls(world, agent);
        return { call, absent, expected: always(agent === subject ? DONE : ABSENT) };
      },
    })),
  );
}

/** Its own are always there; those of deployed subscribers for administrators; another's never. */
function deadDeliveries(): Probe[] {
  const setUp = async ({ bus }: World) => ({
    own: await deadOf(bus, subject),
    theirs: await deadOf(bus, other),
    deployed: await deadLetter(bus),
  });
  type Dead = Awaited<ReturnType<typeof setUp>>;
  const seen = (json: Record<string, unknown>): { event_id: string; subscription_id: string }[] =>
    json["deliveries"] as { event_id: string; subscription_id: string }[];
  const fits = (dead: Dead, policy: Policy) => (json: Record<string, unknown>) => {
    const has = (queue: string, id: string): boolean =>
      seen(json).some((one) => one.event_id === id && one.subscription_id === queue);
    return (
      has(dead.own.queue, dead.own.eventId) &&
      !has(dead.theirs.queue, dead.theirs.eventId) &&
      has(`deployed:${CLERK}`, dead.deployed) === policy.administer
    );
  };
  const list: Probe = {
    operation: "dead",
    title: "all",
    prepare: async (world) => {
      const dead = await setUp(world);
      return {
        call: get("/deliveries?limit=1000"),
        expected: (policy) => ({ kind: "done", shows: fits(dead, policy) }),
      };
    },
  };
  const all: Probe = {
    operation: "redrive",
    title: "all, as a dry run",
    prepare: async (world) => {
      const dead = await setUp(world);
      return {
        call: post("/deliveries/redrive", { dry_run: true, limit: 1_000 }),
        expected: (policy) => ({ kind: "done", shows: fits(dead, policy) }),
      };
    },
  };
  const one = (title: string, eventOf: (dead: Dead) => string, isSent: (policy: Policy) => boolean): Probe => ({
    operation: "redrive",
    title,
    prepare: async (world) => {
      const dead = await setUp(world);
      return {
        call: post("/deliveries/redrive", { event_id: eventOf(dead) }),
        expected: (policy) => ({
          kind: "done",
          shows: ({ redriven, deliveries }) => {
            const sent = isSent(policy) ? 1 : 0;
            return redriven === sent && (deliveries as unknown[]).length === sent;
          },
        }),
      };
    },
  });
  return [
    list,
    all,
    one(
      "its own",
      (dead) => dead.own.eventId,
      () => true,
    ),
    one(
      "another's",
      (dead) => dead.theirs.eventId,
      () => false,
    ),
    one(
      "a deployed subscriber's",
      (dead) => dead.deployed,
      ({ administer }) => administer,
    ),
  ];
}

function administering(): Probe[] {
  const calls: Partial<Record<Operation, ProbeCall>> = {
    registerAgent: post("/agents", {}),
    agents: get("/agents"),
    agent: get("/agents/somebody"),
    changeAgent: { method: "PATCH", path: "/agents/somebody", body: {} },
    deleteAgent: { method: "DELETE", path: "/agents/somebody" },
    rotateKey: post("/agents/somebody/keys", {}),
    revokeKey: { method: "DELETE", path: "/agents/somebody/keys/1" },
  };
  return Object.entries(calls).map(([operation, call]) => ({
    operation: operation as Operation,
    title: "agents",
    // Whether there is such an agent is not asked here: only who is told.
    prepare: () => ({ call, expected: ({ administer }) => (administer ? { kind: "done", status: 0 } : forbidden()) }),
  }));
}

const ABOUT: readonly Probe[] = (
  [
    ["types", "/event-types"],
    ["openapi", "/openapi.json"],
    ["asyncapi", "/asyncapi.json"],
    ["health", "/health"],
  ] as const
).map(([operation, path]) => ({
  operation,
  title: "for everybody",
  prepare: () => ({ call: get(path), expected: always(DONE) }),
}));

/** Looking at each event of the world by its id. */
export function lookingAt(event: WorldEvent): Probe[] {
  return (["show", "explain"] as const).map((operation) => {
    const at = (id: string): ProbeCall => get(`/events/${id}${operation === "explain" ? "/explain" : ""}`);
    return {
      operation,
      title: `${event.type}, ${event.title}`,
      prepare: () => ({
        call: at(event.id),
        absent: at(NOBODYS_ID),
        expected: (policy) => (sight(policy, event) === "absent" ? ABSENT : DONE),
      }),
    };
  });
}

/** The subscriptions that are listed are its own. */
const LISTED: Probe = {
  operation: "subscriptions",
  title: "all",
  prepare: async ({ bus }) => {
    const theirs = await queueOf(bus, other, "theirs too");
    const own = await queueOf(bus, subject, "first");
    return {
      call: get("/subscriptions?limit=1000"),
      expected: always({
        kind: "done",
        shows: ({ subscriptions }) => {
          const ids = (subscriptions as { subscription_id: string }[]).map((one) => one.subscription_id);
          return ids.includes(own) && !ids.includes(theirs);
        },
      }),
    };
  },
};

/** All but those that look at the events of the world (`lookingAt`) and at pages of them. */
export const PROBES: readonly Probe[] = [
  ...publishing(),
  ...joining(),
  ...answering(),
  ...waiting(),
  ...subscribing(),
  ...ownThings(),
  LISTED,
  ...deadDeliveries(),
  ...administering(),
  ...ABOUT,
];

/** The agent of a policy. */
export const withPolicy = (policy: Policy): { readonly id: string; readonly policy: Policy } => ({
  id: SUBJECT,
  policy,
});
