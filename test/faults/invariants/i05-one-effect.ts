import { answered, type Call } from "../history.ts";
import { groupBy, type Judged, named } from "../judged.ts";
import { acknowledgedEvents } from "./receipts.ts";

/** I5: one idempotency key, one event, one effect. */
export function keysHaveOneEffect(run: Judged): string[] {
  return [
    ...oneEventPerKey(run),
    ...noMoreEventsThanCalls(run),
    ...oneResponsePerId(run),
    ...doneOnce(run),
    ...deliveredOnce(run),
  ];
}

const keyOf = (call: Call): string | undefined => ("key" in call.input ? call.input.key : undefined);

/** Who was told of an event by the same key was told of the same event. */
function oneEventPerKey(run: Judged): string[] {
  const keyed = acknowledgedEvents(run).filter(({ call }) => keyOf(call) !== undefined);
  const places = groupBy(keyed, ({ call, sent }) => {
    const place = call.operation === "emitBatch" ? call.input.events.findIndex((one) => one.marker === sent.marker) : 0;
    return JSON.stringify([call.agent, keyOf(call), place, call.operation === "emitBatch"]);
  });
  return [...places].flatMap(([key, told]) => {
    const ids = new Set(told.map(({ eventId }) => eventId));
    const times = new Set(told.flatMap(({ receipt }) => receipt?.timestamp ?? []));
    const markers = new Set(told.map(({ sent }) => sent.marker));
    if (ids.size > 1) return [`the key ${key} stands for ${[...ids].join(" and ")}`];
    if (times.size > 1) return [`the key ${key} was accepted at ${[...times].join(" and ")}`];
    return markers.size > 1 ? [`the key ${key} was accepted with ${[...markers].join(" and ")}`] : [];
  });
}

/** A key makes one event however often it is used; without one, each call makes one at most. */
function noMoreEventsThanCalls(run: Judged): string[] {
  const attempts = new Map<string, number>();
  for (const call of run.calls) {
    const isKeyed = keyOf(call) !== undefined;
    const sent = call.operation === "emitBatch" ? call.input.events : "type" in call.input ? [call.input] : [];
    for (const one of sent)
      if ("marker" in one) attempts.set(one.marker, isKeyed ? 1 : (attempts.get(one.marker) ?? 0) + 1);
  }
  return [...run.eventsByMarker].flatMap(([marker, events]) => {
    const most = attempts.get(marker);
    return most !== undefined && events.length > most
      ? [`${marker} was sent ${most} times, and is ${events.length} events`]
      : [];
  });
}

function oneResponsePerId(run: Judged): string[] {
  const attempts = new Map<string, number>();
  for (const { input } of run.callsOf("respond"))
    attempts.set(input.marker, input.responseId === undefined ? (attempts.get(input.marker) ?? 0) + 1 : 1);
  return [...run.responsesByMarker].flatMap(([marker, responses]) => {
    const most = attempts.get(marker);
    return most !== undefined && responses.length > most
      ? [`response ${marker} is recorded ${responses.length} times`]
      : [];
  });
}

/** A message is done by one receipt: whoever took it before has lost it. */
function doneOnce(run: Judged): string[] {
  const done = new Map<string, string>();
  const faults: string[] = [];
  for (const call of answered(run.calls, "acknowledge"))
    for (const { receipt, status } of call.outcome.answer) {
      if (status !== "ok") continue;
      const message = `${call.input.subscriptionId} ${receipt.slice(0, receipt.lastIndexOf("."))}`;
      const before = done.get(message);
      if (before !== undefined && before !== receipt)
        faults.push(`${named(call)} acknowledged message ${message}, which another receipt had done`);
      done.set(message, receipt);
    }
  return faults;
}

/** R7: nothing comes twice where nothing goes wrong. */
function deliveredOnce(run: Judged): string[] {
  if (!run.facts.isFaultless) return [];
  const twice = (what: string, ids: readonly string[]): string[] =>
    [...groupBy(ids, (id) => id)].flatMap(([id, all]) =>
      all.length > 1 ? [`${id} was ${what} ${all.length} times, and nothing went wrong`] : [],
    );
  return twice("published", run.state.publications);
}
