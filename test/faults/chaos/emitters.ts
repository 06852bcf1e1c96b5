/** Agents that publish: one event after the other, in batches, the same from many at once, and round and round. */
import { inParallel, persist, type Scene } from "./scene.ts";

const RACERS = 32;
const BATCH = 5;
/** Of those who do not hear what came of a call, so many leave it at that. */
const GIVES_UP = 0.03;
/** So many events have data that the store keeps apart. */
const LARGE = 0.03;
const LARGE_TEXT = "x".repeat(6_000);

/** Publishes `count` events, `lanes` at a time; some of them as batches. */
export async function emitNotes(scene: Scene, run: string, count: number, lanes: number): Promise<void> {
  const { agent, random } = scene;
  await inParallel(scene, Math.ceil(count / BATCH), lanes, async (n) => {
    const events = Array.from({ length: Math.min(BATCH, count - n * BATCH) }, (_, i) => {
      const number = n * BATCH + i;
      const marker = `${run} note ${number}`;
      const text = random.happens(LARGE) ? { text: LARGE_TEXT } : {};
      const type = number % 12 === 0 ? "CHAOS_ALARM" : number % 3 === 0 ? "CHAOS_NOTE" : "CHAOS_PLAIN";
      return { type, data: { marker, n: number, ...text }, key: marker };
    });
    if (random.happens(0.25)) {
      const asBatch = events.map(({ key: _, ...event }) => event);
      await persist(scene, async () => {
        const outcome = await agent.emitBatch(asBatch, `${run} batch ${n}`);
        // As a client does: while some were refused for now, the whole is sent again.
        const isPartly =
          outcome.kind === "ok" && outcome.answer.events.some((one) => "error" in one && one.error.retryable);
        return isPartly ? { kind: "unknown", why: "refused for now, in part" } : outcome;
      });
      scene.progress.done += events.length;
      return;
    }
    for (const event of events) {
      const emit = (): ReturnType<typeof agent.emit> =>
        random.happens(0.5) ? agent.emit(event) : agent.emitOnce(event);
      if (random.happens(GIVES_UP)) await emit();
      else await persist(scene, emit);
      scene.progress.done++;
    }
  });
}

/** N12: many use one key at the same moment. */
export async function race(scene: Scene, run: string, races: number): Promise<void> {
  for (let n = 0; n < races && !scene.isTimeUp(); n++) {
    const marker = `${run} race ${n}`;
    const sent = { type: "CHAOS_NOTE", data: { marker, n: 1 }, key: marker };
    await Promise.all(Array.from({ length: RACERS }, () => persist(scene, () => scene.agent.emitOnce(sent))));
    const asked = {
      type: "CHAOS_QUESTION",
      data: { marker: `${marker} asked` },
      key: `${marker} asked`,
      timeoutMs: 5_000,
    };
    await Promise.all(Array.from({ length: RACERS }, () => persist(scene, () => scene.agent.ask(asked))));
  }
}

/** N25: A to B to A, until the bus ends it. */
export async function beginLoops(scene: Scene, run: string, loops: number): Promise<void> {
  for (let n = 0; n < loops; n++) {
    const marker = `${run} tick ${n}`;
    await persist(scene, () => scene.agent.emit({ type: "CHAOS_TICK", data: { marker }, key: marker }));
  }
}

/** Events for endpoints that misbehave (N20). */
export async function callBadEndpoints(scene: Scene, run: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const marker = `${run} call ${n}`;
    await persist(scene, () => scene.agent.emit({ type: "CHAOS_CALL", data: { marker }, key: marker }));
  }
}
