/**
 * DynamoDB's expressions, as far as the bus writes them: conditions with AND, OR, comparisons, BETWEEN, attribute_exists,
 * attribute_not_exists and begins_with; updates with SET (of a value, or of a sum), REMOVE and ADD. Attributes are at the top
 * of an item. Each text is parsed once: there are only some dozens of them.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
 */
import { invalidCall } from "./errors.ts";

/** `:value`, or an attribute's name, `#` in front of one that has to be looked up. */
export type Operand = { readonly kind: "value" | "attribute"; readonly name: string };

export type Comparator = "=" | "<>" | "<" | "<=" | ">" | ">=";

export type Condition =
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "exists" | "absent"; readonly of: Operand }
  | { readonly kind: "begins"; readonly of: Operand; readonly prefix: Operand }
  | { readonly kind: "between"; readonly of: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: "compares"; readonly comparator: Comparator; readonly left: Operand; readonly right: Operand };

export type Change =
  | { readonly kind: "set"; readonly attribute: Operand; readonly summands: readonly Operand[] }
  | { readonly kind: "remove"; readonly attribute: Operand }
  | { readonly kind: "add"; readonly attribute: Operand; readonly value: Operand };

/** @throws Error `ValidationException` for what is none, or none of these */
export const parseCondition = remembering((text) => new Parser(text).wholeCondition());

/** @throws Error `ValidationException` for what is none, or none of these */
export const parseUpdate = remembering((text) => new Parser(text).wholeUpdate());

/** More texts than the bus has; a bound, not a target. */
const MAX_REMEMBERED = 500;

function remembering<T>(parse: (text: string) => T): (text: string) => T {
  const parsed = new Map<string, T>();
  return (text) => {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const fresh = parse(text);
    if (parsed.size >= MAX_REMEMBERED) parsed.clear();
    parsed.set(text, fresh);
    return fresh;
  };
}

const TOKEN = /\s*(<=|>=|<>|[=<>(),+]|[:#]?[A-Za-z_]\w*)/y;
const COMPARATORS: readonly string[] = ["=", "<>", "<", "<=", ">", ">="];
const CLAUSES: readonly string[] = ["SET", "REMOVE", "ADD"];

class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const found = TOKEN.exec(text);
      if (found === null) throw this.#fault();
      tokens.push(found[1] as string);
    }
    this.#tokens = tokens;
  }

  wholeCondition(): Condition {
    const condition = this.#alternatives();
    if (this.#peek() !== undefined) throw this.#fault();
    return condition;
  }

  wholeUpdate(): readonly Change[] {
    const changes: Change[] = [];
    while (this.#peek() !== undefined) {
      const clause = this.#take();
      if (!CLAUSES.includes(clause)) throw this.#fault();
      do changes.push(this.#change(clause));
      while (this.#skip(","));
    }
    return changes;
  }

  #change(clause: string): Change {
    const attribute = this.#operand();
    if (clause === "REMOVE") return { kind: "remove", attribute };
    if (clause === "ADD") return { kind: "add", attribute, value: this.#operand() };
    this.#expect("=");
    const summands = [this.#operand()];
    if (this.#skip("+")) summands.push(this.#operand());
    return { kind: "set", attribute, summands };
  }

  #alternatives(): Condition {
    return this.#joined("or", "OR", () => this.#joined("and", "AND", () => this.#single()));
  }

  #joined(kind: "and" | "or", by: string, part: () => Condition): Condition {
    const parts = [part()];
    while (this.#skip(by)) parts.push(part());
    return parts.length === 1 ? (parts[0] as Condition) : { kind, parts };
  }

  #single(): Condition {
    if (this.#skip("(")) {
      const inner = this.#alternatives();
      this.#expect(")");
      return inner;
    }
    if (this.#tokens[this.#next + 1] === "(") return this.#function();
    const left = this.#operand();
    const comparator = this.#take();
    if (comparator === "BETWEEN") {
      const low = this.#operand();
      this.#expect("AND");
      return { kind: "between", of: left, low, high: this.#operand() };
    }
    if (!COMPARATORS.includes(comparator)) throw this.#fault();
    return { kind: "compares", comparator: comparator as Comparator, left, right: this.#operand() };
  }

  #function(): Condition {
    const name = this.#take();
    this.#expect("(");
    const of = this.#operand();
    const prefix = name === "begins_with" && this.#skip(",") ? this.#operand() : null;
    this.#expect(")");
    if (prefix !== null) return { kind: "begins", of, prefix };
    if (name === "attribute_exists") return { kind: "exists", of };
    if (name === "attribute_not_exists") return { kind: "absent", of };
    throw this.#fault();
  }

  #operand(): Operand {
    const token = this.#take();
    if (!/\w$/.test(token)) throw this.#fault();
    return { kind: token.startsWith(":") ? "value" : "attribute", name: token };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(): string {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.#fault();
    return token;
  }

  #skip(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#next++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#skip(token)) throw this.#fault();
  }

  #fault(): Error {
    return invalidCall(`The embedded table cannot read the expression ${JSON.stringify(this.#text)}.`);
  }
}
