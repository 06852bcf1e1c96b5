/** Says of every second note that it has got it: once, however often the note comes. */
import { subscriber } from "../../../../client/subscriber.ts";
import { log, noteDone, noteHandOver } from "./hand-over.ts";

export const handler = subscriber<"CHAOS_NOTE", Record<string, { marker: string; n: number }>>(
  async (event, context) => {
    noteHandOver(context.subscriber, event.id);
    if (event.data.n % 2 === 0)
      await context.emit("CHAOS_FOLLOW_UP", { marker: `follow-up of ${event.data.marker}`, n: event.data.n });
    noteDone(context.subscriber, event.id);
  },
  { log },
);
