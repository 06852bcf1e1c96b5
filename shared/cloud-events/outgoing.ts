/**
 * Events as CloudEvents 1.0, for whoever reads them: history, queues and webhooks. The other way: `cloud-events/incoming.ts`.
 *
 * @see https://github.com/cloudevents/spec/tree/v1.0.2/cloudevents
 */

import type { BusEvent, DeliveredEvent } from "../event.ts";
import type { JsonObject } from "../json.ts";
import { isAttributeText } from "./attributes.ts";
import { encodeHeaderValue } from "./header-value.ts";
import { toUriReference } from "./uri-reference.ts";

/** A CloudEvent in JSON. Attributes beyond the standard's are named as the bus's fields, without underscores. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  /** The authenticated agent, as a URI reference. */
  readonly source: string;
  readonly type: string;
  /** When the bus accepted it. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly hops: number;
  /** As https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/correlation.md has these two. */
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly agenttype?: string;
  readonly deadline?: string;
  /** As https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md has it. */
  readonly traceparent?: string;
  /** `reply_to` of a delivered event. */
  readonly replyurl?: string;
  readonly replytoken?: string;
  readonly replydeadline?: string;
  readonly data: JsonObject;
}

/** The headers of binary mode that a page of another origin may send: what the bus reads, and what the standard knows. */
export const CLOUD_EVENT_HEADERS: readonly string[] = [
  "ce-agenttype",
  "ce-causationid",
  "ce-correlationid",
  "ce-dataschema",
  "ce-id",
  "ce-source",
  "ce-specversion",
  "ce-subject",
  "ce-time",
  "ce-traceparent",
  "ce-type",
];

/** The event as a CloudEvent; a delivered one with its reply address. */
export function toCloudEvent(event: BusEvent | DeliveredEvent): CloudEvent {
  const reply = "reply_to" in event ? event.reply_to : undefined;
  return {
    specversion: "1.0",
    id: event.id,
    source: toUriReference(event.source),
    type: event.type,
    time: event.timestamp,
    datacontenttype: "application/json",
    hops: event.hops,
    ...allowed({
      correlationid: event.correlation_id,
      causationid: event.causation_id,
      agenttype: event.agent_type,
      deadline: event.deadline,
      traceparent: event.traceparent,
      replyurl: reply?.url,
      replytoken: reply?.token,
      replydeadline: reply?.deadline,
    }),
    data: event.data,
  };
}

/** The event as a message in binary mode: attributes in headers, the data as the body. */
export function toBinary(event: BusEvent | DeliveredEvent): { headers: Record<string, string>; body: string } {
  const { data, datacontenttype, ...attributes } = toCloudEvent(event);
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeHeaderValue(String(value))]);
  return { headers: { "content-type": datacontenttype, ...Object.fromEntries(headers) }, body: JSON.stringify(data) };
}

type Present<Attributes> = { [Name in keyof Attributes]?: string };

/** What is there. A name with control characters, which CloudEvents forbid, is left out: changed, it would be another. */
function allowed<Attributes extends Record<string, string | undefined>>(given: Attributes): Present<Attributes> {
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && isAttributeText(value)),
  ) as Present<Attributes>;
}
