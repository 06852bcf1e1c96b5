/** A bus in memory on which one operation is tried, with agents whose calls are written into a history. */
import type { DeliveredEvent } from "../../../shared/event.ts";
import { deployedId } from "../../../shared/subscriptions/records.ts";
import { type AllDeps, type BusInMemory, busInMemory, TEST_BUS } from "../../support/bus-in-memory.ts";
import { callInMemory } from "../../support/call-in-memory.ts";
import type { FinalState, HandOver } from "../final-state.ts";
import { CallHistory, type CallOutcome, type Operation, type Operations } from "../history.ts";
import { SimulatedDatabase } from "../simulation/database.ts";
import type { DyingProcess } from "./dying-process.ts";

/** Who asks and publishes; who subscribes; who answers. */
export type AgentName = "asker" | "owner" | "answerer";

export class Stage {
  readonly bus: BusInMemory;
  readonly history: CallHistory;
  readonly handOvers: HandOver[] = [];
  private readonly database: SimulatedDatabase;

  constructor() {
    const bus = busInMemory(TEST_BUS);
    this.database = new SimulatedDatabase({
      now: () => bus.clock.nowMs,
      tellIndex: (_, apply) => apply(),
      frozenRecords: false,
    });
    this.bus = { ...bus, store: this.database, deps: { ...bus.deps, store: this.database } };
    this.history = new CallHistory(() => bus.clock.nowMs);
  }

  /**
   * One call of an agent over HTTP to a process that may die. What it was told is what left the process before.
   *
   * @param answerOf what the history keeps of a good answer
   * @returns how it ended for the agent
   */
  async call<Name extends Operation>(
    process: Pick<DyingProcess, "deps" | "isDead">,
    agent: AgentName,
    [operation, input]: readonly [Name, Operations[Name]["input"]],
    [method, path, body, key]: readonly [method: string, path: string, body?: object, key?: string],
    answerOf: (json: never, status: number) => Operations[Name]["answer"] = (json) => json,
  ): Promise<CallOutcome<Operations[Name]["answer"]>> {
    const end = this.history.begin(agent, operation, input);
    let told: CallOutcome<Operations[Name]["answer"]> = { kind: "unknown", why: "the process died" };
    const onAnswer = (status: number, text: string): void => {
      if (process.isDead) return;
      const json = text === "" ? null : JSON.parse(text);
      if (status < 300) told = { kind: "ok", answer: answerOf(json as never, status) };
      else if (json.retryable === true) told = { kind: "unknown", why: json.code };
      else told = { kind: "failed", code: json.code };
      end(told);
    };
    const headers = key === undefined ? {} : { "idempotency-key": key };
    await callInMemory({ ...this.bus, deps: process.deps }, method, path, {
      body,
      headers,
      caller: agent,
      onAnswer,
    }).catch((error: unknown) => {
      // A process that is dead may fail as it likes.
      if (!process.isDead) throw error;
    });
    end(told);
    return told;
  }

  /** Without a death. */
  get lasting(): { readonly deps: AllDeps; readonly isDead: false } {
    return { deps: this.bus.deps, isDead: false };
  }

  /** Everything that was ever put on the bus, as it was put there. */
  get published(): readonly DeliveredEvent[] {
    return this.bus.publisher.published;
  }

  /** The subscriptions that somebody may poll. */
  get activeQueues(): readonly string[] {
    return this.database
      .everything()
      .subscriptions.filter(({ target, status }) => target.kind === "queue" && status === "active")
      .map(({ subscriptionId }) => subscriptionId);
  }

  async finalState(): Promise<FinalState> {
    const { events, requests, responses, deliveries, subscriptions } = this.database.everything();
    const verdicts = new Map<string, FinalState["responses"][number]["verdict"]>();
    for (const eventId of new Set(responses.map((response) => response.eventId))) {
      const shown = await callInMemory(this.bus, "GET", `/events/${eventId}`, { caller: "asker" });
      for (const { response_id, verdict } of shown.json["responses"] as { response_id: string; verdict: never }[])
        verdicts.set(`${eventId} ${response_id}`, verdict);
    }
    return {
      events: events.map(({ event, published }) => ({ event, published })) as FinalState["events"],
      requests,
      responses: responses.map((one) => ({
        ...one,
        verdict: verdicts.get(`${one.eventId} ${one.responseId}`) ?? null,
      })),
      deliveries,
      subscriptions,
      publications: this.published.map(({ id }) => id),
      handOvers: [...this.handOvers, ...this.deployedHandOvers(), ...this.webhookHandOvers()],
      terminalStates: this.database.terminalStates,
    };
  }

  /** Rules bring what is published to who is deployed; this is not what is tried here. */
  private deployedHandOvers(): HandOver[] {
    const { subscribers } = this.bus.deps;
    return this.published.flatMap(({ id, type }) =>
      subscribers
        .filter(({ on }) => on.includes(type))
        .map(({ name }) => ({ subscriptionId: deployedId(name), eventId: id })),
    );
  }

  private webhookHandOvers(): HandOver[] {
    const { subscriptions } = this.database.everything();
    return this.bus.webhooks.calls.flatMap(({ url, body }) => {
      const owner = subscriptions.find(({ target }) => target.kind === "webhook" && target.url === url);
      const { id } = JSON.parse(body) as { id: string };
      return owner === undefined ? [] : [{ subscriptionId: owner.subscriptionId, eventId: id }];
    });
  }
}
