/** The operator `wildcard`: `*` stands for any characters, none included; `\*` and `\\` for themselves. */
import type { Report } from "./value-test.ts";

/**
 * The test of a wildcard. It takes time linear in the text, whatever the wildcard: the pieces between the stars are
 * looked for from left to right, each at its first occurrence, which never has to be taken back.
 */
export function readWildcard(wildcard: string, pointer: string, report: Report): ((text: string) => boolean) | null {
  const pieces = [""];
  for (let i = 0; i < wildcard.length; i++) {
    const character = wildcard.charAt(i);
    const next = wildcard.charAt(i + 1);
    if (character === "*") {
      if (next === "*") return report(pointer, "expected no two wildcards side by side");
      pieces.push("");
    } else if (character === "\\") {
      if (next !== "*" && next !== "\\")
        return report(pointer, "expected \\* or \\\\: a backslash escapes nothing else");
      pieces.push(`${pieces.pop()}${next}`);
      i++;
    } else pieces.push(`${pieces.pop()}${character}`);
  }
  const [prefix = "", ...inner] = pieces;
  const suffix = inner.pop();
  if (suffix === undefined) return (text) => text === prefix;
  const finders = inner.map((piece) => ({ piece, find: finderOf(piece) }));
  return (text) => {
    const end = text.length - suffix.length;
    if (end < prefix.length || !text.startsWith(prefix) || !text.endsWith(suffix)) return false;
    let position = prefix.length;
    for (const { piece, find } of finders) {
      const found = find(text, position);
      if (found === -1 || found + piece.length > end) return false;
      position = found + piece.length;
    }
    return true;
  };
}

/**
 * How many pieces the wildcards in a field's alternatives look for: those between two stars. What stands before the
 * first star or after the last is only compared.
 */
export function countSearches(alternatives: unknown, isWildcard = false): number {
  if (typeof alternatives === "string") return isWildcard ? Math.max(0, starsIn(alternatives) - 1) : 0;
  if (typeof alternatives !== "object" || alternatives === null) return 0;
  const isList = Array.isArray(alternatives);
  return Object.entries(alternatives).reduce(
    (sum, [name, inner]) => sum + countSearches(inner, isList ? isWildcard : name === "wildcard"),
    0,
  );
}

function starsIn(wildcard: string): number {
  return wildcard.replaceAll(/\\./g, "").split("*").length - 1;
}

/** For a piece this short, what `indexOf` may lose by starting over is bounded too. */
const SHORT_PIECE = 16;

/** A function like `indexOf` that is linear in the text: Knuth, Morris and Pratt. */
function finderOf(piece: string): (text: string, from: number) => number {
  if (piece.length <= SHORT_PIECE) return (text, from) => text.indexOf(piece, from);
  const borders = bordersOf(piece);
  return (text, from) => {
    let matched = 0;
    for (let i = from; i < text.length; i++) {
      matched = extend(piece, borders, matched, text.charCodeAt(i));
      if (matched === piece.length) return i + 1 - matched;
    }
    return -1;
  };
}

/** For every length of a prefix of the piece, how long the longest shorter prefix is that it ends with. */
function bordersOf(piece: string): number[] {
  const borders = [0, 0];
  for (let length = 2; length <= piece.length; length++)
    borders.push(extend(piece, borders, borders[length - 1] as number, piece.charCodeAt(length - 1)));
  return borders;
}

/** How much of the piece is matched after one more character. */
function extend(piece: string, borders: readonly number[], matched: number, code: number): number {
  let length = matched;
  while (length > 0 && piece.charCodeAt(length) !== code) length = borders[length] as number;
  return piece.charCodeAt(length) === code ? length + 1 : 0;
}
