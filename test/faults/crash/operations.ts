/** Every operation of the bus, as somebody does it who does it again until it is done. */
import { recordDeadLetter } from "../../../shared/deliveries/dead-letters.ts";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import type { Subscribed } from "../../../shared/subscriptions/subscribe.ts";
import { deliverWebhook } from "../../../shared/webhooks/deliver.ts";
import { after } from "../../support/bus-in-memory.ts";
import { accepts, fails, HOOK } from "../../support/scripted-webhooks.ts";
import { dropLong, workOff } from "../../support/webhook-worker.ts";
import type { DyingProcess } from "./dying-process.ts";
import { acknowledge, take } from "./recovery.ts";
import type { Stage } from "./stage.ts";

type Process = Pick<DyingProcess, "deps" | "isDead">;

/** Does it once, in a process that may die. @returns whether whoever does it knows now that it is done */
export type Try = (process: Process) => Promise<boolean>;

export interface OperationUnderTest {
  readonly name: string;
  /** Sets the stage, in a process that lasts. */
  prepare(stage: Stage): Promise<Try>;
  /** What is not as it should be once it is done and all is quiet, beside the invariants: in sentences. */
  readonly check?: (stage: Stage) => Promise<string[]>;
}

const TYPE = "UPGRADE_REQUESTED";
const QUEUE = { kind: "queue", visibility: 30 } as const;
const WEBHOOK = { kind: "webhook", url: HOOK } as const;

