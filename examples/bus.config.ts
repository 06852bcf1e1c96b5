/** What `npm run demo` carries: two agents that hold a conversation, and an event type of their own. */
import * as v from "valibot";
import { defineBus } from "../shared/bus-config.ts";

const config = defineBus({
  eventTypes: {
    /** A reply to a customer's message is ready. */
    REPLY_DRAFTED: {
      group: "example",
      description: "A reply to a customer's message is ready.",
      schema: v.object({ text: v.pipe(v.string(), v.minLength(1)), tone: v.optional(v.string()) }),
    },
  },
  subscribers: [
    {
      name: "normalizer",
      on: "MESSAGE_RECEIVED",
      handler: "examples/agents/normalizer.ts",
      via: "queue",
      answers: false,
    },
    { name: "librarian", on: "CONTEXT_REQUESTED", handler: "examples/agents/librarian.ts", via: "direct" },
  ],
});

export default config;
