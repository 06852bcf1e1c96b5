/** Redrive: dead deliveries are sent again; with a dry run first, if one wants to know what that would do. */
import * as v from "valibot";
import { DISPATCH } from "../deployed-subscriber.ts";
import { BusError } from "../errors.ts";
import { deliveredCopy } from "../event.ts";
import { nameField, readInput } from "../input.ts";
import { inLanes } from "../lanes.ts";
import { DEFAULT_REDRIVE, FAN_OUT_LANES, MAX_REDRIVE } from "../limits.ts";
import type { DeployedTargets, Deps, WebhookQueue, WebhookTask } from "../ports.ts";
import { DEPLOYED_OWNER, type DeliveryRecord } from "../subscriptions/records.ts";
import { redriven, whyPointless } from "./delivery.ts";
import { readDead } from "./list-dead.ts";
import { type ListedDelivery, listDelivery } from "./view.ts";

export interface RedriveDeps extends Deps {
  readonly webhookQueue: WebhookQueue;
  readonly deployed: DeployedTargets;
}

/** One dead delivery, and why it cannot be sent again, if it cannot. */
export interface RedriveView extends ListedDelivery {
  readonly problem?: string;
}

export interface Redriven {
  readonly dry_run: boolean;
  /** As they were before; with a dry run, what would be sent. */
  readonly deliveries: readonly RedriveView[];
  /** How many were sent again; with a dry run, how many would be. */
  readonly redriven: number;
  /** How many cannot be: each says its problem. */
  readonly failed: number;
  /** There are more that fit. */
  readonly remaining: boolean;
}

const limitText = `a whole number from 1 to ${MAX_REDRIVE} was expected`;

const RedriveInput = v.strictObject(
  {
    status: v.optional(v.literal("dead", '"dead" was expected'), "dead"),
    subscription_id: v.optional(nameField),
    event_id: v.optional(nameField),
    dry_run: v.optional(v.boolean("true or false was expected"), false),
    limit: v.optional(
      v.pipe(v.number(limitText), v.integer(limitText), v.minValue(1, limitText), v.maxValue(MAX_REDRIVE, limitText)),
      DEFAULT_REDRIVE,
    ),
  },
  "an object was expected",
);

/** @throws BusError `invalid_request`, `unavailable` */
export async function redrive(deps: RedriveDeps, body: unknown, owner: string): Promise<Redriven> {
  const { subscription_id, event_id, dry_run, limit } = readInput(RedriveInput, body);
  const { deliveries, remaining } =
    event_id === undefined
      ? await findBySubscription(deps, owner, subscription_id, limit)
      : await findByEvent(deps, owner, subscription_id, event_id, limit);
  const problems = new Map<DeliveryRecord, string>();
  await inLanes(FAN_OUT_LANES, deliveries, async (delivery) => {
    const problem = (await whyStuck(deps, delivery)) ?? (dry_run ? null : await sendAgain(deps, delivery));
    if (problem !== null) problems.set(delivery, problem);
  });
  return {
    dry_run,
    deliveries: deliveries.map((delivery) => {
      const problem = problems.get(delivery);
      return { ...listDelivery(delivery), ...(problem === undefined ? {} : { problem }) };
    }),
    redriven: deliveries.length - problems.size,
    failed: problems.size,
    remaining,
  };
}

async function findBySubscription(
  deps: RedriveDeps,
  owner: string,
  subscriptionId: string | undefined,
  limit: number,
): Promise<{ deliveries: DeliveryRecord[]; remaining: boolean }> {
  const { deliveries, next } = await readDead(deps, { owner, subscriptionId }, limit);
  if (next === null) return { deliveries, remaining: false };
  // A place to read on does not say that there is anything.
  const more = await readDead(deps, { owner, subscriptionId }, 1, next);
  return { deliveries, remaining: more.deliveries.length > 0 };
}

async function findByEvent(
  deps: RedriveDeps,
  owner: string,
  subscriptionId: string | undefined,
  eventId: string,
  limit: number,
): Promise<{ deliveries: DeliveryRecord[]; remaining: boolean }> {
  const all = await deps.store.getDeliveries(eventId);
  const fitting = all.filter(
    (delivery) =>
      delivery.state === "DEAD" &&
      // I9: another agent's are not seen.
      (delivery.owner === owner || delivery.owner === DEPLOYED_OWNER) &&
      (subscriptionId === undefined || delivery.subscriptionId === subscriptionId),
  );
  return { deliveries: fitting.slice(0, limit), remaining: fitting.length > limit };
}

/** What stands in the way of sending it again; null when nothing does. */
async function whyStuck(deps: RedriveDeps, delivery: DeliveryRecord): Promise<string | null> {
  const { kind, owner, name, subscriptionId, eventId } = delivery;
  const envelope = await deps.store.getEnvelope(eventId);
  if (kind === "deployed") {
    if (envelope === null) return "the event has expired";
    const isThere = name === DISPATCH || deps.subscribers.some((one) => one.name === name);
    return isThere ? null : "the subscriber is no longer deployed";
  }
  const subscription = await deps.store.getSubscription(owner, subscriptionId);
  if (subscription === null || subscription.status === "deleted") return "the subscription is deleted";
  if (subscription.status === "disabled") return "the subscription is disabled: set its status to active first";
  return whyPointless(subscription, envelope, deps.now());
}

/** @returns why it could not be sent; null when it is on its way */
async function sendAgain(deps: RedriveDeps, delivery: DeliveryRecord): Promise<string | null> {
  const { kind, owner, subscriptionId, eventId } = delivery;
  try {
    if (kind === "deployed") return await sendToDeployed(deps, delivery);
    const next = redriven(delivery, { nowMs: deps.now(), fence: deps.newToken() });
    // Whoever was first has sent it.
    if (!(await deps.store.replaceDelivery(next, delivery.fence))) return null;
    if (kind === "webhook") await sendFor(deps, { owner, subscriptionId, eventId });
    return null;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return error.message;
  }
}

/** Never throws: by its record it is pending again, and the reconciler finds what nobody was sent for. */
async function sendFor(deps: RedriveDeps, task: WebhookTask): Promise<void> {
  await deps.webhookQueue.send([task]).catch((error: unknown) => {
    deps.log.warn("a redriven webhook is left to the reconciler", { ...task, error: String(error) });
  });
}

/**
 * Claimed first, so that of two who redrive it one sends; marked once it is sent, so that a crash in between leaves it
 * dead. One that is dead again by then stays so (`dead-letters.ts`).
 */
async function sendToDeployed(deps: RedriveDeps, delivery: DeliveryRecord): Promise<null> {
  const claimed: DeliveryRecord = { ...delivery, fence: deps.newToken() };
  if (!(await deps.store.replaceDelivery(claimed, delivery.fence))) return null;
  await redeliver(deps, delivery.eventId, delivery.name);
  await deps.store.replaceDelivery(redriven(claimed, { nowMs: deps.now(), fence: deps.newToken() }), claimed.fence);
  return null;
}

async function redeliver(deps: RedriveDeps, eventId: string, name: string): Promise<void> {
  const record = await deps.store.getEvent(eventId);
  if (record === null) throw new BusError("not_found", "The event has expired.");
  await deps.deployed.redeliver(name, deliveredCopy(record.event, record.replyToken));
}
