/** Acknowledgements of events, whichever call gave them. */
import type { EmitReceipt } from "../../../shared/emit.ts";
import type { Call, SentEvent } from "../history.ts";
import { type Judged, named } from "../judged.ts";

/** An event that was acknowledged, with what the call said it stands for. */
export interface Acknowledged {
  readonly call: Call;
  readonly by: string;
  readonly sent: SentEvent;
  readonly eventId: string;
  /** Absent for a request, whose answer does not repeat it. */
  readonly receipt?: EmitReceipt;
}

/** Every event that anybody was told is accepted: by a receipt, or by being told how its request stands. */
export function acknowledgedEvents(run: Judged): Acknowledged[] {
  const found: Acknowledged[] = [];
  for (const call of run.answered("emit")) {
    const receipt = call.outcome.answer;
    found.push({ call, by: named(call), sent: call.input, eventId: receipt.event_id, receipt });
  }
  for (const call of run.answered("emitBatch"))
    for (const [i, receipt] of call.outcome.answer.events.entries()) {
      const sent = call.input.events[i];
      if ("error" in receipt || sent === undefined) continue;
      found.push({ call, by: `${named(call)} at ${i}`, sent, eventId: receipt.event_id, receipt });
    }
  for (const call of run.answered("ask"))
    found.push({ call, by: named(call), sent: call.input, eventId: call.outcome.answer.event_id });
  return found;
}
