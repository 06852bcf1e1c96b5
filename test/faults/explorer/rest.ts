/**
 * Whether a model comes to rest: what must be so "in the end" says nothing where there is no end. Of all steps that
 * surely happen, none may lead back to where it began, however they are interleaved.
 */
import type { Exploration, Model, Step } from "./explore.ts";
import { wayTo } from "./explore.ts";

/** Explores all of a model. A state from which it can go on for ever is told as a violation. */
export function exploreForRest<State, News>(model: Model<State, News>): Exploration {
  const numbers = new Map([[model.keyOf(model.initial), 0]]);
  const cameFrom = [-1];
  /** For each state, those that a sure step leads to. */
  const leadsTo: number[][] = [];
  let frontier: State[] = [model.initial];
  let depth = 0;
  for (; frontier.length > 0; depth++) {
    const next: State[] = [];
    for (const state of frontier) {
      const from = leadsTo.length;
      const sure: number[] = [];
      for (const { happens, to } of model.stepsFrom(state)) {
        const key = model.keyOf(to);
        let number = numbers.get(key);
        if (number === undefined) {
          number = cameFrom.length;
          numbers.set(key, number);
          cameFrom.push(from);
          next.push(to);
        }
        if (happens === "surely") sure.push(number);
      }
      leadsTo.push(sure);
    }
    frontier = next;
  }
  const found = { states: numbers.size, quiet: leadsTo.filter((sure) => sure.length === 0).length, depth: depth - 1 };
  const restless = firstRestless(leadsTo);
  if (restless === null) return { ...found, violation: null };
  const steps: Step<State, News>[] = wayTo(model, [...numbers.keys()], cameFrom, restless);
  const invariant = "rest: sooner or later nothing more happens by itself";
  return { ...found, violation: { invariant, steps: steps.map(({ name }) => name) } };
}

/** Takes away, again and again, the states to which nothing leads; what is left when there are none goes in circles. */
function firstRestless(leadsTo: readonly (readonly number[])[]): number | null {
  const waysIn = new Int32Array(leadsTo.length);
  for (const sure of leadsTo) for (const to of sure) waysIn[to] = (waysIn[to] ?? 0) + 1;
  const free = [...waysIn.keys()].filter((number) => waysIn[number] === 0);
  let taken = 0;
  for (let number = free.pop(); number !== undefined; number = free.pop()) {
    taken++;
    for (const to of leadsTo[number] ?? []) {
      waysIn[to] = (waysIn[to] ?? 0) - 1;
      if (waysIn[to] === 0) free.push(to);
    }
  }
  return taken === leadsTo.length ? null : waysIn.findIndex((ways) => ways > 0);
}
