/** Answers a tick with a tock, and a tock with a tick: the bus is to end it. */
import { AgentEventBusError } from "../../../../client/errors.ts";
import { subscriber } from "../../../../client/subscriber.ts";
import { log, noteDone, noteHandOver } from "./hand-over.ts";

export const handler = subscriber<"CHAOS_TICK" | "CHAOS_TOCK", Record<"CHAOS_TICK" | "CHAOS_TOCK", { marker: string }>>(
  async (event, context) => {
    noteHandOver(context.subscriber, event.id);
    const next = event.type === "CHAOS_TICK" ? "CHAOS_TOCK" : "CHAOS_TICK";
    await context.emit(next, { marker: `after ${event.data.marker}` }).catch((error: unknown) => {
      if (!(error instanceof AgentEventBusError && error.code === "loop_detected")) throw error;
    });
    noteDone(context.subscriber, event.id);
  },
  { log },
);
