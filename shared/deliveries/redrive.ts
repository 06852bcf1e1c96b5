/** Redrive: dead deliveries are sent again; with a dry run first, if one wants to know what that would do. */
import * as v from "valibot";
import type { Agent } from "../agents/agent.ts";
import { DISPATCH } from "../deployed-subscriber.ts";
import { BusError, invalidField } from "../errors.ts";
import { deliveredCopy } from "../event.ts";
import { nameField, readInput } from "../input.ts";
import { inLanes } from "../lanes.ts";
import { DEFAULT_REDRIVE, FAN_OUT_LANES, MAX_REDRIVE } from "../limits.ts";
import type { DeployedTargets, Deps, WebhookQueue, WebhookTask } from "../ports.ts";
import { DEPLOYED_OWNER, type DeliveryRecord } from "../subscriptions/records.ts";
import { redriven, whyPointless } from "./delivery.ts";
import { type DeadPlace, type DeadSelection, deadOf, openPlace, readDead, sealPlace } from "./list-dead.ts";
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
  /** Where to go on; what cannot be sent again stays in front otherwise. Null when there are no more. */
  readonly next_cursor: string | null;
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
    cursor: v.optional(v.string("a string was expected")),
  },
  "an object was expected",
);

/** @throws BusError `invalid_request`, `unavailable` */
export async function redrive(deps: RedriveDeps, body: unknown, agent: Agent): Promise<Redriven> {
  const { subscription_id, event_id, dry_run, limit, cursor } = readInput(RedriveInput, body);
  if (event_id !== undefined && cursor !== undefined)
    throw invalidField("/cursor", "none was expected beside an event_id");
  const { found, remaining, next_cursor } =
    event_id === undefined
      ? await findBySubscription(deps, deadOf(agent, subscription_id), limit, cursor)
      : await findByEvent(deps, deadOf(agent, subscription_id), event_id, limit);
  const deliveries = found.map(({ delivery }) => delivery);
  const problems = new Map<DeliveryRecord, string>();
  for (const { delivery, problem } of found) if (problem !== null) problems.set(delivery, problem);
  const sendable = dry_run ? [] : deliveries.filter((delivery) => !problems.has(delivery));
  await inLanes(FAN_OUT_LANES, sendable, async (delivery) => {
    const problem = await sendAgain(deps, delivery);
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
    next_cursor,
  };
}

/** A dead delivery, and why it cannot be sent again; null when it can. */
interface Candidate {
  readonly delivery: DeliveryRecord;
  readonly problem: string | null;
}

/** Dead deliveries that one call looks at: those that cannot be sent must not keep it from the others. */
const MAX_LOOKED_AT = 2_000;

/** The same for each that is to be sent: whoever asks for few must not make the bus read many. */
const MAX_LOOKED_AT_EACH = 20;

/** What is to be sent again, and whether there is more. */
interface Found {
  readonly found: readonly Candidate[];
  readonly remaining: boolean;
  readonly next_cursor: string | null;
}

async function findBySubscription(
  deps: RedriveDeps,
  selection: DeadSelection,
  limit: number,
  cursor: string | undefined,
): Promise<Found> {
  const found: Candidate[] = [];
  let next: DeadPlace | null = null;
  let place = await openPlace(deps, selection, cursor);
  for (
    let sendable = 0, looked = 0;
    sendable < limit && looked < Math.min(MAX_LOOKED_AT, MAX_LOOKED_AT_EACH * limit);
    place = next
  ) {
    const page = await readDead(deps, selection, limit - sendable, place);
    const candidates = await judged(deps, page.deliveries);
    found.push(...candidates);
    sendable += candidates.filter(({ problem }) => problem === null).length;
    looked += candidates.length;
    next = page.next;
    if (next === null) break;
  }
  // A place to read on does not say that there is anything.
  const remaining = next !== null && (await readDead(deps, selection, 1, next)).deliveries.length > 0;
  return { found, remaining, next_cursor: remaining ? await sealPlace(deps, selection, next) : null };
}

async function findByEvent(
  deps: RedriveDeps,
  { owner, subscriptionId, withDeployed }: DeadSelection,
  eventId: string,
  limit: number,
): Promise<Found> {
  const all = await deps.store.getDeliveries(eventId);
  const fitting = all.filter(
    (delivery) =>
      delivery.state === "DEAD" &&
      // I9: another agent's are not seen.
      (delivery.owner === owner || (withDeployed && delivery.owner === DEPLOYED_OWNER)) &&
      (subscriptionId === undefined || delivery.subscriptionId === subscriptionId),
  );
  return { found: await judged(deps, fitting.slice(0, limit)), remaining: fitting.length > limit, next_cursor: null };
}

/** Each with what stands in its way, in their order. */
async function judged(deps: RedriveDeps, deliveries: readonly DeliveryRecord[]): Promise<Candidate[]> {
  const problems = new Map<DeliveryRecord, string | null>();
  await inLanes(FAN_OUT_LANES, deliveries, async (delivery) => {
    problems.set(delivery, await whyStuck(deps, delivery));
  });
  return deliveries.map((delivery) => ({ delivery, problem: problems.get(delivery) ?? null }));
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
    const { eventId: event_id, subscriptionId: subscription_id } = task;
    deps.log.warn("a redriven webhook is left to the reconciler", { event_id, subscription_id, error: String(error) });
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
