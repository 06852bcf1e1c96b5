/** What a wait works with beside the store: what is known of answer times, and reads that waits make together. */
import type { Deps } from "../../shared/ports.ts";
import type { WaitDeps } from "../../shared/wait.ts";
import { createKnownAnswerTimes } from "../../shared/wait-policy/known-answer-times.ts";
import { createRequestReads } from "./shared-request-reads.ts";

export const createWaitParts = (deps: Deps): Omit<WaitDeps, keyof Deps> => ({
  answerTimes: createKnownAnswerTimes(deps),
  readRequest: createRequestReads(deps.store),
});
