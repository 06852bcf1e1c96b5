/** JSONTestSuite on the parser (goal S8); over HTTP, and stored: `test/e2e/embedded-json-corpus.test.ts`. */
import { expect, it } from "vitest";
import { BusError } from "../../shared/errors.ts";
import { parseJson } from "../../shared/parse-json.ts";
import { exactNumbers, JSON_CASES, type JsonCase, REFUSED_BY_CONTRACT } from "../support/json-corpus.ts";

const of = (expected: JsonCase["expected"]) => JSON_CASES.filter((one) => one.expected === expected);
const textOf = ({ bytes }: JsonCase): string => Buffer.from(bytes).toString("utf8");

/** Null when it was refused as it should be. */
function read({ bytes }: JsonCase): { value: unknown } | null {
  try {
    return { value: parseJson(bytes) };
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== "invalid_json") throw error;
    return null;
  }
}

function expectUnchanged(given: JsonCase, value: unknown): void {
  expect(value).toEqual(JSON.parse(textOf(given)));
  expect(exactNumbers(JSON.stringify(value))).toEqual(exactNumbers(textOf(given)));
}

it("has all of the suite", () => {
  expect([of("accepted").length, of("refused").length, of("open").length]).toEqual([95, 188, 57]);
});

it.each(of("accepted"))("$name is accepted and unchanged", (given) => {
  const outcome = read(given);
  if (REFUSED_BY_CONTRACT.has(given.name)) expect(outcome).toBeNull();
  else expectUnchanged(given, outcome?.value);
});

it.each(of("refused"))("$name is refused", (given) => {
  expect(read(given)).toBeNull();
});

it.each(of("open"))("$name is refused, or kept exactly", (given) => {
  const outcome = read(given);
  if (outcome !== null) expectUnchanged(given, outcome.value);
});
