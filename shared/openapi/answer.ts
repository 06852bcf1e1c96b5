/** Answer: `POST /events/{event_id}/responses`. */
import type { ResponseStatus } from "../records.ts";
import type { Verdict } from "../respond.ts";
import type { Operation } from "../routes.ts";
import type { SettledVerdict } from "../verdict.ts";
import { EVENT_EXAMPLE } from "./events.ts";
import { json, type OperationDescription, query } from "./operation.ts";
import { TRACEPARENT } from "./publish.ts";
import { anyObject, closed, closedObject, instant, type JsonSchema, name, oneOfWords, text } from "./schema.ts";

const MEANINGS: Readonly<Record<SettledVerdict, string>> = {
  accepted: "it counts",
  superseded: "the request had its answers already",
  late: "the request had timed out",
  cancelled: "the request had been cancelled",
};

export const SETTLED_VERDICT: JsonSchema = oneOfWords<SettledVerdict>(MEANINGS);

export const ANSWER_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  AnswerInput: closedObject(
    "An answer to an event.",
    {
      response: anyObject("Up to 192 KiB; a progress report up to 16 KiB."),
      reply_token: name("The `token` of the event's `reply_to`."),
    },
    {
      response_id: name("One of your own makes a retry safe; without it, a second try is a second answer."),
      status: {
        ...oneOfWords<ResponseStatus>({
          ok: "an answer",
          rejected: "a rejection, which counts as an answer",
          progress: "informs who waits and ends nothing",
        }),
        default: "ok",
      },
    },
  ),
  Verdict: closed<Verdict>(
    "What came of an answer. All are kept and can be read.",
    {
      event_id: text("", { format: "uuid" }),
      response_id: text("Yours, or made by the bus."),
      verdict: oneOfWords<Verdict["verdict"]>({
        ...MEANINGS,
        replayed: "the same `response_id` and content again; `first_verdict` says what came of it",
      }),
      timestamp: instant("When the answer was stored."),
    },
    {
      first_verdict: SETTLED_VERDICT,
      late: {
        const: true,
        description: "It came after the deadline and counts all the same: nobody had ended the request.",
      },
    },
  ),
};

const ACCEPTED: Verdict = {
  event_id: EVENT_EXAMPLE.id,
  response_id: "01976f2a-4ca1-7f00-8a52-93d1c0b7e642",
  verdict: "accepted",
  timestamp: "2026-01-31T12:00:00.041Z",
};

export const ANSWER_OPERATIONS = {
  respond: {
    tag: "answer",
    summary: "Answer an event.",
    description:
      "Every copy of an event that reaches a subscriber says how in its `reply_to`. An event that nobody waits for can " +
      "be answered too.",
    parameters: [
      query(
        "as",
        name(""),
        "For which subscriber you speak, which has to be you: it is what `expect: all` and `missing` go by.",
      ),
      TRACEPARENT,
    ],
    requestBody: {
      required: true,
      content: json("AnswerInput", {
        answer: { response: { note: "hi" }, reply_token: "b2f7QWJmVhkq0mUu1sX3eA" },
        progress: { response: { done: 0.5 }, reply_token: "b2f7QWJmVhkq0mUu1sX3eA", status: "progress" },
      }),
    },
    answers: {
      200: {
        description: "It counts, or the request had its answers already, or it is a repetition.",
        content: json("Verdict", { accepted: ACCEPTED }),
      },
      202: {
        description: "Stored, and it came too late to count.",
        content: json("Verdict", { late: { ...ACCEPTED, verdict: "late" } }),
      },
    },
    failures: [
      "invalid_json",
      "invalid_request",
      "forbidden",
      "not_found",
      "response_conflict",
      "payload_too_large",
      "rate_limited",
    ],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
