/** Operations of agents that ask, answer and cancel. */
import { after } from "../../../support/bus-in-memory.ts";
import type { Stage } from "../stage.ts";
import { lastPublished } from "./events.ts";
import type { OperationUnderTest, Try } from "./operation.ts";

export const ASKING: readonly OperationUnderTest[] = [
  {
    name: "ask, and be answered",
    async prepare(stage) {
      void answerSoon(stage);
      // Where it is left to the relay to publish it, the time may be up before.
      return asks(stage, { type: "CONTEXT_REQUESTED", timeout: 40 });
    },
  },
  {
    name: "ask in vain",
    prepare: async (stage) => asks(stage, { type: "CONTEXT_REQUESTED", timeout: 2 }),
    check: requestIs("TIMED_OUT"),
  },
  {
    name: "respond",
    async prepare(stage) {
      await opened(stage);
      return responds(stage, "first");
    },
    check: requestIs("ANSWERED"),
  },
  {
    name: "respond, the second of two who are wanted",
    async prepare(stage) {
      await opened(stage, { expect: { mode: "count", count: 2 } });
      await responds(stage, "first")(stage.lasting);
      return responds(stage, "second");
    },
    check: requestIs("ANSWERED"),
  },
  {
    name: "respond, when another has",
    async prepare(stage) {
      await opened(stage);
      await responds(stage, "first")(stage.lasting);
      return responds(stage, "second");
    },
  },
  {
    name: "tell progress",
    async prepare(stage) {
      await opened(stage);
      return responds(stage, "half", "progress");
    },
  },
  {
    name: "cancel",
    async prepare(stage) {
      const eventId = await opened(stage);
      return async (process) => {
        const outcome = await stage.call(process, "asker", ["cancel", { eventId }], ["DELETE", `/requests/${eventId}`]);
        return outcome.kind === "ok";
      };
    },
    check: requestIs("CANCELLED"),
  },
];

/** The one request that there is has come to this end. */
export function requestIs(state: string): NonNullable<OperationUnderTest["check"]> {
  return async (stage) => {
    const { requests } = await stage.finalState();
    return requests.filter((one) => one.state !== state).map((one) => `a request is ${one.state}, and not ${state}`);
  };
}

/** @param terms type, timeout and whatever else a request may have */
function asks(stage: Stage, terms: { type: string; timeout: number } & Record<string, unknown>): Try {
  const marker = `a question of ${terms.type}`;
  const expect = (terms["expect"] ?? { mode: "first" }) as never;
  return async (process) => {
    const outcome = await stage.call(
      process,
      "asker",
      ["ask", { type: terms.type, marker, key: marker, timeoutMs: terms.timeout * 1_000, expect }],
      ["POST", "/requests", { ...terms, data: { marker } }, marker],
    );
    return outcome.kind === "ok" && outcome.answer.status !== "pending";
  };
}

/** A request that waits for answers, and whose asker is away. @returns its id */
export async function opened(stage: Stage, terms: Record<string, unknown> = {}): Promise<string> {
  const marker = "an open question";
  const { type = "CONTEXT_REQUESTED", timeout = 600, expect = { mode: "first" } } = terms;
  const body = { type, timeout, expect, data: { marker }, ...terms };
  const from = stage.published.length;
  const waiting = stage.call(
    stage.lasting,
    "asker",
    ["ask", { type: String(type), marker, key: marker, timeoutMs: Number(timeout) * 1_000, expect: expect as never }],
    ["POST", "/requests", body, marker],
  );
  while (stage.published.length === from) await new Promise(setImmediate);
  const { id } = lastPublished(stage);
  // Held for as long as the bus likes; then he goes.
  await waiting;
  return id;
}

function responds(stage: Stage, name: string, status: "ok" | "progress" = "ok"): Try {
  return async (process) => {
    const { id, reply_to } = lastPublished(stage);
    const marker = `${name} to ${id}`;
    const outcome = await stage.call(
      process,
      "answerer",
      ["respond", { eventId: id, marker, responseId: name, status }],
      [
        "POST",
        `/events/${id}/responses`,
        { response: { marker }, reply_token: reply_to.token, response_id: name, status },
      ],
    );
    return outcome.kind === "ok";
  };
}

/** Answers the next question once it is there. */
async function answerSoon(stage: Stage): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const isAnswered = await after(stage.bus.clock, 300, async () => {
      if (stage.published.length === 0) return false;
      return responds(stage, "soon")(stage.lasting);
    });
    if (isAnswered) return;
  }
}
