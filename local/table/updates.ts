/** Updates, on an item. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { reading } from "./conditions.ts";
import { addDecimals, subtractDecimals } from "./decimals.ts";
import { invalidCall } from "./errors.ts";
import type { Change, Summand } from "./expression.ts";
import { attributeOf, type Given, givenValue } from "./placeholders.ts";
import { type Item, typeOf } from "./values.ts";

export interface Update {
  /** The attributes that it is about. */
  readonly attributes: readonly string[];
  /** The item as it leaves it; what is read of it is read before. @throws Error `ValidationException` */
  apply(before: Item): Item;
}

/** What becomes of one attribute; undefined: it goes. */
type Apply = (before: Item, standing: AttributeValue | undefined) => AttributeValue | undefined;

/** @param ofKey attributes that nothing may be done to. @throws Error `ValidationException` */
export function updateOf(changes: readonly Change[], given: Given, ofKey: readonly string[]): Update {
  const attributes = changes.map(({ attribute }) => attributeOf(attribute, given));
  for (const attribute of attributes)
    if (ofKey.includes(attribute))
      throw invalidCall(`Cannot update attribute ${attribute}. This attribute is part of the key`);
  if (new Set(attributes).size < attributes.length)
    throw invalidCall("Two document paths overlap with each other; must remove or rewrite one of these paths");
  const applies = changes.map((change) => applying(change, given));
  return {
    attributes,
    apply(before) {
      const item = new Map(Object.entries(before));
      for (const [i, apply] of applies.entries()) {
        const attribute = attributes[i] as string;
        const value = apply(before, item.get(attribute));
        if (value === undefined) item.delete(attribute);
        else item.set(attribute, value);
      }
      return Object.fromEntries(item);
    },
  };
}

function applying(change: Change, given: Given): Apply {
  switch (change.kind) {
    case "remove":
      return () => undefined;
    case "add":
      return adding(givenValue(change.value, given));
    case "delete":
      return deleting(givenValue(change.value, given));
    case "set": {
      const first = summand(change.first, given);
      if (change.addend === null) return first;
      const [combine, second] = [
        change.addend.sign === "+" ? addDecimals : subtractDecimals,
        summand(change.addend.of, given),
      ];
      return (before) => ({ N: combine(numberIn(first(before)), numberIn(second(before))) });
    }
  }
}

function summand({ of, otherwise }: Summand, given: Given): (before: Item) => AttributeValue {
  const read = reading(of, given);
  const readOther = otherwise === undefined ? () => undefined : reading(otherwise, given);
  return (before) => {
    const value = read(before) ?? readOther(before);
    if (value === undefined)
      throw invalidCall("The provided expression refers to an attribute that does not exist in the item");
    return value;
  };
}

function numberIn({ N }: AttributeValue): string {
  if (N === undefined) throw wrongType();
  return N;
}

function adding(value: AttributeValue): Apply {
  const type = typeOf(value);
  if (type === "N") return (_, standing = { N: "0" }) => ({ N: addDecimals(numberIn(standing), numberIn(value)) });
  return withSets(value, (standing, members) => [...new Set([...standing, ...members])]);
}

const deleting = (value: AttributeValue): Apply =>
  withSets(value, (standing, members) => standing.filter((member) => !members.includes(member)));

/** Both sets are of one type; a set that loses its last member goes. */
function withSets(
  value: AttributeValue,
  combine: (standing: readonly string[], members: readonly string[]) => string[],
): Apply {
  const type = typeOf(value);
  if (type !== "SS" && type !== "NS") throw invalidCall("Incorrect operand type for operator or function");
  return (_, standing) => {
    if (standing !== undefined && typeOf(standing) !== type) throw wrongType();
    const members = combine(standing?.[type] ?? [], value[type] as string[]);
    if (members.length === 0) return undefined;
    return type === "SS" ? { SS: members } : { NS: members };
  };
}

const wrongType = (): Error => invalidCall("An operand in the update expression has an incorrect data type");
