/** Agents that poll queues: they acknowledge, give back, keep hidden, forget, and answer what is a question. */
import type { Message } from "../../../shared/deliveries/message-queue.ts";
import { persist, rest, type Scene } from "./scene.ts";

/** What is taken and forgotten comes again after this, in seconds. */
export const VISIBILITY_SECONDS = 2;
/** Far more than all that is forgotten and given back. */
export const MAX_ATTEMPTS = 50;

const FORGETS = 0.02;
const GIVES_BACK = 0.04;
const KEEPS = 0.04;

/** Polls one queue until all is over. */
export async function consume(scene: Scene, subscriptionId: string, name: string): Promise<void> {
  const { agent, random, handOvers, over } = scene;
  while (!over.aborted) {
    let taken: readonly Message[] = [];
    const outcome = await agent.take(subscriptionId, 1, (messages) => {
      taken = messages;
    });
    if (outcome.kind !== "ok") await rest(scene, random.between(50, 300));
    for (const { event } of taken) handOvers.push({ subscriptionId, eventId: event.id });
    await Promise.all(taken.map((message) => work(scene, subscriptionId, name, message)));
  }
}

async function work(scene: Scene, subscriptionId: string, name: string, message: Message): Promise<void> {
  const { agent, random } = scene;
  const { event, receipt } = message;
  if (random.happens(FORGETS)) return;
  if (random.happens(GIVES_BACK)) {
    await agent.giveBack(subscriptionId, [receipt]);
    return;
  }
  if (random.happens(KEEPS)) await agent.keepHidden(subscriptionId, [receipt], VISIBILITY_SECONDS + 1);
  if (event.deadline !== undefined) {
    const given = { marker: `${name} to ${event.id}`, responseId: name, as: name };
    await persist(scene, () => agent.respond(event, given));
  }
  await persist(scene, () => agent.acknowledge(subscriptionId, [receipt]));
}
