/** Media types of CloudEvents, and of the data in them. */

/** One event with its attributes as a JSON object. */
export const CLOUD_EVENT_MEDIA_TYPE = "application/cloudevents+json";

/** A JSON array of them. */
export const CLOUD_EVENT_BATCH_MEDIA_TYPE = "application/cloudevents-batch+json";

/** The media type of a `Content-Type` or of an item of `Accept`, in lower case and without its parameters. */
export function mediaTypeOf(header: string): string {
  return (header.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** Whether data of this type is JSON: the subtype is `json` or ends with `+json`. */
export function isJsonMediaType(header: string): boolean {
  return /^[^/\s]+\/([^/\s]+\+)?json$/.test(mediaTypeOf(header));
}
