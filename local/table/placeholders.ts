/** What the names and values in expressions stand for. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalidCall } from "./errors.ts";
import type { Operand, Parsed } from "./expression.ts";
import { storable } from "./values.ts";

export interface Given {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
}

/** As DynamoDB: all that is given has to be used. @throws Error `ValidationException` */
export function requireUsed(
  { ExpressionAttributeNames: names, ExpressionAttributeValues: values }: Given,
  expressions: readonly (Parsed<unknown> | null)[],
): void {
  const isUsed = (placeholder: string): boolean =>
    expressions.some((expression) => expression?.placeholders.has(placeholder) === true);
  const requireAll = (given: readonly string[], what: string): void => {
    if (given.length === 0) throw invalidCall(`${what} must not be empty`);
    const unused = given.filter((placeholder) => !isUsed(placeholder));
    if (unused.length > 0)
      throw invalidCall(`Value provided in ${what} unused in expressions: keys: {${unused.join(", ")}}`);
  };
  if (names !== undefined) requireAll(Object.keys(names), "ExpressionAttributeNames");
  if (values !== undefined) requireAll(Object.keys(values), "ExpressionAttributeValues");
}

/** The attribute that an operand names. @throws Error `ValidationException` when it stands for nothing */
export function attributeOf({ kind, name }: Operand, { ExpressionAttributeNames }: Given): string {
  if (kind === "value") throw invalidCall(`An attribute was expected, and not the value ${name}.`);
  const attribute = name.startsWith("#") ? ExpressionAttributeNames?.[name] : name;
  if (attribute === undefined)
    throw invalidCall(`An expression attribute name used in the document path is not defined: ${name}`);
  return attribute;
}

/** @throws Error `ValidationException` when it is not given, or none */
export function givenValue({ kind, name }: Operand, { ExpressionAttributeValues }: Given): AttributeValue {
  const value = kind === "value" ? ExpressionAttributeValues?.[name] : undefined;
  if (value === undefined)
    throw invalidCall(`An expression attribute value used in expression is not defined: ${name}`);
  return storable(value);
}
