/** Runs that once found a defect, and what it was. Each is run again for as long as this repository lives. */

export interface Regression {
  readonly seed: number;
  readonly operations: number;
  readonly found: string;
}

export const REGRESSIONS: readonly Regression[] = [
  {
    seed: 138,
    operations: 100,
    found:
      "an event that was emitted showed the wait of an ask that had used its key and broken off: accepted answers were told as late",
  },
  {
    seed: 1,
    operations: 100,
    found: "what the relay had taken on just before the last fault was published only 100 s after it",
  },
  {
    seed: 501,
    operations: 100,
    found:
      "a message that reached a queue after its end stayed pending for ever, when a reconciler's clock was five minutes fast",
  },
];
