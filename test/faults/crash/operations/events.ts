/** Events as the operations need them: published once, or again and again under one key. */
import { dispatchEvent } from "../../../../shared/deliveries/dispatch.ts";
import type { DeliveredEvent } from "../../../../shared/event.ts";
import type { Stage } from "../stage.ts";
import { type Try, TYPE } from "./operation.ts";

export function emits(stage: Stage, marker: string, text?: string): Try {
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

let markers = 0;
/** An event that is published and, if it is wanted, brought to who subscribes. */
export async function published(stage: Stage, isDispatched = true, type = TYPE): Promise<DeliveredEvent> {
  const marker = `event ${++markers}`;
  const body = { type, data: { marker } };
  await stage.call(stage.lasting, "asker", ["emit", { type, marker }], ["POST", "/events", body]);
  if (isDispatched) await dispatchEvent(stage.bus.deps, lastPublished(stage));
  return lastPublished(stage);
}

export function lastPublished(stage: Stage): DeliveredEvent {
  const event = stage.published.at(-1);
  if (event === undefined) throw new Error("Nothing was published.");
  return event;
}
