import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOptions } from "../../../bench/model/options.ts";
import { report } from "../../../bench/model/report.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/scaling.md"), "utf8");

/** What stands on the page as printed by a command: the command, and the lines below it. */
const printed = [...PAGE.matchAll(/^```\n\$ npm run model(?: -- (.*))?\n([^`]*)^```$/gm)].map(
  ([, args = "", lines = ""]) => ({ args: args.split(" ").filter(Boolean), lines: lines.split("\n").filter(Boolean) }),
);

describe("docs/scaling.md", () => {
  test("shows what the model prints", () => {
    expect(printed.length).toBeGreaterThanOrEqual(5);
  });

  test.each(printed)(
    "is up to date with npm run model -- $args: run it again, and put in what it says",
    ({ args, lines }) => {
      const says = new Set(report(readOptions(args).load).split("\n"));
      expect(lines.filter((line) => !says.has(line))).toEqual([]);
    },
  );
});
