/** The reconciler's schedule. */
import { Random } from "./random.ts";
import type { World } from "./world.ts";

/** While faults last: more often than deployed, so that it meets more of them. */
const EACH_MS = 25_000;

/** A run now and then, sometimes two at once. */
export function keepReconciling(world: World, untilMs: number): void {
  const random = new Random(world.seed, "reconciler");
  for (let atMs = random.between(0, EACH_MS); atMs < untilMs; atMs += EACH_MS)
    for (const i of world.reconcilers.keys()) {
      if (i > 0 && random.chance(0.7)) continue;
      world.scheduler.after(atMs + i * random.between(0, 500), () => reconcileOnce(world, i));
    }
}

/** One run begins. */
export function reconcileOnce({ reconcilers, scheduler, domain }: World, which = 0): void {
  reconcilers[which]?.run(
    `reconcile at ${Math.round(scheduler.nowMs)}`,
    (deps) => domain.reconcile(deps, { untilMs: deps.monotonic() + 50_000 }),
    () => undefined,
  );
}
