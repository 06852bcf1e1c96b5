/** The texts in CloudEvents: header values, URI references and times, checked against independent implementations. */
import { fullFormats } from "ajv-formats/dist/formats.js";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { decodeHeaderValue, encodeHeaderValue } from "../../shared/cloud-events/header-value.ts";
import { isTimestamp } from "../../shared/cloud-events/timestamp.ts";
import { isUriReference, toUriReference } from "../../shared/cloud-events/uri-reference.ts";

const uriReference = fullFormats["uri-reference"] as RegExp;
const dateTime = fullFormats["date-time"] as { validate(text: string): boolean };

describe("a header's value", () => {
  it("encodes what the standard's example encodes", () => {
    expect(encodeHeaderValue("Euro € 😀")).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80");
  });

  it("gives back any text, and is printable ASCII without spaces and double quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const value = encodeHeaderValue(text);
        expect(value).toMatch(/^[!#-~]*$/);
        expect(decodeHeaderValue(value)).toBe(text);
      }),
    );
  });

  test.each([
    ["plain", "plain"],
    ["with a space", "with a space"],
    ["%41%62%e2%82%AC", "Ab€"],
    ["%2541", "%41"],
    ['"quoted \\"text\\" \\\\ %41"', 'quoted "text" \\ A'],
    ['half "quoted"', 'half "quoted"'],
    ['"', '"'],
    ['""', ""],
    ["", ""],
  ])("%j is read as %j", (value, text) => expect(decodeHeaderValue(value)).toBe(text));

  test.each(["100%", "%4", "%GG", "%C0%A0", "%ED%A0%80", "%FF", "\u00e9", "a\tb", "€"])("%j is refused", (value) =>
    expect(decodeHeaderValue(value)).toBeNull(),
  );
});

describe("a URI reference", () => {
  test.each([
    "https://github.com/cloudevents",
    "mailto:cncf-wg-serverless@lists.cncf.io",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "/cloudevents/spec/pull/123",
    "1-555-123-4567",
    "//host:8080/path?query/?#fragment/?",
    "http://user:pass@[::1]:80/",
    "http://[v1.fe80::a+en1]/",
    "a/b:c",
    "./1:2",
    "?only=query",
    "#only-fragment",
    "%C3%A9",
    "x:",
  ])("may be %s", (text) => {
    expect(isUriReference(text)).toBe(true);
    expect(uriReference.test(text)).toBe(true);
  });

  test.each([
    "a b",
    "é",
    "1:2",
    ":a",
    "a%",
    "a%zz",
    "a#b#c",
    "http://[::1",
    "http://h:port/",
    "a[b]",
    'a"b',
    "a\\b",
    "<a>",
  ])("may not be %s", (text) => expect(isUriReference(text)).toBe(false));

  it("is one to the official library's schema too, whose grammar is wider", () => {
    const piece = fc.constantFrom(" ", ..."a 1 : / ? # @ [ [::1] %41 % . + :// - =".split(" "));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        expect([text, isUriReference(text) && !uriReference.test(text)]).toEqual([text, false]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("can be made of any name, and a name that is one stays as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
        const made = toUriReference(name);
        expect([made, uriReference.test(made)]).toEqual([made, true]);
        expect(toUriReference(made)).toBe(made);
      }),
    );
  });
});

describe("a time", () => {
  test.each([
    "2018-04-05T17:31:00Z",
    "2018-04-05t17:31:00.123456789z",
    "1996-12-19T16:39:57-08:00",
    "1990-12-31T23:59:60Z",
    "2024-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "0000-02-29T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
  ])("may be %s", (text) => {
    expect(isTimestamp(text)).toBe(true);
    expect(dateTime.validate(text)).toBe(true);
  });

  test.each([
    "2018-04-05",
    "2018-04-05T17:31Z",
    "2018-04-05T17:31:00",
    "2018-13-05T17:31:00Z",
    "2018-00-05T17:31:00Z",
    "2018-04-31T17:31:00Z",
    "2018-04-00T17:31:00Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2018-04-05T24:00:00Z",
    "2018-04-05T17:60:00Z",
    "2018-04-05T17:31:61Z",
    "2018-04-05T17:31:00+24:00",
    "2018-04-05T17:31:00+01:60",
    "2018-04-05T17:31:00.Z",
    "2018-04-05T17:31:00Z\n",
    "12018-04-05T17:31:00Z",
  ])("may not be %j", (text) => {
    expect(isTimestamp(text)).toBe(false);
    expect(dateTime.validate(text)).toBe(false);
  });
});
