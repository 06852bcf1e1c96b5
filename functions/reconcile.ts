/** Each minute: publishes what stayed unpublished, ends requests that nobody ended. Called by a schedule. */

import type { Context } from "aws-lambda";
import type { Deps } from "../shared/ports.ts";
import { type ReconcileReport, reconcile } from "../shared/reconcile.ts";
import { coldStart } from "./runtime/lambda.ts";
import { reconcileMetrics } from "./runtime/metrics.ts";

/** Batches that have begun can end in this, with a slow answer and its repetition. */
const TIME_MARGIN_MS = 10_000;

/** Where nothing ends a run, it ends itself before the next but one would be due. */
const UNBOUNDED_RUN_MS = 60_000;

// Run per event.
export const handle = (deps: Deps, forMs = UNBOUNDED_RUN_MS): Promise<ReconcileReport> =>
  reconcile(deps, { untilMs: deps.monotonic() + forMs });

// Built on cold start.
const runtime = coldStart();

// Called by AWS.
export const handler = async (_event: unknown, context: Context): Promise<ReconcileReport> => {
  const { deps } = runtime();
  const report = await handle(deps, context.getRemainingTimeInMillis() - TIME_MARGIN_MS);
  process.stdout.write(reconcileMetrics(report, context.functionName, deps.now()));
  return report;
};
