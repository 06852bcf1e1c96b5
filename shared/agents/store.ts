/** What the record of everything keeps of agents with keys: a part of `EventStore`. */
import type { AgentRecord } from "./records.ts";

export interface AgentStore {
  /** Consistent. Also one that is deleted, as long as it is remembered. */
  getAgent(name: string): Promise<AgentRecord | null>;
  /** Writes an agent if it still has the version that was seen; 0: there is none. Whether it was written. */
  replaceAgent(next: AgentRecord, seenVersion: number): Promise<boolean>;
  /** In the order of their names, from after a name on, deleted ones too. One that was just made may be missing. */
  listAgents(after: string, limit: number): Promise<AgentRecord[]>;
}