export const OPERATIONS: readonly OperationUnderTest[] = [
  {
    name: "emit",
    async prepare(stage) {
      await subscribeTo(stage, QUEUE);
      return emits(stage, "an event");
    },
  },
  { name: "emit, with data that is kept apart", prepare: async (stage) => emits(stage, "large", "x".repeat(6_000)) },
  {
    name: "emit a batch",
    prepare: async (stage) => async (process) => {
      const events = ["one", "two", "three"].map((marker) => ({ type: TYPE, marker }));
      const body = { events: events.map(({ type, marker }) => ({ type, data: { marker } })) };
      const outcome = await stage.call(
        process,
        "asker",
        ["emitBatch", { events, key: "batch" }],
        ["POST", "/events", body, "batch"],
      );
      return outcome.kind === "ok" && outcome.answer.rejected === 0;
    },
  },
  {
    name: "ask, and be answered",
    async prepare(stage) {
      void answerSoon(stage);
      // Where it is left to the relay to publish it, the time may be up before.
      return asks(stage, { type: "CONTEXT_REQUESTED", timeout: 40 });
    },
  },
  {
    name: "ask in vain",
    prepare: async (stage) => asks(stage, { type: "CONTEXT_REQUESTED", timeout: 2 }),
    check: requestIs("TIMED_OUT"),
  },
  {
    name: "respond",
    async prepare(stage) {
      await opened(stage);
      return responds(stage, "first");
    },
    check: requestIs("ANSWERED"),
  },
  {
    name: "respond, the second of two who are wanted",
    async prepare(stage) {
      await opened(stage, { expect: { mode: "count", count: 2 } });
      await responds(stage, "first")(stage.lasting);
      return responds(stage, "second");
    },
    check: requestIs("ANSWERED"),
  },
  {
    name: "respond, when another has",
    async prepare(stage) {
      await opened(stage);
      await responds(stage, "first")(stage.lasting);
      return responds(stage, "second");
    },
  },
  {
    name: "tell progress",
    async prepare(stage) {
      await opened(stage);
      return responds(stage, "half", "progress");
    },
  },
  {
    name: "cancel",
    async prepare(stage) {
      const eventId = await opened(stage);
      return async (process) => {
        const outcome = await stage.call(process, "asker", ["cancel", { eventId }], ["DELETE", `/requests/${eventId}`]);
        return outcome.kind === "ok";
      };
    },
    check: requestIs("CANCELLED"),
  },
  { name: "subscribe a queue", prepare: async (stage) => subscribes(stage, QUEUE), check: gets({ [TYPE]: true }) },
  { name: "subscribe a webhook", prepare: async (stage) => subscribes(stage, WEBHOOK), check: gets({ [TYPE]: true }) },
  {
    name: "change a subscription",
    async prepare(stage) {
      const subscriptionId = await subscribeTo(stage, QUEUE);
      return async (process) => {
        const eventTypes = ["SESSION_CREATED"];
        const outcome = await stage.call(
          process,
          "owner",
          ["changeSubscription", { subscriptionId, eventTypes }],
          ["PATCH", `/subscriptions/${subscriptionId}`, { event_types: eventTypes }],
          () => ({ subscriptionId }),
        );
        return outcome.kind === "ok";
      };
    },
    check: gets({ [TYPE]: false, SESSION_CREATED: true }),
  },
  {
    name: "unsubscribe, with a message in the queue",
    async prepare(stage) {
      const subscriptionId = await subscribeTo(stage, QUEUE);
      await published(stage);
      return async (process) => {
        const outcome = await stage.call(
          process,
          "owner",
          ["unsubscribe", { subscriptionId }],
          ["DELETE", `/subscriptions/${subscriptionId}`],
          () => null,
        );
        // Done by an earlier try whose answer was lost.
        return outcome.kind === "ok" || (outcome.kind === "failed" && outcome.code === "not_found");
      };
    },
    check: gets({ [TYPE]: false }),
  },
  {
    name: "rotate a secret",
    async prepare(stage) {
      const subscriptionId = await subscribeTo(stage, WEBHOOK);
      await published(stage);
      // It is no call of the history: what became of it shows in the signatures.
      return async (process) => {
        const path = `/subscriptions/${subscriptionId}/rotate-secret`;
        const outcome = await stage.call(
          process,
          "owner",
          ["changeSubscription", { subscriptionId }],
          ["POST", path],
          () => ({ subscriptionId }),
        );
        return outcome.kind !== "unknown";
      };
    },
  },
  {
    name: "dispatch an event to a queue and a webhook",
    async prepare(stage) {
      await subscribeTo(stage, QUEUE);
      await subscribeTo(stage, WEBHOOK, "hook");
      const event = await published(stage, false);
      return untilItSucceeds(async (process) => void (await dispatchEvent(process.deps, event)));
    },
  },
  {
    name: "take from a queue",
    async prepare(stage) {
      const subscriptionId = await subscribeTo(stage, QUEUE);
      await published(stage);
      await published(stage);
      return async (process) => {
        const receipts = await take(stage, process, subscriptionId);
        // What was taken and lost on its way comes again when it is visible again.
        if (receipts.length === 0) await stage.bus.clock.pause(31_000);
        return receipts.length > 0;
      };
    },
  },
  {
    name: "acknowledge",
    async prepare(stage) {
      const [subscriptionId, receipts] = await taken(stage);
      return async (process) => (await acknowledge(stage, process, subscriptionId, receipts)) === "ok";
    },
  },
  {
    name: "give back",
    async prepare(stage) {
      const [subscriptionId, receipts] = await taken(stage);
      return tellsOfReceipts(stage, "giveBack", subscriptionId, ["nack", { receipts }]);
    },
  },
  {
    name: "keep hidden",
    async prepare(stage) {
      const [subscriptionId, receipts] = await taken(stage);
      return tellsOfReceipts(stage, "keepHidden", subscriptionId, ["extend", { receipts, visibility: 60 }]);
    },
  },
  {
    name: "deliver a webhook that answers",
    async prepare(stage) {
      await subscribeTo(stage, WEBHOOK);
      stage.bus.webhooks.script(HOOK, accepts({ response: { marker: "by the hook" } }));
      await opened(stage, { type: TYPE, require_subscribers: false });
      await dispatchEvent(stage.bus.deps, lastPublished(stage));
      return delivers(stage);
    },
    check: requestIs("ANSWERED"),
  },
  {
    name: "deliver a webhook that fails, and then does not",
    async prepare(stage) {
      await subscribeTo(stage, WEBHOOK);
      stage.bus.webhooks.script(HOOK, fails(500), accepts());
      await published(stage);
      return delivers(stage);
    },
  },
  {
    name: "deliver a webhook that is gone",
    async prepare(stage) {
      await subscribeTo(stage, WEBHOOK);
      stage.bus.webhooks.script(HOOK, fails(410));
      await published(stage);
      return delivers(stage);
    },
  },
  {
    name: "redrive a webhook",
    async prepare(stage) {
      await subscribeTo(stage, WEBHOOK);
      stage.bus.webhooks.script(HOOK, fails(500));
      await published(stage);
      for (let hours = 0; hours < 40; hours += 10) {
        await workOff(stage.bus, 10.1 * 3_600_000);
        dropLong(stage.bus);
        await reconcile(stage.bus.deps, { untilMs: stage.bus.deps.monotonic() + 60_000 });
      }
      stage.bus.webhooks.script(HOOK, accepts());
      return redrives(stage);
    },
  },
  {
    name: "redrive a message",
    async prepare(stage) {
      const subscriptionId = await subscribeTo(stage, { ...QUEUE, max_attempts: 1 });
      await published(stage);
      await take(stage, stage.lasting, subscriptionId);
      await stage.bus.clock.pause(31_000);
      await reconcile(stage.bus.deps, { untilMs: stage.bus.deps.monotonic() + 60_000 });
      return redrives(stage);
    },
  },
  {
    name: "redrive a deployed subscriber's",
    async prepare(stage) {
      const event = await published(stage, false, "CONTEXT_REQUESTED");
      await recordDeadLetter(stage.bus.deps, { subscriber: "bob", event, reason: "it threw", attempts: 5 });
      return redrives(stage);
    },
  },
  {
    name: "record a dead letter",
    async prepare(stage) {
      const event = await published(stage, false, "CONTEXT_REQUESTED");
      return untilItSucceeds(({ deps }) =>
        recordDeadLetter(deps, { subscriber: "bob", event, reason: "it threw", attempts: 5 }),
      );
    },
  },
  {
    name: "reconcile what is unpublished, overdue, unfinished and lapsed",
    async prepare(stage) {
      const subscriptionId = await subscribeTo(stage, { ...QUEUE, max_attempts: 1 });
      await published(stage);
      await take(stage, stage.lasting, subscriptionId);
      await opened(stage, { timeout: 1 });
      stage.bus.publisher.failure = "the bus is down";
      await emits(stage, "left behind")(stage.lasting);
      stage.bus.publisher.failure = null;
      await stage.bus.clock.pause(90_000);
      return untilItSucceeds(async ({ deps }) => void (await reconcile(deps, { untilMs: deps.monotonic() + 60_000 })));
    },
  },
];

