import { MAX_HOPS, MAX_QUEUE_ATTEMPTS, WEBHOOK_RETRIES_MS } from "../../../shared/limits.ts";
import { groupBy, type Judged } from "../judged.ts";

/** A publication is tried again each half minute; a run with its faults lasts a few minutes. */
const MAX_PUBLICATIONS = 40;

/** I10: amplification is bounded: hops, and how often anything is tried. */
export function effortIsBounded(run: Judged): string[] {
  const faults: string[] = [];
  for (const { event } of run.state.events) {
    if (event.hops > MAX_HOPS) faults.push(`event ${event.id} is ${event.hops} hops from the first of its chain`);
    const parent = event.causation_id === undefined ? undefined : run.events.get(event.causation_id);
    if (parent !== undefined && event.hops !== parent.event.hops + 1)
      faults.push(`event ${event.id} has ${event.hops} hops, its cause ${parent.event.hops}`);
  }
  for (const [eventId, times] of groupBy(run.state.publications, (id) => id))
    if (times.length > MAX_PUBLICATIONS) faults.push(`event ${eventId} was published ${times.length} times`);
  for (const { kind, attempts, eventId, name } of run.state.deliveries) {
    // One more than there are retries, and one that may have no outcome.
    const most = kind === "webhook" ? WEBHOOK_RETRIES_MS.length + 2 : MAX_QUEUE_ATTEMPTS;
    if (attempts > most) faults.push(`event ${eventId} was brought to ${name} ${attempts} times`);
  }
  return faults;
}
