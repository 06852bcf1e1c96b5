/** The live stream as server-sent events. */
import { type CursorScope, sealCursor } from "../../shared/cursor.ts";
import { deliveredCopy } from "../../shared/event.ts";
import type { StreamStep } from "../../shared/live-stream.ts";
import type { Deps } from "../../shared/ports.ts";
import type { ServerSentEvent } from "./sse.ts";

/** Each event with the cursor after it; first of all the cursor from which the stream starts. */
export async function* toServerSentEvents(
  deps: Deps,
  scope: CursorScope,
  as: string | undefined,
  steps: AsyncIterable<StreamStep>,
): AsyncGenerator<ServerSentEvent, void> {
  for await (const step of steps) {
    const id = await sealCursor(deps, scope, step.place.toText());
    if (step.kind === "opened") yield { id };
    else yield { id, data: deliveredCopy(step.record.event, step.record.replyToken, as) };
  }
}
