/** Operations that bring events to run-time subscriptions: dispatch, queues, webhooks. */
import { dispatchEvent } from "../../../../shared/deliveries/dispatch.ts";
import { deliverWebhook } from "../../../../shared/webhooks/deliver.ts";
import { accepts, fails, HOOK } from "../../../support/scripted-webhooks.ts";
import { acknowledge, take } from "../recovery.ts";
import type { Stage } from "../stage.ts";
import { opened, requestIs } from "./asking.ts";
import { lastPublished, published } from "./events.ts";
import { type OperationUnderTest, type Try, TYPE, untilItSucceeds } from "./operation.ts";
import { QUEUE, subscribeTo, WEBHOOK } from "./subscribing.ts";

export const DELIVERING: readonly OperationUnderTest[] = [
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
];

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
