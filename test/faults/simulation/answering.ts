/** Agents that get events: deployed ones that are called, and run-time ones that poll a queue; and all that answer. */
import { answerId } from "../../../shared/answer-id.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import type { ResponseStatus } from "../../../shared/records.ts";
import type { HandOver } from "../final-state.ts";
import type { CallOutcome, Operations } from "../history.ts";
import type { Clients } from "./clients.ts";
import type { PlannedOperation } from "./plan.ts";
import type { Random } from "./random.ts";
import { BUS, deployedAgent, SLOTS, type Slot } from "./setting.ts";

const MAX_TRIES = 3;

export class Answering {
  /** Nobody dawdles, forgets or fails any more. */
  isCalm = false;
  private readonly clients: Clients;
  private readonly handOvers: HandOver[];

  constructor(clients: Clients, handOvers: HandOver[]) {
    this.clients = clients;
    this.handOvers = handOvers;
  }

  /** A deployed subscriber is called with an event. @returns whether it could do what it had to */
  async beCalled(name: string, event: DeliveredEvent): Promise<boolean> {
    const random = this.clients.random(`deployed ${name} ${event.id}`);
    await this.clients.sleep(random.pick([5, 80, 700, 3_000]));
    const mood = random.weighted({ works: 12, fails: this.isCalm ? 0 : 1 });
    if (mood === "fails") return false;
    const answers = BUS.subscribers?.find((one) => one.name === name)?.answers !== false;
    if (!answers || (event.deadline === undefined && random.chance(0.7))) return true;
    if (random.chance(0.2)) await this.answer(deployedAgent(name), event, "progress", { as: name }, random);
    const status = random.chance(0.2) ? "rejected" : "ok";
    const named = { as: name, responseId: answerId(name, event.id) };
    return (await this.answer(deployedAgent(name), event, status, named, random)).kind !== "unknown";
  }

  /** Somebody answers something that was delivered some time ago: late, twice, for another, or with a token that is not his. */
  async respond({ agent, number }: PlannedOperation, random: Random): Promise<void> {
    const { delivered } = this.clients;
    if (delivered.length === 0) return;
    const at = Math.max(0, delivered.length - 1 - Math.floor(random.fraction() ** 2 * delivered.length));
    const { event } = delivered[at] ?? random.pick(delivered);
    const slot = random.pick(SLOTS);
    await this.answer(
      agent,
      event,
      random.pick(["ok", "ok", "rejected", "progress"]),
      {
        ...(random.chance(0.4) ? { as: slot.name } : {}),
        ...random.pick([
          {},
          { responseId: `answer-${number}` },
          // The id under which that subscriber answers itself: only one of the two is kept.
          { responseId: answerId(slot.subscriptionId, event.id) },
        ]),
        ...(random.chance(0.1) ? { isForged: true } : {}),
        marker: `r${number}`,
      },
      random,
    );
  }

  async poll(operation: PlannedOperation, random: Random): Promise<void> {
    const slot = random.pick(SLOTS.filter(({ kind }) => kind === "queue"));
    const taken = await this.take(slot, random.pick([0, 0, 500, 2_000]), random.whole(1, 5), random.pick([1, 5, 30]));
    await Promise.all(taken.map((message) => this.treat(slot, message, operation)));
  }

  /** Takes all that there is, and acknowledges it. @returns how many there were */
  async empty(slot: Slot): Promise<number> {
    const taken = await this.take(slot, 0, 10, 30);
    const receipts = taken.map(({ receipt }) => receipt);
    if (receipts.length > 0) await this.settle("acknowledge", slot, receipts);
    return receipts.length;
  }

