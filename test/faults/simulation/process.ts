/** A virtual process: a clock that may be wrong, caches that die with it, and work that stops where it is. */

export class Process {
  readonly name: string;
  isAlive = true;
  /** How far its wall clock is off, in milliseconds. */
  clockErrorMs: number;
  private readonly ends = new Set<() => void>();

  constructor(name: string, clockErrorMs: number) {
    this.name = name;
    this.clockErrorMs = clockErrorMs;
  }

  /** Calls back when the process dies; the result takes that back. */
  whenItDies(end: () => void): () => void {
    this.ends.add(end);
    return () => this.ends.delete(end);
  }

  /** Everything in it stops where it is: nothing that it waits for will ever come. */
  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const end of [...this.ends]) end();
  }
}
