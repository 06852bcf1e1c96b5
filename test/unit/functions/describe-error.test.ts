import { describe, expect, it } from "vitest";
import { describeError } from "../../../functions/runtime/describe-error.ts";
import { BusError } from "../../../shared/errors.ts";

const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe("a failure in the log", () => {
  it("says where it happened and what caused it", () => {
    const text = describeError(new BusError("unavailable", "The store failed.", { cause: new Error("timeout") }));
    expect(text).toMatch(/^BusError: The store failed\.\n.*describe-error\.test\.ts.*\(cause: Error: timeout\n/s);
  });

  it("does not quote what could not be read", () => {
    const error = thrownBy(() => JSON.parse("topsecret"));
    const outer = new BusError("internal", "No JSON.", { cause: error });
    for (const one of [error, outer]) {
      expect(describeError(one)).toMatch(/SyntaxError/);
      expect(describeError(one)).not.toMatch(/secret/);
    }
  });

  it("ends, whatever was thrown", () => {
    const itself = new Error("itself");
    itself.cause = itself;
    const unreadable = Object.defineProperty(new Error("x"), "stack", {
      get: () => {
        throw new Error("no");
      },
    });
    expect(describeError(itself).match(/Error: itself/g)).toHaveLength(6);
    expect(describeError(unreadable)).toBe("(an error that cannot be read)");
    for (const thrown of [
      undefined,
      null,
      1n,
      "text",
      Symbol("s"),
      { data: "topsecret" },
      Object.create(null),
      () => 1,
    ])
      expect(describeError(thrown)).not.toMatch(/topsecret/);
  });
});
