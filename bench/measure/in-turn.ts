/** Measures several things in turn, A B C A B C …, so that what else the machine does meets them alike. */

/** @returns for each subject its results, in order; the first `warmUps` rounds are thrown away */
export async function inTurn<Name extends string, Result>(
  subjects: Readonly<Record<Name, () => Promise<Result>>>,
  { rounds, warmUps = 1, onRound }: { rounds: number; warmUps?: number; onRound?: (round: number) => void },
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(subjects) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Name, Result[]>;
  for (let round = -warmUps; round < rounds; round++) {
    if (round >= 0) onRound?.(round);
    // Each round begins with another, so that none always follows the same.
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + warmUps) % names.length] as Name;
      const result = await subjects[name]();
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}
