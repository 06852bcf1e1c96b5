import { describe, expect, it } from "vitest";
import { inLanes } from "../../shared/lanes.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("work in lanes", () => {
  it("does every item once, so many at the same time and no more", async () => {
    const done: number[] = [];
    let underWay = 0;
    let most = 0;
    await inLanes(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
      most = Math.max(most, ++underWay);
      await turn();
      underWay--;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it("is done at once when there is none", async () => {
    await expect(inLanes(3, [], () => Promise.reject(new Error("called")))).resolves.toBeUndefined();
  });

  it("that fails lets the others finish what they are at, begins nothing more, and says how it failed", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = inLanes(2, [1, 2, 3, 4], async (item) => {
      begun.push(item);
      if (item === 1) throw new Error("broken");
      await turn();
      ended.push(item);
    });
    await expect(work).rejects.toThrow("broken");
    expect(begun).toEqual([1, 2]);
    expect(ended).toEqual([2]);
  });

  it("that may not go on begins nothing more, and drops nothing that somebody else is to go on with", async () => {
    const items = [1, 2, 3, 4].values();
    const done: number[] = [];
    const work = async (item: number): Promise<void> => {
      done.push(item);
    };
    await inLanes(2, items, work, () => done.length < 2);
    expect(done).toEqual([1, 2]);
    await inLanes(2, items, work);
    expect(done).toEqual([1, 2, 3, 4]);
  });
});
