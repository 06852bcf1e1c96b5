/** What the asking and the answering process are told, and what they tell. */

/** Where everything is; what could not be started is not there. */
export interface Places {
  readonly busUrl: string;
  readonly natsPort: number | null;
  readonly redisPort: number | null;
  /** An empty folder for a store of the asking process, of which only single writes are measured. */
  readonly storeDir: string;
}

/** What is measured: the bus, with two ways to answer; what it is compared with; and what of the bus is only its HTTP. */
export type Subject = "live" | "direct" | "nats" | "redis" | "health" | "put";

/** So many questions, so many of them at once. */
export interface Round {
  readonly subject: Subject;
  readonly questions: number;
  readonly atOnce: number;
}

/** What a round took. */
export interface Took {
  /** Of each question, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** From the first question to the last answer. */
  readonly elapsedMs: number;
}
