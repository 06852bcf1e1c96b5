/** The operator `wildcard`: `*` stands for any characters, none included; `\*` and `\\` for themselves. */
import type { Report } from "./value-test.ts";

/**
 * The test of a wildcard: the pieces between the stars are looked for from left to right, each at its first occurrence,
 * which never has to be taken back.
 *
 * Time is linear in the text. EventBridge refuses wildcards that begin to match in more than a few ways at once
 * (wildcard-complexity.ts), so that no piece can come close to matching at many places that overlap.
 */
export function readWildcard(wildcard: string, pointer: string, report: Report): ((text: string) => boolean) | null {
  const pieces = readPieces(wildcard, pointer, report);
  if (pieces === null) return null;
  const [prefix = "", ...inner] = pieces;
  const suffix = inner.pop();
  if (suffix === undefined) return (text) => text === prefix;
  return (text) => {
    const end = text.length - suffix.length;
    if (end < prefix.length || !text.startsWith(prefix) || !text.endsWith(suffix)) return false;
    let position = prefix.length;
    for (const piece of inner) {
      const found = text.indexOf(piece, position);
      if (found === -1 || found + piece.length > end) return false;
      position = found + piece.length;
    }
    return true;
  };
}

/** What stands between the stars, before the first and after the last included; null when a fault was reported. */
export function readPieces(wildcard: string, pointer: string, report: Report): string[] | null {
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
  return pieces;
}
