/**
 * A store that notes what it decides: how requests end, and which deliveries die. Whoever wins the write has ended it, so
 * each is counted once; one whose acknowledgement was lost is not.
 */
import type { EventStore, RequestWrite } from "../../shared/ports.ts";
import type { TerminalState } from "../../shared/records.ts";
import type { Metrics } from "./metrics.ts";

const ENDS = {
  ANSWERED: "WaitsAnswered",
  FAILED: "WaitsFailed",
  TIMED_OUT: "WaitsTimedOut",
  CANCELLED: "WaitsCancelled",
} as const satisfies Record<TerminalState, string>;

export function measuringStore(store: EventStore, metrics: Metrics): EventStore {
  const noting = async (writing: Promise<RequestWrite>): Promise<RequestWrite> => {
    const write = await writing;
    if (write.kind === "written") noteEnd(metrics, write.request);
    return write;
  };
  return {
    ...store,
    acceptAnswer: (answer) => noting(store.acceptAnswer(answer)),
    endRequest: (end) => noting(store.endRequest(end)),
    async replaceDelivery(next, seenFence) {
      const isWritten = await store.replaceDelivery(next, seenFence);
      // Those of deployed subscribers are counted by subscriber, where their dead letters are recorded.
      if (isWritten && next.state === "DEAD" && next.kind !== "deployed") metrics.add("DeadDeliveries", 1);
      return isWritten;
    },
  };
}

function noteEnd(metrics: Metrics, { state, eventType, createdAt, endedAt }: RequestWriteRecord): void {
  if (state === "PENDING") return;
  metrics.add(ENDS[state], 1);
  const isAnswered = state === "ANSWERED" || state === "FAILED";
  // A record of an older version does not say what was asked.
  if (!isAnswered || eventType === undefined || endedAt === undefined) return;
  // Two machines' clocks may have written the two times.
  metrics.add("ResponseTime", Math.max(0, Date.parse(endedAt) - Date.parse(createdAt)), eventType);
}

type RequestWriteRecord = Extract<RequestWrite, { kind: "written" }>["request"];
