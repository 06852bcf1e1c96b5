/** Ways to break the bus, one at a time: each must be caught, or the simulation proves nothing. */
import type { emit } from "../../../shared/emit.ts";
import { BusError } from "../../../shared/errors.ts";
import type { WorkKind } from "../../../shared/keys.ts";
import type {
  AcceptAnswer,
  Deps,
  EndRequest,
  EventPublisher,
  EventStore,
  RequestWrite,
} from "../../../shared/ports.ts";
import type { ResponseRecord } from "../../../shared/records.ts";
import type { DeliveryRecord } from "../../../shared/subscriptions/records.ts";
import type { InvariantName } from "../checker.ts";
import { SimulatedDatabase } from "./database.ts";
import { DOMAIN, type Domain } from "./domain.ts";
import type { SimulationOptions } from "./options.ts";

export interface PlantedBug {
  /** What is done wrong. */
  readonly name: string;
  /** What it breaks; another invariant may be broken first. */
  readonly breaks: readonly InvariantName[];
  readonly plant: Pick<SimulationOptions, "domain" | "database" | "reconciles">;
}

/** The same dependencies, with some methods of the store replaced. */
function withStore<D extends Deps>(deps: D, change: Partial<EventStore>): D {
  const store = new Proxy(deps.store, {
    get: (target, name, receiver) => Reflect.get(name in change ? change : target, name, receiver),
  });
  return { ...deps, store };
}

const withPublisher = <D extends Deps>(deps: D, publish: EventPublisher["publish"]): D => ({
  ...deps,
  publisher: { publish },
});

const reconcileWithout = (kind: WorkKind): Domain["reconcile"] => {
  return (deps, options) => {
    const findDueWork: EventStore["findDueWork"] = async (of, before, limit) =>
      of === kind ? [] : deps.store.findDueWork(of, before, limit);
    return DOMAIN.reconcile(withStore(deps, { findDueWork }), options);
  };
};

class EndsAnyRequest extends SimulatedDatabase {
  override endRequest(end: EndRequest): Promise<RequestWrite> {
    this.reopen(end.eventId);
    return super.endRequest(end);
  }
}

class OverwritesAnswers extends SimulatedDatabase {
  override acceptAnswer(answer: AcceptAnswer): Promise<RequestWrite> {
    this.reopen(answer.eventId);
    return super.acceptAnswer({ ...answer, answersSeen: this.answersOf(answer.eventId) });
  }
}

class CountsBlindly extends SimulatedDatabase {
  override acceptAnswer(answer: AcceptAnswer): Promise<RequestWrite> {
    return super.acceptAnswer({ ...answer, answersSeen: this.answersOf(answer.eventId) });
  }
}

class IgnoresFences extends SimulatedDatabase {
  override replaceDelivery(next: DeliveryRecord): Promise<boolean> {
    return super.replaceDelivery(next, this.fenceOf(next));
  }
}

class OverwritesResponses extends SimulatedDatabase {
  override putResponse(response: ResponseRecord): ReturnType<SimulatedDatabase["putResponse"]> {
    this.responses.get(response.eventId)?.delete(response.responseId);
    return super.putResponse(response);
  }
}

