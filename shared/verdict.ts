/** The verdict on a response: it follows from the record alone, so that it never changes and needs no write. */
import type { RequestRecord, ResponseRecord } from "./records.ts";

/** `accepted`: it counts. The others are stored too, and say why they do not. */
export type SettledVerdict = "accepted" | "superseded" | "late" | "cancelled";

type Judged = Pick<ResponseRecord, "responseId" | "status" | "afterEnd">;

/**
 * The verdict on a response to a request; null while it is undecided: stored, not counted, and the request still open.
 * A progress report counts for nothing: it is accepted if it came while the request was open.
 */
export function verdictOf(response: Judged, request: RequestRecord): SettledVerdict | null {
  if (response.status === "progress" && !response.afterEnd) return "accepted";
  if (request.acceptedIds.includes(response.responseId)) return "accepted";
  switch (request.state) {
    case "PENDING":
      return null;
    case "TIMED_OUT":
      return "late";
    case "CANCELLED":
      return "cancelled";
    case "ANSWERED":
    case "FAILED":
      return "superseded";
  }
}
