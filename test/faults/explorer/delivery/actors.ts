/** Who brings an event to a queue, who takes it from there, and who sees to what was left. */
import { withFault } from "../call.ts";
import { stepsOfCall } from "./calls.ts";
import {
  isLastReceive,
  MAX_REDRIVES,
  type News,
  type Next,
  type State,
  type Step,
  type WorkerNumber,
  withWorker,
} from "./state.ts";
import type { Variant } from "./variants.ts";

/** Dispatch (`dispatch.ts`): the event comes again until its delivery is recorded, and may come again after that. */
export function dispatchSteps(state: State, variant: Variant): Step[] {
  if (!state.isToDispatch) {
    if (state.faultsLeft === 0) return [];
    const to = { ...withFault(state), isToDispatch: true };
    return [{ name: "the event comes to dispatch once more", happens: "perhaps", to }];
  }
  const isEarly = variant === "forget the event before its delivery is recorded";
  return stepsOfCall(state, "dispatch", variant, {
    name: "dispatch records the delivery, if there is none",
    onAnswer: (done) => ({ to: { ...done, isToDispatch: false } }),
    onNoAnswer: (failed) => ({ to: { ...failed, isToDispatch: !isEarly } }),
  });
}

/** A worker (`message-queue.ts`, `message-receipts.ts`). */
export function workerSteps(state: State, number: WorkerNumber, variant: Variant): Step[] {
  const who = `worker ${number}`;
  const { delivery } = state;
  const { step, fence } = state.workers[number - 1] as State["workers"][0];
  const goesTo = (next: State, change: Parameters<typeof withWorker>[2]): Next => ({
    to: withWorker(next, number, change),
  });
  const isIdle = (next: State): Next => goesTo(next, { step: "idle", fence: 0 });
  const isTold =
    (of: News["of"]) =>
    (next: State, isWritten: boolean): Next => ({
      ...isIdle(next),
      tells: { of, receipt: fence, what: isWritten ? "ok" : "expired" },
    });
  const crashes: Step[] =
    step === "idle" || state.faultsLeft === 0
      ? []
      : [{ name: `${who} crashes`, happens: "perhaps", ...isIdle(withFault(state)) }];

  switch (step) {
    case "idle": {
      // After its last receive a message is out of the queue.
      const isThere = delivery?.state === "PENDING" && !delivery.isHidden && !isLastReceive(delivery);
      if (!isThere) return [];
      return [
        {
          name: `${who} finds the message`,
          happens: "surely",
          ...goesTo(state, { step: "takes", fence: delivery.fence }),
        },
      ];
    }
    case "takes":
      return [
        ...stepsOfCall(state, `take ${fence}`, variant, {
          name: `${who} takes the message, if nobody has since`,
          onAnswer: (next, isWritten) =>
            isWritten ? goesTo(next, { step: "works", fence: next.delivery?.fence ?? 0 }) : isIdle(next),
          onNoAnswer: isIdle,
        }),
        ...crashes,
      ];
    case "works":
      return [
        { name: `${who} is done with the message`, happens: "surely", ...goesTo(state, { step: "acknowledges" }) },
        { name: `${who} fails at the message`, happens: "perhaps", ...goesTo(state, { step: "gives back" }) },
        ...crashes,
      ];
    case "acknowledges":
      return [
        ...stepsOfCall(state, `acknowledge ${fence}`, variant, {
          name: `${who} acknowledges the message`,
          onAnswer: isTold("acknowledge"),
          onNoAnswer: isIdle,
        }),
        ...crashes,
      ];
    case "gives back":
      return [
        ...stepsOfCall(state, `return ${fence}`, variant, {
          name: `${who} gives the message back`,
          onAnswer: isTold("give back"),
          onNoAnswer: isIdle,
        }),
        ...crashes,
      ];
  }
}

/** What is hidden becomes visible again, but for the last receive, whose end the reconciler finds (`tend.ts`). */
export function reconcilerSteps(state: State, variant: Variant): Step[] {
  const { delivery, reconcilerSaw } = state;
  const isDone = (next: State): Next => ({ to: { ...next, reconcilerSaw: null } });
  if (reconcilerSaw !== null) {
    return stepsOfCall(state, `bury ${reconcilerSaw}`, variant, {
      name: "the reconciler writes that the message is dead, if nobody has written since",
      onAnswer: isDone,
      onNoAnswer: isDone,
    });
  }
  if (delivery?.state !== "PENDING" || !delivery.isHidden) return [];
  if (!isLastReceive(delivery)) {
    const to = { ...state, delivery: { ...delivery, isHidden: false } };
    return [{ name: "the message is visible again", happens: "surely", to }];
  }
  if (variant === "no reconciler") return [];
  const to = { ...state, reconcilerSaw: delivery.fence };
  return [{ name: "the reconciler finds that the last receive is over", happens: "surely", to }];
}

/** The owner (`redrive.ts`). */
export function ownerSteps(state: State, variant: Variant): Step[] {
  const { delivery, ownerSaw } = state;
  const isDone = (next: State): Next => ({ to: { ...next, ownerSaw: null } });
  if (ownerSaw !== null) {
    return stepsOfCall(state, `redrive ${ownerSaw}`, variant, {
      name: "the message is sent again, if nobody has written since",
      onAnswer: isDone,
      onNoAnswer: isDone,
    });
  }
  if (delivery?.state !== "DEAD" || delivery.redrives === MAX_REDRIVES) return [];
  const to = { ...state, ownerSaw: delivery.fence };
  return [{ name: "the owner finds the message among the dead", happens: "perhaps", to }];
}
