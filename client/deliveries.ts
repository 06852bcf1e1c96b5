/** What became of events on their way to subscribers: the dead, sending them again, and why who got what. */
import type { DeliveryPage } from "../shared/deliveries/list-dead.ts";
import type { Redriven } from "../shared/deliveries/redrive.ts";
import type { ListedDelivery } from "../shared/deliveries/view.ts";
import type { Explanation } from "../shared/explain.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { type PageOptions, read, readPages } from "./read.ts";
import { withRetries } from "./retry.ts";

export interface DeadQuery extends PageOptions {
  /** Only this subscription's; `deployed:<name>` for a deployed subscriber's. */
  readonly subscriptionId?: string | undefined;
}

export interface RedriveOptions {
  /** Only this subscription's. */
  readonly subscriptionId?: string | undefined;
  /** Only this event's. */
  readonly eventId?: string | undefined;
  /** True: says what would be sent again, and sends nothing. */
  readonly dryRun?: boolean | undefined;
  /** How many at most: 1 to 1,000; 100 by default. */
  readonly limit?: number | undefined;
  /** The `next_cursor` of the call before, to go on behind what could not be sent. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A redrive sends up to 1,000 deliveries before it answers; its function has 30 s. */
const REDRIVE_TIMEOUT_MS = 35_000;

export function deadDeliveries(connection: Connection, query: DeadQuery): AsyncGenerator<ListedDelivery, void> {
  const call = { ...targetOf("dead"), query: { status: "dead", subscription_id: query.subscriptionId } };
  return readPages(connection, call, (page: DeliveryPage) => page.deliveries, query);
}

/** Safe to repeat: what was sent again is dead no more. */
export function redrive(connection: Connection, options: RedriveOptions): Promise<Redriven> {
  const { subscriptionId, eventId, dryRun, limit, cursor, signal } = options;
  const body = { subscription_id: subscriptionId, event_id: eventId, dry_run: dryRun, limit, cursor };
  return withRetries(connection.retry, signal, () =>
    connection.transport.json<Redriven>({ ...targetOf("redrive"), body }, { signal, timeoutMs: REDRIVE_TIMEOUT_MS }),
  );
}

export function explain(connection: Connection, eventId: string, signal?: AbortSignal): Promise<Explanation> {
  return read<Explanation>(connection, targetOf("explain", { event_id: eventId }), signal);
}
