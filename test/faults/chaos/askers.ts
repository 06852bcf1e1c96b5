/** Agents that ask: of one, of all, of a live stream, of a webhook, of nobody; that come back to a wait, and cancel. */
import type { Asked } from "./recorded-agent.ts";
import { inParallel, persist, rest, type Scene } from "./scene.ts";

const GIVES_UP = 0.03;

/** Asks `count` questions, `lanes` at a time. */
export async function askQuestions(scene: Scene, run: string, count: number, lanes: number): Promise<void> {
  const { random } = scene;
  await inParallel(scene, count, lanes, async (n) => {
    const asked = question(`${run} question ${n}`, n, random.between(1_500, 4_000));
    await askOne(scene, asked);
    scene.progress.done++;
  });
}

async function askOne(scene: Scene, asked: Asked): Promise<void> {
  const { random } = scene;
  if (asked.type === "CHAOS_SILENT") return askNobody(scene, asked);
  if (random.happens(GIVES_UP)) {
    // Asks, and is never seen again.
    await scene.agent.askOnce(asked);
    return;
  }
  const ask = (): ReturnType<typeof scene.agent.ask> =>
    random.happens(0.6) ? scene.agent.ask(asked) : scene.agent.askOnce(asked);
  const outcome = await persist(scene, ask);
  if (outcome.kind === "ok" && outcome.answer.status === "pending") await comeBack(scene, outcome.answer.event_id);
}

function question(marker: string, n: number, timeoutMs: number): Asked {
  const asked = { data: { marker }, key: marker, timeoutMs, requireSubscribers: false };
  switch (n % 10) {
    case 0:
    case 1:
      return { ...asked, type: "CHAOS_POLL", expect: { mode: "all" } };
    case 2:
      return { ...asked, type: "CHAOS_LIVE", expect: { mode: "count", count: 2 } };
    case 3:
      return { ...asked, type: "CHAOS_LIVE" };
    case 4:
      return { ...asked, type: "CHAOS_HOOKED" };
    case 5:
      return { ...asked, type: "CHAOS_SILENT", timeoutMs: 1_500 + (n % 5) * 300 };
    default:
      return { ...asked, type: "CHAOS_QUESTION" };
  }
}

/** Joins the wait again until it has ended. */
async function comeBack(scene: Scene, eventId: string): Promise<void> {
  while (!scene.over.aborted) {
    const outcome = await persist(scene, () => scene.agent.resume(eventId, 2));
    if (outcome.kind !== "ok" || outcome.answer.status !== "pending") return;
  }
}

/** Waits in vain, or cancels: once, or over and over at the same moment as the time is up. */
async function askNobody(scene: Scene, asked: Asked): Promise<void> {
  const { agent, random } = scene;
  const outcome = await persist(scene, () => agent.askOnce(asked));
  if (outcome.kind !== "ok" || outcome.answer.status !== "pending") return;
  const { event_id } = outcome.answer;
  if (random.happens(0.5)) {
    if (random.happens(0.5)) await rest(scene, Math.max(0, asked.timeoutMs - 1_000));
    await Promise.all([persist(scene, () => agent.cancel(event_id)), persist(scene, () => agent.cancel(event_id))]);
  }
  await comeBack(scene, event_id);
}
