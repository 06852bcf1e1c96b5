/** Working off what is due in the work index: in rounds, in batches, each piece by itself. */
import type { WorkKind } from "./keys.ts";
import { inLanes } from "./lanes.ts";
import type { Deps } from "./ports.ts";
import { isoAt } from "./time.ts";

/** How much of each kind is looked up at a time. */
const ROUND = 1_000;
/** What is read, written and published together. */
const BATCH = 50;
/** Batches of a kind at the same time: while one waits for its reads, another one writes. */
const LANES = 4;

/** What came of one kind of work. */
export interface Tally {
  done: number;
  failed: number;
  oldestMs: number;
}

export const newTally = (): Tally => ({ done: 0, failed: 0, oldestMs: 0 });

type Work<D extends Deps> = (deps: D, ids: readonly string[], tally: Tally) => Promise<void>;

interface Drain<D extends Deps> {
  readonly kind: WorkKind;
  /** Work is left alone until it has been due for so long. */
  readonly afterMs: number;
  readonly untilMs: number;
  readonly tally: Tally;
  readonly work: Work<D>;
}

/** Round after round, until no id is new. No id is tried twice: what failed stays due, and the index lags. */
export async function drain<D extends Deps>(deps: D, { kind, afterMs, untilMs, tally, work }: Drain<D>): Promise<void> {
  const tried = new Set<string>();
  const isTimeLeft = (): boolean => deps.monotonic() < untilMs;
  try {
    while (isTimeLeft()) {
      const { done, failed } = tally;
      // What failed may still stand in front of all the rest.
      const limit = ROUND + failed;
      const due = await deps.store.findDueWork(kind, isoAt(deps.now() - afterMs), limit);
      const fresh = due.filter((id) => !tried.has(id));
      for (const id of fresh) tried.add(id);
      await inLanes(LANES, batchesOf(fresh), (ids) => workOff(deps, kind, ids, tally, work), isTimeLeft);
      const isFutile = tally.done === done && tally.failed > failed;
      if (fresh.length === 0 || isFutile || due.length < limit) return;
    }
  } catch (error) {
    tally.failed++;
    deps.log.error("what is due could not be looked up", { kind, error: String(error) });
  }
}

async function workOff<D extends Deps>(
  deps: D,
  kind: WorkKind,
  ids: readonly string[],
  tally: Tally,
  work: Work<D>,
): Promise<void> {
  try {
    await work(deps, ids, tally);
  } catch (error) {
    tally.failed += ids.length;
    deps.log.error("a batch of due work failed", { kind, error: String(error) });
  }
}

/** Each by itself. @param work whether there was something to do */
export async function eachOf(
  deps: Pick<Deps, "log">,
  ids: readonly string[],
  tally: Tally,
  work: (id: string) => Promise<boolean>,
): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      try {
        if (await work(id)) tally.done++;
      } catch (error) {
        tally.failed++;
        deps.log.warn("what is due could not be looked after", { id, error: String(error) });
      }
    }),
  );
}

function* batchesOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let i = 0; i < ids.length; i += BATCH) yield ids.slice(i, i + BATCH);
}
