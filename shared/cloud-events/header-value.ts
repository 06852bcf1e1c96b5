/**
 * Attributes as values of HTTP headers: percent-encoded UTF-8 in printable ASCII.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md, section 3.1.3.2
 */

/** Encodes spaces, double quotes, percent signs, and all that is not printable ASCII. @param text of whole characters */
export function encodeHeaderValue(text: string): string {
  return text.replace(/[^!#$&-~]/gu, (char) => encodeURIComponent(char));
}

/**
 * The text in a header's value: out of its double quotes, which older senders use, and decoded once.
 *
 * @returns null when it is not printable ASCII, a percent sign stands for itself, or the bytes are not UTF-8
 */
export function decodeHeaderValue(value: string): string | null {
  if (!/^[ -~]*$/.test(value)) return null;
  try {
    return decodeURIComponent(unquoted(value));
  } catch {
    return null;
  }
}

/** RFC 9110, section 5.6.4. */
function unquoted(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value);
  return quoted?.[1]?.replace(/\\(.)/g, "$1") ?? value;
}
