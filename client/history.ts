/** Looking back: events by the page, one event with all that came of it, the catalogue. */
import type { BusEvent } from "../shared/event.ts";
import type { EventPage } from "../shared/history.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS, type Call } from "./transport.ts";

/** Filters combine. */
export interface HistoryQuery {
  readonly type?: string | undefined;
  readonly agentType?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Inclusive; ISO 8601 with its zone. */
  readonly from?: Date | string | undefined;
  /** Exclusive. */
  readonly to?: Date | string | undefined;
  /** Newest first (`desc`) by default. */
  readonly order?: "asc" | "desc" | undefined;
  /** Ends after so many events; without it, with the last. */
  readonly limit?: number | undefined;
  /** Events fetched by one call: 1 to 1,000; 100 by default. */
  readonly pageSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_CLIENT_PAGE = 100;

/** Events as they were when the first page was read, and what has come since where the order goes there. */
export async function* history(connection: Connection, query: HistoryQuery): AsyncGenerator<BusEvent, void> {
  const { limit = Number.POSITIVE_INFINITY, pageSize = Math.min(DEFAULT_CLIENT_PAGE, limit), signal } = query;
  let cursor: string | undefined;
  for (let left = limit; left > 0; ) {
    const page = await read<EventPage>(
      connection,
      { ...targetOf("list"), query: { ...wireQuery(query), limit: pageSize, cursor } },
      signal,
    );
    for (const event of page.events) {
      yield event;
      left -= 1;
      if (left === 0) return;
    }
    if (page.next_cursor === null) return;
    cursor = page.next_cursor;
  }
}

function wireQuery(query: HistoryQuery): Record<string, string | undefined> {
  const { type, agentType, correlationId, from, to, order } = query;
  return { type, agent_type: agentType, correlation_id: correlationId, from: instant(from), to: instant(to), order };
}

const instant = (time: Date | string | undefined): string | undefined =>
  time instanceof Date ? time.toISOString() : time;

/** A call that only looks, tried again as often as any. */
export function read<Body>(connection: Connection, call: Call, signal?: AbortSignal): Promise<Body> {
  return withRetries(connection.retry, signal, () =>
    connection.transport.json<Body>(call, { signal, timeoutMs: CALL_TIMEOUT_MS }),
  );
}
