/** Bugs in history. */
import { DOMAIN } from "../domain.ts";
import type { PlantedBug } from "./planted-bug.ts";

export const HISTORY_BUGS: readonly PlantedBug[] = [
  {
    name: "a page skips the event at its end",
    breaks: ["I8"],
    plant: {
      domain: {
        listEvents: async (...args) => {
          const page = await DOMAIN.listEvents(...args);
          return page.next_cursor === null ? page : { ...page, events: page.events.slice(0, -1) };
        },
      },
    },
  },
  {
    name: "a page shows the conversations of others",
    breaks: ["I9"],
    plant: {
      domain: {
        listEvents: (deps, query, agent) =>
          DOMAIN.listEvents(deps, query, { ...agent, policy: { ...agent.policy, conversations: "any" } }),
      },
    },
  },
];
