/**
 * What this deployment carries: its own event types, its deployed subscribers, its limits.
 *
 * The same file drives the embedded run (`npm run dev`) and the deployment (`npm run deploy`). It begins with a check of
 * both ways that events travel: who asks PING of all is answered by one subscriber that EventBridge calls directly and
 * by one behind a queue. Put your own types and agents beside them; `examples/bus.config.ts` shows some.
 */
import * as v from "valibot";
import { defineBus } from "./shared/bus-config.ts";

const config = defineBus({
  eventTypes: {
    PING: {
      group: "check",
      description: "Asks every way of delivery for a sign of life.",
      schema: v.object({ note: v.optional(v.string()) }),
    },
  },
  subscribers: [
    { name: "pong-direct", on: "PING", handler: "examples/agents/pong.ts", via: "direct", timeoutSeconds: 10 },
    { name: "pong-queue", on: "PING", handler: "examples/agents/pong.ts", via: "queue", timeoutSeconds: 10 },
  ],
});

export default config;
