/** Agents that emit and ask. */
import type { Agent } from "../../../shared/agents/agent.ts";
import type { Sender } from "../../../shared/draft-event.ts";
import { MAX_TIMEOUT_SECONDS } from "../../../shared/limits.ts";
import type { Expect } from "../../../shared/records.ts";
import type { CallOutcome, Operations, SentEvent } from "../history.ts";
import type { Clients } from "./clients.ts";
import type { PlannedOperation } from "./plan.ts";
import type { Random } from "./random.ts";
import { TYPES } from "./setting.ts";

const MAX_TRIES = 3;

/** What was sent under a key, so that it can be sent again. */
export interface Sent {
  readonly agent: string;
  readonly kind: "emit" | "ask";
  readonly input: Operations["emit"]["input"] | Operations["ask"]["input"];
}

export class Publishing {
  private readonly clients: Clients;
  private readonly sent = new Map<number, Sent>();

  constructor(clients: Clients) {
    this.clients = clients;
  }

  async emit(operation: PlannedOperation, random: Random): Promise<void> {
    const sent = this.drawEvent(operation, random);
    const input = random.chance(0.7) ? { ...sent, key: `key-${operation.number}` } : sent;
    if ("key" in input) this.sent.set(operation.number, { agent: operation.agent, kind: "emit", input });
    // Without a key a client that sends again may have two events; some do.
    const tries = "key" in input ? MAX_TRIES : random.pick([1, 1, 2]);
    this.learn(operation, await this.sendEmit(operation.agent, input, tries));
  }

  async emitBatch(operation: PlannedOperation, random: Random): Promise<void> {
    const { agent, number } = operation;
    const events = Array.from({ length: random.whole(1, 4) }, (_, i) => ({
      ...this.drawEvent(operation, random),
      marker: `m${number}.${i}`,
    }));
    if (random.chance(0.2)) events.push({ type: "NO_SUCH_TYPE", marker: `m${number}.bad` });
    const key = random.chance(0.6) ? { key: `key-${number}` } : {};
    const input = { events, ...key };
    await this.clients.callUntilKnown("key" in key ? MAX_TRIES : 1, agent, "emitBatch", input, async (deps, caller) => {
      const { result, afterwards } = await this.clients.domain.emitBatch(
        deps,
        { events: events.map(bodyOf) },
        senderOf(caller, input),
      );
      void afterwards();
      return result;
    });
  }

  async ask(operation: PlannedOperation, random: Random): Promise<void> {
    const { agent, number } = operation;
    const expect: Expect = random.pick([
      { mode: "first" },
      { mode: "first" },
      { mode: "count", count: random.whole(1, 3) },
      { mode: "all" },
    ]);
    const timeoutMs = random.pick([50, 400, 1_500, 4_000, 9_000]);
    const input = { ...this.drawEvent(operation, random), timeoutMs, expect };
    const keyed = random.chance(0.8) ? { ...input, key: `key-${number}` } : input;
    if ("key" in keyed) this.sent.set(number, { agent, kind: "ask", input: keyed });
    await this.sendAsk(operation, keyed, "key" in keyed ? MAX_TRIES : 1);
  }

  /** The key of an earlier operation again, at a moment when that may still be under way. */
  async repeat(operation: PlannedOperation, random: Random): Promise<void> {
    const earlier = [...this.sent.keys()].filter((number) => number <= operation.target).at(-1);
    const before = earlier === undefined ? undefined : this.sent.get(earlier);
    if (before === undefined) return;
    const manner = random.weighted({ same: 6, changed: 2, otherwise: 1 });
    const { agent } = before;
    const input = manner === "changed" ? { ...before.input, marker: `m${operation.number}` } : before.input;
    const isAsk = manner === "otherwise" ? before.kind === "emit" : before.kind === "ask";
    if (isAsk) {
      const asked = { timeoutMs: 400, expect: { mode: "first" } as const, ...input };
      await this.sendAsk({ ...operation, agent }, asked, MAX_TRIES);
    } else await this.sendEmit(agent, withoutTerms(input), MAX_TRIES);
  }

  async resume(operation: PlannedOperation): Promise<void> {
    const eventId = this.clients.madeBy.get(operation.target);
    if (eventId !== undefined) await this.sendResume(this.ownerOf(operation), eventId);
  }

