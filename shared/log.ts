/** The log of one piece of work: what the work is about stands in every record, without being handed from call to call. */
import type { BusEvent } from "./event.ts";
import type { Logger } from "./ports.ts";

/** Names and ids: never payloads, responses, tokens, secrets, headers or queries. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A logger that can be told more about its work while it goes on. */
export type WorkLogger = Logger & Required<Pick<Logger, "note">>;

/**
 * @param log gets the records
 * @param about what stands in every record; what a record says itself goes before it
 */
export function workLogger(log: Logger, about: LogFields): WorkLogger {
  let known = { ...about };
  return {
    info: (message, fields) => log.info(message, { ...known, ...fields }),
    warn: (message, fields) => log.warn(message, { ...known, ...fields }),
    error: (message, fields) => log.error(message, { ...known, ...fields }),
    ...(log.debug === undefined ? {} : { debug: (message, fields) => log.debug?.(message, { ...known, ...fields }) }),
    note(fields) {
      known = { ...known, ...fields };
    },
  };
}

/** The same dependencies, with a log that says what the work is about. */
export function loggingAbout<D extends { readonly log: Logger }>(deps: D, about: LogFields): D {
  return { ...deps, log: workLogger(deps.log, about) };
}

/** The id that all spans of a trace share, out of a `traceparent` (W3C Trace Context). */
export function traceField(traceparent: string | undefined): { readonly trace_id?: string } {
  const traceId = traceparent?.split("-")[1];
  return traceId === undefined ? {} : { trace_id: traceId };
}

/** By what the records about an event are found. */
export function fieldsOfEvent(event: Omit<BusEvent, "data">): LogFields {
  const { id, type, correlation_id, traceparent } = event;
  return { event_id: id, event_type: type, correlation_id, ...traceField(traceparent) };
}
