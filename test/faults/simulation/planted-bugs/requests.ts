/** Bugs in requests and their answers. */
import type { AcceptAnswer, EndRequest, EventStore, RequestWrite } from "../../../../shared/ports.ts";
import type { ResponseRecord } from "../../../../shared/records.ts";
import { SimulatedDatabase } from "../database.ts";
import { DOMAIN } from "../domain.ts";
import { type PlantedBug, reconcileWithout, withStore } from "./planted-bug.ts";

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

class OverwritesResponses extends SimulatedDatabase {
  override putResponse(response: ResponseRecord): ReturnType<SimulatedDatabase["putResponse"]> {
    this.responses.get(response.eventId)?.delete(response.responseId);
    return super.putResponse(response);
  }
}

export const REQUEST_BUGS: readonly PlantedBug[] = [
  { name: "the sweeper is off", breaks: ["I6"], plant: { domain: { reconcile: reconcileWithout("deadline") } } },
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
];
