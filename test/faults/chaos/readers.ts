/** Agents that look back: through all of history, page by page, while it is being written; and at single events. */
import type { CallHistory } from "../history.ts";
import { answered } from "../history.ts";
import { rest, type Scene } from "./scene.ts";

/** Reads again and again until the signal aborts. */
export async function readHistory(scene: Scene, until: AbortSignal, name: string): Promise<void> {
  const { random } = scene;
  for (let n = 0; !until.aborted && !scene.over.aborted; n++) {
    const order = random.happens(0.5) ? "asc" : "desc";
    const type = random.happens(0.5) ? "CHAOS_NOTE" : undefined;
    await readOnce(scene, `${name} ${n}`, order, type);
    await rest(scene, random.between(200, 800));
  }
}

/** From the first page to the last; given up when a page cannot be read. */
export async function readOnce(
  { agent }: Pick<Scene, "agent">,
  reading: string,
  order: "asc" | "desc",
  type?: string,
): Promise<void> {
  let cursor: string | null = null;
  for (let page = 0; page === 0 || cursor !== null; page++) {
    const query = { order, ...(type === undefined ? {} : { type }), ...(cursor === null ? {} : { cursor }) } as const;
    const { outcome, next } = await agent.list(reading, page, query);
    if (outcome.kind !== "ok") return;
    cursor = next;
  }
}

/** Looks at requests that somebody was told of: what it says of their ends is remembered. */
export async function lookAtRequests(scene: Scene, history: CallHistory, until: AbortSignal): Promise<void> {
  while (!until.aborted && !scene.over.aborted) {
    const told = answered(history.calls, "ask");
    if (told.length > 0) await scene.agent.show(scene.random.pick(told).outcome.answer.event_id);
    await rest(scene, 50);
  }
}
