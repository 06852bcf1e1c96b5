/** A run as a person reads it: who did what when, what went wrong with it, and the verdict. */
import type { Call } from "../history.ts";
import { SLOTS } from "./setting.ts";
import type { SimulationResult } from "./simulate.ts";
import { FAULT_KINDS } from "./weather.ts";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const MAX_LINE = 240;

interface Line {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

/** @param everything also every call between machines; needs a run that was traced */
export function timeline(run: SimulationResult, everything: boolean): string {
  const lines: Line[] = [
    ...run.calls.flatMap(linesOf),
    ...run.faults.map(({ atMs, kind, about }) => ({ atMs, who: "!", what: `${kind}: ${about} ${FAULT_KINDS[kind]}` })),
    ...(everything ? run.trace : []),
    { atMs: run.calmAtMs, who: "!", what: "all faults have ended" },
  ];
  const names = new Names();
  return lines
    .sort((a, b) => a.atMs - b.atMs)
    .map(({ atMs, who, what }) => {
      const seconds = (atMs / 1_000).toFixed(3).padStart(10);
      const text = names.shorten(what);
      return `${seconds}  ${who.padEnd(14)} ${text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)} ...` : text}`;
    })
    .join("\n");
}

/** The verdict of a run, one line for each violation. */
export function verdict(run: SimulationResult): string {
  if (run.violations.length === 0) return "No invariant is violated.";
  const names = new Names();
  return run.violations.map(({ invariant, what }) => `${invariant}: ${names.shorten(what)}`).join("\n");
}

function linesOf(call: Call): Line[] {
  const begun = `${call.operation} ${JSON.stringify(call.input)}`;
  const { outcome, endedAtMs } = call;
  const end =
    outcome.kind === "ok"
      ? `ok ${JSON.stringify(outcome.answer)}`
      : outcome.kind === "failed"
        ? `failed: ${outcome.code}`
        : `unknown: ${outcome.why}`;
  return [
    { atMs: call.invokedAtMs, who: call.agent, what: `call ${call.number}: ${begun}` },
    ...(endedAtMs === null ? [] : [{ atMs: endedAtMs, who: call.agent, what: `call ${call.number} ends ${end}` }]),
  ];
}

/** Short names for long ids, in the order in which they come up. */
class Names {
  private readonly names = new Map<string, string>(SLOTS.map(({ subscriptionId, name }) => [subscriptionId, name]));

  shorten(text: string): string {
    return text.replace(UUID, (id) => {
      const name = this.names.get(id) ?? `id-${this.names.size - SLOTS.length + 1}`;
      this.names.set(id, name);
      return name;
    });
  }
}
