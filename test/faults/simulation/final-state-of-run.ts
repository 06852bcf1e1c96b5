import { openAgent } from "../../../shared/agents/agent.ts";
import type { FinalState } from "../final-state.ts";
import { BASE } from "./machines.ts";
import type { World } from "./world.ts";

/** What a simulated run has recorded, read from the table itself; verdicts as history tells them. */
export async function finalState({ database, surroundings, domain }: World): Promise<FinalState> {
  const { events, requests, responses, deliveries, subscriptions } = database.everything();
  const verdicts = new Map<string, FinalState["responses"][number]["verdict"]>();
  for (const eventId of new Set(responses.map((response) => response.eventId))) {
    const shown = await domain.showEvent({ ...BASE, store: database }, eventId, openAgent("auditor"));
    for (const { response_id, verdict } of shown.responses) verdicts.set(`${eventId} ${response_id}`, verdict);
  }
  return {
    events: events.map(({ event, published }) => ({ event, published })),
    requests,
    responses: responses.map((response) => ({
      ...response,
      verdict: verdicts.get(`${response.eventId} ${response.responseId}`) ?? null,
    })),
    deliveries,
    subscriptions,
    publications: surroundings.publications,
    handOvers: surroundings.handOvers,
    terminalStates: database.terminalStates,
  };
}
