/** The part of the in-memory `EventStore` that keeps agents with keys. */
import type { AgentRecord } from "../../shared/agents/records.ts";
import type { AgentStore } from "../../shared/agents/store.ts";

export class MemoryAgents implements AgentStore {
  protected readonly agents = new Map<string, AgentRecord>();
  private readonly agentClock: () => number;

  /** @param now epoch milliseconds */
  constructor(now: () => number) {
    this.agentClock = now;
  }

  async getAgent(name: string): Promise<AgentRecord | null> {
    const record = this.agents.get(name);
    return record === undefined || this.isForgotten(record) ? null : structuredClone(record);
  }

  async replaceAgent(next: AgentRecord, seenVersion: number): Promise<boolean> {
    const standing = this.agents.get(next.name);
    const isAsSeen =
      seenVersion === 0 ? standing === undefined || this.isForgotten(standing) : standing?.version === seenVersion;
    if (isAsSeen) this.agents.set(next.name, structuredClone(next));
    return isAsSeen;
  }

  async listAgents(after: string, limit: number): Promise<AgentRecord[]> {
    return [...this.agents.values()]
      .filter((record) => record.name > after && !this.isForgotten(record))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, limit)
      .map((record) => structuredClone(record));
  }

  private isForgotten({ expiresAt }: AgentRecord): boolean {
    return expiresAt !== undefined && expiresAt <= this.agentClock() / 1_000;
  }
}
