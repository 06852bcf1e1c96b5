/** Operations that see to what was left: redrives, dead letters, the reconciler. */
import { recordDeadLetter } from "../../../../shared/deliveries/dead-letters.ts";
import { reconcile } from "../../../../shared/reconcile.ts";
import { accepts, fails, HOOK } from "../../../support/scripted-webhooks.ts";
import { dropLong, workOff } from "../../../support/webhook-worker.ts";
import { take } from "../recovery.ts";
import type { Stage } from "../stage.ts";
import { opened } from "./asking.ts";
import { emits, published } from "./events.ts";
import { type OperationUnderTest, type Try, untilItSucceeds } from "./operation.ts";
import { QUEUE, subscribeTo, WEBHOOK } from "./subscribing.ts";

export const CATCHING_UP: readonly OperationUnderTest[] = [
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

function redrives(stage: Stage): Try {
  return async (process) => {
    const outcome = await stage.call(process, "owner", ["redrive", {}], ["POST", "/deliveries/redrive", {}]);
    return outcome.kind === "ok";
  };
}
