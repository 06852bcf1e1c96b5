/** Each minute: publishes what stayed unpublished, ends requests that nobody ended. Called by a schedule. */

import type { Deps } from "../shared/ports.ts";
import { type ReconcileReport, reconcile } from "../shared/reconcile.ts";
import { coldStart } from "./runtime/lambda.ts";

// Run per event.
export const handle = (deps: Deps): Promise<ReconcileReport> => reconcile(deps);

// Built on cold start.
const runtime = coldStart();

// Called by AWS.
export const handler = (): Promise<ReconcileReport> => handle(runtime().deps);
