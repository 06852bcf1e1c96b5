/** A played bus with a pull queue: it holds polls, hands out what the test puts in, and notes what it is told. */
import type { ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { RetryPolicy } from "../../../client/retry.ts";
import type { Subscription } from "../../../client/subscribe-options.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import type { Logger } from "../../../shared/ports.ts";
import { delivered, type PlayedCall, playBus, QUICK, receiptFor, sendJson, sendProblem } from "./played-bus.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

type SpecialAnswer = [status: number, body: string | object] | "drop" | undefined;

interface QueueOptions {
  /** Seconds; a test may take fractions, so that it need not wait. */
  readonly visibility?: number;
  readonly maxAttempts?: number;
  readonly retry?: RetryPolicy;
  /** Answers in place of the queue: a status of 400 or more with its code, or `drop` for a broken connection. */
  readonly onCall?: (call: PlayedCall) => SpecialAnswer | Promise<SpecialAnswer>;
}

interface Message {
  readonly event: DeliveredEvent;
  readonly receipt: string;
  readonly attempt: number;
}

/** What a call is: its method and the last segment of its path. */
export const kindOf = ({ method, path }: PlayedCall): string => `${method} ${path.slice(path.lastIndexOf("/") + 1)}`;

export async function playQueue({ visibility = 30, maxAttempts = 5, retry = QUICK, onCall }: QueueOptions = {}) {
  const waiting: Message[] = [];
  const held: { readonly call: PlayedCall; readonly reply: ServerResponse }[] = [];
  const lines: Line[] = [];
  const expired = new Set<unknown>();

  const handOut = (): void => {
    while (waiting.length > 0) {
      const poll = held.shift();
      if (poll === undefined) return;
      if (poll.reply.closed) continue;
      sendJson(poll.reply, 200, { messages: waiting.splice(0, Number(poll.call.query.get("max"))) });
    }
  };
  const played = await playBus(async (call, reply) => {
    const special = await onCall?.(call);
    if (special === "drop") return void reply.destroy();
    if (special !== undefined) {
      const [status, body] = special;
      return typeof body === "string" ? sendProblem(reply, status, body) : sendJson(reply, status, body);
    }
    switch (kindOf(call)) {
      case "POST subscriptions":
        return sendJson(reply, 201, { subscription_id: "s-1", ...call.body, target: targetOf(call) });
      case "GET messages":
        held.push({ call, reply });
        if (waiting.length === 0 && call.query.get("wait") === "0") {
          held.pop();
          return sendJson(reply, 200, { messages: [] });
        }
        return handOut();
      case "POST ack":
      case "POST nack":
      case "POST extend": {
        const receipts = call.body.receipts as string[];
        const results = receipts.map((receipt) => ({ receipt, status: expired.has(receipt) ? "expired" : "ok" }));
        return sendJson(reply, 200, { results });
      }
      case "GET event-types":
        return sendJson(reply, 200, { event_types: [{ name: "CONTEXT_REQUESTED" }, { name: "SESSION_CREATED" }] });
      case "POST events":
        return sendJson(reply, 202, receiptFor(call));
      default:
        return sendJson(reply, 200, { event_id: "e", response_id: "r", verdict: "accepted", timestamp: "t" });
    }
  });
  const targetOf = (call: PlayedCall): object => ({
    kind: "queue",
    visibility,
    max_attempts: maxAttempts,
    ...(call.body.target as object),
  });
  const note =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      void lines.push({ level, message, fields });
  const log: Logger = { info: note("info"), warn: note("warn"), error: note("error") };
  const of = (kind: string): PlayedCall[] => played.calls.filter((call) => kindOf(call) === kind);

  function put(...events: [event: DeliveredEvent | string, attempt: number][]): void {
    for (const [event, attempt] of events) {
      const whole = typeof event === "string" ? delivered(event) : event;
      waiting.push({ event: whole, receipt: `${whole.id}.${attempt}`, attempt });
    }
    handOut();
  }

  return {
    ...played,
    log,
    lines,
    bus: new AgentEventBus({ url: played.url, retry }),
    /** Puts an event into the queue; its receipt is `<id>.<attempt>`. */
    put: (event: DeliveredEvent | string, attempt = 1): void => put([event, attempt]),
    /** Puts several into it, so that one poll brings them. */
    putTogether: put,
    /** From now on this receipt holds nothing. */
    expire: (receipt: string): void => void expired.add(receipt),
    /** Whether a poll is held at this moment. */
    isPolled: () => held.some(({ reply }) => !reply.closed),
    polls: () => of("GET messages"),
    acknowledged: () => of("POST ack").flatMap((call) => call.body.receipts as string[]),
    givenBack: () => of("POST nack").map((call) => call.body),
    extended: () => of("POST extend").flatMap((call) => call.body.receipts as string[]),
    answers: () => of("POST responses").map(({ path, body }) => [path.split("/")[2], body.status, body.response]),
  };
}

/** Closes it when the test has ended, however it ends. */
export async function closing(subscription: Promise<Subscription>): Promise<Subscription> {
  const open = await subscription;
  onTestFinished(() => open.close());
  return open;
}
