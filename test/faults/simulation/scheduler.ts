/**
 * Virtual time. Everything that will happen stands in one list by its moment; time jumps from one to the next.
 *
 * Between two moments all code that can go on does so, until it waits for something that stands in the list: the order
 * of what happens is decided here alone.
 */

interface Moment {
  readonly atMs: number;
  /** Decides between what stands at the same moment: first come, first served. */
  readonly order: number;
  readonly happen: () => void;
}

/**
 * What is begun now happens no sooner than this. So all that stands within this of another moment can happen before the
 * code that it woke goes on.
 */
export const SOONEST_MS = 1;

export class Scheduler {
  /** Milliseconds since the run began. */
  nowMs = 0;
  /** How many moments there were. */
  moments = 0;
  private readonly heap: Moment[] = [];
  private order = 0;

  /** Something will happen after a while. It may resolve promises and must not wait for any. */
  after(ms: number, happen: () => void): void {
    const atMs = this.nowMs + Math.max(SOONEST_MS, ms);
    this.push({ atMs, order: this.order++, happen });
  }

  /** Lets time pass until an instant, or until nothing is left to happen, or as long as somebody wants it to. */
  async passUntil(endMs: number, goOn: () => boolean = () => true): Promise<void> {
    await quiet();
    while (goOn()) {
      const first = this.heap[0];
      if (first === undefined || first.atMs > endMs) break;
      const together = Math.min(endMs, first.atMs + SOONEST_MS);
      for (let next = this.heap[0]; next !== undefined && next.atMs < together; next = this.heap[0]) this.step();
      if (this.heap[0] === first) this.step();
      await quiet();
    }
    if (Number.isFinite(endMs)) this.nowMs = Math.max(this.nowMs, endMs);
  }

  private step(): void {
    const moment = this.pop();
    this.nowMs = moment.atMs;
    this.moments++;
    moment.happen();
  }

  private push(moment: Moment): void {
    const { heap } = this;
    let place = heap.length;
    heap.push(moment);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Moment;
      if (!isBefore(moment, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = moment;
  }

  private pop(): Moment {
    const { heap } = this;
    const first = heap[0] as Moment;
    const last = heap.pop() as Moment;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Moment, heap[child] as Moment)) child++;
      if (!isBefore(heap[child] as Moment, last)) break;
      heap[place] = heap[child] as Moment;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

const isBefore = (a: Moment, b: Moment): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** Resolves once all code that can go on has done so: Node runs this queue only when no promise is left to be settled. */
const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
