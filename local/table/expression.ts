/**
 * DynamoDB's expressions, as far as the bus writes them: conditions with AND, OR, NOT, comparisons, BETWEEN,
 * attribute_exists, attribute_not_exists and begins_with; updates with SET (of a value, a sum or a difference, of
 * if_not_exists), REMOVE, ADD and DELETE. Attributes are at the top of an item. What else there is, is refused. Each text is
 * parsed once: there are only some dozens of them.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
 */
import { invalidCall } from "./errors.ts";

/** `:value`, or an attribute's name, `#` in front of one that has to be looked up. */
export type Operand = { readonly kind: "value" | "attribute"; readonly name: string };

const COMPARATORS = ["=", "<>", "<", "<=", ">", ">="] as const;
export type Comparator = (typeof COMPARATORS)[number];

export type Condition =
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition }
  | { readonly kind: "exists" | "absent"; readonly of: Operand }
  | { readonly kind: "begins"; readonly of: Operand; readonly prefix: Operand }
  | { readonly kind: "between"; readonly of: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: "compares"; readonly comparator: Comparator; readonly left: Operand; readonly right: Operand };

/** What may stand in a SET: an operand, or another for an attribute that is not there. */
export type Summand = { readonly of: Operand; readonly otherwise?: Operand };

export type Change =
  | { readonly kind: "set"; readonly attribute: Operand; readonly first: Summand; readonly addend: Addend | null }
  | { readonly kind: "remove"; readonly attribute: Operand }
  | { readonly kind: "add" | "delete"; readonly attribute: Operand; readonly value: Operand };

export interface Addend {
  readonly sign: "+" | "-";
  readonly of: Summand;
}

export interface Parsed<T> {
  readonly tree: T;
  /** Each `#name` and `:value` that stands in it. */
  readonly placeholders: ReadonlySet<string>;
}

/** @throws Error `ValidationException` for what is none, or none of these */
export const parseCondition = remembering((parser) => parser.wholeCondition());

/** @throws Error `ValidationException` for what is none, or none of these */
export const parseUpdate = remembering((parser) => parser.wholeUpdate());

/** More texts than the bus has; a bound, not a target. */
const MAX_REMEMBERED = 500;

function remembering<T>(parse: (parser: Parser) => T): (text: string) => Parsed<T> {
  const remembered = new Map<string, Parsed<T>>();
  return (text) => {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const parser = new Parser(text);
    const fresh = { tree: parse(parser), placeholders: parser.placeholders };
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(text, fresh);
    return fresh;
  };
}

const TOKEN = /\s*(<=|>=|<>|[=<>(),+-]|[:#]\w+|[A-Za-z]\w*)/y;
const CLAUSES = ["SET", "REMOVE", "ADD", "DELETE"] as const;
const KEYWORDS: readonly string[] = [...CLAUSES, "AND", "OR", "NOT", "BETWEEN", "IN"];

class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = this.#tokensOf(text.trimEnd());
  }

  get placeholders(): ReadonlySet<string> {
    return new Set(this.#tokens.filter((token) => /^[:#]/.test(token)));
  }

  wholeCondition(): Condition {
    const condition = this.#alternatives();
    if (this.#peek() !== undefined) throw this.#fault();
    return condition;
  }

  wholeUpdate(): readonly Change[] {
    const clauses = new Set<string>();
    const changes: Change[] = [];
    do {
      const clause = CLAUSES.find((name) => this.#skip(name));
      if (clause === undefined || clauses.has(clause)) throw this.#fault();
      clauses.add(clause);
      do changes.push(this.#change(clause));
      while (this.#skip(","));
    } while (this.#peek() !== undefined);
    return changes;
  }

  #change(clause: (typeof CLAUSES)[number]): Change {
    const attribute = this.#attribute();
    switch (clause) {
      case "REMOVE":
        return { kind: "remove", attribute };
      case "ADD":
        return { kind: "add", attribute, value: this.#value() };
      case "DELETE":
        return { kind: "delete", attribute, value: this.#value() };
      case "SET": {
        this.#expect("=");
        const first = this.#summand();
        const sign = (["+", "-"] as const).find((one) => this.#skip(one));
        return { kind: "set", attribute, first, addend: sign === undefined ? null : { sign, of: this.#summand() } };
      }
    }
  }

  #summand(): Summand {
    if (this.#tokens[this.#next + 1] !== "(") return { of: this.#operand() };
    if (this.#take() !== "if_not_exists") throw this.#fault();
    this.#expect("(");
    const of = this.#attribute();
    this.#expect(",");
    const otherwise = this.#operand();
    this.#expect(")");
    return { of, otherwise };
  }

  #alternatives(): Condition {
    return this.#joined("or", "OR", () => this.#joined("and", "AND", () => this.#negatable()));
  }

  #joined(kind: "and" | "or", by: string, part: () => Condition): Condition {
    const parts = [part()];
    while (this.#skip(by)) parts.push(part());
    return parts.length === 1 ? (parts[0] as Condition) : { kind, parts };
  }

  #negatable(): Condition {
    return this.#skip("NOT") ? { kind: "not", part: this.#negatable() } : this.#single();
  }

  #single(): Condition {
    if (this.#skip("(")) {
      const inner = this.#alternatives();
      this.#expect(")");
      return inner;
    }
    if (this.#tokens[this.#next + 1] === "(") return this.#function();
    const left = this.#operand();
    if (this.#skip("BETWEEN")) {
      const low = this.#operand();
      this.#expect("AND");
      return { kind: "between", of: left, low, high: this.#operand() };
    }
    const comparator = COMPARATORS.find((one) => this.#skip(one));
    if (comparator === undefined) throw this.#fault();
    return { kind: "compares", comparator, left, right: this.#operand() };
  }

  #function(): Condition {
    const name = this.#take();
    this.#expect("(");
    const of = this.#attribute();
    const prefix = name === "begins_with" && this.#skip(",") ? this.#operand() : null;
    this.#expect(")");
    if (prefix !== null) return { kind: "begins", of, prefix };
    if (name === "attribute_exists") return { kind: "exists", of };
    if (name === "attribute_not_exists") return { kind: "absent", of };
    throw this.#fault();
  }

  #attribute(): Operand {
    const operand = this.#operand();
    if (operand.kind !== "attribute") throw this.#fault();
    return operand;
  }

  #value(): Operand {
    const operand = this.#operand();
    if (operand.kind !== "value") throw this.#fault();
    return operand;
  }

  #operand(): Operand {
    const token = this.#take();
    if (!/\w$/.test(token) || KEYWORDS.includes(token.toUpperCase())) throw this.#fault();
    return { kind: token.startsWith(":") ? "value" : "attribute", name: token };
  }

  #tokensOf(text: string): string[] {
    const tokens: string[] = [];
    for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
      const found = TOKEN.exec(text);
      if (found === null) throw this.#fault();
      tokens.push(found[1] as string);
    }
    return tokens;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(): string {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.#fault();
    return token;
  }

  /** Keywords may be written in small letters. */
  #skip(token: string): boolean {
    if (this.#peek()?.toUpperCase() !== token) return false;
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
