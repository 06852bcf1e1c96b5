import type { Judged } from "../judged.ts";
import { acknowledgedEvents } from "./receipts.ts";

/** I1: an acknowledged event is in the history as it was sent, and it was published. */
export function acknowledgedEventsAreKept(run: Judged): string[] {
  const published = new Set(run.state.publications);
  const faults: string[] = [];
  for (const { by, sent, eventId, receipt, call } of acknowledgedEvents(run)) {
    const kept = run.events.get(eventId);
    // A request that ended before its event was recorded stands for no event, and says so.
    if (kept === undefined && call.operation === "ask" && endedWithoutEvent(run, eventId)) continue;
    if (kept === undefined) {
      faults.push(`${by} was told that event ${eventId} is accepted, and it is not recorded`);
      continue;
    }
    if (kept.event.data["marker"] !== sent.marker || kept.event.type !== sent.type || kept.event.source !== call.agent)
      faults.push(`${by} was told that event ${eventId} is accepted, and another one stands there`);
    if (receipt !== undefined && receipt.timestamp !== kept.event.timestamp)
      faults.push(`${by} was told another time than event ${eventId} has`);
    if (receipt !== undefined && receipt.correlation_id !== kept.event.correlation_id)
      faults.push(`${by} was told another conversation than event ${eventId} has`);
  }
  // Also what nobody was told of: it is in the history, so it is as good as acknowledged.
  for (const { event, published: isMarked } of run.state.events) {
    if (!isMarked) faults.push(`event ${event.id} is not published, and nobody is at it`);
    else if (!published.has(event.id)) faults.push(`event ${event.id} is marked as published, and never was`);
  }
  return faults;
}

/** The wait stands, closed without an answer; the event of its question was never written. */
function endedWithoutEvent(run: Judged, eventId: string): boolean {
  const state = run.requests.get(eventId)?.state;
  return state === "TIMED_OUT" || state === "CANCELLED";
}
