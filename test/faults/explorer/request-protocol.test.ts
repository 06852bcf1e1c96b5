import { describe, expect, it } from "vitest";
import { explore, toldOf } from "./explore.ts";
import { requestModel } from "./request/model.ts";
import { BROKEN_VARIANTS, RESTLESS_VARIANT } from "./request/variants.ts";
import { exploreForRest } from "./rest.ts";

const FAULTS = 4;

/** What each way of breaking it breaks first. */
const BREAKS: Readonly<Record<(typeof BROKEN_VARIANTS)[number], string>> = {
  "publish first": "I5",
  "request record after publish": "I4",
  "acknowledge early": "I1",
  "time out without a condition": "I2",
  "time out blindly": "I3",
  "answer blindly": "I2",
  "let a clock decide": "I4",
  "drop late answers": "I4",
  "no relay": "I1",
  "relay marks before it publishes": "I1",
  "no sweeper": "I6",
  "sweeper reads then writes": "I2",
  "record without a condition": "I5",
  "keep one's own token": "I4",
  "count before storing": "I4",
  "cancel without a condition": "I2",
  "take a lost acknowledgement for a failure": "I11",
};

describe("the protocol of a request", () => {
  it(`keeps its invariants in every state that ${FAULTS} faults can lead to`, () => {
    const found = explore(requestModel("as it is", FAULTS));
    expect(toldOf(found)).toBe("no violation");
    expect(found.states).toBeGreaterThan(400_000);
    expect(found.quiet).toBeGreaterThan(500);
  });

  it("comes to rest: nothing goes on for ever by itself, in whatever order it happens", () => {
    expect(toldOf(exploreForRest(requestModel("as it is", 1)))).toBe("no violation");
    expect(toldOf(exploreForRest(requestModel(RESTLESS_VARIANT, 1)))).toContain("broken: rest:");
  });

  it.each(BROKEN_VARIANTS)("does not keep them broken: %s", (variant) => {
    const found = explore(requestModel(variant, FAULTS));
    expect(toldOf(found)).toContain(`broken: ${BREAKS[variant]}:`);
  });
});
