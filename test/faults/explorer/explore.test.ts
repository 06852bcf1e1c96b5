import { describe, expect, it } from "vitest";
import { explore, type Invariant, type Model, toldOf } from "./explore.ts";
import { exploreForRest } from "./rest.ts";

/** Counts up to 3, by one or two at a time; who is brave goes on to 9. */
const counting = (invariant?: Invariant<number, string>): Model<number, string> => ({
  initial: 0,
  keyOf: String,
  stepsFrom: (count) => [
    ...(count < 3 ? [{ name: "one more", happens: "surely", to: count + 1, tells: "one" } as const] : []),
    ...(count < 2 ? [{ name: "two more", fault: "at once", happens: "surely", to: count + 2 } as const] : []),
    ...(count === 3 ? [{ name: "on to 9", happens: "perhaps", to: 9 } as const] : []),
  ],
  invariants: invariant === undefined ? [] : [invariant],
});

describe("the explorer", () => {
  it("visits every state once, and knows in which nothing more happens by itself", () => {
    expect(explore(counting())).toEqual({ states: 5, quiet: 2, depth: 3, violation: null });
  });

  it("tells a shortest way to a state in which something does not hold", () => {
    const found = explore(counting({ name: "below 3", kind: "always", holds: (count) => count < 3 }));
    expect(toldOf(found)).toBe("  1. one more\n  2. two more, at once\n  => broken: below 3");
  });

  it("tells of a step that must not be made", () => {
    const invariant: Invariant<number, string> = {
      name: "nobody is told of 3",
      kind: "over every step",
      holds: (before, { to, tells }) => before === to || to !== 3 || tells !== "one",
    };
    expect(explore(counting(invariant)).violation?.steps).toEqual(["two more, at once", "one more"]);
  });

  it("holds what must be so in the end against quiet states alone", () => {
    const atLeast = (least: number): Invariant<number, string> => ({
      name: "enough",
      kind: "when quiet",
      holds: (count) => count >= least,
    });
    expect(explore(counting(atLeast(3))).violation).toBeNull();
    expect(explore(counting(atLeast(4))).violation?.steps).toEqual(["one more", "two more, at once"]);
  });
});

describe("a model", () => {
  it("that goes in circles by itself is told so, with a way there; one that only may is at rest", () => {
    const turning = (happens: "surely" | "perhaps"): Model<number, string> => ({
      initial: 0,
      keyOf: String,
      stepsFrom: (count) => [
        count < 3 ? { name: "one more", happens: "surely", to: count + 1 } : { name: "back to 1", happens, to: 1 },
      ],
      invariants: [],
    });
    expect(toldOf(exploreForRest(turning("surely")))).toMatch(/^ {2}1\. one more\n.*broken: rest:/s);
    expect(exploreForRest(turning("perhaps"))).toEqual({ states: 4, quiet: 1, depth: 3, violation: null });
  });
});
