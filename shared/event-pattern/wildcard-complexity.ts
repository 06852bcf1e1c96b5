/**
 * How complex EventBridge finds wildcards: in how many ways, at most, they can be in the middle of matching at the same
 * time. It refuses more than ten ("Rule is too complex - try using fewer wildcard characters or fewer repeating
 * character sequences after a wildcard character"). Its guide does not give the measure; this is the one of
 * https://github.com/aws/event-ruler (MachineComplexityEvaluator).
 */
import { getOrSet } from "./get-or-set.ts";
import { MAX_CHECKING_STEPS, type Work } from "./work.ts";

export const MAX_COMPLEXITY = 10;

/** Bytes, and `STAR`. */
export type Wildcard = readonly number[];

/** An alternative with wildcards: several for `anything-but`. */
export interface WildcardUse {
  /** The same for alternatives that are written alike. */
  readonly id: string;
  readonly wildcards: readonly Wildcard[];
}

/** How far a wildcard has come. */
interface State {
  readonly number: number;
  /** Takes any text. */
  readonly isStar: boolean;
  /** Whose wildcards come this way: each counts. */
  readonly uses: Set<string>;
  /** By what leads on. */
  readonly next: Map<number, State[]>;
}

/** What leads on, beside bytes. */
export const STAR = -1;
const END_OF_TEXT = -2;
const OTHER_BYTE = -3;

/**
 * @param uses all of one field
 * @param work the steps that have been taken so far, for other fields too; a step is one state, followed by one token
 */
export function areTooComplex(uses: readonly WildcardUse[], work: Work): boolean {
  const seen = new Set<string>();
  const waiting = [withStars(new Set([startOf(uses)]))];
  for (let states = waiting.pop(); states !== undefined; states = waiting.pop()) {
    if (states.reduce((sum, state) => sum + state.uses.size, 0) > MAX_COMPLEXITY) return true;
    const key = states.map((state) => state.number).join();
    if (seen.has(key)) continue;
    seen.add(key);
    const tokens = new Set([OTHER_BYTE, ...states.flatMap((state) => [...state.next.keys()])]);
    tokens.delete(STAR);
    work.steps += states.length * tokens.size;
    if (work.steps > MAX_CHECKING_STEPS) return true;
    for (const token of tokens) waiting.push(advance(states, token));
  }
  return false;
}

/** The states that one more byte, or the end, leads to. */
function advance(states: readonly State[], token: number): State[] {
  const advanced = new Set<State>();
  for (const state of states) {
    if (state.isStar) advanced.add(state);
    for (const next of state.next.get(token) ?? []) advanced.add(next);
  }
  return withStars(advanced);
}

/** Adds the stars that stand for nothing. */
function withStars(states: Set<State>): State[] {
  for (const state of states) for (const star of state.next.get(STAR) ?? []) states.add(star);
  return [...states].sort((a, b) => a.number - b.number);
}

/**
 * The state that all wildcards start from. They go together as long as they are alike, up to the first star; from there
 * on each goes alone, but for the end, of which a use has one.
 */
function startOf(uses: readonly WildcardUse[]): State {
  let states = 0;
  const newState = (isStar = false): State => ({ number: states++, isStar, uses: new Set(), next: new Map() });
  const start = newState();
  const ends = new Map<string, State>();
  for (const { id, wildcards } of uses)
    for (const tokens of wildcards) {
      let at = start;
      let isAlone = false;
      for (const token of tokens) {
        at.uses.add(id);
        const following = getOrSet(at.next, token, () => []);
        if (isAlone || following.length === 0) following.unshift(newState(token === STAR));
        at = following[0] as State;
        isAlone ||= token === STAR;
      }
      at.uses.add(id);
      const end = getOrSet(ends, id, () => newState());
      end.uses.add(id);
      getOrSet(at.next, END_OF_TEXT, () => []).push(end);
    }
  return start;
}
