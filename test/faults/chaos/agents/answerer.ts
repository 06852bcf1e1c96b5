import { subscriber } from "../../../../client/subscriber.ts";
import { log, noteDone, noteHandOver } from "./hand-over.ts";

export const handler = subscriber(
  async (event, context) => {
    noteHandOver(context.subscriber, event.id);
    noteDone(context.subscriber, event.id);
    return { marker: `${context.subscriber} to ${event.id}` };
  },
  { log },
);
