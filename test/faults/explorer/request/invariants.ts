/** What must hold of a request (`docs/architecture.md`, "What must hold"), as far as this model can say it. */
import type { Invariant } from "../explore.ts";
import { verdictOf } from "./responder.ts";
import { hasEnded, type News, type RequestState, type ResponderName, responderOf, type State } from "./state.ts";

const isRequestState = (what: string): what is RequestState =>
  what === "absent" ||
  what === "pending" ||
  what === "timed out" ||
  what === "cancelled" ||
  what.startsWith("answered");

const isResponder = (to: News["to"]): to is ResponderName => to === "A" || to === "B";

export const INVARIANTS: readonly Invariant<State, News>[] = [
  {
    name: "I1: an event is acknowledged once it is in the history",
    kind: "over every step",
    holds: (_, { to, tells }) => isResponder(tells?.to ?? "canceller") || tells?.what !== "accepted" || to.event !== 0,
  },
  {
    name: "I1: an event that is marked as published has been published",
    kind: "always",
    holds: ({ isMarked, published }) => !isMarked || published !== 0,
  },
  {
    name: "I1: in the end every recorded event is published and marked",
    kind: "when quiet",
    holds: ({ event, published, isMarked }) => event === 0 || (published !== 0 && isMarked),
  },
  {
    name: "I2: a request that has ended stays as it ended",
    kind: "over every step",
    holds: ({ request }, { to }) => !hasEnded(request) || to.request === request,
  },
  {
    name: "I3: who waits or cancels is told what the record says, once it has ended",
    kind: "over every step",
    holds: (_, { to, tells }) => {
      if (tells === undefined || isResponder(tells.to) || !isRequestState(tells.what)) return true;
      return hasEnded(tells.what) && tells.what === to.request;
    },
  },
  {
    name: "I3: in the end nobody waits",
    kind: "when quiet",
    holds: ({ attempts }) => attempts.every(({ step }) => step === "not begun" || step === "over"),
  },
  {
    name: "I4: an answer to what was published is not refused",
    kind: "over every step",
    holds: (_, { tells }) => tells?.what !== "refused",
  },
  {
    name: "I4: an acknowledged response is stored",
    kind: "over every step",
    holds: (_, { to, tells }) => {
      if (tells === undefined || !isResponder(tells.to) || tells.what === "refused") return true;
      return responderOf(to, tells.to).isStored;
    },
  },
  {
    name: "I4: a verdict is what the record says",
    kind: "over every step",
    holds: (_, { to, tells }) => {
      if (tells === undefined || !isResponder(tells.to) || tells.what === "refused") return true;
      return hasEnded(to.request) && tells.what === verdictOf(tells.to, to.request);
    },
  },
  {
    name: "I4: the answer that a request ended with is stored",
    kind: "always",
    holds: ({ request, responders: [a, b] }) =>
      (request !== "answered by A" || a.isStored) && (request !== "answered by B" || b.isStored),
  },
  {
    name: "I4: in the end every responder has answered and has its verdict",
    kind: "when quiet",
    holds: ({ published, responders }) =>
      responders.every(({ step, isStored, hasCopy }) => step === "idle" && !hasCopy && isStored === (published !== 0)),
  },
  {
    name: "I5: an event that is recorded is never replaced",
    kind: "over every step",
    holds: ({ event }, { to }) => event === 0 || to.event === event,
  },
  {
    name: "I5: what is published is what is recorded",
    kind: "always",
    holds: ({ published, event }) => published === 0 || published === event,
  },
  {
    name: "I6: in the end nothing is pending",
    kind: "when quiet",
    holds: ({ request }) => request !== "pending",
  },
  {
    name: "I11: what is said to have failed has not happened, and will not",
    kind: "over every step",
    holds: (_, { to: { event, requestToken, zombie }, tells }) => {
      if (tells?.what !== "failed") return true;
      return event !== tells.to && requestToken !== tells.to && !zombie.endsWith(String(tells.to));
    },
  },
];
