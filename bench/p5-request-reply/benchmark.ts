/** P5: a question and its answer on one machine, over the embedded run, over NATS and over Redis. */
import type { BenchContext, Benchmark, Figure, Outcome, Series } from "../contract.ts";
import { inTurn } from "../measure/in-turn.ts";
import { quantile } from "../measure/statistics.ts";
import { distributionPicture } from "../report/charts.ts";
import { type Peers, startPeers } from "./peers.ts";
import type { Subject, Took } from "./places.ts";

const NAMES: Readonly<Record<Subject, string>> = {
  live: "the bus, a live subscription answers",
  direct: "the bus, a deployed subscriber answers",
  nats: "NATS",
  redis: "Redis pub/sub",
  health: "the bus's HTTP alone",
  put: "one write of the embedded store",
};

/** Enough for a p99 of a round. */
const QUESTIONS = 300;
const AT_ONCE = 32;
/** A round at once asks more: a rate over less than a tenth of a second says little. */
const QUESTIONS_AT_ONCE: Readonly<Record<Subject, number>> = {
  live: 600,
  direct: 600,
  nats: 3_000,
  redis: 3_000,
  health: 600,
  put: 600,
};

export const REQUEST_REPLY: Benchmark = {
  goal: "P5",
  title: "request and reply on one machine",
  method:
    "One process asks and another answers, over the embedded run (as `npm run dev` starts it, with its history kept, the client " +
    "of `client/agent-event-bus.ts` on both sides), over NATS (request and reply) and over Redis (two channels), all on " +
    `127.0.0.1, the same small JSON. Rounds of ${QUESTIONS} questions, one after the other, and rounds with ${AT_ONCE} at once, ` +
    "in turn. On the bus a live subscription answers, which is what `subscribe` gives by default; a deployed `direct` subscriber " +
    "is shown beside it.",
  run,
};

async function run(context: BenchContext): Promise<Outcome> {
  const rounds = context.isQuick ? 2 : 9;
  const peers = await startPeers(context.workDir);
  try {
    const subjects = subjectsOf(peers);
    const oneByOne = await measure(peers, subjects, rounds, context, () => ({ questions: QUESTIONS, atOnce: 1 }));
    const together = await measure(peers, subjects, Math.ceil(rounds / 2), context, (subject) => ({
      questions: QUESTIONS_AT_ONCE[subject],
      atOnce: AT_ONCE,
    }));
    return {
      figures: figuresOf(oneByOne, together),
      pictures: [
        distributionPicture(
          { name: "p5-request-reply", title: "A question and its answer on one machine, one after the other" },
          { x: { name: "time in ms", isLogarithmic: true }, series: subjects.map((subject) => all(subject, oneByOne)) },
        ),
      ],
      omissions: peers.omissions,
      details: { questionsOfARound: QUESTIONS, rounds, atOnce: AT_ONCE, client: "client/agent-event-bus.ts on fetch" },
    };
  } finally {
    await peers.close();
  }
}

const subjectsOf = ({ places: { natsPort, redisPort } }: Peers): Subject[] => [
  "live",
  "direct",
  ...(natsPort === null ? [] : (["nats"] as const)),
  ...(redisPort === null ? [] : (["redis"] as const)),
  "health",
  "put",
];

type Measured = Readonly<Partial<Record<Subject, readonly Took[]>>>;

function measure(
  peers: Peers,
  subjects: readonly Subject[],
  rounds: number,
  { signal, progress }: BenchContext,
  shapeOf: (subject: Subject) => { questions: number; atOnce: number },
): Promise<Measured> {
  const turns = subjects.map((subject) => {
    const turn = (): Promise<Took> => {
      signal.throwIfAborted();
      return peers.ask({ subject, ...shapeOf(subject) });
    };
    return [subject, turn] as const;
  });
  const atOnce = shapeOf("live").atOnce;
  return inTurn<Subject, Took>(Object.fromEntries(turns) as Record<Subject, () => Promise<Took>>, {
    rounds,
    onRound: (round) => progress(`${atOnce} at once, round ${round + 1} of ${rounds}`),
  });
}

function figuresOf(oneByOne: Measured, together: Measured): Figure[] {
  const median = (subject: Subject) =>
    ofRounds(subject, oneByOne, "ms", ({ latenciesMs }) => quantile(latenciesMs, 0.5));
  const slow = (subject: Subject) =>
    ofRounds(subject, oneByOne, "ms", ({ latenciesMs }) => quantile(latenciesMs, 0.99));
  const rate = (subject: Subject) =>
    ofRounds(subject, together, "/s", ({ latenciesMs, elapsedMs }) => (latenciesMs.length * 1_000) / elapsedMs);
  const beside = (series: Series): Pick<Figure, "beside"> => (series.values.length === 0 ? {} : { beside: series });
  const [live, nats, redis] = [median("live"), median("nats"), median("redis")];
  return [
    {
      title: "question and answer, p50",
      ours: live,
      ...beside(nats),
      ...(nats.values.length === 0 ? {} : { goal: { bound: "at most", value: 5, further: 3 } }),
      note: "The bus writes four items and keeps them; NATS keeps nothing.",
    },
    { title: "question and answer, p50, a deployed subscriber", ours: median("direct"), ...beside(nats) },
    { title: "question and answer, p50", ours: live, ...beside(redis) },
    { title: "question and answer, p99", ours: slow("live"), ...beside(slow("nats")) },
    { title: `questions a second, ${AT_ONCE} at once`, ours: rate("live"), ...beside(rate("nats")) },
    { title: `questions a second, ${AT_ONCE} at once`, ours: rate("live"), ...beside(rate("redis")) },
    { title: `questions a second, ${AT_ONCE} at once, a deployed subscriber`, ours: rate("direct") },
    {
      title: "a call that stores nothing (GET /health), p50",
      ours: median("health"),
      ...beside(nats),
      note: "A question takes two calls of HTTP and a stream's event.",
    },
    { title: "one write of the embedded store, p50", ours: median("put"), ...beside(nats) },
  ];
}

const ofRounds = (subject: Subject, measured: Measured, unit: string, of: (took: Took) => number): Series => ({
  name: NAMES[subject],
  unit,
  values: (measured[subject] ?? []).map(of),
});

const all = (subject: Subject, measured: Measured): Series => ({
  name: NAMES[subject],
  unit: "ms",
  values: (measured[subject] ?? []).flatMap(({ latenciesMs }) => latenciesMs),
});
