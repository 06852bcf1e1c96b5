/** Coming back to a request: join its wait again, or end it. Only the agent that asked may (I9). */
import { expiryOf } from "./draft-event.ts";
import { BusError } from "./errors.ts";
import type { Deps, EndRequest, RequestWrite } from "./ports.ts";
import type { RequestRecord } from "./records.ts";

/** @throws BusError `not_found` when there is no such request, or it is another agent's */
export async function findOwnRequest(
  deps: Pick<Deps, "store">,
  eventId: string,
  caller: string,
): Promise<RequestRecord> {
  const request = await deps.store.getRequest(eventId);
  if (request === null || request.requester !== caller) throw new BusError("not_found", "There is no such request.");
  return request;
}

/** Cancels a request; one that has already ended stays as it is (I2). @throws BusError `not_found` */
export async function cancelRequest(
  deps: Pick<Deps, "store" | "now" | "limits">,
  eventId: string,
  caller: string,
): Promise<RequestRecord> {
  const request = await findOwnRequest(deps, eventId, caller);
  if (request.state !== "PENDING") return request;
  const write = await endRequest(deps, eventId, "CANCELLED");
  if (write.request === null) throw new BusError("not_found", "There is no such request.");
  return write.request;
}

/** Ends a request without an answer, if it is pending still. */
export function endRequest(
  deps: Pick<Deps, "store" | "now" | "limits">,
  eventId: string,
  state: EndRequest["state"],
  reason?: string,
): Promise<RequestWrite> {
  const nowMs = deps.now();
  const at = new Date(nowMs).toISOString();
  return deps.store.endRequest({
    eventId,
    state,
    at,
    expiresAt: expiryOf(deps, nowMs),
    ...(reason === undefined ? {} : { reason }),
  });
}
