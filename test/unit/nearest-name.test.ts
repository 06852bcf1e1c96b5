import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUILT_IN_EVENT_TYPES } from "../../shared/event-types/catalogue.ts";
import { nearestName } from "../../shared/event-types/nearest-name.ts";

const names = Object.keys(BUILT_IN_EVENT_TYPES);

describe("who mistypes a name is shown the one that was meant", () => {
  it.each([
    ["MESAGE_RECEIVED", "MESSAGE_RECEIVED"],
    ["message_received", "MESSAGE_RECEIVED"],
    ["MESSAGE_RECIEVED", "MESSAGE_RECEIVED"],
    ["SESSION_CREATE", "SESSION_CREATED"],
    ["CONTEXT_REQUEST", "CONTEXT_REQUESTED"],
    ["UPGRADE_COMPLETE", "UPGRADE_COMPLETED"],
    ["ORION_STATE_CHANGE", "ORION_STATE_CHANGED"],
  ])("%s: %s", (given, meant) => {
    expect(nearestName(given, names)).toBe(meant);
  });

  it("a name of the list is its own nearest", () => {
    for (const name of names) expect(nearestName(name, names)).toBe(name);
  });

  it("with any one letter wrong, missing or too many, it is still found", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.constantFrom("", "X", "XY"), (name, position, instead) => {
        const at = position % name.length;
        expect(nearestName(name.slice(0, at) + instead + name.slice(at + 1), names)).toBe(name);
      }),
    );
  });

  it("there is none in an empty list, and always one in any other", () => {
    expect(nearestName("A", [])).toBeNull();
    expect(nearestName("", ["LONG", "B"])).toBe("B");
    expect(nearestName("x".repeat(1_000_000), names)).toBeTypeOf("string");
  });

  it("of two equally near, the first is named", () => {
    expect(nearestName("AX", ["AB", "AC"])).toBe("AB");
  });
});
