/**
 * Comparing text without regard to case as EventBridge does, at a cost that the argument decides.
 *
 * Each character of the argument stands for its lower case or its upper case, whole: `ß` takes `ß` and `SS`, not `ss`.
 * The text is compared as it is: the Kelvin sign, whose lower case is `k`, is not taken for a `k`. Characters beyond
 * U+FFFF have no case: EventBridge takes each half of them for a question mark.
 */

type TextTest = (text: string) => boolean;

/** The cases of each character. No two of one character begin or end alike, so that at most one of them fits. */
type Cases = readonly (readonly [lower: string, upper: string])[];

function casesOf(argument: string): Cases {
  return argument.split("").map((character) => {
    const whole = /[\ud800-\udfff]/.test(character) ? "?" : character;
    return [whole.toLowerCase(), whole.toUpperCase()];
  });
}

export function equalsIgnoringCase(argument: string): TextTest {
  const cases = casesOf(argument);
  return (text) => endOfPrefix(cases, text) === text.length;
}

export function startsWithIgnoringCase(argument: string): TextTest {
  const cases = casesOf(argument);
  return (text) => endOfPrefix(cases, text) !== null;
}

export function endsWithIgnoringCase(argument: string): TextTest {
  const cases = casesOf(argument).toReversed();
  return (text) => {
    let start = text.length;
    for (const [lower, upper] of cases) {
      if (text.endsWith(lower, start)) start -= lower.length;
      else if (text.endsWith(upper, start)) start -= upper.length;
      else return false;
    }
    return true;
  };
}

/** Where the characters end that the text begins with; null when it begins with others. */
function endOfPrefix(cases: Cases, text: string): number | null {
  let end = 0;
  for (const [lower, upper] of cases) {
    if (text.startsWith(lower, end)) end += lower.length;
    else if (text.startsWith(upper, end)) end += upper.length;
    else return null;
  }
  return end;
}
