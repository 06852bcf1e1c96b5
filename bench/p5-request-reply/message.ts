/** What is asked and what is answered: the same on every side. */
import type { JsonObject } from "../../shared/json.ts";

export const QUESTION: JsonObject = { target: "billing", to_version: "2.0.0", reason: "a security fix" };

/** The answer to a question, by whoever answers. */
export const replyTo = (question: unknown): JsonObject => ({
  approved: (question as JsonObject)["to_version"] !== "2.0.0-beta",
  target: (question as JsonObject)["target"] ?? null,
});
