/** URI references (RFC 3986, section 4.1): what a CloudEvent's `source` has to be. */

/** Characters that may stand anywhere, or percent-encoded bytes. @param more what else may stand here */
const text = (more: string): string => `(?:[A-Za-z0-9\\-._~!$&'()*+,;=${more}]|%[0-9A-Fa-f]{2})*`;

const IP_LITERAL = "\\[(?:[0-9A-Fa-f:.]+|v[0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~!$&'()*+,;=:]+)\\]";

const URI_REFERENCE = new RegExp(
  [
    "^",
    // A scheme; or else there is no colon before the first slash.
    "(?:[A-Za-z][A-Za-z0-9+.\\-]*:|(?![^/?#]*:))",
    // Two slashes begin an authority, and nothing else.
    `(?://(?:${text(":")}@)?(?:${IP_LITERAL}|${text("")})(?::\\d*)?(?=[/?#]|$)|(?!//))`,
    text(":@/"),
    `(?:\\?${text(":@/?")})?`,
    `(?:#${text(":@/?")})?`,
    "$",
  ].join(""),
);

export const isUriReference = (candidate: string): boolean => URI_REFERENCE.test(candidate);

/** A name as a URI reference: as it is when it is one, else with as little encoded as makes it one. */
export function toUriReference(name: string): string {
  const whole = name.toWellFormed();
  return [whole, encodeURI(whole)].find(isUriReference) ?? encodeURIComponent(whole);
}
