/** Everything that takes part in a run, put together. */
import { openAgent } from "../../../shared/agents/agent.ts";
import { CallHistory } from "../history.ts";
import { Answering } from "./answering.ts";
import { Clients } from "./clients.ts";
import { type DatabaseOptions, SimulatedDatabase } from "./database.ts";
import { DOMAIN, type Domain } from "./domain.ts";
import { Looking } from "./looking.ts";
import { Machine, type MachineParts, START } from "./machines.ts";
import { Network, type Trace } from "./network.ts";
import type { SimulationOptions, TraceLine } from "./options.ts";
import { Publishing } from "./publishing.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { agentOf, SLOTS } from "./setting.ts";
import { Surroundings } from "./surroundings.ts";
import { delayOf, drawWeather, Fates, type FaultKind, type Weather } from "./weather.ts";

export interface World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly fates: Fates;
  readonly weather: Weather;
  readonly database: SimulatedDatabase;
  readonly surroundings: Surroundings;
  readonly machines: readonly Machine[];
  readonly reconcilers: readonly Machine[];
  readonly clients: Clients;
  readonly publishing: Publishing;
  readonly answering: Answering;
  readonly looking: Looking;
  readonly domain: Domain;
  readonly reconciles: boolean;
}

/** An index shows a write at the latest so long after it. */
export const INDEX_LAG_MS = 8_000;
const API_MACHINES = ["api-1", "api-2", "api-3"];
const WORKER_MACHINES = { dispatch: ["dispatch-1", "dispatch-2"], webhooks: ["webhooks-1", "webhooks-2"] };
const INDEX_FAULTS: readonly FaultKind[] = ["stale"];

export function buildWorld(options: SimulationOptions, lines: TraceLine[]): World {
  const { seed } = options;
  const scheduler = new Scheduler();
  const weather = drawWeather(seed);
  const trace: Trace | null =
    options.isTraced === true ? (who, what) => lines.push({ atMs: scheduler.nowMs, who, what }) : null;
  const fates = new Fates(seed, weather.faults, options.onlyFaults ?? null, () => scheduler.nowMs);
  const network = new Network(scheduler, fates, trace);
  const domain: Domain = { ...DOMAIN, ...options.domain };
  const databaseOptions: DatabaseOptions = {
    now: () => START + scheduler.nowMs,
    frozenRecords: weather.frozenRecords,
    tellIndex: (about, apply) => {
      const { kind, draw } = fates.of(`index ${about}`, INDEX_FAULTS);
      scheduler.after(delayOf(draw, 1, kind === null ? 60 : INDEX_LAG_MS), apply);
    },
  };
  const database = options.database?.(databaseOptions) ?? new SimulatedDatabase(databaseOptions);
  const machines = new Map<string, Machine>();
  const machineOf = (names: readonly string[], about: string): Machine =>
    machines.get(new Random(seed, about).pick(names)) as Machine;
  const history = new CallHistory(() => scheduler.nowMs);
  const clients = new Clients({
    seed,
    scheduler,
    fates,
    domain,
    history,
    trace,
    agentOf: weather.hasPolicies ? agentOf : openAgent,
    machineFor: (about) => machineOf(API_MACHINES, about),
  });
  let answering: Answering | null = null;
  const surroundings: Surroundings = new Surroundings({
    seed,
    scheduler,
    network,
    fates,
    domain,
    trace,
    machineFor: (kind, about) => machineOf(WORKER_MACHINES[kind === "webhooks" ? "webhooks" : "dispatch"], about),
    callDeployed: (name, event, end) => void answering?.beCalled(name, event).then(end),
    subscriptionOf: (name) => SLOTS.find((slot) => slot.name === name)?.subscriptionId ?? name,
    noteDelivered: (subscriptionId, event) => clients.delivered.push({ subscriptionId, event }),
  });
  answering = new Answering(clients, surroundings.handOvers);
  const parts: MachineParts = { seed, scheduler, network, database, weather, surroundings, trace };
  const reconcilers = ["reconciler-1", "reconciler-2"].map((name) => new Machine(name, parts));
  for (const name of [...API_MACHINES, ...WORKER_MACHINES.dispatch, ...WORKER_MACHINES.webhooks])
    machines.set(name, new Machine(name, parts));
  return {
    seed,
    scheduler,
    fates,
    weather,
    database,
    surroundings,
    machines: [...machines.values(), ...reconcilers],
    reconcilers,
    clients,
    publishing: new Publishing(clients),
    answering,
    looking: new Looking(clients),
    domain,
    reconciles: options.reconciles !== false,
  };
}
