import { describe, expect, test } from "vitest";
import { timeline } from "../../../examples/timeline.ts";
import type { EventWithResponses } from "../../../shared/history.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

const said = (who: string, text: string): EventWithResponses =>
  ({
    event: { ...deliveredEvent({ id: "1" }), agent_type: who, data: { text } },
    request: null,
    responses: [],
  }) as unknown as EventWithResponses;
const lines = (width: number, ...events: EventWithResponses[]): string[] => timeline(events, { color: false, width });
const CHARACTERS = new Intl.Segmenter("en", { granularity: "grapheme" });
const widthOf = (text: string | undefined): number => [...CHARACTERS.segment(text ?? "")].length;

describe("a timeline", () => {
  test.each(["🦊", "👩‍🔬", "e\u0301"])("cuts %s whole or not at all", (character) => {
    for (let width = 45; width < 55; width++) {
      const [line] = lines(width, said("you", character.repeat(58)));
      expect(widthOf(line)).toBe(width);
      expect(line).toMatch(new RegExp(`"(${character})+…$`, "u"));
    }
    const [long] = lines(500, said("you", character.repeat(200)));
    expect(long).toContain(`"${character.repeat(59)}…"`);
    expect(lines(500, said("you", character.repeat(60)))[0]).toContain(`"${character.repeat(60)}"`);
  });

  test("keeps its columns whatever names are made of", () => {
    const [first, second] = lines(200, said("👩‍🔬", "a"), said("you", "a"));
    expect(widthOf(first)).toBe(widthOf(second));
  });
});
