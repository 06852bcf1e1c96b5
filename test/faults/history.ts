/**
 * The history of a run under faults: every call that an agent made, and how it ended for him.
 *
 * It is written by whoever makes the calls, on whatever way: in the simulation to the domain itself, in a run over HTTP
 * to the server. `checker.ts` judges it together with what the bus has recorded in the end.
 */

import type { ReceiptResult } from "../../shared/deliveries/message-receipts.ts";
import type { Redriven } from "../../shared/deliveries/redrive.ts";
import type { BatchReceipt, EmitReceipt } from "../../shared/emit.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { EventWithResponses } from "../../shared/history.ts";
import type { Expect, ResponseStatus } from "../../shared/records.ts";
import type { PendingRequest, RequestOutcome } from "../../shared/request-outcome.ts";
import type { Verdict } from "../../shared/respond.ts";

/** An event as it was sent. */
export interface SentEvent {
  readonly type: string;
  /** Stands in `data.marker`, and in no other event: by it an event is found whose id nobody was told. */
  readonly marker: string;
  readonly correlation_id?: string;
  readonly causation_id?: string;
}

/** One answer page of history. */
export interface ListedPage {
  /** `<timestamp>#<id>` of each event, in the order in which they were listed. */
  readonly positions: readonly string[];
  /** Whether there is another page. */
  readonly hasMore: boolean;
}

/** What can be called: with what, and what a good answer says. Answers are bodies of the wire where they have no note. */
export interface Operations {
  /** `key`: the idempotency key. A call that is made again with the same key has the same marker. */
  readonly emit: { readonly input: SentEvent & { readonly key?: string }; readonly answer: EmitReceipt };
  readonly emitBatch: {
    readonly input: { readonly events: readonly SentEvent[]; readonly key?: string };
    readonly answer: BatchReceipt;
  };
  readonly ask: {
    readonly input: SentEvent & { readonly key?: string; readonly timeoutMs: number; readonly expect: Expect };
    readonly answer: RequestOutcome | PendingRequest;
  };
  readonly resume: {
    readonly input: { readonly eventId: string };
    readonly answer: RequestOutcome | PendingRequest;
  };
  readonly cancel: {
    readonly input: { readonly eventId: string };
    readonly answer: RequestOutcome | PendingRequest;
  };
  readonly respond: {
    readonly input: {
      readonly eventId: string;
      /** Stands in `response.marker`, and in no other response. */
      readonly marker: string;
      readonly responseId?: string;
      readonly status: ResponseStatus;
      readonly as?: string;
      /** The token is not this event's: the answer must be refused. */
      readonly isForged?: boolean;
    };
    readonly answer: Verdict;
  };
  readonly subscribe: {
    readonly input: {
      readonly name: string;
      readonly kind: "webhook" | "queue";
      readonly eventTypes: readonly string[];
      readonly answers: boolean;
    };
    /** From the body of the subscription. */
    readonly answer: { readonly subscriptionId: string; readonly created: boolean };
  };
  readonly changeSubscription: {
    readonly input: {
      readonly subscriptionId: string;
      readonly eventTypes?: readonly string[];
      readonly status?: "active" | "disabled";
    };
    readonly answer: { readonly subscriptionId: string };
  };
  readonly unsubscribe: { readonly input: { readonly subscriptionId: string }; readonly answer: null };
  readonly take: {
    readonly input: { readonly subscriptionId: string };
    /** From the messages. */
    readonly answer: readonly { readonly eventId: string; readonly receipt: string; readonly attempt: number }[];
  };
  readonly acknowledge: ReceiptCall;
  readonly giveBack: ReceiptCall;
  readonly keepHidden: ReceiptCall;
  readonly list: {
    readonly input: {
      /** The same for all pages of one reading, from its first page on. */
      readonly reading: string;
      readonly page: number;
      readonly order: "asc" | "desc";
      readonly type?: string;
      readonly correlation_id?: string;
    };
    readonly answer: ListedPage;
  };
  readonly show: { readonly input: { readonly eventId: string }; readonly answer: EventWithResponses };
  readonly redrive: {
    readonly input: { readonly subscriptionId?: string; readonly eventId?: string };
    readonly answer: Redriven;
  };
}

interface ReceiptCall {
  readonly input: { readonly subscriptionId: string; readonly receipts: readonly string[] };
  readonly answer: readonly ReceiptResult[];
}

export type Operation = keyof Operations;

/** How a call ended for who made it. */
export type CallOutcome<Answer> =
  | { readonly kind: "ok"; readonly answer: Answer }
  /** Definitely not done: an error that is not retryable, or one of which the caller knows that nothing was written. */
  | { readonly kind: "failed"; readonly code: ErrorCode }
  /** It may or may not have been done: a retryable error, a broken connection, a process that died; or no end at all. */
  | { readonly kind: "unknown"; readonly why: string };

/** One call. Times are the harness's own, in milliseconds: those of the bus's processes may be wrong on purpose. */
export interface CallOf<Name extends Operation> {
  readonly number: number;
  /** The agent, as the bus verified it. */
  readonly agent: string;
  readonly operation: Name;
  readonly input: Operations[Name]["input"];
  readonly invokedAtMs: number;
  readonly endedAtMs: number | null;
  /** Places in one order of all beginnings and ends: what ended before another began has the smaller number. */
  readonly invokedAt: number;
  readonly endedAt: number | null;
  readonly outcome: CallOutcome<Operations[Name]["answer"]>;
}

export type Call = { [Name in Operation]: CallOf<Name> }[Operation];

/** A call that was answered as it should be. */
export type AnsweredCall<Name extends Operation> = CallOf<Name> & {
  readonly endedAtMs: number;
  readonly endedAt: number;
  readonly outcome: { readonly kind: "ok"; readonly answer: Operations[Name]["answer"] };
};

/** Ends a call, once; what comes after is not heard any more. */
export type EndCall<Name extends Operation> = (outcome: CallOutcome<Operations[Name]["answer"]>) => void;

const NO_END: CallOutcome<never> = { kind: "unknown", why: "it never ended" };

/** Collects the calls of a run. */
export class CallHistory {
  readonly calls: Call[] = [];
  private place = 0;
  private readonly nowMs: () => number;

  /** @param nowMs the harness's own clock */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** A call begins. */
  begin<Name extends Operation>(agent: string, operation: Name, input: Operations[Name]["input"]): EndCall<Name> {
    const number = this.calls.length;
    const begun: CallOf<Name> = {
      number,
      agent,
      operation,
      input,
      invokedAtMs: this.nowMs(),
      endedAtMs: null,
      invokedAt: this.place++,
      endedAt: null,
      outcome: NO_END,
    };
    this.calls.push(begun as Call);
    return (outcome) => {
      if (this.calls[number] !== begun) return;
      this.calls[number] = { ...begun, endedAtMs: this.nowMs(), endedAt: this.place++, outcome } as Call;
    };
  }
}

/** The calls of an operation, whatever their outcome. */
export function callsOf<Name extends Operation>(calls: readonly Call[], operation: Name): CallOf<Name>[] {
  return calls.filter((call) => call.operation === operation) as unknown as CallOf<Name>[];
}

/** The calls of an operation that were answered as they should be. */
export function answered<Name extends Operation>(calls: readonly Call[], operation: Name): AnsweredCall<Name>[] {
  return callsOf(calls, operation).filter((call): call is AnsweredCall<Name> => call.outcome.kind === "ok");
}
