/** Conditions and updates, on an item. Numbers are doubles here: exact for the counters and instants that the bus keeps. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalidCall } from "./errors.ts";
import {
  type Change,
  type Comparator,
  type Condition,
  type Operand,
  parseCondition,
  parseUpdate,
} from "./expression.ts";

export type Item = Record<string, AttributeValue>;

/** What the names and values of an expression stand for. */
export interface Placeholders {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
}

/** The attribute that an operand names. @throws Error `ValidationException` when it stands for nothing */
export function attributeOf({ kind, name }: Operand, { ExpressionAttributeNames }: Placeholders): string {
  if (kind === "value") throw invalidCall(`An attribute was expected, and not the value ${name}.`);
  const attribute = name.startsWith("#") ? ExpressionAttributeNames?.[name] : name;
  if (attribute === undefined) throw invalidCall(`The name ${name} stands for nothing.`);
  return attribute;
}

/** @returns undefined for an attribute that the item has not. @throws Error `ValidationException` when a value is not given */
export function valueAt(operand: Operand, item: Item, placeholders: Placeholders): AttributeValue | undefined {
  if (operand.kind === "attribute") return item[attributeOf(operand, placeholders)];
  const value = placeholders.ExpressionAttributeValues?.[operand.name];
  if (value === undefined) throw invalidCall(`The value ${operand.name} is not given.`);
  return value;
}

/** Whether an item fits a condition; one without a text fits all. */
export function fits(text: string | undefined, item: Item, placeholders: Placeholders): boolean {
  return text === undefined || holds(parseCondition(text), item, placeholders);
}

function holds(condition: Condition, item: Item, placeholders: Placeholders): boolean {
  const value = (operand: Operand): AttributeValue | undefined => valueAt(operand, item, placeholders);
  switch (condition.kind) {
    case "and":
      return condition.parts.every((part) => holds(part, item, placeholders));
    case "or":
      return condition.parts.some((part) => holds(part, item, placeholders));
    case "exists":
      return value(condition.of) !== undefined;
    case "absent":
      return value(condition.of) === undefined;
    case "begins": {
      const [text, prefix] = [value(condition.of)?.S, value(condition.prefix)?.S];
      return text !== undefined && prefix !== undefined && text.startsWith(prefix);
    }
    case "between": {
      const of = value(condition.of);
      return compares(of, ">=", value(condition.low)) && compares(of, "<=", value(condition.high));
    }
    case "compares":
      return compares(value(condition.left), condition.comparator, value(condition.right));
  }
}

/** What is not there, or of another type, is neither equal, nor less, nor more. */
function compares(
  left: AttributeValue | undefined,
  comparator: Comparator,
  right: AttributeValue | undefined,
): boolean {
  const order = left === undefined || right === undefined ? null : orderOf(left, right);
  switch (comparator) {
    case "=":
      return order === 0;
    case "<>":
      return order !== 0;
    case "<":
      return order !== null && order < 0;
    case "<=":
      return order !== null && order <= 0;
    case ">":
      return order !== null && order > 0;
    case ">=":
      return order !== null && order >= 0;
  }
}

/** Under 0, 0 or over 0; null for what has no order. Texts go by their UTF-8. */
function orderOf(left: AttributeValue, right: AttributeValue): number | null {
  if (left.S !== undefined && right.S !== undefined)
    return left.S === right.S ? 0 : Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  if (left.N !== undefined && right.N !== undefined) return Number(left.N) - Number(right.N);
  if (left.BOOL !== undefined && right.BOOL !== undefined) return left.BOOL === right.BOOL ? 0 : null;
  return null;
}

export interface Updated {
  readonly item: Item;
  /** The attributes that the update is about. */
  readonly touched: readonly string[];
}

/** An item as an update leaves it; what is read of it is read before. @throws Error `ValidationException` */
export function updated(text: string | undefined, before: Item, placeholders: Placeholders): Updated {
  const item = { ...before };
  const touched: string[] = [];
  for (const change of text === undefined ? [] : parseUpdate(text)) {
    const attribute = attributeOf(change.attribute, placeholders);
    touched.push(attribute);
    const value = changedValue(change, before, before[attribute], placeholders);
    if (value === undefined) delete item[attribute];
    else item[attribute] = value;
  }
  return { item, touched };
}

function changedValue(
  change: Change,
  before: Item,
  standing: AttributeValue | undefined,
  placeholders: Placeholders,
): AttributeValue | undefined {
  switch (change.kind) {
    case "remove":
      return undefined;
    case "add":
      return added(standing, valueAt(change.value, before, placeholders) as AttributeValue);
    case "set": {
      const [first, second] = change.summands.map((operand) => present(operand, before, placeholders));
      return second === undefined ? first : sum(first as AttributeValue, second);
    }
  }
}

function present(operand: Operand, before: Item, placeholders: Placeholders): AttributeValue {
  const value = valueAt(operand, before, placeholders);
  if (value === undefined) throw invalidCall(`There is no attribute ${operand.name} in the item.`);
  return value;
}

function added(standing: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (value.N !== undefined) return sum(standing ?? { N: "0" }, value);
  if (value.SS !== undefined && (standing === undefined || standing.SS !== undefined))
    return { SS: [...new Set([...(standing?.SS ?? []), ...value.SS])] };
  throw invalidCall("ADD takes numbers and sets of texts, each to its like.");
}

function sum(left: AttributeValue, right: AttributeValue): AttributeValue {
  if (left.N === undefined || right.N === undefined) throw invalidCall("Only numbers can be added.");
  return { N: String(Number(left.N) + Number(right.N)) };
}