  private async take(slot: Slot, waitMs: number, max: number, visibilitySeconds: number): Promise<Taken[]> {
    const { domain } = this.clients;
    const events = new Map<string, DeliveredEvent>();
    const input = { subscriptionId: slot.subscriptionId };
    const outcome = await this.clients.call(slot.owner, "take", input, async (deps, caller) => {
      const { signal } = new AbortController();
      const options = { waitMs, max, visibilitySeconds, signal };
      const messages = await domain.takeMessages(deps, slot.subscriptionId, caller.id, options);
      for (const { event, receipt } of messages) events.set(receipt, event);
      return messages.map(({ event, receipt, attempt }) => ({ eventId: event.id, receipt, attempt }));
    });
    if (outcome.kind !== "ok") return [];
    return outcome.answer.flatMap(({ eventId, receipt, attempt }) => {
      const event = events.get(receipt);
      if (event === undefined) return [];
      this.handOvers.push({ subscriptionId: slot.subscriptionId, eventId });
      this.clients.delivered.push({ subscriptionId: slot.subscriptionId, event });
      return [{ event, receipt, attempt }];
    });
  }

  private async treat(slot: Slot, { event, receipt, attempt }: Taken, { number }: PlannedOperation): Promise<void> {
    const random = this.clients.random(`message ${slot.name} ${event.id} ${attempt}`);
    await this.clients.sleep(random.pick([5, 50, 900]));
    if (event.deadline !== undefined && random.chance(0.6)) {
      const named = { as: slot.name, responseId: answerId(slot.subscriptionId, event.id) };
      await this.answer(slot.owner, event, random.chance(0.2) ? "rejected" : "ok", named, random);
    }
    switch (random.weighted({ done: 10, back: 3, keep: 2, forget: 2, late: 1 })) {
      case "done":
        return this.settle("acknowledge", slot, [receipt]);
      case "back":
        return this.settle("giveBack", slot, [receipt], random.pick([0, 1_000, 10_000]));
      case "keep":
        await this.settle("keepHidden", slot, [receipt]);
        await this.clients.sleep(2_000);
        return this.settle("acknowledge", slot, [receipt]);
      case "late":
        await this.clients.sleep(6_000 + (number % 7) * 1_000);
        return this.settle("acknowledge", slot, [receipt]);
      case "forget":
    }
  }

  private async settle(
    operation: "acknowledge" | "giveBack" | "keepHidden",
    { owner, subscriptionId }: Slot,
    receipts: readonly string[],
    delayMs = 0,
  ): Promise<void> {
    const { domain } = this.clients;
    await this.clients.callUntilKnown(MAX_TRIES, owner, operation, { subscriptionId, receipts }, (deps, caller) => {
      if (operation === "acknowledge") return domain.acknowledge(deps, subscriptionId, caller.id, receipts);
      if (operation === "keepHidden") return domain.keepHidden(deps, subscriptionId, caller.id, receipts, 10_000);
      return domain.giveBack(deps, subscriptionId, caller.id, receipts, { delayMs, reason: "not now" });
    });
  }

  private answer(
    agent: string,
    event: DeliveredEvent,
    status: ResponseStatus,
    given: {
      readonly as?: string;
      readonly responseId?: string;
      readonly isForged?: boolean;
      readonly marker?: string;
    },
    random: Random,
  ): Promise<CallOutcome<Operations["respond"]["answer"]>> {
    const { marker = `${given.responseId ?? random.token(6)} ${status}`, ...rest } = given;
    const input = { eventId: event.id, marker, status, ...rest };
    const token = given.isForged === true ? random.token(22) : event.reply_to.token;
    const body = {
      response: { marker },
      status,
      reply_token: token,
      ...(given.responseId === undefined ? {} : { response_id: given.responseId }),
    };
    const tries = given.responseId === undefined ? 1 : MAX_TRIES;
    return this.clients.callUntilKnown(tries, agent, "respond", input, (deps, caller) =>
      this.clients.domain.respond(deps, event.id, body, {
        agent: caller,
        ...(given.as === undefined ? {} : { as: given.as }),
      }),
    );
  }
}

interface Taken {
  readonly event: DeliveredEvent;
  readonly receipt: string;
  readonly attempt: number;
}
