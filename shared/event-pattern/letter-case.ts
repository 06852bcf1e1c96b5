/** Comparing text without regard to case, at a cost that the shorter text decides. */

type TextTest = (text: string) => boolean;

/**
 * Lower case, character by character, as EventBridge compares: not by the rules of a language, in which a letter may
 * become two or depend on its neighbours.
 */
function fold(text: string): string {
  let folded = "";
  for (const character of text) folded += character.toLowerCase();
  return folded;
}

/** More characters than this cannot matter: a letter has at most twice the length of its other case. */
const reach = (argument: string): number => 2 * argument.length + 1;

export function equalsIgnoringCase(argument: string): TextTest {
  const folded = fold(argument);
  return (text) => text.length <= reach(argument) && fold(text) === folded;
}

export function startsWithIgnoringCase(argument: string): TextTest {
  const folded = fold(argument);
  return (text) => fold(text.slice(0, reach(argument))).startsWith(folded);
}

export function endsWithIgnoringCase(argument: string): TextTest {
  const folded = fold(argument);
  return (text) => fold(text.slice(Math.max(0, text.length - reach(argument)))).endsWith(folded);
}
