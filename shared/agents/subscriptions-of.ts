/** What an agent had subscribed to, once it is deleted. */
import { BusError } from "../errors.ts";
import { MAX_PAGE_SIZE } from "../limits.ts";
import type { Deps } from "../ports.ts";
import { unsubscribe } from "../subscriptions/subscribe.ts";

/** Ends all subscriptions of an agent; what is on its way to them ends dead. @throws BusError `unavailable` */
export async function endSubscriptionsOf(deps: Deps, owner: string): Promise<void> {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await deps.store.listSubscriptions(owner, after, MAX_PAGE_SIZE);
    for (const { subscriptionId, status } of page) if (status !== "deleted") await end(deps, subscriptionId, owner);
    after = page.length < MAX_PAGE_SIZE ? undefined : page.at(-1)?.subscriptionId;
  }
}

async function end(deps: Deps, subscriptionId: string, owner: string): Promise<void> {
  try {
    await unsubscribe(deps, subscriptionId, owner);
  } catch (error) {
    // Somebody else has ended it meanwhile.
    if (!(error instanceof BusError && error.code === "not_found")) throw error;
  }
}
