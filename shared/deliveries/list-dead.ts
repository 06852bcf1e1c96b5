/** Dead deliveries in one place: those of an agent's subscriptions; for administrators, those of the deployed subscribers too. */
import * as v from "valibot";
import type { Agent } from "../agents/agent.ts";
import { textFromBase64Url, textToBase64Url } from "../base64url.ts";
import { type CursorScope, openCursor, sealCursor } from "../cursor.ts";
import { limitField, nameField, readInput } from "../input.ts";
import { DEFAULT_PAGE_SIZE } from "../limits.ts";
import type { Deps } from "../ports.ts";
import { DEPLOYED_OWNER, type DeliveryRecord } from "../subscriptions/records.ts";
import { type ListedDelivery, listDelivery } from "./view.ts";

export interface DeliveryPage {
  readonly deliveries: readonly ListedDelivery[];
  readonly next_cursor: string | null;
}

const ListQuery = v.strictObject({
  status: v.optional(v.literal("dead", '"dead" was expected'), "dead"),
  subscription_id: v.optional(nameField),
  limit: limitField,
  cursor: v.optional(v.string()),
});

/** Which dead deliveries. */
export interface DeadSelection {
  readonly owner: string;
  readonly subscriptionId?: string | undefined;
  /** Those of the deployed subscribers too: they are the administrators'. */
  readonly withDeployed: boolean;
}

/** What an agent may choose from. */
export const deadOf = ({ id, policy }: Agent, subscriptionId: string | undefined): DeadSelection => ({
  owner: id,
  subscriptionId,
  withDeployed: policy.administer,
});

/** Where in the dead of a selection one is: whose, and behind which. */
export interface DeadPlace {
  readonly owner: string;
  readonly after: string;
}

/** A page, by subscription and then by the time of death. @throws BusError `invalid_request` */
export async function listDead(
  deps: Pick<Deps, "store" | "newToken">,
  query: Record<string, string>,
  agent: Agent,
): Promise<DeliveryPage> {
  const { subscription_id: subscriptionId, limit = DEFAULT_PAGE_SIZE, cursor } = readInput(ListQuery, query);
  const selection = deadOf(agent, subscriptionId);
  const { deliveries, next } = await readDead(deps, selection, limit, await openPlace(deps, selection, cursor));
  return { deliveries: deliveries.map(listDelivery), next_cursor: await sealPlace(deps, selection, next) };
}

/** Dead deliveries from a place on; fewer than the limit when the index names what is dead no more. */
export async function readDead(
  { store }: Pick<Deps, "store">,
  { owner, subscriptionId, withDeployed }: DeadSelection,
  limit: number,
  place: DeadPlace = { owner, after: "" },
): Promise<{ deliveries: DeliveryRecord[]; next: DeadPlace | null }> {
  const deliveries: DeliveryRecord[] = [];
  // A cursor may be from a time when its agent was an administrator still.
  const isOver = place.owner === DEPLOYED_OWNER && !withDeployed;
  for (let at: DeadPlace | null = isOver ? null : place; at !== null; ) {
    const { refs, next } = await store.findDead(at.owner, subscriptionId, at.after, limit - deliveries.length);
    const found = await store.getDeliveriesOf(refs);
    const byKey = new Map(found.map((one) => [`${one.subscriptionId} ${one.eventId}`, one]));
    for (const ref of refs) {
      const delivery = byKey.get(`${ref.subscriptionId} ${ref.eventId}`);
      if (delivery?.state === "DEAD") deliveries.push(delivery);
    }
    if (next !== null) at = { owner: at.owner, after: next };
    else at = at.owner === DEPLOYED_OWNER || !withDeployed ? null : { owner: DEPLOYED_OWNER, after: "" };
    if (at !== null && deliveries.length >= limit) return { deliveries, next: at };
  }
  return { deliveries, next: null };
}

/** Where a cursor of this selection goes on; without one, at the beginning. @throws BusError `invalid_request` */
export async function openPlace(
  deps: Pick<Deps, "store" | "newToken">,
  selection: DeadSelection,
  cursor: string | undefined,
): Promise<DeadPlace | undefined> {
  return cursor === undefined ? undefined : decode(await openCursor(deps, scopeOf(selection), cursor, "/cursor"));
}

/** The cursor of a place; null at the end. */
export async function sealPlace(
  deps: Pick<Deps, "store" | "newToken">,
  selection: DeadSelection,
  place: DeadPlace | null,
): Promise<string | null> {
  return place === null ? null : sealCursor(deps, scopeOf(selection), encode(place));
}

const scopeOf = ({ owner, subscriptionId }: DeadSelection): CursorScope => ({
  caller: owner,
  query: { dead: subscriptionId ?? null },
});

const encode = (place: DeadPlace): string => textToBase64Url(JSON.stringify(place));
const decode = (text: string): DeadPlace => JSON.parse(textFromBase64Url(text)) as DeadPlace;
