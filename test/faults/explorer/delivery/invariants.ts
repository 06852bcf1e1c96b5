/** What must hold of a delivery (`docs/architecture.md`, "What must hold"), as far as this model can say it. */
import type { Invariant } from "../explore.ts";
import { MAX_ATTEMPTS, type News, type State } from "./state.ts";

export const INVARIANTS: readonly Invariant<State, News>[] = [
  {
    name: "I5: what is delivered stays delivered, and is not begun again",
    kind: "over every step",
    holds: ({ delivery }, { to }) => delivery?.state !== "DELIVERED" || to.delivery?.state === "DELIVERED",
  },
  {
    name: "I5: a message that somebody has taken is hidden from the others",
    kind: "over every step",
    holds: ({ delivery: before }, { to: { delivery: after } }) =>
      before?.isHidden !== true ||
      after === null ||
      after.redrives > before.redrives ||
      after.attempts <= before.attempts,
  },
  {
    name: "I5: one receipt is good at a time",
    kind: "always",
    holds: ({ delivery, workers: [first, second] }) =>
      delivery?.state !== "PENDING" ||
      first.step === "takes" ||
      first.fence !== delivery.fence ||
      first.fence !== second.fence ||
      second.step === "takes",
  },
  {
    name: "I5: an acknowledgement that is good is the end of the message, by that receipt",
    kind: "over every step",
    holds: (_, { to: { delivery }, tells }) =>
      tells?.of !== "acknowledge" ||
      tells.what !== "ok" ||
      (delivery?.state === "DELIVERED" && delivery.doneWith === tells.receipt),
  },
  {
    name: "I11: a receipt that is told to be expired has not ended the message",
    kind: "over every step",
    holds: (_, { to: { delivery }, tells }) =>
      tells?.of !== "acknowledge" || tells.what !== "expired" || delivery?.doneWith !== tells.receipt,
  },
  {
    name: "I7: what is dead says why",
    kind: "always",
    holds: ({ delivery }) => delivery?.state !== "DEAD" || delivery.hasReason,
  },
  {
    name: "I7: what is dead is so until it is redriven",
    kind: "over every step",
    holds: ({ delivery: before }, { to: { delivery: after } }) =>
      before?.state !== "DEAD" || after?.state === "DEAD" || (after !== null && after.redrives > before.redrives),
  },
  {
    name: "I7: in the end it is delivered or dead",
    kind: "when quiet",
    holds: ({ delivery }) => delivery?.state === "DELIVERED" || delivery?.state === "DEAD",
  },
  {
    name: "I10: a message is not received more often than it may be",
    kind: "always",
    holds: ({ delivery }) => delivery === null || delivery.attempts <= MAX_ATTEMPTS,
  },
];
