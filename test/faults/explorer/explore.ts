/**
 * An explorer of protocols: visits every state that can be reached, breadth first, and checks what must hold in it.
 *
 * Breadth first, so that the first violation found is one of the shortest; it is told as the list of its steps.
 */

/** One thing that can happen next. @template News what is told to whoever is outside the model */
export interface Step<State, News> {
  /** Who does what: a sentence. */
  readonly name: string;
  /** What goes wrong with it, if something does. */
  readonly fault?: string;
  /** Whether it happens sooner or later, or only may: faults, and what is left to somebody's choice. */
  readonly happens: "surely" | "perhaps";
  readonly to: State;
  readonly tells?: News | undefined;
}

/** What must hold: in every state, over every step, or in every state in which nothing more happens by itself. */
export type Invariant<State, News> =
  | { readonly name: string; readonly kind: "always"; readonly holds: (state: State) => boolean }
  | {
      readonly name: string;
      readonly kind: "over every step";
      readonly holds: (before: State, step: Step<State, News>) => boolean;
    }
  | { readonly name: string; readonly kind: "when quiet"; readonly holds: (state: State) => boolean };

export interface Model<State, News> {
  readonly initial: State;
  /** The same for equal states, and for no others. */
  readonly keyOf: (state: State) => string;
  readonly stepsFrom: (state: State) => readonly Step<State, News>[];
  readonly invariants: readonly Invariant<State, News>[];
}

export interface Exploration {
  readonly states: number;
  /** States in which nothing more happens by itself. */
  readonly quiet: number;
  /** Steps to the states that are furthest away. */
  readonly depth: number;
  readonly violation: Violation | null;
}

export interface Violation {
  readonly invariant: string;
  /** One of the shortest ways there, a sentence for each step. */
  readonly steps: readonly string[];
}

/** Explores all of a model, or up to its first violation. */
export function explore<State, News>(model: Model<State, News>): Exploration {
  const always = model.invariants.filter((invariant) => invariant.kind === "always");
  const overSteps = model.invariants.filter((invariant) => invariant.kind === "over every step");
  const whenQuiet = model.invariants.filter((invariant) => invariant.kind === "when quiet");
  /** In the order of discovery. */
  const visited = new Set([model.keyOf(model.initial)]);
  /** For each of them, the number of the state it was reached from. */
  const cameFrom = [-1];
  let frontier: { readonly number: number; readonly state: State }[] = [{ number: 0, state: model.initial }];
  let quiet = 0;
  let depth = 0;

  const foundAt = (invariant: string, number: number, last?: Step<State, News>): Exploration => {
    const steps = wayTo(model, [...visited], cameFrom, number);
    const all = last === undefined ? steps : [...steps, last];
    return { states: visited.size, quiet, depth, violation: { invariant, steps: all.map(sentenceOf) } };
  };

  for (; frontier.length > 0; depth++) {
    const next: typeof frontier = [];
    for (const { number, state } of frontier) {
      let isQuiet = true;
      for (const step of model.stepsFrom(state)) {
        if (step.happens === "surely") isQuiet = false;
        for (const { name, holds } of overSteps) if (!holds(state, step)) return foundAt(name, number, step);
        const known = visited.size;
        visited.add(model.keyOf(step.to));
        if (visited.size === known) continue;
        for (const { name, holds } of always) if (!holds(step.to)) return foundAt(name, number, step);
        next.push({ number: cameFrom.length, state: step.to });
        cameFrom.push(number);
      }
      if (!isQuiet) continue;
      quiet++;
      for (const { name, holds } of whenQuiet) if (!holds(state)) return foundAt(name, number);
    }
    frontier = next;
  }
  return { states: visited.size, quiet, depth: depth - 1, violation: null };
}

/**
 * The steps to a state. They were not kept: they are found again, from each state on the way to the next.
 *
 * @param keys of all states, by their numbers
 * @param cameFrom for each state, the number of the one it was reached from
 */
export function wayTo<State, News>(
  model: Model<State, News>,
  keys: readonly string[],
  cameFrom: readonly number[],
  target: number,
): Step<State, News>[] {
  const numbers: number[] = [];
  for (let number = target; number > 0; number = cameFrom[number] as number) numbers.unshift(number);
  const steps: Step<State, News>[] = [];
  let state = model.initial;
  for (const number of numbers) {
    const step = model.stepsFrom(state).find(({ to }) => model.keyOf(to) === keys[number]);
    if (step === undefined) throw new Error(`the model does not give the same steps twice, at "${keys[number]}"`);
    steps.push(step);
    state = step.to;
  }
  return steps;
}

const sentenceOf = <State, News>({ name, fault }: Step<State, News>): string =>
  fault === undefined ? name : `${name}, ${fault}`;

/** What was found, as text: the steps, numbered, and what does not hold after the last. */
export function toldOf({ violation }: Exploration): string {
  if (violation === null) return "no violation";
  const steps = violation.steps.map((step, i) => `${String(i + 1).padStart(3)}. ${step}`);
  return [...steps, `  => broken: ${violation.invariant}`].join("\n");
}
