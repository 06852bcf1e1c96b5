/** The bus over one of the tables, as far as looking back goes: the real domain, the real store, and what it costs. */
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { createDeps } from "../../functions/runtime/deps.ts";
import { createDynamoRateStore } from "../../functions/runtime/dynamo/rates.ts";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { openStore } from "../../local/store.ts";
import { TABLE_NAME } from "../../local/table.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { defineBus } from "../../shared/bus-config.ts";
import type { Deps } from "../../shared/ports.ts";
import { type Cost, countingCalls } from "./counting-calls.ts";
import { NOW_MS } from "./events.ts";
import type { PreparedTable } from "./prepared-table.ts";
import { quiet } from "./quiet.ts";

/** What is looked up. */
export interface History {
  readonly deps: Deps;
  /** How many events there are. */
  readonly count: number;
}

export interface HistoryBus extends History {
  /** The same, slower: it counts what is read. */
  readonly counting: History & {
    /** What was read since the last time. */
    takeCost(): Cost;
  };
  close(): Promise<void>;
}

export async function openHistoryBus({ dataDir }: Pick<PreparedTable, "dataDir">, count: number): Promise<HistoryBus> {
  const { calls, close } = await openStore(dataDir);
  const counted = countingCalls(calls);
  return {
    deps: depsOn(calls),
    count,
    counting: { deps: depsOn(counted.calls), count, takeCost: counted.take },
    close,
  };
}

function depsOn(calls: TableCalls): Deps {
  const table = { calls, tableName: TABLE_NAME };
  const now = (): number => NOW_MS;
  const deps = createDeps({
    store: createDynamoEventStore({ ...table, now }),
    rates: createDynamoRateStore(table),
    publisher: { publish: async (events) => events.map(() => ({ kind: "published" })) },
    config: defineBus({}),
    configuredAgent: openAgent,
    log: quiet,
  });
  return { ...deps, now };
}
