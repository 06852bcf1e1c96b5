/** Agents that answer over live streams: several of them, at once, with progress, with refusals, and too late. */
import type { DeliveredEvent } from "../../../shared/event.ts";
import { persist, rest, type Scene } from "./scene.ts";

const TOO_LATE = 0.04;
const REFUSES = 0.05;

/** Answers what comes over the stream until all is over. */
export async function answerLive(scene: Scene, name: string): Promise<void> {
  while (!scene.over.aborted)
    try {
      for await (const event of scene.agent.client.stream({ type: "CHAOS_LIVE", as: name, signal: scene.over }))
        void answer(scene, name, event as DeliveredEvent);
    } catch {
      // It could not be opened: in an outage it is tried again.
      await rest(scene, 200);
    }
}

async function answer(scene: Scene, name: string, event: DeliveredEvent): Promise<void> {
  const { agent, random } = scene;
  const marker = `${name} to ${event.id}`;
  if (random.happens(0.3))
    await persist(scene, () =>
      agent.respond(event, {
        marker: `${marker}, progress`,
        responseId: `${name} progress`,
        status: "progress",
        as: name,
      }),
    );
  if (random.happens(TOO_LATE)) await rest(scene, Date.parse(event.reply_to.deadline ?? "") - Date.now() + 300);
  const status = random.happens(REFUSES) ? "rejected" : "ok";
  const given = { marker, responseId: name, status, as: name } as const;
  // Some say it twice at once, as after an answer that seemed lost.
  const tries = random.happens(0.1) ? 2 : 1;
  await Promise.all(Array.from({ length: tries }, () => persist(scene, () => agent.respond(event, given))));
}
