/**
 * A page of history for an agent that may not see everything: what it may not see is left out, and the page goes on
 * behind it. Positions are those of all events, so that paging is complete and stable whatever is left out (I8).
 */
import type { Agent } from "./agents/agent.ts";
import { conversationsOf, mayLookBackAt } from "./agents/may-see.ts";
import type { BusEvent } from "./event.ts";
import { type PageQuery, readPage } from "./history-page.ts";
import { utf8Bytes } from "./input.ts";
import { MAX_LOOKED_AT, MAX_PAGE_BYTES } from "./limits.ts";
import type { Deps } from "./ports.ts";
import { readPortions } from "./read-events.ts";

export interface FilledPage {
  readonly events: readonly BusEvent[];
  /** The position behind which the next page begins; null when there is none. */
  readonly next: string | null;
}

/** Positions read at once, where those of the first look were not enough. */
const FURTHER = 100;

const boundAt = ({ order }: PageQuery, position: string): Pick<PageQuery, "after"> | Pick<PageQuery, "before"> =>
  order === "asc" ? { after: position } : { before: position };

/** Events of a page that an agent may see. It may be empty and yet not the last: `next` tells. */
export async function readVisible(deps: Pick<Deps, "store">, agent: Agent, query: PageQuery): Promise<FilledPage> {
  const beganIt = conversationsOf(deps, agent);
  const { correlation_id } = query.selection;
  // Another's conversation looks like one that does not exist: a cursor on an empty page would tell that it does. It is
  // looked through to the next event that may be seen, and a conversation has an end.
  const isThorough = correlation_id !== undefined && !(await beganIt(correlation_id));
  const page = new VisiblePage(query.limit, isThorough);
  for (let at: string | null = ""; at !== null; ) {
    const { positions, next }: { positions: readonly string[]; next: string | null } = await readPage(
      deps.store,
      at === "" ? query : { ...query, ...boundAt(query, at), limit: Math.max(query.limit, FURTHER) },
    );
    for await (const portion of readPortions(deps.store, positions)) {
      const visible = await Promise.all(
        portion.map(({ record }) => (record === null ? false : mayLookBackAt(agent, record.event, beganIt))),
      );
      for (const [i, { position, record }] of portion.entries()) {
        if (record !== null && visible[i] === true && !page.take(record.event)) return page.endedAt(page.lastTaken);
        page.lookedAt(position, visible[i] === true);
      }
    }
    if (next === null) return page.endedAt(null);
    if (page.isDone) return page.endedAt(next);
    at = next;
  }
  return page.endedAt(null);
}

/** What a page has so far, and whether it needs more. */
class VisiblePage {
  private readonly events: BusEvent[] = [];
  private bytes = 0;
  private looked = 0;
  /** The position of the last event taken. */
  lastTaken = "";
  private readonly limit: number;
  private readonly isThorough: boolean;

  constructor(limit: number, isThorough: boolean) {
    this.limit = limit;
    this.isThorough = isThorough;
  }

  /** Takes an event, unless the page is full. */
  take(event: BusEvent): boolean {
    this.bytes += utf8Bytes(event);
    if (this.events.length >= this.limit || (this.bytes > MAX_PAGE_BYTES && this.events.length > 0)) return false;
    this.events.push(event);
    return true;
  }

  lookedAt(position: string, isTaken: boolean): void {
    this.looked++;
    if (isTaken) this.lastTaken = position;
  }

  /** Full, or it has looked at enough. Where it is thorough, only the next visible event or the end ends it. */
  get isDone(): boolean {
    return !this.isThorough && (this.events.length >= this.limit || this.looked >= MAX_LOOKED_AT);
  }

  endedAt(next: string | null): FilledPage {
    return { events: this.events, next };
  }
}
