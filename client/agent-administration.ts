/** Agents that are let in with keys, for administrators: a client of its own, for agents themselves have no use for it. */
import type { RegisteredAgent, RotatedKey } from "../shared/agents/administer.ts";
import type { PolicyChange } from "../shared/agents/input.ts";
import type { AgentPage } from "../shared/agents/look-up.ts";
import type { AgentView } from "../shared/agents/view.ts";
import type { Connection } from "./calls.ts";
import { type AgentEventBusOptions, connect } from "./connection.ts";
import { targetOf } from "./endpoints.ts";
import { AgentEventBusError } from "./errors.ts";
import { type PageOptions, read, readPages } from "./read.ts";
import { hadNoEffect, withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS, type Call } from "./transport.ts";

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

export interface AgentChange {
  /** The rights that are named; the others stay. */
  readonly policy?: PolicyChange | undefined;
  /** True: no key lets it in, until it is false again. */
  readonly disabled?: boolean | undefined;
}

/**
 * Registers agents and changes what they may do. On AWS its calls are signed, by somebody whom IAM lets call the function
 * `agents`; on a machine of one's own, by the key of an administrator. Every method throws `AgentEventBusError`.
 */
export class AgentAdministration {
  private readonly connection: Connection;

  /** @throws Error that says which URL cannot be used, or that what was given as a key is none */
  constructor(options: AgentEventBusOptions = {}) {
    this.connection = connect(options);
  }

  /**
   * Lets an agent in. The key is in the answer, this once: a call whose answer was lost is not made again, and
   * `rotateKey` gives another key.
   * @throws AgentEventBusError `agent_exists`
   */
  register(name: string, policy: PolicyChange = {}, options: Abortable = {}): Promise<RegisteredAgent> {
    return this.once<RegisteredAgent>({ ...targetOf("registerAgent"), body: { name, policy } }, options.signal);
  }

  /** All agents, page by page as they are read. */
  agents(options: PageOptions = {}): AsyncGenerator<AgentView, void> {
    return readPages(this.connection, targetOf("agents"), (page: AgentPage) => page.agents, options);
  }

  /** @throws AgentEventBusError `not_found` */
  getAgent(name: string, options: Abortable = {}): Promise<AgentView> {
    return read<AgentView>(this.connection, targetOf("agent", { name }), options.signal);
  }

  /** In effect with the agent's next call. @throws AgentEventBusError `not_found` */
  change(name: string, change: AgentChange, options: Abortable = {}): Promise<AgentView> {
    const { policy, disabled } = change;
    return read<AgentView>(
      this.connection,
      { ...targetOf("changeAgent", { name }), body: { policy, disabled } },
      options.signal,
    );
  }

  /** Shuts it out for good: its keys are dead at once, and its subscriptions end. @throws AgentEventBusError `not_found` */
  delete(name: string, options: Abortable = {}): Promise<void> {
    return this.end(targetOf("deleteAgent", { name }), options.signal);
  }

  /**
   * A new key; those before it stay valid for a while. Not tried again once the bus may have made one.
   * @param options `overlapSeconds`: 0 to 604,800; a day when not given
   * @throws AgentEventBusError `not_found`; `rate_limited` when it has four already
   */
  rotateKey(
    name: string,
    { overlapSeconds, signal }: Abortable & { readonly overlapSeconds?: number | undefined } = {},
  ): Promise<RotatedKey> {
    return this.once<RotatedKey>(
      { ...targetOf("rotateKey", { name }), body: { overlap_seconds: overlapSeconds } },
      signal,
    );
  }

  /** At once: the next call with it is refused. @throws AgentEventBusError `not_found` */
  revokeKey(name: string, keyId: string, options: Abortable = {}): Promise<void> {
    return this.end(targetOf("revokeKey", { name, key_id: keyId }), options.signal);
  }

  /** Each such call makes a further key: it is made again only where the try before certainly had no effect. */
  private once<Body>(call: Call, signal: AbortSignal | undefined): Promise<Body> {
    const { transport, retry } = this.connection;
    const send = () => transport.json<Body>(call, { signal, timeoutMs: CALL_TIMEOUT_MS });
    return withRetries(retry, signal, send, hadNoEffect);
  }

  private end(call: Call, signal: AbortSignal | undefined): Promise<void> {
    const { transport, retry } = this.connection;
    let isRepeated = false;
    return withRetries(retry, signal, async () => {
      try {
        await transport.done(call, { signal, timeoutMs: CALL_TIMEOUT_MS });
      } catch (error) {
        // The try before has ended it, and only its answer was lost.
        if (isRepeated && error instanceof AgentEventBusError && error.code === "not_found") return;
        isRepeated = true;
        throw error;
      }
    });
  }
}
