/** Looking: one answer, or page after page of them. Safe to repeat, and so tried again as often as any call. */
import type { Connection } from "./calls.ts";
import { withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS, type Call } from "./transport.ts";

export interface PageOptions {
  /** Ends after so many; without it, with the last. */
  readonly limit?: number | undefined;
  /** How many are fetched by one call: 1 to 1,000; 100 by default. */
  readonly pageSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_CLIENT_PAGE = 100;

/** One answer. @throws AgentEventBusError; the signal's reason when it aborts */
export function read<Body>(connection: Connection, call: Call, signal?: AbortSignal): Promise<Body> {
  return withRetries(connection.retry, signal, () =>
    connection.transport.json<Body>(call, { signal, timeoutMs: CALL_TIMEOUT_MS }),
  );
}

/** What stands on the pages of a list, fetched as it is read. A page may be short, even empty, with more behind it. */
export async function* readPages<Page extends { readonly next_cursor: string | null }, Item>(
  connection: Connection,
  call: Call,
  itemsOf: (page: Page) => readonly Item[],
  options: PageOptions,
): AsyncGenerator<Item, void> {
  const { limit = Number.POSITIVE_INFINITY, pageSize = Math.min(DEFAULT_CLIENT_PAGE, limit), signal } = options;
  let cursor: string | undefined;
  for (let left = limit; left > 0; ) {
    const page = await read<Page>(connection, { ...call, query: { ...call.query, limit: pageSize, cursor } }, signal);
    for (const item of itemsOf(page)) {
      yield item;
      left -= 1;
      if (left === 0) return;
    }
    if (page.next_cursor === null) return;
    cursor = page.next_cursor;
  }
}
