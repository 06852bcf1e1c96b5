import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { METRICS } from "../../shared/metrics.ts";
import { subscriber, synthesize } from "./synthesize.ts";

const runbook = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

interface Heading {
  readonly text: string;
  /** As GitHub makes it. */
  readonly anchor: string;
  /** The second-level heading it stands under. */
  readonly chapter: string;
  /** What stands under it, up to the next heading. */
  readonly body: string;
}

const headings: readonly Heading[] = (() => {
  let chapter = "";
  return runbook.split(/^(?=#{2,3} )/m).flatMap((section): Heading[] => {
    const [, marks = "", text = ""] = /^(#{2,3}) (.+)$/m.exec(section) ?? [];
    if (marks === "") return [];
    if (marks === "##") chapter = text;
    const anchor = text
      .toLowerCase()
      .replaceAll(" ", "-")
      .replace(/[^\w-]/g, "");
    return [{ text, anchor, chapter, body: section.slice(section.indexOf("\n")) }];
  });
})();

const template = synthesize({
  subscribers: [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })],
});
const alarms = Object.entries(template.findResources("AWS::CloudWatch::Alarm")).map(([id, { Properties }]) => ({
  id,
  description: String(Properties.AlarmDescription),
}));
const sections = headings.filter(({ chapter, text }) => chapter === "Alarms" && text !== "Alarms");

describe("docs/operations.md", () => {
  it.each(alarms)("says what to do when $id comes: the alarm names the section", ({ description }) => {
    const [, anchor] = /What to do: docs\/operations\.md#(\S+)$/.exec(description) ?? [];
    const section = sections.find((one) => one.anchor === anchor);
    expect(section?.body).toMatch(/^1\. /m);
  });

  it("has no section for an alarm that is not there", () => {
    const named = new Set(alarms.map(({ description }) => description.split("#").at(-1)));
    expect(sections.map(({ anchor }) => anchor).filter((anchor) => !named.has(anchor))).toEqual([]);
  });

  it("has no link to a section that is not there, and no section twice", () => {
    const anchors = headings.map(({ anchor }) => anchor);
    const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.filter((anchor) => !anchors.includes(anchor ?? ""))).toEqual([]);
    expect(new Set(anchors).size).toBe(anchors.length);
  });

  it("says what every metric counts, and what all of them cost", () => {
    for (const name of Object.keys(METRICS)) expect(runbook).toContain(`\`${name}\``);
    const ofBus = Object.values(METRICS).filter((metric) => !("by" in metric)).length;
    expect(runbook).toContain(`${ofBus} metrics with the bus alone`);
    const ofSubscribers = alarms.filter(({ id }) => /librarian|normalizer/.test(id)).length;
    expect(runbook).toContain(`${alarms.length - ofSubscribers} alarms, and one or two a deployed subscriber`);
  });

  it("has commands by the names that the stack gives", () => {
    const ids = (type: string) => Object.keys(template.findResources(type));
    for (const [, prefix = "", type = ""] of runbook.matchAll(/physical (\w+) (AWS::\w+::\w+)/g))
      expect([prefix, ids(type).filter((id) => id.startsWith(prefix)).length]).toEqual([prefix, 1]);
    const outputs = Object.keys(template.findOutputs("*"));
    for (const [, name = ""] of runbook.matchAll(/\$\(output (\w+)\)/g)) expect(outputs).toContain(name);
  });
});