/** In its place a key's second use gets an event of its own. */
const withoutKey = ({ idempotencyKey: _, ...sender }: Parameters<typeof emit>[2]): Parameters<typeof emit>[2] => sender;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "an event is acknowledged before it is recorded",
    breaks: ["I1"],
    plant: {
      domain: {
        emit: (deps, body, sender) => {
          const putEvent: EventStore["putEvent"] = async (record) => {
            deps.store.putEvent(record).catch(() => undefined);
            return { kind: "created" };
          };
          return DOMAIN.emit(withStore(deps, { putEvent }), body, sender);
        },
      },
    },
  },
  {
    name: "an event is marked as published before it is",
    breaks: ["I1"],
    plant: {
      domain: {
        emit: (deps, body, sender) =>
          DOMAIN.emit(
            withPublisher(deps, async (events) => {
              await Promise.all(events.map(({ id }) => deps.store.markPublished(id)));
              return deps.publisher.publish(events);
            }),
            body,
            sender,
          ),
      },
    },
  },
  {
    name: "what could not be published counts as published",
    breaks: ["I1"],
    plant: {
      domain: {
        emit: (deps, body, sender) =>
          DOMAIN.emit(
            withPublisher(deps, async (events) => {
              await deps.publisher.publish(events);
              return events.map(() => ({ kind: "published" }));
            }),
            body,
            sender,
          ),
      },
    },
  },
  { name: "the relay is off", breaks: ["I1"], plant: { domain: { reconcile: reconcileWithout("publish") } } },
  { name: "the sweeper is off", breaks: ["I6"], plant: { domain: { reconcile: reconcileWithout("deadline") } } },
  {
    name: "nobody looks after deliveries",
    breaks: ["I7"],
    plant: { domain: { reconcile: reconcileWithout("delivery") } },
  },
  {
    name: "nobody finishes what a change of a subscription began",
    breaks: ["I7"],
    plant: { domain: { reconcile: reconcileWithout("subscription") } },
  },
  {
    name: "a request is ended whatever state it is in",
    breaks: ["I2"],
    plant: { database: (options) => new EndsAnyRequest(options) },
  },
  {
    name: "an answer takes the place of another",
    breaks: ["I2", "I3"],
    plant: { database: (options) => new OverwritesAnswers(options) },
  },
  {
    name: "answers are counted without looking at who came in between",
    breaks: ["I2", "I3"],
    plant: { database: (options) => new CountsBlindly(options) },
  },
  {
    name: "a timeout is told without having been written",
    breaks: ["I2", "I3"],
    plant: {
      domain: {
        waitForEnd: async (deps, request, options) => {
          const endRequest: EventStore["endRequest"] = async ({ state, at }) => ({
            kind: "written",
            request: { ...request, state, endedAt: at },
          });
          return DOMAIN.waitForEnd(withStore(deps, { endRequest }), request, options);
        },
      },
    },
  },
  {
    name: "who loses the write of a timeout tells it all the same",
    breaks: ["I2", "I3"],
    plant: {
      domain: {
        waitForEnd: (deps, request, options) => {
          const endRequest: EventStore["endRequest"] = async (end) => {
            const write = await deps.store.endRequest(end);
            return write.kind === "written" || write.request === null
              ? write
              : { kind: "refused", request: { ...write.request, state: "TIMED_OUT" } };
          };
          return DOMAIN.waitForEnd(withStore(deps, { endRequest }), request, options);
        },
      },
    },
  },
  {
    name: "late answers are dropped",
    breaks: ["I4"],
    plant: {
      domain: {
        respond: (deps, ...rest) => {
          const putResponse: EventStore["putResponse"] = async (response) =>
            response.afterEnd ? { kind: "created" } : deps.store.putResponse(response);
          return DOMAIN.respond(withStore(deps, { putResponse }), ...rest);
        },
      },
    },
  },
  {
    name: "a response takes the place of the one that was stored under its id",
    breaks: ["I4", "I3"],
    plant: { database: (options) => new OverwritesResponses(options) },
  },
  {
    name: "every event has a fresh id, whatever its key",
    breaks: ["I5"],
    plant: { domain: { emit: (deps, body, sender) => DOMAIN.emit(deps, body, withoutKey(sender)) } },
  },
  {
    name: "a replay is published again",
    breaks: ["I5"],
    plant: {
      domain: {
        emit: (deps, body, sender) => {
          const putEvent: EventStore["putEvent"] = async (record) => {
            await deps.store.putEvent(record);
            return { kind: "created" };
          };
          return DOMAIN.emit(withStore(deps, { putEvent }), body, sender);
        },
      },
    },
  },
  {
    name: "a delivery is written whoever has taken it on since",
    breaks: ["I5", "I7"],
    plant: { database: (options) => new IgnoresFences(options) },
  },
  {
    name: "a dispatch that fails is not made again",
    breaks: ["I7"],
    plant: {
      domain: {
        dispatchEvent: (deps, event) => DOMAIN.dispatchEvent(deps, event).catch(() => ({ begun: 0 })),
      },
    },
  },
  {
    name: "who subscribes is never looked up again",
    breaks: ["I7"],
    plant: {
      domain: {
        dispatchEvent: (deps, event) => DOMAIN.dispatchEvent(withStillGeneration(deps), event),
      },
    },
  },
  {
    name: "a dead letter does not say why",
    breaks: ["I7"],
    plant: { domain: { recordDeadLetter: (deps, letter) => DOMAIN.recordDeadLetter(deps, { ...letter, reason: "" }) } },
  },
  {
    name: "a page skips the event at its end",
    breaks: ["I8"],
    plant: {
      domain: {
        listEvents: async (...args) => {
          const page = await DOMAIN.listEvents(...args);
          return page.next_cursor === null ? page : { ...page, events: page.events.slice(0, -1) };
        },
      },
    },
  },
  {
    name: "anybody may cancel a request",
    breaks: ["I9"],
    plant: {
      domain: {
        cancelRequest: async (deps, eventId, caller) => {
          const request = await deps.store.getRequest(eventId);
          return DOMAIN.cancelRequest(deps, eventId, request?.requester ?? caller);
        },
      },
    },
  },
  {
    name: "a failure whose outcome nobody knows is told as definite",
    breaks: ["I11"],
    plant: {
      domain: {
        emit: (deps, body, sender) =>
          DOMAIN.emit(deps, body, sender).catch((error: unknown) => {
            throw error instanceof BusError && error.retryable ? new BusError("invalid_request", error.message) : error;
          }),
      },
    },
  },
  {
    name: "any token is good enough to answer with",
    breaks: ["I9"],
    plant: {
      domain: {
        respond: async (deps, eventId, body, responder) => {
          const event = await deps.store.getEvent(eventId);
          const token = event?.replyToken;
          return DOMAIN.respond(
            deps,
            eventId,
            { ...(body as object), ...(token ? { reply_token: token } : {}) },
            responder,
          );
        },
      },
    },
  },
  {
    name: "anybody may answer in another's name",
    breaks: ["I9"],
    plant: {
      domain: {
        respond: (deps, eventId, body, responder) =>
          DOMAIN.respond(deps, eventId, body, { ...responder, agent: { ...responder.agent, isOpen: true } }),
      },
    },
  },
  {
    name: "a page shows the conversations of others",
    breaks: ["I9"],
    plant: {
      domain: {
        listEvents: (deps, query, agent) =>
          DOMAIN.listEvents(deps, query, { ...agent, policy: { ...agent.policy, conversations: "any" } }),
      },
    },
  },
  {
    name: "any type may be emitted",
    breaks: ["I9"],
    plant: {
      domain: {
        emit: (deps, body, sender) =>
          DOMAIN.emit(deps, body, { ...sender, agent: { ...sender.agent, policy: OPEN_POLICY } }),
      },
    },
  },
  {
    name: "the relay is told to come back too late",
    breaks: ["I1"],
    plant: {
      domain: {
        reconcile: (deps, options) => {
          const leaseForRelay: EventStore["leaseForRelay"] = (eventId, seen) =>
            deps.store.leaseForRelay(eventId, seen, new Date(deps.now() + 85_000).toISOString());
          return DOMAIN.reconcile(withStore(deps, { leaseForRelay }), options);
        },
      },
    },
  },
];

/** One store for each process, so that what is kept beside it is kept. */
const still = new WeakMap<EventStore, EventStore>();

function withStillGeneration<D extends Deps>(deps: D): D {
  const { store } = withStore(deps, { getGeneration: async () => 1 });
  const kept = still.get(deps.store) ?? store;
  still.set(deps.store, kept);
  return { ...deps, store: kept };
}
