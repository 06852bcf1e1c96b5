/**
 * A queue as SQS has them: at least once, in no order; what is received is hidden for a while, and comes again if it is
 * not deleted by then; after so many receives it is a dead letter.
 */
import type { Scheduler } from "./scheduler.ts";
import { delayOf, type Fates, type FaultKind } from "./weather.ts";

/** How a receive ended: it is done, or is to come again, after a while of its own choice or when it is visible again. */
export type Received = { readonly kind: "done" } | { readonly kind: "again"; readonly afterMs?: number };

export interface QueueOptions<Body> {
  readonly name: string;
  readonly visibilityMs: number;
  readonly maxReceives: number;
  readonly keyOf: (body: Body) => string;
  /** Works on a message; `end` may never be called, when the process that works dies. */
  readonly work: (body: Body, receives: number, end: (received: Received) => void) => void;
  readonly bury: (body: Body, receives: number) => void;
}

const MESSAGE_FAULTS: readonly FaultKind[] = ["again", "late"];
/** A deletion may be lost: then it comes once more. */
const DELETE_FAULTS: readonly FaultKind[] = ["lost"];

interface Message<Body> {
  readonly body: Body;
  receives: number;
  isGone: boolean;
  /** Counts up with every change of what is to happen to it next. */
  turn: number;
}

export class MessageQueue<Body> {
  private readonly options: QueueOptions<Body>;
  private readonly scheduler: Scheduler;
  private readonly fates: Fates;
  /** Messages that are there, hidden or not. */
  size = 0;

  constructor(scheduler: Scheduler, fates: Fates, options: QueueOptions<Body>) {
    this.scheduler = scheduler;
    this.fates = fates;
    this.options = options;
  }

  send(body: Body): void {
    const { kind, draw } = this.fates.of(`${this.options.name} brings ${this.options.keyOf(body)}`, MESSAGE_FAULTS);
    const message: Message<Body> = { body, receives: 0, isGone: false, turn: 0 };
    this.size++;
    this.receiveAfter(message, delayOf(draw, 2, kind === "late" ? 30_000 : 60));
    if (kind === "again") this.scheduler.after(delayOf(draw >>> 8, 2, 5_000), () => this.receive(message));
  }

  private receiveAfter(message: Message<Body>, ms: number): void {
    const turn = ++message.turn;
    this.scheduler.after(ms, () => {
      if (message.turn === turn) this.receive(message);
    });
  }

  private receive(message: Message<Body>): void {
    if (message.isGone) return;
    const { visibilityMs, maxReceives, work, bury, name, keyOf } = this.options;
    if (message.receives >= maxReceives) {
      this.remove(message);
      bury(message.body, message.receives);
      return;
    }
    message.receives++;
    this.receiveAfter(message, visibilityMs);
    const { turn } = message;
    work(message.body, message.receives, (received) => {
      // It has come again since: this receive's word counts for nothing but a deletion.
      const isCurrent = message.turn === turn;
      if (received.kind === "done") {
        const { kind } = this.fates.of(`${name} deletes ${keyOf(message.body)}`, DELETE_FAULTS);
        if (kind === null) this.remove(message);
      } else if (isCurrent && received.afterMs !== undefined) this.receiveAfter(message, received.afterMs);
    });
  }

  private remove(message: Message<Body>): void {
    if (!message.isGone) this.size--;
    message.isGone = true;
  }
}
