/** The store as a process has it: every method is a call over the network, and those that need two calls make two. */
import { BusError } from "../../../shared/errors.ts";
import type { EventStore, RequestWrite } from "../../../shared/ports.ts";
import type { CreateOutcome } from "../../../shared/records.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** What a refused write reads then, to tell what stands there. */
const READS_AFTER: Readonly<Record<string, (store: EventStore, argument: never) => Promise<unknown>>> = {
  putEvent: (store, { event }: { event: { id: string } }) => store.getEvent(event.id),
  createRequest: (store, { eventId }: { eventId: string }) => store.getRequest(eventId),
  putResponse: (store, { eventId, responseId }: { eventId: string; responseId: string }) =>
    store.getResponse(eventId, responseId),
  createDelivery: (store, ref: { eventId: string; subscriptionId: string }) => store.getDelivery(ref),
  acceptAnswer: (store, { eventId }: { eventId: string }) => store.getRequest(eventId),
  endRequest: (store, { eventId }: { eventId: string }) => store.getRequest(eventId),
};

const READ = /^(get|find|list|count|read)(?!OrCreate)/;

export function storeOver(database: SimulatedDatabase, network: Network, process: Process): EventStore {
  const methods = new Map<string, Method>();
  const store: EventStore = new Proxy(database, {
    get(_, name) {
      const known = methods.get(String(name));
      if (known !== undefined) return known;
      const method = overNetwork(String(name));
      methods.set(String(name), method);
      return method;
    },
  });

  function overNetwork(name: string): Method {
    const isWrite = !READ.test(name);
    const readAfter = READS_AFTER[name];
    const call: Method = (...args) =>
      network.call(process, {
        about: `${name} ${subjectOf(args)}`,
        isWrite,
        effect: () =>
          (database as unknown as Record<string, Method>)[name]?.apply(database, [...args]) as Promise<unknown>,
      });
    if (readAfter === undefined) return call;
    return async (...args) => {
      const outcome = (await call(...args)) as RequestWrite | CreateOutcome<unknown>;
      if (outcome.kind === "written" || outcome.kind === "created") return outcome;
      const standing = await readAfter(store, args[0] as never);
      if (outcome.kind === "refused") return { ...outcome, request: standing };
      if (standing === null) throw new BusError("unavailable", "The record was just removed; retry with the same key.");
      return { ...outcome, record: standing };
    };
  }

  return store;
}

/** What a call is about, in a few words that are the same whenever it is made again. */
function subjectOf([first, second]: readonly unknown[]): string {
  return typeof second === "string" ? `${inWords(first)} ${second}` : inWords(first);
}

interface Subject {
  readonly event?: { readonly id: string };
  readonly eventId?: string;
  readonly subscriptionId?: string;
  readonly responseId?: string;
  readonly eventType?: string;
  readonly partition?: string;
}

function inWords(argument: unknown): string {
  if (typeof argument === "string") return argument;
  if (Array.isArray(argument)) return `${argument.length} from ${inWords(argument[0])}`;
  if (typeof argument !== "object" || argument === null) return "";
  const { event, eventId, subscriptionId, responseId, eventType, partition }: Subject = argument;
  return [event?.id, eventId, subscriptionId, responseId, partition, subscriptionId ? undefined : eventType]
    .filter((part) => part !== undefined)
    .join(" ");
}
