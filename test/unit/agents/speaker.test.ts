import { describe, expect, it } from "vitest";
import { expectedFields, isAwaited, missingNames, speakerKey } from "../../../shared/agents/speaker.ts";

const key = speakerKey;
const TWO_BOBS = expectedFields([
  { name: "bob", owner: "b1" },
  { name: "bob", owner: "b2" },
  { name: "ann", owner: "a" },
]);
const of = (answeredBy: readonly string[], answeredSpeakers?: readonly string[]) => ({
  ...TWO_BOBS,
  answeredBy,
  ...(answeredSpeakers === undefined ? {} : { answeredSpeakers }),
});

describe("who is expected to answer", () => {
  it("is told by name, each once and in order, and kept by whose the names are", () => {
    expect(TWO_BOBS.expected).toEqual(["ann", "bob"]);
    expect(TWO_BOBS.speakers).toEqual([[key("ann", "a")], [key("bob", "b1"), key("bob", "b2")].sort()]);
  });

  it("is missing until all of a name have answered", () => {
    expect(missingNames(of([]))).toEqual(["ann", "bob"]);
    expect(missingNames(of(["bob"], [key("bob", "b1")]))).toEqual(["ann", "bob"]);
    expect(missingNames(of(["bob"], [key("bob", "b1"), key("bob", "b2")]))).toEqual(["ann"]);
    expect(missingNames(of(["bob"], [key("bob", "b1")]), { subscriber: "bob", speaker: key("bob", "b2") })).toEqual([
      "ann",
    ]);
  });

  it("has answered when somebody did whose identity nobody proves, as where older code counts", () => {
    expect(missingNames(of(["bob"]))).toEqual(["ann"]);
    expect(missingNames(of([]), { subscriber: "bob" })).toEqual(["ann"]);
    expect(missingNames({ expected: ["ann", "bob"], answeredBy: ["bob"] })).toEqual(["ann"]);
  });

  it("is not answered for by somebody else of the same name", () => {
    const stranger = { subscriber: "bob", speaker: key("bob", "b3") };
    expect(missingNames(of([]), stranger)).toEqual(["ann", "bob"]);
    expect(isAwaited(of([]), stranger)).toBe(false);
  });

  it("is awaited once, each of a name by himself", () => {
    const first = { subscriber: "bob", speaker: key("bob", "b1") };
    expect(isAwaited(of([]), first)).toBe(true);
    expect(isAwaited(of(["bob"], [key("bob", "b1")]), first)).toBe(false);
    expect(isAwaited(of(["bob"], [key("bob", "b1")]), { subscriber: "bob", speaker: key("bob", "b2") })).toBe(true);
    expect(isAwaited(of([]), { subscriber: "bob" })).toBe(true);
    expect(isAwaited(of(["bob"]), { subscriber: "bob" })).toBe(false);
    expect(isAwaited(of([]), { subscriber: "carol", speaker: key("carol", "c") })).toBe(false);
    expect(isAwaited(of([]), {})).toBe(false);
  });
});
