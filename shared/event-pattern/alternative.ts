/** One alternative of a field: a value, or an operator and its argument. */
import { addressTest, cidrTest } from "./cidr.ts";
import { endsWithIgnoringCase, equalsIgnoringCase, startsWithIgnoringCase } from "./letter-case.ts";
import { numericTest, readNumber } from "./numeric.ts";
import type { Report, Scalar, ValueTest } from "./value-test.ts";
import { readWildcard } from "./wildcard.ts";

export type Alternative =
  | { readonly kind: "value"; readonly value: Scalar }
  | { readonly kind: "test"; readonly test: ValueTest }
  | { readonly kind: "absent" };

/** Makes the test of an operator from its argument, or reports why it cannot. */
type ReadOperator = (argument: unknown, pointer: string, report: Report) => ValueTest | null;

const OPERATORS: Readonly<Record<string, ReadOperator>> = {
  prefix: (argument, pointer, report) => readText(argument, pointer, report, startsWith, startsWithIgnoringCase),
  suffix: (argument, pointer, report) => readText(argument, pointer, report, endsWith, endsWithIgnoringCase),
  "equals-ignore-case": (argument, pointer, report) => readText(argument, pointer, report, equalsIgnoringCase),
  wildcard: (argument, pointer, report) =>
    typeof argument === "string"
      ? onText(readWildcard(argument, pointer, report))
      : report(pointer, "expected a string"),
  numeric: numericTest,
  cidr: cidrTest,
  "anything-but": readAnythingBut,
  // Not in the guide; EventBridge takes it.
  exactly: (argument, pointer, report) => readText(argument, pointer, report, equals),
};

export const OPERATOR_NAMES: readonly string[] = [...Object.keys(OPERATORS), "exists"];

/** Reads one element of a leaf's array. */
export function readAlternative(given: unknown, pointer: string, report: Report): Alternative | null {
  if (isScalar(given)) return readValue(given);
  const call = readOperator(given, OPERATOR_NAMES, pointer, report);
  if (call === null) return null;
  if (call.name === "exists") {
    if (typeof call.argument !== "boolean") return report(call.pointer, "expected true or false");
    return call.argument ? { kind: "test", test: () => true } : { kind: "absent" };
  }
  const test = OPERATORS[call.name]?.(call.argument, call.pointer, report) ?? null;
  return test === null ? null : { kind: "test", test };
}

function readValue(value: Scalar): Alternative {
  const test = typeof value === "string" ? addressTest(value) : null;
  return test === null ? { kind: "value", value } : { kind: "test", test };
}

function isScalar(given: unknown): given is Scalar {
  return given === null || typeof given === "string" || typeof given === "boolean" || Number.isFinite(given);
}

/** `{"<operator>": <argument>}`, with one of the names and nothing beside it. */
function readOperator(
  given: unknown,
  names: readonly string[],
  pointer: string,
  report: Report,
): { name: string; argument: unknown; pointer: string } | null {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return report(pointer, "expected a string, a number, true, false, null or an operator");
  const [member, ...others] = Object.entries(given);
  if (member === undefined || others.length > 0) return report(pointer, "expected exactly one operator");
  const [name, argument] = member;
  if (!names.includes(name)) return report(pointer, `expected one of the operators ${names.join(", ")}`);
  return { name, argument, pointer: `${pointer}/${name}` };
}

type TextRelation = (argument: string) => (text: string) => boolean;
const equals: TextRelation = (argument) => (text) => text === argument;
const startsWith: TextRelation = (argument) => (text) => text.startsWith(argument);
const endsWith: TextRelation = (argument) => (text) => text.endsWith(argument);

function onText(test: ((text: string) => boolean) | null): ValueTest | null {
  return test === null ? null : (value) => typeof value === "string" && test(value);
}

/** An argument that is a string or, where case can be ignored, `{"equals-ignore-case": string}`. */
function readText(
  argument: unknown,
  pointer: string,
  report: Report,
  relation: TextRelation,
  ignoringCase?: TextRelation,
): ValueTest | null {
  if (typeof argument === "string") return onText(relation(argument));
  if (ignoringCase === undefined || typeof argument !== "object") return report(pointer, "expected a string");
  const call = readOperator(argument, ["equals-ignore-case"], pointer, report);
  return call === null ? null : readText(call.argument, call.pointer, report, ignoringCase);
}

/** What `anything-but` can be applied to beside plain values. */
const NEGATED: Readonly<Record<string, ReadOperator>> = {
  prefix: (argument, pointer, report) => readNonEmptyText(argument, pointer, report, startsWith),
  suffix: (argument, pointer, report) => readNonEmptyText(argument, pointer, report, endsWith),
  "equals-ignore-case": (argument, pointer, report) => readText(argument, pointer, report, equalsIgnoringCase),
  wildcard: OPERATORS.wildcard as ReadOperator,
};

/** Any value, of any type, but the given ones. A field that is absent is no value. */
function readAnythingBut(argument: unknown, pointer: string, report: Report): ValueTest | null {
  if (typeof argument !== "object" || argument === null || Array.isArray(argument))
    return readOtherValues(argument, pointer, report);
  const call = readOperator(argument, Object.keys(NEGATED), pointer, report);
  if (call === null) return null;
  const read = NEGATED[call.name] as ReadOperator;
  return noneOf(call.argument, call.pointer, report, (one, at) => read(one, at, report));
}

function readOtherValues(argument: unknown, pointer: string, report: Report): ValueTest | null {
  const given: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
  if (given.length === 0) return report(pointer, "expected at least one value");
  const type = typeof given[0];
  const excluded = new Set<unknown>();
  for (const [i, one] of given.entries()) {
    const at = Array.isArray(argument) ? `${pointer}/${i}` : pointer;
    if (typeof one !== type || (type !== "string" && type !== "number"))
      return report(at, "expected strings only, or numbers only");
    if (type === "number" && readNumber(one, at, report) === null) return null;
    excluded.add(one);
  }
  return (value) => !excluded.has(value);
}

/** The test that no one of an argument, or of the elements of a list, fits. */
function noneOf(
  argument: unknown,
  pointer: string,
  report: Report,
  read: (one: unknown, pointer: string) => ValueTest | null,
): ValueTest | null {
  const tests = Array.isArray(argument)
    ? argument.map((one, i) => read(one, `${pointer}/${i}`))
    : [read(argument, pointer)];
  if (tests.length === 0) return report(pointer, "expected at least one value");
  return (value) => !tests.some((test) => test?.(value) === true);
}

function readNonEmptyText(
  argument: unknown,
  pointer: string,
  report: Report,
  relation: TextRelation,
): ValueTest | null {
  if (typeof argument !== "string" || argument === "") return report(pointer, "expected a string that is not empty");
  return readText(argument, pointer, report, relation);
}
