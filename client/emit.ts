/**
 * Publishing: one event or a batch. Every try of a call carries the same key, so that a retry has no second effect
 * (I5).
 */
import type { BatchReceipt, EmitReceipt } from "../shared/emit.ts";
import { sleep } from "./abort.ts";
import type { BatchOptions, Connection, EmitOptions, EventInput } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { pauseMs, withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS, type Call } from "./transport.ts";

/** The body of one event. */
export function eventBody(
  connection: Connection,
  type: string,
  data: unknown,
  options: Omit<EmitOptions, "idempotencyKey" | "signal">,
): object {
  return {
    type,
    data,
    agent_type: options.agentType ?? connection.agentType,
    correlation_id: options.correlationId,
    causation_id: options.causationId,
  };
}

export async function emit(
  connection: Connection,
  type: string,
  data: unknown,
  options: EmitOptions,
): Promise<EmitReceipt> {
  const call = keyedCall(eventBody(connection, type, data, options), options);
  return withRetries(connection.retry, options.signal, () =>
    connection.transport.json<EmitReceipt>(call, { signal: options.signal, timeoutMs: CALL_TIMEOUT_MS }),
  );
}

/**
 * A batch is sent again as a whole, under the same key and so without a second effect, while some of its events were
 * refused for now. What an event was told first is what is told of it.
 */
export async function emitBatch<Types extends object>(
  connection: Connection,
  events: readonly EventInput<Types>[],
  options: BatchOptions,
): Promise<BatchReceipt> {
  const call = keyedCall(
    { events: events.map(({ type, data, ...rest }) => eventBody(connection, type, data, rest)) },
    options,
  );
  const send = (): Promise<BatchReceipt> =>
    withRetries(connection.retry, options.signal, () =>
      connection.transport.json<BatchReceipt>(call, { signal: options.signal, timeoutMs: CALL_TIMEOUT_MS }),
    );

  let told = (await send()).events;
  for (let failures = 1; failures < connection.retry.tries && told.some(isRefusedForNow); failures++) {
    await sleep(pauseMs(connection.retry, failures), options.signal);
    const again = (await send()).events;
    told = told.map((before, i) => (isRefusedForNow(before) ? (again[i] ?? before) : before));
  }
  const rejected = told.filter((one) => "error" in one).length;
  return { events: told, accepted: told.length - rejected, rejected };
}

const isRefusedForNow = (one: BatchReceipt["events"][number]): boolean => "error" in one && one.error.retryable;

function keyedCall(body: object, options: Pick<EmitOptions, "idempotencyKey" | "traceparent">): Call {
  return { ...targetOf("emit"), headers: keyedHeaders(options), body };
}

/** What makes a retry safe, and the trace it belongs to. */
export function keyedHeaders({
  idempotencyKey = crypto.randomUUID(),
  traceparent,
}: Pick<EmitOptions, "idempotencyKey" | "traceparent">): Record<string, string> {
  return { "idempotency-key": idempotencyKey, ...(traceparent === undefined ? {} : { traceparent }) };
}
