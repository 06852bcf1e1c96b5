import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPattern, type EventPattern, matchesPattern } from "../../shared/event-pattern.ts";

/** A pattern on one field, against events in which the field has one value each. */
function onField(alternatives: unknown[], values: { fit: unknown[]; miss: unknown[] }): void {
  const pattern = { field: alternatives };
  expect(checkPattern(pattern)).toEqual([]);
  for (const value of values.fit) expect([value, matchesPattern(pattern, { field: value })]).toEqual([value, true]);
  for (const value of values.miss) expect([value, matchesPattern(pattern, { field: value })]).toEqual([value, false]);
}

function matches(pattern: EventPattern, event: object): boolean {
  expect(checkPattern(pattern)).toEqual([]);
  return matchesPattern(pattern, event);
}

const pointersOf = (pattern: unknown): string[] => checkPattern(pattern as EventPattern).map((fault) => fault.pointer);

describe("the EventBridge user guide's examples", () => {
  const launch = {
    version: "0",
    id: "3e3c153a-8339-4e30-8c35-687ebef853fe",
    "detail-type": "EC2 Instance Launch Successful",
    source: "aws.autoscaling",
    account: "123456789012",
    time: "2015-11-11T21:31:47Z",
    region: "us-east-1",
    resources: [
      "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:eb56d16b-bbf0-401d-b893-d5978ed4a025:autoScalingGroupName/ASGTerminate",
      "arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f",
    ],
    detail: { eventVersion: "", responseElements: null },
  };
  const change = {
    time: "2017-10-02T16:24:49Z",
    resources: [],
    detail: { "c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "10.0.0.33", state: "running" },
  };

  it.each<[string, EventPattern, object]>([
    ["values", { source: ["aws.autoscaling"], region: ["us-west-2", "us-east-1"] }, launch],
    [
      "an array in the event",
      { resources: ["arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f", "other"] },
      launch,
    ],
    ["an empty string", { detail: { eventVersion: [""] } }, launch],
    ["null", { detail: { responseElements: [null] } }, launch],
    ["prefix", { time: [{ prefix: "2017-10-02" }] }, change],
    [
      "prefix, ignoring case",
      { service: [{ prefix: { "equals-ignore-case": "EventB" } }] },
      { service: "eventbridge" },
    ],
    ["suffix", { FileName: [{ suffix: ".png" }] }, { FileName: "dir/cat.png" }],
    [
      "suffix, ignoring case",
      { FileName: [{ suffix: { "equals-ignore-case": ".png" } }] },
      { FileName: "dir/cat.PNG" },
    ],
    ["anything-but a string", { detail: { state: [{ "anything-but": "initializing" }] } }, change],
    ["anything-but a number", { detail: { "x-limit": [{ "anything-but": 123 }] } }, change],
    ["anything-but strings", { detail: { state: [{ "anything-but": ["stopped", "overloaded"] }] } }, change],
    ["anything-but numbers", { detail: { "x-limit": [{ "anything-but": [100, 200, 300] }] } }, change],
    [
      "anything-but, ignoring case",
      { detail: { state: [{ "anything-but": { "equals-ignore-case": ["initializing", "stopped"] } }] } },
      change,
    ],
    ["anything-but a prefix", { detail: { state: [{ "anything-but": { prefix: "init" } }] } }, change],
    ["anything-but suffixes", { FileName: [{ "anything-but": { suffix: [".txt", ".rtf"] } }] }, { FileName: "a.png" }],
    [
      "anything-but a wildcard",
      { FilePath: [{ "anything-but": { wildcard: ["*/lib/*", "*/bin/*"] } }] },
      { FilePath: "/usr/share/x" },
    ],
    [
      "numeric",
      {
        detail: {
          "c-count": [{ numeric: [">", 0, "<=", 5] }],
          "d-count": [{ numeric: ["<", 10] }],
          "x-limit": [{ numeric: ["=", 3.018e2] }],
        },
      },
      change,
    ],
    ["cidr", { detail: { "source-ip": [{ cidr: "10.0.0.0/24" }] } }, change],
    ["exists", { detail: { state: [{ exists: true }] } }, change],
    ["exists: false", { detail: { "e-count": [{ exists: false }] } }, change],
    ["equals-ignore-case", { "detail-type": [{ "equals-ignore-case": "ec2 instance launch successful" }] }, launch],
    [
      "a wildcard",
      { EventBusArn: [{ wildcard: "arn:aws:events:us-east-1:*:event-bus/*" }] },
      { EventBusArn: "arn:aws:events:us-east-1:1:event-bus/my" },
    ],
    ["wildcards", { FileName: [{ wildcard: "dir/*.png" }] }, { FileName: "dir/sub/cat.png" }],
    [
      "several conditions",
      {
        time: [{ prefix: "2017-10-02" }],
        detail: {
          state: [{ "anything-but": "initializing" }],
          "c-count": [{ numeric: [">", 0, "<=", 5] }],
          "d-count": [{ numeric: ["<", 10] }],
          "x-limit": [{ "anything-but": [100, 200, 300] }],
        },
      },
      change,
    ],
    [
      "$or of three fields",
      {
        detail: {
          $or: [
            { "c-count": [{ numeric: [">", 0, "<=", 5] }] },
            { "d-count": [{ numeric: ["<", 10] }] },
            { "x-limit": [{ numeric: ["=", 3.018e2] }] },
          ],
        },
      },
      { detail: { "x-limit": 301.8 } },
    ],
  ])("%s", (_what, pattern, event) => {
    expect(matches(pattern, event)).toBe(true);
    expect(matches(pattern, {})).toBe(JSON.stringify(pattern).includes('"exists":false'));
  });

  it("an empty array is neither null nor a value", () => {
    for (const alternative of [null, "", { exists: true }, { "anything-but": "x" }])
      expect(matches({ resources: [alternative] }, change)).toBe(false);
    expect(matches({ resources: [{ exists: false }] }, change)).toBe(true);
  });
});

describe("values", () => {
  it("fit in value and type", () => {
    onField([1], { fit: [1, 1.0], miss: ["1", true, 2, null, undefined, {}, []] });
    onField(["1"], { fit: ["1"], miss: [1, "1 ", "01"] });
    onField([true], { fit: [true], miss: ["true", 1, false] });
    onField([false], { fit: [false], miss: [0, "", null] });
    onField([null], { fit: [null], miss: [undefined, "", "null", 0] });
    onField([""], { fit: [""], miss: [null, undefined, " "] });
    onField(["a"], { fit: ["a"], miss: ["A", "ab", "á"] });
    onField([0], { fit: [0, -0], miss: [null, ""] });
  });

  it("are alternatives to each other and to operators", () => {
    onField([1, "a", null, { prefix: "b" }], { fit: [1, "a", null, "b", "bc"], miss: ["1", "ab", undefined, 2] });
  });

  it("fit when any element of the event's array does, however the arrays are nested", () => {
    onField(["a"], {
      fit: [["a"], ["x", "a"], [["x"], ["a"]], [[[]], "a"]],
      miss: [[], [["x"]], [{ a: "a" }], ["aa"]],
    });
  });

  it("large numbers fit exactly", () => {
    onField([123456789012345], { fit: [123456789012345], miss: [123456789012346, "123456789012345"] });
  });
});

describe("operators on text", () => {
  it("prefix and suffix", () => {
    onField([{ prefix: "ab" }], { fit: ["ab", "abc", ["x", "abc"]], miss: ["a", "Ab", "xab", null, 5, true] });
    onField([{ suffix: "ab" }], { fit: ["ab", "xab"], miss: ["b", "abx", "aB", 0] });
    onField([{ prefix: "" }], { fit: ["", "x"], miss: [null, 1, undefined] });
    onField([{ prefix: "1" }], { fit: ["12"], miss: [12] });
  });

  it("regardless of case", () => {
    onField([{ "equals-ignore-case": "straÊe" }], { fit: ["STRAêE", "straÊe"], miss: ["strase", "straÊe ", 1] });
    onField([{ prefix: { "equals-ignore-case": "eventB" } }], {
      fit: ["EVENTBridge", "eventb"],
      miss: ["event", "xeventb"],
    });
    onField([{ suffix: { "equals-ignore-case": ".pNg" } }], { fit: ["a.PNG", ".png"], miss: ["a.png ", "png"] });
    onField([{ "equals-ignore-case": "\u0130" }], { fit: ["\u0130", "i\u0307"], miss: ["i", "i\u0307x"] });
    onField([{ "equals-ignore-case": "" }], { fit: [""], miss: ["a", null] });
  });

  it("regardless of case: a letter stands for its lower and its upper case, whole, as EventBridge has it", () => {
    onField([{ "equals-ignore-case": "Maß" }], { fit: ["maß", "MASS", "mAß"], miss: ["mass", "maSs", "ma"] });
    onField([{ "equals-ignore-case": "\ufb02ug" }], { fit: ["\ufb02UG", "FLug"], miss: ["flug", "Flug"] });
    onField([{ prefix: { "equals-ignore-case": "ß-" } }], { fit: ["SS-x", "ß-"], miss: ["ss-x", "S-x"] });
    onField([{ suffix: { "equals-ignore-case": "-ß" } }], { fit: ["x-SS", "-ß"], miss: ["x-ss", "-S"] });
    onField([{ "anything-but": { "equals-ignore-case": "ß" } }], { fit: ["ss", "s"], miss: ["ß", "SS"] });
    // The Kelvin sign and the long s have lower and upper case among the letters of ASCII, but are none of theirs.
    onField([{ "equals-ignore-case": "ks" }], { fit: ["KS"], miss: ["\u212as", "k\u017f"] });
    // EventBridge has no case for what lies beyond U+FFFF, and no place either.
    onField([{ "equals-ignore-case": "a😀" }], { fit: ["A??"], miss: ["a😀", "a?"] });
  });

  it("exactly", () => {
    onField([{ exactly: "ab" }], { fit: ["ab", ["x", "ab"]], miss: ["AB", "abc", null, 5] });
  });

  it("wildcard", () => {
    onField([{ wildcard: "*" }], { fit: ["", "x"], miss: [null, 1, undefined] });
    onField([{ wildcard: "" }], { fit: [""], miss: ["x"] });
    onField([{ wildcard: "a*" }], { fit: ["a", "ab"], miss: ["", "ba", "A"] });
    onField([{ wildcard: "*a" }], { fit: ["a", "ba"], miss: ["ab"] });
    onField([{ wildcard: "a*a" }], { fit: ["aa", "aba", "aaa"], miss: ["a", "ab"] });
    onField([{ wildcard: "*b*" }], { fit: ["b", "abc", "bb"], miss: ["ac"] });
    onField([{ wildcard: "a*b*c" }], { fit: ["abc", "axbxc", "abbcc", "acbc"], miss: ["acb", "ac", "abcd"] });
    onField([{ wildcard: "*ab*bc" }], { fit: ["abbc", "ababc_bc"], miss: ["abc"] });
    onField([{ wildcard: "dir/*.png" }], { fit: ["dir/.png", "dir/a/b.png"], miss: ["dir.png", "dir/a.png.txt"] });
  });

  it("a wildcard's backslash takes the meaning from a star or a backslash", () => {
    onField([{ wildcard: "a\\*b" }], { fit: ["a*b"], miss: ["axb", "a\\*b"] });
    onField([{ wildcard: "a\\\\*" }], { fit: ["a\\", "a\\b"], miss: ["a*"] });
    onField([{ wildcard: "\\**" }], { fit: ["*", "*x"], miss: ["x*"] });
    onField([{ wildcard: "*.?*" }], { fit: ["a.?b"], miss: ["a.xb", "axyb"] });
  });

  it("a wildcard matches what trying all ways would match", () => {
    const slowly = (wildcard: string, text: string): boolean =>
      wildcard === ""
        ? text === ""
        : wildcard[0] === "*"
          ? slowly(wildcard.slice(1), text) || (text !== "" && slowly(wildcard, text.slice(1)))
          : text !== "" && text[0] === wildcard[0] && slowly(wildcard.slice(1), text.slice(1));
    const letters = (maxLength: number) => fc.string({ unit: fc.constantFrom("a", "b"), maxLength });
    fc.assert(
      fc.property(fc.array(letters(6), { minLength: 1, maxLength: 4 }), letters(14), (pieces, text) => {
        const wildcard = pieces.join("*").replaceAll(/\*+/g, "*");
        expect(matchesPattern({ a: [{ wildcard }] }, { a: text })).toBe(slowly(wildcard, text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("anything-but", () => {
  it("takes any other value of any type, but no absent field", () => {
    onField([{ "anything-but": "a" }], { fit: ["b", "", null, 1, true, "A"], miss: ["a", undefined, [], {}] });
    onField([{ "anything-but": 0 }], { fit: [1, "0", null, false], miss: [0, undefined] });
    onField([{ "anything-but": ["a", "b"] }], { fit: ["c", 5], miss: ["a", "b"] });
    onField([{ "anything-but": [1, 2.5] }], { fit: [2, "1", 1e10], miss: [1, 2.5] });
  });

  it("takes what another operator does not, other types included", () => {
    onField([{ "anything-but": { prefix: "in" } }], {
      fit: ["out", "", 12, null, "In"],
      miss: ["in", "inner", undefined],
    });
    onField([{ "anything-but": { prefix: ["a", "b"] } }], { fit: ["c"], miss: ["ab", "ba"] });
    onField([{ "anything-but": { suffix: ".png" } }], { fit: ["a.txt", null], miss: ["a.png", undefined] });
    onField([{ "anything-but": { suffix: [".png", ".txt"] } }], { fit: ["a"], miss: ["a.txt"] });
    onField([{ "anything-but": { "equals-ignore-case": "Ab" } }], { fit: ["abc", 1], miss: ["AB", "ab"] });
    onField([{ "anything-but": { "equals-ignore-case": ["x", "y"] } }], { fit: ["z"], miss: ["X", "Y"] });
    onField([{ "anything-but": { wildcard: "*/lib/*" } }], { fit: ["/bin/x", 1], miss: ["/lib/x"] });
    onField([{ "anything-but": { wildcard: "" } }], { fit: ["x"], miss: [""] });
  });

  it("is satisfied by one element of an array", () => {
    onField([{ "anything-but": "a" }], { fit: [["a", "b"]], miss: [["a"], ["a", "a"]] });
  });
});

describe("numeric", () => {
  it("compares numbers, and only numbers", () => {
    onField([{ numeric: ["=", 5] }], { fit: [5, 5.0], miss: [5.1, "5", null] });
    onField([{ numeric: [">", 5] }], { fit: [5.1, 5e9], miss: [5, 4, "6", true] });
    onField([{ numeric: [">=", 5] }], { fit: [5], miss: [4.999999] });
    onField([{ numeric: ["<", 5] }], { fit: [4.999999, -5e9], miss: [5, null] });
    onField([{ numeric: ["<=", 5] }], { fit: [5, -1], miss: [5.000001] });
    onField([{ numeric: [">", 0, "<", 5] }], { fit: [1, [9, 3]], miss: [0, 5, [-1, 9]] });
    onField([{ numeric: [">=", 0, "<=", 5] }], { fit: [0, 5], miss: [-0.1, 5.1] });
    onField([{ numeric: [">=", -5e9, "<=", 5e9] }], { fit: [0, -5e9], miss: [] });
    onField([{ numeric: [">", 5e9] }], { fit: [5e9 + 1, 1e300], miss: [5e9, -1e300] });
    onField([{ numeric: ["<", 0.0000001] }], { fit: [0.00000009, -1], miss: [0.0000001, 1] });
    onField([{ numeric: ["=", 300] }], { fit: [300.0, 3.0e2], miss: ["300", 300.0000001] });
  });

  it.each<[unknown, string]>([
    [5, ""],
    [[], ""],
    [["=", "5"], "/1"],
    [["="], "/1"],
    [["!=", 5], "/0"],
    [["=", Number.POSITIVE_INFINITY], "/1"],
    [[5, "<"], "/0"],
    [["toString", 5], "/0"],
    [["=", 1, "<", 2], "/0"],
    [["<", 5, ">", 0], "/0"],
    [[">", 0, ">", 5], "/2"],
    [[">", 0, "<"], "/3"],
    [[">", 5, "<", 5], "/3"],
    [[">=", 5, "<=", 4], "/3"],
    [[">", 0, "<", 5, "<", 6], "/4"],
  ])("%j is refused", (argument, pointer) => {
    expect(pointersOf({ a: [{ numeric: argument }] })).toContain(`/a/0/numeric${pointer}`);
  });
});

describe("cidr", () => {
  it("IPv4", () => {
    onField([{ cidr: "10.0.0.0/24" }], {
      fit: ["10.0.0.0", "10.0.0.255", "::ffff:a00:1"],
      miss: ["10.0.1.0", "9.255.255.255", "10.0.0", "10.0.0.256", "10.0.0.1 ", "text", 10, "::a00:1"],
    });
    onField([{ cidr: "0.0.0.0/0" }], { fit: ["255.255.255.255", "1.2.3.4"], miss: ["", "text", null] });
    onField([{ cidr: "172.16.0.0/13" }], {
      fit: ["172.16.0.0", "172.23.255.255"],
      miss: ["172.15.255.255", "172.24.0.0"],
    });
    onField([{ cidr: "010.0.0.0/8" }], { fit: ["10.1.2.3"], miss: ["8.0.0.1"] });
    onField([{ cidr: "192.168.1.8/29" }], {
      fit: ["192.168.1.8", "192.168.1.15"],
      miss: ["192.168.1.7", "192.168.1.16"],
    });
    onField([{ cidr: "1.2.3.4/31" }], { fit: ["1.2.3.4", "1.2.3.5"], miss: ["1.2.3.6"] });
  });

  it("IPv6", () => {
    onField([{ cidr: "2001:db8::/32" }], {
      fit: ["2001:db8::", "2001:DB8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:0db8:0:0:0:0:0:1"],
      miss: ["2001:db9::", "2001:db7:ffff::", "10.0.0.1", "2001:db8", ":::", "2001:db8::1::2"],
    });
    onField([{ cidr: "::/0" }], {
      fit: ["::1", "ff02::1"],
      miss: ["1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "g::"],
    });
    onField([{ cidr: "fe80::4/127" }], { fit: ["fe80::5"], miss: ["fe80::6", "fe80::3"] });
  });

  it("takes the whole network, whichever of its addresses is written", () => {
    onField([{ cidr: "10.0.0.5/24" }], { fit: ["10.0.0.0", "10.0.0.4", "10.0.0.255"], miss: ["10.0.1.0"] });
    onField([{ cidr: "2001:db8::7/65" }], {
      fit: ["2001:db8::", "2001:db8::7fff:ffff:ffff:ffff"],
      miss: ["2001:db8:0:0:8000::"],
    });
  });

  it("compares digits whatever the family, numbers too, as EventBridge does", () => {
    onField([{ cidr: "10.0.0.0/8" }], { fit: ["a00::1", "aff::"], miss: ["b00::1", "9ff::", 10] });
    onField([{ cidr: "::/0" }], { fit: ["1.2.3.4", 1], miss: [-1] });
  });

  it("an address as a plain value fits however it is spelt", () => {
    onField(["2001:db8::1"], {
      fit: ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1"],
      miss: ["2001:db8::2", "2001:db8::1 ", "10.0.0.1"],
    });
    onField(["10.0.0.1"], { fit: ["10.0.0.1", "010.0.0.1", "::ffff:a00:1"], miss: ["10.0.0.10", "a00:1", 10] });
    onField([{ "anything-but": "10.0.0.1" }], { fit: ["010.0.0.1"], miss: ["10.0.0.1"] });
  });

  it.each([
    ["10.0.0.0"],
    ["10.0.0.0/"],
    ["10.0.0.0/32"],
    ["10.0.0.0/-1"],
    ["10.0.0.0/8/8"],
    ["10.0.0/8"],
    ["300.0.0.0/8"],
    ["::/128"],
    ["::ffff:192.0.2.0/120"],
    ["2001:xyz::/32"],
    ["bad-/64"],
    ["/8"],
    [8],
    [null],
  ])("%s is refused", (cidr) => {
    expect(pointersOf({ a: [{ cidr }] })).toEqual(["/a/0/cidr"]);
  });
});

describe("exists", () => {
  it("tells a value, null included, from none", () => {
    onField([{ exists: true }], { fit: ["", null, 0, false, ["x"]], miss: [undefined, [], {}] });
    onField([{ exists: false }], { fit: [undefined, [], {}], miss: ["", null, 0] });
  });

  it("sees leaves only: an object is no value", () => {
    expect(matches({ a: [{ exists: true }] }, { a: { b: 1 } })).toBe(false);
    expect(matches({ a: [{ exists: false }] }, { a: { b: 1 } })).toBe(true);
    expect(matches({ a: { b: [{ exists: false }] } }, { a: 1 })).toBe(true);
    expect(matches({ a: { b: [{ exists: false }] } }, {})).toBe(true);
  });

  it("false, beside other alternatives, lets the field be absent", () => {
    onField([{ "anything-but": ["roses"] }, { exists: false }], { fit: [undefined, "tulips", null], miss: ["roses"] });
  });
});

describe("fields", () => {
  it("must all match", () => {
    const pattern = { a: [1], b: { c: [2], d: [3] } };
    expect(matches(pattern, { a: 1, b: { c: 2, d: 3, e: 4 }, f: 5 })).toBe(true);
    for (const event of [{ a: 1, b: { c: 2 } }, { a: 2, b: { c: 2, d: 3 } }, { a: 1, b: null }, { a: 1 }, {}])
      expect(matches(pattern, event)).toBe(false);
  });

  it("keys are told apart by case and never found on a prototype", () => {
    expect(matches({ Key: [1] }, { key: 1 })).toBe(false);
    expect(matches({ constructor: { name: ["Object"] } }, {})).toBe(false);
    expect(matches({ toString: [{ exists: false }] }, {})).toBe(true);
    expect(matches({ length: [2] }, { length: "ab" })).toBe(false);
    expect(matches({ a: { length: [2] } }, { a: [1, 2] })).toBe(false);
    expect(matches({ a: { 0: ["x"] } }, { a: ["x"] })).toBe(false);
  });

  it("dots in keys and nesting are the same, in patterns and in events", () => {
    for (const pattern of [{ a: { b: { c: [1] } } }, { "a.b.c": [1] }, { "a.b": { c: [1] } }, { a: { "b.c": [1] } }])
      for (const event of [{ a: { b: { c: 1 } } }, { "a.b.c": 1 }, { a: { "b.c": 1 } }, { "a.b": { c: 1 } }]) {
        expect(matches(pattern, event)).toBe(true);
        expect(matches(pattern, JSON.parse(JSON.stringify(event).replace("1", "2")))).toBe(false);
      }
    expect(matches({ "a.b": [1], "a.c": [2] }, { "a.b": 1, a: { c: 2 } })).toBe(true);
    expect(matches({ a: { b: [1] } }, { "a.b": { b: 1 } })).toBe(false);
  });
});

describe("arrays of objects", () => {
  const people = {
    people: [
      { first: "John", last: "Doe" },
      { first: "Anna", last: "Smith" },
      { first: "Peter", last: "Jones" },
    ],
  };

  it("vanish from the path, at any depth", () => {
    expect(matches({ people: { first: ["Anna"] } }, people)).toBe(true);
    expect(matches({ people: { first: ["Anna"] } }, { people: [[people.people]] })).toBe(true);
    expect(matches({ people: { first: ["Eve"] } }, people)).toBe(false);
  });

  it("give all fields of a match from one element", () => {
    expect(matches({ people: { first: ["Anna"], last: ["Smith"] } }, people)).toBe(true);
    expect(matches({ people: { first: ["Anna"], last: ["Jones"] } }, people)).toBe(false);
    expect(
      matches({ people: { first: ["Anna"], last: ["Jones"] } }, { people: [[people.people[1]], [people.people[2]]] }),
    ).toBe(false);
  });

  it("nested in each other: one element of each", () => {
    const pattern = { a: { n: [1], b: { x: [1], y: [2] } } };
    expect(matches(pattern, { a: [{ n: 1, b: [{ x: 1 }, { x: 1, y: 2 }] }] })).toBe(true);
    expect(matches(pattern, { a: [{ n: 1, b: [{ x: 1 }, { y: 2 }] }] })).toBe(false);
    expect(
      matches(pattern, {
        a: [
          { n: 1, b: [{ x: 1 }] },
          { n: 2, b: [{ x: 1, y: 2 }] },
        ],
      }),
    ).toBe(false);
    expect(matches(pattern, { a: [{ n: 1 }, { b: { x: 1, y: 2 } }] })).toBe(false);
  });

  it("side by side: one element of each, independently", () => {
    const pattern = { x: { a: [1] }, y: { a: [2] } };
    expect(matches(pattern, { x: [{ a: 0 }, { a: 1 }], y: [{ a: 2 }, { a: 0 }] })).toBe(true);
    expect(matches(pattern, { x: [{ a: 2 }], y: [{ a: 1 }] })).toBe(false);
  });

  it("with arrays of values inside them", () => {
    const pattern = { x: { tags: ["b"], n: [1] } };
    expect(matches(pattern, { x: [{ tags: ["a", "b"], n: 1 }] })).toBe(true);
    expect(matches(pattern, { x: [{ tags: ["a", "b"] }, { tags: ["a"], n: 1 }] })).toBe(false);
  });

  it("mixed with values: a value lies in no element", () => {
    expect(matches({ a: ["v"], "a.b": [1] }, { a: ["v", { b: 1 }] })).toBe(true);
    expect(matches({ a: ["v"], "a.b": [1] }, { a: [{ b: 1 }] })).toBe(false);
  });

  it("an absent field is one that is absent beside what was found before it, in the order of the paths", () => {
    expect(matches({ d: { a: [1], b: [{ exists: false }] } }, { d: [{ a: 1 }, { b: 2 }] })).toBe(true);
    expect(matches({ d: { a: [1], b: [{ exists: false }] } }, { d: [{ a: 1, b: 2 }, { a: 1 }] })).toBe(true);
    expect(matches({ d: { a: [1], b: [{ exists: false }] } }, { d: [{ a: 1, b: 2 }] })).toBe(false);
    expect(matches({ d: { a: [{ exists: false }], b: [2] } }, { d: [{ a: 1 }, { b: 2 }] })).toBe(false);
    expect(matches({ d: { a: [{ exists: false }], b: [2] } }, { d: [{ c: 1 }, { b: 2 }] })).toBe(true);
    expect(matches({ d: { b: [{ exists: false }] } }, { d: [{ a: 1 }, { b: 2 }] })).toBe(false);
    expect(matches({ d: { a: [1], b: [7, { exists: false }] } }, { d: [{ a: 1, b: 7 }] })).toBe(true);
    expect(matches({ d: { a: [5, { exists: false }], b: [2] } }, { d: [{ a: 5 }, { b: 2 }] })).toBe(false);
  });
});

describe("$or", () => {
  it("stands beside fields, which must match as well", () => {
    const pattern = { source: ["s"], $or: [{ a: [1] }, { b: [2], c: [3] }] };
    expect(matches(pattern, { source: "s", a: 1 })).toBe(true);
    expect(matches(pattern, { source: "s", b: 2, c: 3 })).toBe(true);
    expect(matches(pattern, { source: "s", b: 2 })).toBe(false);
    expect(matches(pattern, { source: "x", a: 1 })).toBe(false);
    expect(matches(pattern, { source: "s" })).toBe(false);
  });

  it("stands on several levels, and inside itself", () => {
    const parallel = { $or: [{ a: [1] }, { b: [1] }], detail: { $or: [{ c: [1] }, { d: [1] }] } };
    expect(matches(parallel, { b: 1, detail: { c: 1 } })).toBe(true);
    expect(matches(parallel, { b: 1, detail: {} })).toBe(false);
    const nested = { s: [1], $or: [{ a: [1] }, { t: [1], $or: [{ m: [1234] }, { p: [1000] }] }, { e: [1] }] };
    expect(matches(nested, { s: 1, t: 1, p: 1000 })).toBe(true);
    expect(matches(nested, { s: 1, t: 1 })).toBe(false);
    expect(matches(nested, { s: 1, e: 1 })).toBe(true);
  });

  it("keeps to one element of an array, wherever in the pattern the conditions on it stand", () => {
    const pattern = { $or: [{ d: { a: [1] } }, { z: [1] }], d: { b: [2] } };
    expect(matches(pattern, { d: [{ a: 1, b: 2 }] })).toBe(true);
    expect(matches(pattern, { d: [{ a: 1 }, { b: 2 }] })).toBe(false);
    expect(matches(pattern, { d: [{ a: 1 }, { b: 2 }], z: 1 })).toBe(true);
  });

  it.each<[string, unknown, string[]]>([
    ["one branch only", { $or: [{ a: [1] }] }, ["/$or"]],
    ["no array", { $or: { a: [1] } }, ["/$or"]],
    ["what is no object", { $or: [{ a: [1] }, 5] }, ["/$or/1"]],
    ["an empty branch", { $or: [{ a: [1] }, {}] }, ["/$or/1"]],
    [
      "an operator's name as a field",
      { $or: [{ prefix: [1] }, { x: { regex: [2] } }] },
      ["/$or/0/prefix", "/$or/1/x/regex"],
    ],
  ])("refuses %s", (_what, pattern, pointers) => {
    expect(pointersOf(pattern)).toEqual(pointers);
  });

  it("a field's later conditions replace its earlier ones, as in EventBridge", () => {
    const inside = { a: [0], $or: [{ a: [1] }, { b: [2] }] };
    expect(matches(inside, { a: 1 })).toBe(true);
    expect(matches(inside, { a: 0, b: 2 })).toBe(true);
    expect(matches(inside, { a: 0 })).toBe(false);
    const after = { $or: [{ a: [1] }, { b: [2] }], a: [0] };
    expect(matches(after, { a: 1 })).toBe(false);
    expect(matches(after, { a: 0 })).toBe(true);
    expect(matches({ a: { b: [1] }, "a.b": [2] }, { a: { b: 2 } })).toBe(true);
    expect(matches({ a: { b: [1] }, "a.b": [2] }, { a: { b: 1 } })).toBe(false);
  });

  it("keeps no name but those of operators for EventBridge", () => {
    expect(matches({ $or: [{ html: ["a"] }, { text: ["a"] }] }, { html: "a" })).toBe(true);
  });

  it("multiplies to 1,000 branches and no more [subscribe-8]", () => {
    const levels = (depth: number): EventPattern =>
      depth === 0 ? { z: [1] } : { $or: [{ [`a${depth}`]: [1] }, { [`b${depth}`]: [1] }], n: levels(depth - 1) };
    expect(checkPattern(levels(9))).toEqual([]);
    expect(checkPattern(levels(10))).toEqual([
      { pointer: expect.stringMatching(/\$or$/), detail: expect.stringContaining("1000") },
    ]);
    expect(checkPattern(levels(30))).toHaveLength(1);
  });
});

describe("what EventBridge would refuse is refused, with a pointer", () => {
  it.each<[unknown, string[]]>([
    [{}, [""]],
    [[], [""]],
    [null, [""]],
    ["text", [""]],
    [undefined, [""]],
    [5, [""]],
    [{ a: "text" }, ["/a"]],
    [{ a: 5, b: null, c: true }, ["/a", "/b", "/c"]],
    [{ a: undefined, b: [1] }, ["/a"]],
    [{ a: {} }, ["/a"]],
    [{ a: [] }, ["/a"]],
    [{ a: [[1]] }, ["/a/0"]],
    [{ a: [{}] }, ["/a/0"]],
    [{ a: [1, { prefix: "x", suffix: "y" }] }, ["/a/1"]],
    [{ a: [{ regex: "x" }] }, ["/a/0"]],
    [{ a: [{ Prefix: "x" }] }, ["/a/0"]],
    [{ a: [{ constructor: "x" }] }, ["/a/0"]],
    [{ a: [Number.NaN, Number.POSITIVE_INFINITY] }, ["/a/0", "/a/1"]],
    [{ "a/b~c": { d: ["ok", {}] } }, ["/a~1b~0c/d/1"]],
    [{ a: [{ prefix: 5 }, { suffix: ["x"] }, { prefix: null }] }, ["/a/0/prefix", "/a/1/suffix", "/a/2/prefix"]],
    [{ a: [{ prefix: { suffix: "x" } }] }, ["/a/0/prefix"]],
    [{ a: [{ suffix: { "equals-ignore-case": 5 } }] }, ["/a/0/suffix/equals-ignore-case"]],
    [{ a: [{ "equals-ignore-case": ["x"] }] }, ["/a/0/equals-ignore-case"]],
    [{ a: [{ "equals-ignore-case": { "equals-ignore-case": "x" } }] }, ["/a/0/equals-ignore-case"]],
    [{ a: [{ wildcard: 5 }] }, ["/a/0/wildcard"]],
    [{ a: [{ wildcard: "a**b" }] }, ["/a/0/wildcard"]],
    [{ a: [{ wildcard: "a\\b" }, { wildcard: "a\\" }] }, ["/a/0/wildcard", "/a/1/wildcard"]],
    [{ a: [{ exists: "true" }, { exists: 1 }, { exists: null }] }, ["/a/0/exists", "/a/1/exists", "/a/2/exists"]],
    [{ a: [{ "anything-but": null }] }, ["/a/0/anything-but"]],
    [{ a: [{ "anything-but": true }] }, ["/a/0/anything-but"]],
    [{ a: [{ "anything-but": [] }] }, ["/a/0/anything-but"]],
    [{ a: [{ "anything-but": [1, "x"] }] }, ["/a/0/anything-but/1"]],
    [{ a: [{ "anything-but": ["x", null] }] }, ["/a/0/anything-but/1"]],
    [{ a: [{ exactly: 5 }, { exactly: { "equals-ignore-case": "x" } }] }, ["/a/0/exactly", "/a/1/exactly"]],
    [{ a: [{ "anything-but": {} }] }, ["/a/0/anything-but"]],
    [{ a: [{ "anything-but": { numeric: ["=", 1] } }] }, ["/a/0/anything-but"]],
    [{ a: [{ "anything-but": { prefix: "" } }] }, ["/a/0/anything-but/prefix"]],
    [{ a: [{ "anything-but": { suffix: ["x", ""] } }] }, ["/a/0/anything-but/suffix/1"]],
    [{ a: [{ "anything-but": { prefix: 5 } }] }, ["/a/0/anything-but/prefix"]],
    [{ a: [{ "anything-but": { prefix: [] } }] }, ["/a/0/anything-but/prefix"]],
    [{ a: [{ "anything-but": { prefix: { "equals-ignore-case": "x" } } }] }, ["/a/0/anything-but/prefix"]],
    [{ a: [{ "anything-but": { wildcard: ["a", "**"] } }] }, ["/a/0/anything-but/wildcard/1"]],
    [{ a: [{ "anything-but": [{ wildcard: "a*" }] }] }, ["/a/0/anything-but/0"]],
    [{ a: 1n }, [""]],
  ])("%o", (pattern, pointers) => {
    expect(pointersOf(pattern)).toEqual(pointers);
    for (const fault of checkPattern(pattern as EventPattern)) expect(fault.detail).toMatch(/^expected /);
  });

  it("a pattern that refers to itself", () => {
    const pattern: Record<string, unknown> = {};
    pattern.self = pattern;
    expect(pointersOf(pattern)).toEqual([""]);
  });

  it("a pattern that is too long or too deep [subscribe-8]", () => {
    const longest = { a: ["x".repeat(2_048 - '{"a":[""]}'.length)] };
    expect(checkPattern(longest)).toEqual([]);
    expect(pointersOf({ a: [`${longest.a[0]}x`] })).toEqual([""]);
    const nested = (depth: number): EventPattern => {
      let pattern: EventPattern = { x: [1] };
      for (let level = 0; level < depth; level++) pattern = { k: pattern };
      return pattern;
    };
    expect(checkPattern(nested(31))).toEqual([]);
    expect(pointersOf(nested(32))).toEqual(["/k".repeat(32)]);
    expect(pointersOf(nested(100_000))).toEqual([""]);
  });

  describe("wildcards that EventBridge finds too complex", () => {
    const wildcards = (count: number, make: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => ({ wildcard: make(i) }));
    const words = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kiwi", "lynx"];

    it.each<[string, EventPattern, EventPattern]>([
      ["many stars in one", { a: [{ wildcard: "*a*b*c*d" }] }, { a: [{ wildcard: `*${words.join("*")}` }] }],
      ["what repeats after a star", { a: [{ wildcard: "*abcabc" }] }, { a: [{ wildcard: `*${"z".repeat(11)}` }] }],
      [
        "many that begin alike",
        { a: wildcards(10, (i) => `dir/${words[i]}*`) },
        { a: wildcards(11, (i) => `dir/${words[i]}*`) },
      ],
      ["one over and over", { a: wildcards(4, () => "*a*") }, { a: wildcards(12, () => "*a*") }],
      [
        "one for every branch of $or",
        { a: [{ wildcard: "*a*" }], $or: [{ z: ["0"] }, { z: ["1"] }] },
        { a: [{ wildcard: "*a*" }], $or: words.map((word) => ({ z: [word] })) },
      ],
      [
        "those of anything-but",
        { a: [{ "anything-but": { wildcard: ["*a*", "*a*", "*a*"] } }] },
        { a: [{ "anything-but": { wildcard: words.map((word) => `*${word}*`) } }] },
      ],
    ])("%s", (_what, simple, complex) => {
      expect(checkPattern(simple)).toEqual([]);
      expect(checkPattern(complex)).toEqual([{ pointer: "/a", detail: expect.stringContaining("fewer stars") }]);
    });

    it("each field on its own, and each after what was found before it", () => {
      const six = (from: number) => wildcards(6, (i) => `${words[from + i]}*`);
      expect(checkPattern({ a: six(0), b: six(6) })).toEqual([]);
      expect(
        checkPattern({
          $or: [
            { a: [1], b: six(0) },
            { a: [2], b: six(6) },
          ],
        }),
      ).toEqual([]);
      expect(
        pointersOf({
          $or: [
            { a: [1, 2], b: six(0) },
            { a: [2, 3], b: six(6) },
          ],
        }),
      ).toEqual(["/$or/0/b"]);
    });
  });

  it("and is not matched with", () => {
    expect(() => matchesPattern({ a: [] }, { a: 1 })).toThrow(/not valid: \/a: expected/);
  });
});

it("any field of any event is found by a pattern of its own value", () => {
  const key = fc.string({ minLength: 1, maxLength: 4 }).filter((name) => name !== "$or" && name !== "__proto__");
  const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
    tree: fc.dictionary(key, tie("leaf"), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    leaf: fc.oneof(
      { depthSize: "small" },
      fc.string({ maxLength: 5 }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      tie("tree"),
    ),
  }));
  const patternOf = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, patternOf(inner)]))
      : [value];
  fc.assert(
    fc.property(tree, (event) => {
      const pattern = patternOf(event) as EventPattern;
      fc.pre(checkPattern(pattern).length === 0);
      expect(matchesPattern(pattern, event as object)).toBe(true);
      expect(matchesPattern(pattern, { wrapped: event })).toBe(false);
    }),
  );
});
