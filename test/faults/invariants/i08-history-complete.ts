import type { AnsweredCall } from "../history.ts";
import { groupBy, type Judged } from "../judged.ts";
import { acknowledgedEvents } from "./receipts.ts";

/** I8: whoever reads history to its end has seen every event that was there when he began, once and in order. */
export function historyIsComplete(run: Judged): string[] {
  const readings = groupBy(run.answered("list"), ({ input, agent }) => `${agent} ${input.reading}`);
  return [...readings.values()].flatMap((pages) => {
    const ordered = pages.sort((a, b) => a.input.page - b.input.page);
    return [...pagesInOrder(ordered), ...nothingMissing(run, ordered)].map(
      (fault) => `reading ${ordered[0]?.input.reading}: ${fault}`,
    );
  });
}

type Page = AnsweredCall<"list">;

const positionsOf = (pages: readonly Page[]): string[] => pages.flatMap(({ outcome }) => outcome.answer.positions);
const idAt = (position: string): string => position.slice(position.indexOf("#") + 1);

function pagesInOrder(pages: readonly Page[]): string[] {
  // A page that was asked for again, because its answer was lost, begins where the first try did.
  const once = new Map(pages.map((page) => [page.input.page, page]));
  const positions = positionsOf([...once.values()]);
  const faults: string[] = [];
  for (const [i, position] of positions.entries()) {
    const before = positions[i - 1];
    if (before === undefined) continue;
    const isInOrder = pages[0]?.input.order === "asc" ? before < position : before > position;
    if (!isInOrder) faults.push(`${idAt(position)} is listed after ${idAt(before)}`);
  }
  return faults;
}

function nothingMissing(run: Judged, pages: readonly Page[]): string[] {
  const [first] = pages;
  const pageNumbers = new Set(pages.map(({ input }) => input.page));
  const isWhole =
    pages.some(({ outcome }) => !outcome.answer.hasMore) && pageNumbers.size === Math.max(...pageNumbers) + 1;
  if (first === undefined || !isWhole) return [];
  const { type, correlation_id } = first.input;
  const listed = new Set(positionsOf(pages).map(idAt));
  const settledBy = first.invokedAtMs - run.facts.historyLagMs;
  const missing = new Set(
    acknowledgedEvents(run)
      .filter(({ call }) => call.endedAtMs !== null && call.endedAtMs <= settledBy)
      .map(({ eventId }) => eventId),
  );
  return [...missing].flatMap((eventId) => {
    const event = run.events.get(eventId)?.event;
    if (event === undefined || listed.has(eventId) || run.facts.mayRead?.(first.agent, event) === false) return [];
    const isSelected =
      (type === undefined || event.type === type) &&
      (correlation_id === undefined || event.correlation_id === correlation_id);
    return isSelected ? [`event ${eventId} of ${event.timestamp} is not listed`] : [];
  });
}