  async cancel(operation: PlannedOperation): Promise<void> {
    const eventId = this.clients.madeBy.get(operation.target);
    if (eventId === undefined) return;
    await this.clients.callUntilKnown(MAX_TRIES, this.ownerOf(operation), "cancel", { eventId }, async (deps, caller) =>
      this.clients.domain.describeOutcome(deps, await this.clients.domain.cancelRequest(deps, eventId, caller.id)),
    );
  }

  private ownerOf(operation: PlannedOperation): string {
    return this.sent.get(operation.target)?.agent ?? operation.agent;
  }

  private drawEvent({ number, target }: PlannedOperation, random: Random): SentEvent {
    const cause = random.chance(0.25) ? this.clients.madeBy.get(target) : undefined;
    return {
      type: random.pick(TYPES),
      marker: `m${number}`,
      ...(cause === undefined ? {} : { causation_id: cause }),
      ...(cause === undefined && random.chance(0.2) ? { correlation_id: `talk-${random.whole(1, 3)}` } : {}),
    };
  }

  private sendEmit(
    agent: string,
    input: Operations["emit"]["input"],
    tries: number,
  ): Promise<CallOutcome<Operations["emit"]["answer"]>> {
    return this.clients.callUntilKnown(tries, agent, "emit", input, async (deps, caller) => {
      const { result, afterwards } = await this.clients.domain.emit(deps, bodyOf(input), senderOf(caller, input));
      void afterwards();
      return result;
    });
  }

  private async sendAsk(operation: PlannedOperation, input: Operations["ask"]["input"], tries: number): Promise<void> {
    const { domain } = this.clients;
    const { timeoutMs, expect } = input;
    const timeout = Math.min(MAX_TIMEOUT_SECONDS, timeoutMs / 1_000);
    const body = { ...bodyOf(input), timeout, expect, require_subscribers: input.marker.endsWith("7") };
    const outcome = await this.clients.callUntilKnown(tries, operation.agent, "ask", input, async (deps, caller) => {
      const { request, settled } = await domain.openRequest(deps, body, senderOf(caller, input));
      void settled;
      const end = await domain.waitForEnd(deps, request, { holdMs: deps.limits.holdSeconds * 1_000 });
      void deps.answerTimes?.tell();
      return domain.describeOutcome(deps, end.request);
    });
    if (outcome.kind !== "ok") return;
    this.clients.madeBy.set(operation.number, outcome.answer.event_id);
    if (outcome.answer.status === "pending") await this.sendResume(operation.agent, outcome.answer.event_id);
  }

  private async sendResume(agent: string, eventId: string): Promise<void> {
    const { domain } = this.clients;
    for (let i = 0; i < 3; i++) {
      const outcome = await this.clients.call(agent, "resume", { eventId }, async (deps, caller) => {
        const request = await domain.findOwnRequest(deps, eventId, caller.id);
        const end = await domain.waitForEnd(deps, request, { holdMs: deps.limits.holdSeconds * 1_000 });
        void deps.answerTimes?.tell();
        return domain.describeOutcome(deps, end.request);
      });
      if (outcome.kind === "failed" || (outcome.kind === "ok" && outcome.answer.status !== "pending")) return;
    }
  }

  private learn({ number }: PlannedOperation, outcome: CallOutcome<Operations["emit"]["answer"]>): void {
    if (outcome.kind === "ok") this.clients.madeBy.set(number, outcome.answer.event_id);
  }
}

/** What goes over the wire of an event. */
function bodyOf({ type, marker, correlation_id, causation_id }: SentEvent): object {
  return {
    type,
    data: { marker },
    ...(correlation_id === undefined ? {} : { correlation_id }),
    ...(causation_id === undefined ? {} : { causation_id }),
  };
}

function withoutTerms(input: Sent["input"]): Operations["emit"]["input"] {
  const { timeoutMs: _, expect: __, ...rest } = { timeoutMs: 0, expect: null, ...input };
  return rest;
}

const senderOf = (agent: Agent, { key }: { readonly key?: string }): Sender => ({
  agent,
  ...(key === undefined ? {} : { idempotencyKey: key }),
});
