/** Conditions and filters, on an item. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalidCall } from "./errors.ts";
import type { Comparator, Condition, Operand } from "./expression.ts";
import { attributeOf, type Given, givenValue } from "./placeholders.ts";
import { attributeIn, type Item, isEqual, orderOf, typeOf } from "./values.ts";

export type Test = (item: Item) => boolean;
export type Read = (item: Item) => AttributeValue | undefined;

/** What an operand is in an item; undefined for an attribute that it has not. @throws Error `ValidationException` */
export function reading(operand: Operand, given: Given): Read {
  if (operand.kind === "attribute") {
    const attribute = attributeOf(operand, given);
    return (item) => attributeIn(item, attribute);
  }
  const value = givenValue(operand, given);
  return () => value;
}

/** @throws Error `ValidationException` for what could not hold for any item, as it does on AWS: not only where one is met */
export function testOf(condition: Condition, given: Given): Test {
  switch (condition.kind) {
    case "and": {
      const tests = condition.parts.map((part) => testOf(part, given));
      return (item) => tests.every((test) => test(item));
    }
    case "or": {
      const tests = condition.parts.map((part) => testOf(part, given));
      return (item) => tests.some((test) => test(item));
    }
    case "not": {
      const test = testOf(condition.part, given);
      return (item) => !test(item);
    }
    case "exists": {
      const read = reading(condition.of, given);
      return (item) => read(item) !== undefined;
    }
    case "absent": {
      const read = reading(condition.of, given);
      return (item) => read(item) === undefined;
    }
    case "begins":
      return beginsTest(condition.of, condition.prefix, given);
    case "between":
      return betweenTest(condition, given);
    case "compares":
      return comparisonTest(condition, given);
  }
}

function beginsTest(of: Operand, prefix: Operand, given: Given): Test {
  requireType(prefix, given, ["S"]);
  const [read, readPrefix] = [reading(of, given), reading(prefix, given)];
  return (item) => {
    const [text, start] = [read(item)?.S, readPrefix(item)?.S];
    return text !== undefined && start !== undefined && text.startsWith(start);
  };
}

function betweenTest(condition: Condition & { kind: "between" }, given: Given): Test {
  requireBounds(condition, given);
  const [read, low, high] = [condition.of, condition.low, condition.high].map((operand) => reading(operand, given)) as [
    Read,
    Read,
    Read,
  ];
  return (item) => compares(read(item), ">=", low(item)) && compares(read(item), "<=", high(item));
}

/** @throws Error `ValidationException` for bounds that are no texts or numbers, not of one type, or the wrong way round */
export function requireBounds({ of, low, high }: Condition & { kind: "between" }, given: Given): void {
  for (const operand of [of, low, high]) requireType(operand, given, ["S", "N"]);
  if (low.kind !== "value" || high.kind !== "value") return;
  const order = orderOf(givenValue(low, given), givenValue(high, given));
  if (order === null) throw invalidCall("The BETWEEN operator requires same data type for lower and upper bounds");
  if (order > 0)
    throw invalidCall("The BETWEEN operator requires upper bound to be greater than or equal to lower bound");
}

function comparisonTest({ comparator, left, right }: Condition & { kind: "compares" }, given: Given): Test {
  if (comparator !== "=" && comparator !== "<>")
    for (const operand of [left, right]) requireType(operand, given, ["S", "N"]);
  const [readLeft, readRight] = [reading(left, given), reading(right, given)];
  return (item) => compares(readLeft(item), comparator, readRight(item));
}

function requireType(operand: Operand, given: Given, types: readonly string[]): void {
  if (operand.kind === "value" && !types.includes(typeOf(givenValue(operand, given))))
    throw invalidCall("Incorrect operand type for operator or function");
}

/** What is not there, or of another type, is neither equal, nor less, nor more. */
function compares(
  left: AttributeValue | undefined,
  comparator: Comparator,
  right: AttributeValue | undefined,
): boolean {
  const areThere = left !== undefined && right !== undefined;
  if (comparator === "=") return areThere && isEqual(left, right);
  if (comparator === "<>") return !areThere || !isEqual(left, right);
  const order = areThere ? orderOf(left, right) : null;
  if (order === null) return false;
  switch (comparator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}
