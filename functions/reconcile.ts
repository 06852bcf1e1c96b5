/** Each minute: publishes what stayed unpublished, ends and looks after what was left. Called by a schedule. */

import type { Context } from "aws-lambda";
import { type ReconcileDeps, type ReconcileReport, reconcile } from "../shared/reconcile.ts";
import { coldStart, ofInvocation } from "./runtime/lambda.ts";
import type { Metrics } from "./runtime/metrics.ts";
import { createWebhookQueueParts } from "./runtime/webhook-queue-parts.ts";

/** Batches that have begun can end in this, with a slow answer and its repetition. */
const TIME_MARGIN_MS = 10_000;

/** Where nothing ends a run, it ends itself before the next but one would be due. */
const UNBOUNDED_RUN_MS = 60_000;

// Run per event.
export const handle = (deps: ReconcileDeps, forMs = UNBOUNDED_RUN_MS): Promise<ReconcileReport> =>
  reconcile(deps, { untilMs: deps.monotonic() + forMs });

/** Each run writes all of them, also when there was nothing to do: then they are 0. */
export function measure(metrics: Metrics, report: ReconcileReport): void {
  metrics.add("Published", report.published);
  metrics.add("Ended", report.ended);
  metrics.add("Tended", report.tended);
  metrics.add("Failed", report.failed);
  metrics.add("OldestUnpublishedAge", report.oldest_unpublished_ms);
}

// Built on cold start.
const runtime = coldStart<ReconcileDeps>({ parts: createWebhookQueueParts });

// Called by AWS.
export const handler = async (_event: unknown, context: Context): Promise<ReconcileReport> => {
  const { deps: always, metrics } = runtime();
  const deps = ofInvocation(always, context);
  const report = await handle(deps, context.getRemainingTimeInMillis() - TIME_MARGIN_MS);
  measure(metrics, report);
  metrics.write();
  return report;
};
