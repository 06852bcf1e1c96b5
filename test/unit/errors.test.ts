import { describe, expect, it } from "vitest";
import { BusError, ERROR_KINDS, type ErrorCode, invalidField, toProblem } from "../../shared/errors.ts";

describe("the table of codes", () => {
  it.each<[ErrorCode, number, boolean]>([
    ["invalid_json", 400, false],
    ["unauthenticated", 401, false],
    ["forbidden", 403, false],
    ["not_found", 404, false],
    ["idempotency_conflict", 409, false],
    ["response_conflict", 409, false],
    ["agent_exists", 409, false],
    ["limit_reached", 409, false],
    ["payload_too_large", 413, false],
    ["invalid_request", 422, false],
    ["unknown_event_type", 422, false],
    ["schema_violation", 422, false],
    ["loop_detected", 422, false],
    ["no_subscribers", 424, false],
    ["rate_limited", 429, true],
    ["internal", 500, true],
    ["overloaded", 503, true],
    ["unavailable", 503, true],
  ])("%s is %i, retryable %s", (code, status, retryable) => {
    const error = new BusError(code, "what happened");
    expect({ status: error.status, retryable: error.retryable }).toEqual({ status, retryable });
  });

  it("has no other codes, and a title for each", () => {
    expect(Object.keys(ERROR_KINDS)).toHaveLength(18);
    expect(new Set(Object.values(ERROR_KINDS).map((kind) => kind.title)).size).toBe(18);
  });
});

describe("a problem document", () => {
  it("says what happened, where, and whether a retry can help", () => {
    expect(toProblem(invalidField("/timeout", "a number from 0.05 to 86400 was expected"))).toEqual({
      type: "urn:agent-event-bus:error:invalid_request",
      title: "The request has an invalid field",
      status: 422,
      detail: "/timeout: a number from 0.05 to 86400 was expected",
      code: "invalid_request",
      retryable: false,
      errors: [{ pointer: "/timeout", detail: "a number from 0.05 to 86400 was expected" }],
    });
  });

  it("has no errors where no field is at fault", () => {
    expect(toProblem(new BusError("not_found", "There is no event with this id."))).not.toHaveProperty("errors");
  });

  it("tells nothing of a failure that was not foreseen, and nothing of a cause or a stack", () => {
    const secret = "secret-of-another-agent";
    for (const failure of [new Error(secret), secret, { code: "not_found", message: secret }, null, undefined]) {
      const problem = toProblem(failure);
      expect(problem).toMatchObject({ code: "internal", status: 500, retryable: true });
      expect(JSON.stringify(problem)).not.toContain(secret);
    }
    const wrapped = new BusError("unavailable", "The store did not answer.", { cause: new Error(secret) });
    expect(JSON.stringify(toProblem(wrapped))).not.toContain(secret);
    expect(JSON.stringify(toProblem(wrapped))).not.toContain(".ts");
  });
});

describe("a BusError", () => {
  it("is an error with a name and, when it has one, its cause", () => {
    const cause = new Error("socket closed");
    const error = new BusError("unavailable", "The store did not answer.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe("BusError: The store did not answer.");
    expect(error.cause).toBe(cause);
    expect(new BusError("not_found", "Not here.")).not.toHaveProperty("cause");
  });
});
