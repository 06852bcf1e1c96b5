/** CloudEvents over HTTP: taking them in each content mode, and giving them to whoever asks for them. */
import type { ContentMode } from "../../shared/cloud-events/content-mode.ts";
import { fromBinary, fromStructured, type IncomingEvent, readBatch } from "../../shared/cloud-events/incoming.ts";
import {
  CLOUD_EVENT_BATCH_MEDIA_TYPE,
  CLOUD_EVENT_MEDIA_TYPE,
  mediaTypeOf,
} from "../../shared/cloud-events/media-types.ts";
import { toCloudEvent } from "../../shared/cloud-events/outgoing.ts";
import type { Message } from "../../shared/deliveries/message-queue.ts";
import {
  type BatchReceipt,
  type EmitReceipt,
  emit,
  emitEach,
  type Submission,
  type WithAfterwards,
} from "../../shared/emit.ts";
import { invalidField } from "../../shared/errors.ts";
import type { BusEvent } from "../../shared/event.ts";
import type { EventPage } from "../../shared/history.ts";
import { readTraceparent } from "../../shared/input.ts";
import type { Deps } from "../../shared/ports.ts";
import { type HttpRequest, type HttpResponse, jsonResponse, readBody } from "./http.ts";

/** Emits what a request carries as CloudEvents; each of a batch by itself. @throws BusError as `emit` does */
export async function emitCloudEvents(
  deps: Deps,
  request: HttpRequest,
  mode: ContentMode,
): Promise<WithAfterwards<EmitReceipt | BatchReceipt>> {
  if (request.headers["idempotency-key"] !== undefined)
    throw invalidField("Idempotency-Key", "none was expected: a CloudEvent's source and id are its key");
  if (mode === "batched")
    return emitEach(deps, readBatch(readBody(request)), (element, index) =>
      submission(fromStructured(element, `/${index}`), request),
    );
  const incoming =
    mode === "structured" ? fromStructured(readBody(request)) : fromBinary(request.headers, () => readBody(request));
  const { body, sender, locate } = submission(incoming, request);
  return emit(deps, body, sender, locate);
}

/** The trace that the event names goes before that of the call, which is of this hop only. */
function submission(incoming: IncomingEvent, { agent, headers }: HttpRequest): Submission {
  const { input, idempotencyKey, locate } = incoming;
  const traceparent = incoming.traceparent ?? readTraceparent(headers["traceparent"]);
  return { body: input, sender: { agent, idempotencyKey, traceparent }, locate };
}

/** Whether the caller wants an event as a CloudEvent. */
export const wantsCloudEvent = (request: HttpRequest): boolean => accepts(request, CLOUD_EVENT_MEDIA_TYPE);

/** Whether the caller wants a page of events as a batch of CloudEvents. */
export const wantsCloudEventBatch = (request: HttpRequest): boolean => accepts(request, CLOUD_EVENT_BATCH_MEDIA_TYPE);

/** Whoever names such a type wants it: nobody comes by one by accident, so weights are not looked at. */
function accepts({ headers }: HttpRequest, mediaType: string): boolean {
  return (headers["accept"] ?? "").split(",").some((item) => mediaTypeOf(item) === mediaType);
}

/** One event, in structured mode. */
export function cloudEventResponse(event: BusEvent): HttpResponse {
  return jsonResponse(200, toCloudEvent(event), { "content-type": `${CLOUD_EVENT_MEDIA_TYPE}; charset=utf-8` });
}

/** A page of events, in batched mode; where it goes on is told as RFC 8288 has it. */
export function cloudEventBatchResponse({ events, next_cursor }: EventPage, { query }: HttpRequest): HttpResponse {
  const headers = { "content-type": `${CLOUD_EVENT_BATCH_MEDIA_TYPE}; charset=utf-8` };
  const next = new URLSearchParams(query);
  if (next_cursor !== null) next.set("cursor", next_cursor);
  const link = next_cursor === null ? {} : { link: `</events?${next}>; rel="next"` };
  return jsonResponse(200, events.map(toCloudEvent), { ...headers, ...link });
}

/** Messages of a queue, their events as CloudEvents if the caller wants that. */
export function messagesResponse(request: HttpRequest, messages: readonly Message[]): HttpResponse {
  const isWanted = wantsCloudEvent(request);
  const shown = messages.map(({ event, ...rest }) => ({ event: isWanted ? toCloudEvent(event) : event, ...rest }));
  return jsonResponse(200, { messages: shown });
}
