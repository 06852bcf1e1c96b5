/** The verdict on a response: it follows from the record alone, so that it never changes and needs no write. */
import type { RequestRecord, ResponseRecord } from "./ports.ts";

/** `accepted`: it counts. The others are stored too, and say why they do not. */
export type SettledVerdict = "accepted" | "superseded" | "late" | "cancelled";

/**
 * The verdict on a response to a request; null while it is undecided: stored, not counted, and the request still open.
 *
 * A progress report counts for nothing, so it is judged by whether the request was still open when it came.
 */
export function verdictOf(
  response: Pick<ResponseRecord, "responseId" | "status" | "timestamp">,
  request: RequestRecord,
): SettledVerdict | null {
  if (request.acceptedIds.includes(response.responseId)) return "accepted";
  if (request.state === "PENDING") return null;
  if (response.status === "progress" && request.endedAt !== undefined && response.timestamp <= request.endedAt)
    return "accepted";
  switch (request.state) {
    case "TIMED_OUT":
      return "late";
    case "CANCELLED":
      return "cancelled";
    case "ANSWERED":
    case "FAILED":
      return "superseded";
  }
}

/** The verdict as history shows it; a progress report of an open request has been taken note of. */
export function shownVerdict(response: ResponseRecord, request: RequestRecord | null): SettledVerdict | null {
  if (request === null) return "accepted";
  if (request.state === "PENDING" && response.status === "progress") return "accepted";
  return verdictOf(response, request);
}