/** The one request that there is has come to this end. */
function requestIs(state: string): NonNullable<OperationUnderTest["check"]> {
  return async (stage) => {
    const { requests } = await stage.finalState();
    return requests.filter((one) => one.state !== state).map((one) => `a request is ${one.state}, and not ${state}`);
  };
}

/** Whether the subscription gets an event that is published now, by its type. */
function gets(wanted: Readonly<Record<string, boolean>>): NonNullable<OperationUnderTest["check"]> {
  return async (stage) => {
    const faults: string[] = [];
    for (const [type, isWanted] of Object.entries(wanted)) {
      const { id } = await published(stage, true, type);
      const { deliveries } = await stage.finalState();
      const isThere = deliveries.some((one) => one.eventId === id && one.name === "one");
      if (isThere !== isWanted) faults.push(isWanted ? `it does not get ${type}` : `it gets ${type} still`);
    }
    return faults;
  };
}

const untilItSucceeds =
  (act: (process: Process) => Promise<void>): Try =>
  (process) =>
    act(process).then(
      () => !process.isDead,
      (error: unknown) => {
        if (!process.isDead) throw error;
        return false;
      },
    );

function emits(stage: Stage, marker: string, text?: string): Try {
  return async (process) => {
    const data = text === undefined ? { marker } : { marker, text };
    const outcome = await stage.call(
      process,
      "asker",
      ["emit", { type: TYPE, marker, key: marker }],
      ["POST", "/events", { type: TYPE, data }, marker],
    );
    return outcome.kind === "ok";
  };
}

/** @param terms type, timeout and whatever else a request may have */
function asks(stage: Stage, terms: { type: string; timeout: number } & Record<string, unknown>): Try {
  const marker = `a question of ${terms.type}`;
  const expect = (terms["expect"] ?? { mode: "first" }) as never;
  return async (process) => {
    const outcome = await stage.call(
      process,
      "asker",
      ["ask", { type: terms.type, marker, key: marker, timeoutMs: terms.timeout * 1_000, expect }],
      ["POST", "/requests", { ...terms, data: { marker } }, marker],
    );
    return outcome.kind === "ok" && outcome.answer.status !== "pending";
  };
}

