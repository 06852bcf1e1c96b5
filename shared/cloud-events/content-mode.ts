/**
 * How a request carries CloudEvents, if it does.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md, section 3
 */
import { invalidField } from "../errors.ts";
import { CLOUD_EVENT_BATCH_MEDIA_TYPE, CLOUD_EVENT_MEDIA_TYPE, mediaTypeOf } from "./media-types.ts";

/** One event in the body; several in the body; the data in the body and the attributes in headers. */
export type ContentMode = "structured" | "batched" | "binary";

/** What all event formats begin with. */
const ANY_FORMAT = "application/cloudevents";

/** One of them tells a CloudEvent: whoever forgot another is to hear of that, and not that the body is no event. */
const TELLING_HEADERS = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

/**
 * Null when it carries none. @throws BusError `invalid_request` for CloudEvents in another format than JSON
 *
 * @param headers names in lower case
 */
export function contentModeOf(headers: Readonly<Record<string, string>>): ContentMode | null {
  const mediaType = mediaTypeOf(headers["content-type"] ?? "");
  if (mediaType === CLOUD_EVENT_MEDIA_TYPE) return "structured";
  if (mediaType === CLOUD_EVENT_BATCH_MEDIA_TYPE) return "batched";
  if (mediaType.startsWith(ANY_FORMAT))
    throw invalidField("Content-Type", `${CLOUD_EVENT_MEDIA_TYPE} or ${CLOUD_EVENT_BATCH_MEDIA_TYPE} was expected`);
  return TELLING_HEADERS.some((name) => headers[name] !== undefined) ? "binary" : null;
}
