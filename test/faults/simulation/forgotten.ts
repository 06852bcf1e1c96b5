/** Long after a run: what was recorded has had its time. */
import { openAgent } from "../../../shared/agents/agent.ts";
import type { Violation } from "../checker.ts";
import { BASE, START } from "./machines.ts";
import { reconcileOnce } from "./reconciling.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;

/**
 * What is still there although everything has been kept for as long as it has to be; only subscriptions may be. Whether
 * what has expired is removed at once or never (N17) makes no difference to whoever looks.
 */
export async function leftAfterRetention(world: World): Promise<Violation[]> {
  const { scheduler, database, domain, weather } = world;
  await scheduler.passUntil(scheduler.nowMs + (BASE.limits.retentionDays + 1) * DAY_MS);
  const { events, requests, responses, deliveries } = database.everything();
  if (weather.ttl === "at once") database.removeExpired();
  if (world.reconciles) reconcileOnce(world);
  await scheduler.passUntil(scheduler.nowMs + 60_000);
  const found = await Promise.all([
    ...events.map(({ event }) => database.getEvent(event.id)),
    ...requests.map(({ eventId }) => database.getRequest(eventId)),
    ...responses.map(({ eventId, responseId }) => database.getResponse(eventId, responseId)),
    ...deliveries.map((delivery) => database.getDelivery(delivery)),
  ]);
  const deps = { ...BASE, store: database, now: () => START + scheduler.nowMs };
  const page = await domain.listEvents(deps, { limit: "1000" }, openAgent("auditor"));
  const left = [...found.filter((one) => one !== null), ...page.events];
  return left.map((one) => ({ invariant: "I8", what: `still there after its time: ${JSON.stringify(one)}` }));
}
