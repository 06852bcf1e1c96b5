/** The run-time subscriptions of a chaos run, and agents that come and go. */
import { consume, MAX_ATTEMPTS, VISIBILITY_SECONDS } from "./consumers.ts";
import { BEHAVIOURS, type Receivers } from "./receivers.ts";
import { persist, rest, type Scene } from "./scene.ts";

/** Their ids, by their names. */
export type Subscriptions = Map<string, string>;

const QUEUE = { kind: "queue", visibility: VISIBILITY_SECONDS, max_attempts: MAX_ATTEMPTS } as const;
/** Agents that poll the same queue. */
const CONSUMERS = 2;

/** @throws Error when there is none of this name */
export function subscriptionOf(subscriptions: Subscriptions, name: string): string {
  const id = subscriptions.get(name);
  if (id === undefined) throw new Error(`There is no subscription ${name}.`);
  return id;
}

/** Makes all subscriptions. @returns the work of those who poll, which ends when all is over */
export async function subscribeAll(
  scene: Scene,
  receivers: Receivers,
  subscriptions: Subscriptions,
): Promise<Promise<void>[]> {
  const make = async (
    name: string,
    ...args: Parameters<typeof scene.agent.subscribe> extends [string, ...infer Rest] ? Rest : never
  ) => {
    const outcome = await persist(scene, () => scene.agent.subscribe(name, ...args));
    if (outcome.kind !== "ok") throw new Error(`The subscription ${name} could not be made.`);
    subscriptions.set(name, outcome.answer.subscriptionId);
  };
  await make("archive", ["CHAOS_NOTE"], QUEUE, false);
  await make("poller", ["CHAOS_POLL"], QUEUE, true);
  for (const behaviour of BEHAVIOURS) {
    const type = behaviour === "good" ? "CHAOS_ALARM" : behaviour === "answers" ? "CHAOS_HOOKED" : "CHAOS_CALL";
    await make(behaviour, [type], { kind: "webhook", url: receivers.urlOf(behaviour) }, behaviour === "answers");
  }
  return ["archive", "poller"].flatMap((name) =>
    Array.from({ length: CONSUMERS }, () => consume(scene, subscriptionOf(subscriptions, name), name)),
  );
}

/** Subscribes, pauses, goes on and leaves, again and again, until the signal aborts. */
export async function churn(scene: Scene, until: AbortSignal): Promise<void> {
  const { agent, random } = scene;
  while (!until.aborted) {
    const made = await agent.subscribe("passer-by", ["CHAOS_NOTE"], QUEUE, false);
    await rest(scene, random.between(100, 600));
    if (made.kind !== "ok") continue;
    const { subscriptionId } = made.answer;
    await agent.changeSubscription(subscriptionId, "disabled");
    await agent.changeSubscription(subscriptionId, "active");
    await agent.unsubscribe(subscriptionId);
    await rest(scene, random.between(100, 600));
  }
  await persist(scene, () => agent.subscribe("passer-by", ["CHAOS_NOTE"], QUEUE, false)).then(async (last) => {
    if (last.kind === "ok") await persist(scene, () => agent.unsubscribe(last.answer.subscriptionId));
  });
}
