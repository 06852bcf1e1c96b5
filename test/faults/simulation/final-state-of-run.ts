import { verdictOf } from "../../../shared/verdict.ts";
import type { FinalState } from "../final-state.ts";
import type { World } from "./world.ts";

/** What a simulated run has recorded, read from the table itself. */
export function finalState({ database, surroundings }: Pick<World, "database" | "surroundings">): FinalState {
  const { events, requests, responses, deliveries, subscriptions } = database.everything();
  const requestOf = new Map(requests.map((request) => [request.eventId, request]));
  return {
    events: events.map(({ event, published }) => ({ event, published })),
    requests,
    responses: responses.map((response) => {
      const request = requestOf.get(response.eventId);
      return { ...response, verdict: request === undefined ? "accepted" : verdictOf(response, request) };
    }),
    deliveries,
    subscriptions,
    publications: surroundings.publications,
    handOvers: surroundings.handOvers,
    terminalStates: database.terminalStates,
  };
}