/** A request that waits for answers, and whose asker is away. @returns its id */
async function opened(stage: Stage, terms: Record<string, unknown> = {}): Promise<string> {
  const marker = "an open question";
  const { type = "CONTEXT_REQUESTED", timeout = 600, expect = { mode: "first" } } = terms;
  const body = { type, timeout, expect, data: { marker }, ...terms };
  const from = stage.published.length;
  const waiting = stage.call(
    stage.lasting,
    "asker",
    ["ask", { type: String(type), marker, key: marker, timeoutMs: Number(timeout) * 1_000, expect: expect as never }],
    ["POST", "/requests", body, marker],
  );
  while (stage.published.length === from) await new Promise(setImmediate);
  const { id } = lastPublished(stage);
  // Held for as long as the bus likes; then he goes.
  await waiting;
  return id;
}

function responds(stage: Stage, name: string, status: "ok" | "progress" = "ok"): Try {
  return async (process) => {
    const { id, reply_to } = lastPublished(stage);
    const marker = `${name} to ${id}`;
    const outcome = await stage.call(
      process,
      "answerer",
      ["respond", { eventId: id, marker, responseId: name, status }],
      [
        "POST",
        `/events/${id}/responses`,
        { response: { marker }, reply_token: reply_to.token, response_id: name, status },
      ],
    );
    return outcome.kind === "ok";
  };
}

/** Answers the next question once it is there. */
async function answerSoon(stage: Stage): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const isAnswered = await after(stage.bus.clock, 300, async () => {
      if (stage.published.length === 0) return false;
      return responds(stage, "soon")(stage.lasting);
    });
    if (isAnswered) return;
  }
}

function subscribes(stage: Stage, target: object, name = "one"): Try {
  return async (process) => {
    const { kind } = target as { kind: "queue" | "webhook" };
    const outcome = await stage.call(
      process,
      "owner",
      ["subscribe", { name, kind, eventTypes: [TYPE], answers: true }],
      ["POST", "/subscriptions", { name, event_types: [TYPE], target }],
      (json: Subscribed["subscription"], status) => ({
        subscriptionId: json.subscription_id,
        created: status === 201,
      }),
    );
    return outcome.kind === "ok";
  };
}

async function subscribeTo(stage: Stage, target: object, name = "one"): Promise<string> {
  await subscribes(stage, target, name)(stage.lasting);
  const { subscriptions } = await stage.finalState();
  return subscriptions.find((one) => one.name === name)?.subscriptionId ?? "";
}

let markers = 0;
/** An event that is published and, if it is wanted, brought to who subscribes. */
async function published(stage: Stage, isDispatched = true, type = TYPE): Promise<DeliveredEvent> {
  const marker = `event ${++markers}`;
  const body = { type, data: { marker } };
  await stage.call(stage.lasting, "asker", ["emit", { type, marker }], ["POST", "/events", body]);
  if (isDispatched) await dispatchEvent(stage.bus.deps, lastPublished(stage));
  return lastPublished(stage);
}

function lastPublished(stage: Stage): DeliveredEvent {
  const event = stage.published.at(-1);
  if (event === undefined) throw new Error("Nothing was published.");
  return event;
}

async function taken(stage: Stage): Promise<[subscriptionId: string, receipts: string[]]> {
  const subscriptionId = await subscribeTo(stage, QUEUE);
  await published(stage);
  return [subscriptionId, await take(stage, stage.lasting, subscriptionId)];
}

function tellsOfReceipts(
  stage: Stage,
  operation: "giveBack" | "keepHidden",
  subscriptionId: string,
  [path, body]: readonly [string, { readonly receipts: readonly string[]; readonly visibility?: number }],
): Try {
  return async (process) => {
    const outcome = await stage.call(
      process,
      "owner",
      [operation, { subscriptionId, receipts: body.receipts }],
      ["POST", `/subscriptions/${subscriptionId}/${path}`, body],
      ({ results }: { results: { receipt: string; status: "ok" | "expired" }[] }) => results,
    );
    return outcome.kind === "ok";
  };
}

/** The task that waits, as its queue brings it: again when whoever had it died. */
function delivers(stage: Stage): Try {
  return untilItSucceeds(async ({ deps }) => {
    const [waiting] = stage.bus.webhookQueue.waiting;
    if (waiting !== undefined) await deliverWebhook(deps, waiting.task);
  });
}

function redrives(stage: Stage): Try {
  return async (process) => {
    const outcome = await stage.call(process, "owner", ["redrive", {}], ["POST", "/deliveries/redrive", {}]);
    return outcome.kind === "ok";
  };
}
