/** Looking back: events by the page, and the catalogue. */
import type { BusEvent } from "../shared/event.ts";
import type { EventPage } from "../shared/history.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { type PageOptions, read, readPages } from "./read.ts";

/** Filters combine. */
export interface HistoryQuery extends PageOptions {
  readonly type?: string | undefined;
  readonly agentType?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Inclusive; ISO 8601 with its zone. */
  readonly from?: Date | string | undefined;
  /** Exclusive. */
  readonly to?: Date | string | undefined;
  /** Newest first (`desc`) by default. */
  readonly order?: "asc" | "desc" | undefined;
}

/** An event type as the catalogue lists it. */
export interface EventTypeListing {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  /** Whether `data` is checked against a schema. */
  readonly has_schema: boolean;
}

/** Events as they were when the first page was read, and what has come since where the order goes there. */
export function history(connection: Connection, query: HistoryQuery): AsyncGenerator<BusEvent, void> {
  const call = { ...targetOf("list"), query: wireQuery(query) };
  return readPages(connection, call, (page: EventPage) => page.events, query);
}

function wireQuery(query: HistoryQuery): Record<string, string | undefined> {
  const { type, agentType, correlationId, from, to, order } = query;
  return { type, agent_type: agentType, correlation_id: correlationId, from: instant(from), to: instant(to), order };
}

const instant = (time: Date | string | undefined): string | undefined =>
  time instanceof Date ? time.toISOString() : time;

/** The catalogue. */
export async function eventTypes(connection: Connection, signal?: AbortSignal): Promise<readonly EventTypeListing[]> {
  const { event_types } = await read<{ event_types: EventTypeListing[] }>(connection, targetOf("types"), signal);
  return event_types;
}
