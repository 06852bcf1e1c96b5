/** What a chaos run did, what was done to it, and what was found, as a table for people. */
import { deployedId } from "../../../shared/subscriptions/records.ts";
import type { HandOver } from "../final-state.ts";
import type { Call } from "../history.ts";
import { groupBy } from "../judged.ts";
import { type NemesisName, NUMBERS } from "../proxy/nemeses.ts";
import config from "./bus.config.ts";
import type { ChaosResult } from "./run.ts";

export function reportOf(result: ChaosResult): string {
  return [
    ...section("done by agents", doneByAgents(result)),
    ...section("injected", injected(result)),
    ...section("found", found(result)),
    ...result.violations.slice(0, 50).map(({ invariant, what }) => `  VIOLATION ${invariant}: ${what}`),
  ].join("\n");
}

type Row = readonly [what: string, count: number | string];

function section(title: string, rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([what]) => what.length));
  return [title, ...rows.map(([what, count]) => `  ${what.padEnd(width)}  ${count}`), ""];
}

function doneByAgents({ history }: ChaosResult): Row[] {
  return [...groupBy(history.calls, ({ operation }) => operation)].map(([operation, calls]) => {
    const count = (kind: Call["outcome"]["kind"]): number =>
      calls.filter(({ outcome }) => outcome.kind === kind).length;
    return [operation, `${calls.length} (${count("ok")} ok, ${count("failed")} failed, ${count("unknown")} unknown)`];
  });
}

function injected({ proxy, disturbances, kills, storeRestarts, brokenSockets }: ChaosResult): Row[] {
  const { arrived, answered } = disturbances.killedAt;
  return [
    ["calls to the store", `${proxy.of("calls")}, of which ${proxy.of("forwarded")} times done`],
    ...proxy.operations.map((operation): Row => [`  ${operation}`, proxy.of("calls", operation)]),
    ...(Object.entries(NUMBERS) as [NemesisName, string][])
      .filter(([name]) => proxy.of(name) > 0)
      .map(([name, number]): Row => [`${number} ${name}`, proxy.of(name)]),
    ["N13 killed and restarted", `${kills} (${arrived} as a call arrived, ${answered} when it was done)`],
    ["N15 sockets destroyed", brokenSockets],
    ["N16 clock moved by 5 min", disturbances.clockMoves],
    ["N23 store ended", storeRestarts],
  ];
}

function found(result: ChaosResult): Row[] {
  const { state, quiet, violations } = result;
  const ended = groupBy(state.requests, (request) => request.state);
  const deliveries = groupBy(state.deliveries, (delivery) => delivery.state);
  const verdicts = groupBy(state.responses, ({ verdict }) => String(verdict));
  return [
    ["events", state.events.length],
    ["requests", [...ended].map(([name, all]) => `${all.length} ${name}`).join(", ")],
    ["responses", [...verdicts].map(([name, all]) => `${all.length} ${name}`).join(", ")],
    ["deliveries", [...deliveries].map(([name, all]) => `${all.length} ${name}`).join(", ")],
    ["R5 published, of bus time after the faults", `${quiet.publishedAfterMs / 1_000} s`],
    ["R5 all requests ended", `${quiet.endedAfterMs / 1_000} s`],
    ["R7 done more than once, by observers", duplicates(result.done)],
    ["R8 dead; sent again; dead still", `${result.dead}; ${result.redriven}; ${whyDead(state)}`],
    ["seconds, of load and in all", `${result.loadSeconds}, ${result.seconds}`],
    ["violations", violations.length],
  ];
}

/** How many are dead for which reason: what is left when all that can be sent again was. */
function whyDead({ deliveries }: ChaosResult["state"]): string {
  const dead = deliveries.filter(({ state }) => state === "DEAD");
  const reasons = [...groupBy(dead, ({ reason = "no reason" }) => reason)];
  return reasons.map(([reason, all]) => `${all.length} (${reason})`).join(", ") || "0";
}

/** By observers: who answers gets an event again when the answer could not be sent. */
function duplicates(all: readonly HandOver[]): string {
  const observers = config.subscribers.filter(({ answers }) => !answers).map(({ name }) => deployedId(name));
  const done = all.filter(({ subscriptionId }) => observers.includes(subscriptionId));
  const different = new Set(done.map(({ subscriptionId, eventId }) => `${subscriptionId} ${eventId}`));
  const more = done.length - different.size;
  return `${more} of ${different.size} (${((100 * more) / different.size).toFixed(2)} %)`;
}
