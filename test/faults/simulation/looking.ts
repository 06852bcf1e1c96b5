/** Agents that look back, subscribe and redrive, and one that tries what it may not. */

import { timeKey } from "../../../shared/keys.ts";
import type { Operations } from "../history.ts";
import type { Clients } from "./clients.ts";
import type { PlannedOperation } from "./plan.ts";
import type { Random } from "./random.ts";
import { AGENTS, hookUrl, SLOTS, type Slot, TYPES } from "./setting.ts";

const MAX_TRIES = 3;
const MAX_PAGES = 200;

export class Looking {
  private readonly clients: Clients;

  constructor(clients: Clients) {
    this.clients = clients;
  }

  list({ agent, number }: PlannedOperation, random: Random): Promise<void> {
    return this.read(agent, `reading-${number}`, {
      order: random.pick(["asc", "desc"]),
      limit: random.whole(1, 20),
      ...(random.chance(0.4) ? { type: random.pick(TYPES) } : {}),
      ...(random.chance(0.2) ? { correlation_id: `talk-${random.whole(1, 3)}` } : {}),
    });
  }

  /** Reads history to its end, page by page. */
  async read(
    agent: string,
    reading: string,
    {
      order,
      limit,
      ...selection
    }: {
      readonly order: "asc" | "desc";
      readonly limit: number;
      readonly type?: string;
      readonly correlation_id?: string;
    },
  ): Promise<void> {
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page++) {
      const input = { reading, page, order, ...selection };
      const query = { order, limit: String(limit), ...selection, ...(cursor === null ? {} : { cursor }) };
      let next: string | null = null;
      const outcome = await this.clients.callUntilKnown(5, agent, "list", input, async (deps, caller) => {
        const { events, next_cursor } = await this.clients.domain.listEvents(deps, query, caller);
        next = next_cursor;
        return { positions: events.map(({ timestamp, id }) => timeKey(timestamp, id)), hasMore: next_cursor !== null };
      });
      if (outcome.kind !== "ok" || next === null) return;
      cursor = next;
    }
  }

  async show({ agent, target }: PlannedOperation): Promise<void> {
    const eventId = this.clients.madeBy.get(target);
    if (eventId === undefined) return;
    await this.clients.call(agent, "show", { eventId }, (deps, caller) =>
      this.clients.domain.showEvent(deps, eventId, caller),
    );
  }

  async subscribe({ number }: PlannedOperation, random: Random): Promise<void> {
    const slot = SLOTS[number] ?? random.pick(SLOTS);
    const eventTypes = [...new Set([TYPES[1], random.pick(TYPES.slice(0, 3))])].sort();
    const { owner, name, kind } = slot;
    const input = { name, kind, eventTypes, answers: random.chance(0.8) };
    const target =
      kind === "webhook"
        ? { kind, url: hookUrl(slot) }
        : { kind, visibility: random.pick([2, 10]), max_attempts: random.whole(1, 4) };
    await this.clients.callUntilKnown(MAX_TRIES, owner, "subscribe", input, async (deps, caller) => {
      const body = { name, event_types: eventTypes, target, answers: input.answers };
      const { subscription, created } = await this.clients.domain.subscribe(deps, body, caller);
      return { subscriptionId: subscription.subscription_id, created };
    });
  }

  async changeSubscription(_: PlannedOperation, random: Random): Promise<void> {
    const { owner, subscriptionId } = random.pick(SLOTS);
    const change = random.pick([
      { status: "disabled" as const },
      { status: "active" as const },
      { status: "active" as const },
      { eventTypes: [random.pick(TYPES)] },
    ]);
    await this.change(owner, { subscriptionId, ...change });
  }

  activate(owner: string, subscriptionId: string): Promise<void> {
    return this.change(owner, { subscriptionId, status: "active" });
  }

  private async change(owner: string, input: Operations["changeSubscription"]["input"]): Promise<void> {
    const { subscriptionId, status, eventTypes } = input;
    const body = {
      ...(status === undefined ? {} : { status }),
      ...(eventTypes === undefined ? {} : { event_types: eventTypes }),
    };
    await this.clients.callUntilKnown(MAX_TRIES, owner, "changeSubscription", input, async (deps, caller) => {
      await this.clients.domain.changeSubscription(deps, subscriptionId, body, caller);
      return { subscriptionId };
    });
  }

  async unsubscribe(_: PlannedOperation, random: Random): Promise<void> {
    const { owner, subscriptionId } = random.pick(SLOTS);
    await this.clients.callUntilKnown(MAX_TRIES, owner, "unsubscribe", { subscriptionId }, async (deps, caller) => {
      await this.clients.domain.unsubscribe(deps, subscriptionId, caller.id);
      return null;
    });
  }

  redrive({ agent }: PlannedOperation): Promise<void> {
    return this.redriveAll(agent);
  }

  /** Sends all dead deliveries again that an agent may. */
  async redriveAll(agent: string): Promise<void> {
    await this.clients.callUntilKnown(MAX_TRIES, agent, "redrive", {}, (deps, caller) =>
      this.clients.domain.redrive(deps, { limit: 1_000 }, caller),
    );
  }

  /** Tries what only another agent may. */
  async trespass({ agent, target }: PlannedOperation, random: Random): Promise<void> {
    const { domain, madeBy } = this.clients;
    const foreign: Slot = random.pick(SLOTS.filter(({ owner }) => owner !== agent));
    const { subscriptionId } = foreign;
    const eventId = madeBy.get(target);
    switch (random.pick(["take", "unsubscribe", "resume", "cancel", "redrive"])) {
      case "take": {
        const { signal } = new AbortController();
        await this.clients.call(agent, "take", { subscriptionId }, async (deps, caller) => {
          const messages = await domain.takeMessages(deps, subscriptionId, caller.id, { waitMs: 0, max: 1, signal });
          return messages.map(({ event, receipt, attempt }) => ({ eventId: event.id, receipt, attempt }));
        });
        return;
      }
      case "unsubscribe":
        await this.clients.call(agent, "unsubscribe", { subscriptionId }, async (deps, caller) => {
          await domain.unsubscribe(deps, subscriptionId, caller.id);
          return null;
        });
        return;
      case "redrive":
        await this.clients.call(agent, "redrive", { subscriptionId }, (deps, caller) =>
          domain.redrive(deps, { subscription_id: subscriptionId }, caller),
        );
        return;
      case "resume":
      case "cancel": {
        if (eventId === undefined) return;
        const other = AGENTS.find((one) => one !== agent) ?? agent;
        await this.clients.call(other, "cancel", { eventId }, async (deps, caller) =>
          domain.describeOutcome(deps, await domain.cancelRequest(deps, eventId, caller.id)),
        );
      }
    }
  }
}
