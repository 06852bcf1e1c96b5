/** Comparing text without regard to case, at a cost that the shorter text decides. */

/**
 * Lower case, character by character, as EventBridge compares: not by the rules of a language, in which a letter may
 * become two or depend on its neighbours.
 */
function fold(text: string): string {
  let folded = "";
  for (const character of text) folded += character.toLowerCase();
  return folded;
}

/** More characters than those of `argument` cannot matter; a letter and its other case may differ in length by one. */
const reach = (argument: string): number => 2 * argument.length + 1;

export function equalsIgnoringCase(text: string, argument: string): boolean {
  return text.length <= reach(argument) && fold(text) === fold(argument);
}

export function hasPrefixIgnoringCase(text: string, argument: string): boolean {
  return fold(text.slice(0, reach(argument))).startsWith(fold(argument));
}

export function hasSuffixIgnoringCase(text: string, argument: string): boolean {
  return fold(text.slice(Math.max(0, text.length - reach(argument)))).endsWith(fold(argument));
}
