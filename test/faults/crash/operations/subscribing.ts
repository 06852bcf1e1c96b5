/** Operations of agents that subscribe, change and leave. */
import type { Subscribed } from "../../../../shared/subscriptions/subscribe.ts";
import { HOOK } from "../../../support/scripted-webhooks.ts";
import type { Stage } from "../stage.ts";
import { published } from "./events.ts";
import { type OperationUnderTest, type Try, TYPE } from "./operation.ts";

export const QUEUE = { kind: "queue", visibility: 30 } as const;
export const WEBHOOK = { kind: "webhook", url: HOOK } as const;

export const SUBSCRIBING: readonly OperationUnderTest[] = [
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
];

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

export async function subscribeTo(stage: Stage, target: object, name = "one"): Promise<string> {
  await subscribes(stage, target, name)(stage.lasting);
  const { subscriptions } = await stage.finalState();
  return subscriptions.find((one) => one.name === name)?.subscriptionId ?? "";
}
