import { ERROR_KINDS } from "../../../shared/errors.ts";
import type { Call, SentEvent } from "../history.ts";
import { type Judged, named } from "../judged.ts";

/** I11: what was told as failed was not done, and what nobody can know is told as retryable. */
export function failuresHaveNoEffect(run: Judged): string[] {
  const faults: string[] = [];
  for (const call of run.calls) {
    const { outcome } = call;
    if (outcome.kind === "failed" && ERROR_KINDS[outcome.code].status >= 500)
      faults.push(`${named(call)} was told ${outcome.code} as a definite failure`);
    for (const { sent, code } of refused(call)) {
      // Another attempt of the same may have had its effect, before or after.
      if (attemptsOf(run, sent.marker) > 1 || !run.eventsByMarker.has(sent.marker)) continue;
      faults.push(`${named(call)} was refused ${sent.marker} with ${code}, and its event is recorded`);
    }
    if (call.operation === "respond" && outcome.kind === "failed" && run.responsesByMarker.has(call.input.marker)) {
      const tries = run.callsOf("respond").filter(({ input }) => input.marker === call.input.marker).length;
      if (tries === 1) faults.push(`${named(call)} was refused with ${outcome.code}, and its response is recorded`);
    }
  }
  return faults;
}

/** The events that a call was told are refused for good. */
function refused(call: Call): { readonly sent: SentEvent; readonly code: string }[] {
  if (call.operation === "emitBatch" && call.outcome.kind === "ok")
    return call.outcome.answer.events.flatMap((receipt, i) => {
      const sent = call.input.events[i];
      return sent !== undefined && "error" in receipt && !receipt.error.retryable
        ? [{ sent, code: receipt.error.code }]
        : [];
    });
  if (call.outcome.kind !== "failed") return [];
  const { code } = call.outcome;
  if (call.operation === "emitBatch") return call.input.events.map((sent) => ({ sent, code }));
  return call.operation === "emit" || call.operation === "ask" ? [{ sent: call.input, code }] : [];
}

function attemptsOf(run: Judged, marker: string): number {
  return run.calls.filter(
    (call) =>
      (call.operation !== "respond" && "marker" in call.input && call.input.marker === marker) ||
      (call.operation === "emitBatch" && call.input.events.some((one) => one.marker === marker)),
  ).length;
}
