/** Looking at one's subscriptions: one, and all. */
import * as v from "valibot";
import { textFromBase64Url, textToBase64Url } from "../base64url.ts";
import { type CursorScope, openCursor, sealCursor } from "../cursor.ts";
import { BusError } from "../errors.ts";
import { limitField, readInput } from "../input.ts";
import { DEFAULT_PAGE_SIZE } from "../limits.ts";
import type { Deps } from "../ports.ts";
import type { SubscriptionRecord } from "./records.ts";
import { type SubscriptionView, viewSubscription } from "./view.ts";

export interface SubscriptionPage {
  /** In the order of their ids. */
  readonly subscriptions: readonly SubscriptionView[];
  readonly next_cursor: string | null;
}

const ListQuery = v.strictObject({ limit: limitField, cursor: v.optional(v.string()) });

/** @throws BusError `not_found`, also for another agent's and for a deleted one */
export async function findOwnSubscription(
  deps: Pick<Deps, "store">,
  subscriptionId: string,
  owner: string,
): Promise<SubscriptionRecord> {
  const subscription = await deps.store.getSubscription(owner, subscriptionId);
  if (subscription === null || subscription.status === "deleted")
    throw new BusError("not_found", "There is no such subscription.");
  return subscription;
}

/** @throws BusError `not_found` */
export async function showSubscription(
  deps: Pick<Deps, "store">,
  subscriptionId: string,
  owner: string,
): Promise<SubscriptionView> {
  return viewSubscription(await findOwnSubscription(deps, subscriptionId, owner));
}

/** A page of an agent's own subscriptions. @throws BusError `invalid_request` */
export async function listSubscriptions(
  deps: Pick<Deps, "store" | "newToken">,
  query: Record<string, string>,
  owner: string,
): Promise<SubscriptionPage> {
  const { limit = DEFAULT_PAGE_SIZE, cursor } = readInput(ListQuery, query);
  const scope: CursorScope = { caller: owner, query: "subscriptions" };
  const after = cursor === undefined ? "" : await openCursor(deps, scope, cursor, "/cursor");
  const records = await deps.store.listSubscriptions(owner, after === "" ? "" : textFromBase64Url(after), limit);
  const last = records.length < limit ? undefined : records.at(-1);
  return {
    // A page may be short of those that were deleted lately.
    subscriptions: records.filter(({ status }) => status !== "deleted").map(viewSubscription),
    next_cursor: last === undefined ? null : await sealCursor(deps, scope, textToBase64Url(last.subscriptionId)),
  };
}
