/**
 * Reconcile, once a minute: publish what stayed unpublished, end what nobody ended.
 *
 * It works off the sparse work index. The index may lag and may name what is done; the conditions of the writes decide.
 */
import { endRequest } from "./end-request.ts";
import { deliveredCopy } from "./event.ts";
import { RELAY_AFTER_MS, RELAY_RETRY_MS, SWEEP_GRACE_MS } from "./limits.ts";
import type { Deps, EventRecord } from "./ports.ts";

/** At most this much of each kind in one run, so that a run ends within its function's time. */
const MAX_WORK_PER_RUN = 1_000;
const BATCH = 50;

export interface ReconcileReport {
  /** Events published that had stayed unpublished. */
  readonly published: number;
  /** Requests ended that were overdue. */
  readonly ended: number;
  /** Pieces of work that failed and stay due. */
  readonly failed: number;
}

export async function reconcile(deps: Deps): Promise<ReconcileReport> {
  const [relayed, swept] = await Promise.all([relay(deps), sweepOverdue(deps)]);
  const report = { published: relayed.done, ended: swept.done, failed: relayed.failed + swept.failed };
  if (report.published + report.ended + report.failed > 0) deps.log.info("reconciled", { ...report });
  return report;
}

interface Tally {
  done: number;
  failed: number;
}

/** I1: what was acknowledged unpublished is published. At least once: a crash before the mark sends it again. */
async function relay(deps: Deps): Promise<Tally> {
  const tally: Tally = { done: 0, failed: 0 };
  const due = await deps.store.findDueWork("publish", isoAt(deps.now() - RELAY_AFTER_MS), MAX_WORK_PER_RUN);
  for (const ids of batchesOf(due)) {
    const leased = (await Promise.all(ids.map((id) => leaseUnpublished(deps, id, tally)))).filter(
      (record) => record !== null,
    );
    if (leased.length === 0) continue;
    const outcomes = await deps.publisher.publish(
      leased.map((record) => deliveredCopy(record.event, record.replyToken)),
    );
    await Promise.all(
      leased.map(async (record, i) => {
        try {
          if (outcomes[i]?.kind !== "published") throw new Error(outcomes[i]?.reason ?? "no outcome");
          await deps.store.markPublished(record.event.id);
          tally.done++;
        } catch (error) {
          tally.failed++;
          deps.log.warn("an event stays due for publication", { eventId: record.event.id, error: String(error) });
        }
      }),
    );
  }
  return tally;
}

/** The event, if it is unpublished still and no other relay has it. */
async function leaseUnpublished(deps: Deps, eventId: string, tally: Tally): Promise<EventRecord | null> {
  try {
    const record = await deps.store.getEvent(eventId);
    if (record === null || record.published) return null;
    const isLeased = await deps.store.leaseForRelay(eventId, record.relayAttempts, isoAt(deps.now() + RELAY_RETRY_MS));
    return isLeased ? record : null;
  } catch (error) {
    tally.failed++;
    deps.log.warn("an event could not be taken on for publication", { eventId, error: String(error) });
    return null;
  }
}

/** I6: nothing stays pending. Whoever waits ends the request itself at its deadline; this is for those who died. */
async function sweepOverdue(deps: Deps): Promise<Tally> {
  const tally: Tally = { done: 0, failed: 0 };
  const due = await deps.store.findDueWork("deadline", isoAt(deps.now() - SWEEP_GRACE_MS), MAX_WORK_PER_RUN);
  for (const ids of batchesOf(due)) {
    await Promise.all(
      ids.map(async (eventId) => {
        try {
          const event = await deps.store.getEvent(eventId);
          const reason = event === null ? "never_published" : undefined;
          const write = await endRequest(deps, eventId, "TIMED_OUT", reason);
          if (write.kind === "written") tally.done++;
        } catch (error) {
          tally.failed++;
          deps.log.warn("an overdue request could not be ended", { eventId, error: String(error) });
        }
      }),
    );
  }
  return tally;
}

const isoAt = (timeMs: number): string => new Date(timeMs).toISOString();

function* batchesOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let i = 0; i < ids.length; i += BATCH) yield ids.slice(i, i + BATCH);
}
