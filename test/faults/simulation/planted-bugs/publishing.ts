/** Bugs in emitting and publishing. */
import { OPEN_POLICY } from "../../../../shared/agents/policy.ts";
import type { emit } from "../../../../shared/emit.ts";
import { BusError } from "../../../../shared/errors.ts";
import type { EventStore } from "../../../../shared/ports.ts";
import { DOMAIN } from "../domain.ts";
import { type PlantedBug, reconcileWithout, withPublisher, withStore } from "./planted-bug.ts";

/** In its place a key's second use gets an event of its own. */
const withoutKey = ({ idempotencyKey: _, ...sender }: Parameters<typeof emit>[2]): Parameters<typeof emit>[2] => sender;

export const PUBLISHING_BUGS: readonly PlantedBug[] = [
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
