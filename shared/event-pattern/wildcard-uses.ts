/** Which wildcards of a pattern EventBridge tries together, and whether they are too complex for it. */
import type { Branch, Leaf } from "./compile.ts";
import { getOrSet } from "./get-or-set.ts";
import { readPieces } from "./wildcard.ts";
import { areTooComplex, MAX_COMPLEXITY, STAR, type Wildcard, type WildcardUse } from "./wildcard-complexity.ts";

/** A field with wildcards that are too complex; null when there is none. @param branches of a pattern without faults */
export function findTooComplex(branches: readonly Branch[]): Leaf | null {
  const uses = new Map([...new Set(branches.flat())].map((leaf) => [leaf, leaf.alternatives.map(readUse)]));
  const [first] = [...uses].find(([, some]) => some.some(hasWildcards)) ?? [];
  if (first === undefined) return null;
  const trials = layTogether(branches, uses);
  if (trials === null) return first;
  const verdicts = new Map<string, boolean>();
  for (const { leaf, together } of trials) {
    const key = JSON.stringify(together.map(({ id }) => id));
    if (getOrSet(verdicts, key, () => areTooComplex(together))) return leaf;
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
  /** Where each alternative leads. */
  readonly next: Map<string, Junction>;
}

/** A thousand branches of ten fields take 10,000 steps. */
const MAX_STEPS = 50_000;

/** All trials of a pattern; null when there are too many. */
function layTogether(branches: readonly Branch[], uses: ReadonlyMap<Leaf, WildcardUse[]>): Trial[] | null {
  const trials: Trial[] = [];
  const start: Junction = new Map();
  const order = new Map([...uses.keys()].sort((a, b) => (a.path < b.path ? -1 : 1)).map((leaf, i) => [leaf, i]));
  const placeOf = (leaf: Leaf) => order.get(leaf) ?? 0;
  let steps = 0;
  for (const branch of branches) {
    let reached = new Set([start]);
    for (const leaf of [...branch].sort((a, b) => placeOf(a) - placeOf(b))) {
      steps += reached.size;
      if (steps > MAX_STEPS) return null;
      const trialsHere = [...reached].map((junction) =>
        getOrSet(junction, leaf.path, () => {
          const trial: Trial = { leaf, together: [], next: new Map() };
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
function lay(alternatives: readonly WildcardUse[], { together, next }: Trial): Junction[] {
  const made: Junction = new Map();
  return alternatives.map((use) => {
    // Alike more often than is allowed, they are no more too complex than they were.
    const alike = together.filter(({ id }) => id === use.id).length;
    if (hasWildcards(use) && alike <= MAX_COMPLEXITY) together.push(use);
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
