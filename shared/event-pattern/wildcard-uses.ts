/** Which wildcards of a pattern EventBridge tries together, and whether they are too complex for it. */
import type { Branch, Leaf } from "./compile.ts";
import { getOrSet } from "./get-or-set.ts";
import { readPieces } from "./wildcard.ts";
import { areTooComplex, MAX_COMPLEXITY, STAR, type Wildcard, type WildcardUse } from "./wildcard-complexity.ts";
import { MAX_CHECKING_STEPS, type Work } from "./work.ts";

/**
 * A field with wildcards that are too complex, or take too much work to tell; null when there is none.
 *
 * @param branches of a pattern without faults
 * @param work counts what it takes: at most `MAX_CHECKING_STEPS`, and what the last step adds
 */
export function findTooComplex(branches: readonly Branch[], work: Work): Leaf | null {
  const uses = new Map([...new Set(branches.flat())].map((leaf) => [leaf, leaf.alternatives.map(readUse)]));
  const [first] = [...uses].find(([, some]) => some.some(hasWildcards)) ?? [];
  if (first === undefined) return null;
  const trials = layTogether(branches, uses, work);
  if (trials === null) return first;
  const verdicts = new Map<string, boolean>();
  for (const { leaf, together } of trials) {
    const key = JSON.stringify(together.map(({ id }) => id));
    if (getOrSet(verdicts, key, () => areTooComplex(together, work))) return leaf;
  }
  return null;
}

/** What EventBridge looks for once it has found certain fields, by path. It takes fields in the order of their paths. */
type Junction = Map<string, Trial>;

/** A field at a junction. */
interface Trial {
  readonly leaf: Leaf;
  /** The alternatives with wildcards of all branches that come by. */
  readonly together: WildcardUse[];
  /** How many of them are alike, by their ids. */
  readonly alike: Map<string, number>;
  /** Where each alternative leads. */
  readonly next: Map<string, Junction>;
}

/** All trials of a pattern; null when there are too many. A step is an alternative, laid at one trial. */
function layTogether(branches: readonly Branch[], uses: ReadonlyMap<Leaf, WildcardUse[]>, work: Work): Trial[] | null {
  const trials: Trial[] = [];
  const start: Junction = new Map();
  const order = new Map([...uses.keys()].sort((a, b) => (a.path < b.path ? -1 : 1)).map((leaf, i) => [leaf, i]));
  const placeOf = (leaf: Leaf) => order.get(leaf) ?? 0;
  for (const branch of branches) {
    let reached = new Set([start]);
    for (const leaf of [...branch].sort((a, b) => placeOf(a) - placeOf(b))) {
      work.steps += reached.size * leaf.alternatives.length;
      if (work.steps > MAX_CHECKING_STEPS) return null;
      const trialsHere = [...reached].map((junction) =>
        getOrSet(junction, leaf.path, () => {
          const trial: Trial = { leaf, together: [], alike: new Map(), next: new Map() };
          trials.push(trial);
          return trial;
        }),
      );
      reached = new Set(trialsHere.flatMap((trial) => lay(uses.get(leaf) ?? [], trial)));
    }
  }
  return trials;
}

/** Adds a branch's alternatives to a trial. Those that come for the first time lead to a junction of their own. */
function lay(alternatives: readonly WildcardUse[], { together, alike, next }: Trial): Junction[] {
  const made: Junction = new Map();
  return alternatives.map((use) => {
    // Alike more often than is allowed, they are no more too complex than they were.
    const before = alike.get(use.id) ?? 0;
    if (hasWildcards(use) && before <= MAX_COMPLEXITY) together.push(use);
    alike.set(use.id, before + 1);
    return getOrSet(next, use.id, () => made);
  });
}

function hasWildcards({ wildcards }: WildcardUse): boolean {
  return wildcards.length > 0;
}

/** @param alternative `{"wildcard": ...}`, `{"anything-but": {"wildcard": ...}}`, or any other */
function readUse(alternative: unknown): WildcardUse {
  const given = memberOf(alternative, "wildcard") ?? memberOf(memberOf(alternative, "anything-but"), "wildcard") ?? [];
  const wildcards = new Set<unknown>(Array.isArray(given) ? given : [given]);
  return { id: JSON.stringify(alternative), wildcards: [...wildcards].map((wildcard) => tokensOf(String(wildcard))) };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : null;
}

function tokensOf(wildcard: string): Wildcard {
  const pieces = readPieces(wildcard, "", () => null) ?? [];
  return pieces.flatMap((piece, i) => [...(i === 0 ? [] : [STAR]), ...new TextEncoder().encode(piece)]);
}
