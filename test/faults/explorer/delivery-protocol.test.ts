import { describe, expect, it } from "vitest";
import { deliveryModel } from "./delivery/model.ts";
import { BROKEN_VARIANTS } from "./delivery/variants.ts";
import { explore, toldOf } from "./explore.ts";
import { exploreForRest } from "./rest.ts";

const FAULTS = 3;

/** What each way of breaking it breaks first. */
const BREAKS: Readonly<Record<(typeof BROKEN_VARIANTS)[number], string>> = {
  "forget the event before its delivery is recorded": "I7",
  "dispatch over what is recorded": "I5",
  "delete the record once it is done": "I5",
  "take without a condition": "I5",
  "acknowledge without a fence": "I7",
  "give back without a fence": "I5",
  "an acknowledgement cannot be repeated": "I11",
  "dead without a reason": "I7",
  "no reconciler": "I7",
  "reconciler reads then writes": "I5",
  "redrive without a condition": "I5",
};

describe("the protocol of a delivery", () => {
  it(`keeps its invariants in every state that ${FAULTS} faults can lead to`, () => {
    const found = explore(deliveryModel("as it is", FAULTS));
    expect(toldOf(found)).toBe("no violation");
    expect(found.states).toBeGreaterThan(100_000);
    expect(found.quiet).toBeGreaterThan(300);
  });

  it("comes to rest: nothing goes on for ever by itself, in whatever order it happens", () => {
    expect(toldOf(exploreForRest(deliveryModel("as it is", 2)))).toBe("no violation");
  });

  it.each(BROKEN_VARIANTS)("does not keep them broken: %s", (variant) => {
    expect(toldOf(explore(deliveryModel(variant, FAULTS)))).toContain(`broken: ${BREAKS[variant]}:`);
  });
});
