import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../functions/runtime/aws/lean/credentials.ts";
import { calling, failureOf, ITEM, playedService, refused, told } from "./played-service.ts";

const MINUTE_MS = 60_000;

describe("a call that fails", () => {
  it.each([
    [400, "ProvisionedThroughputExceededException"],
    [400, "ThrottlingException"],
    [400, "RequestLimitExceeded"],
    [429, "SomethingNew"],
    [500, "InternalServerError"],
    [503, "ServiceUnavailable"],
    [504, "SomethingNew"],
    [400, "RequestTimeout"],
  ])("with HTTP %i %s is tried once more, and does well then", async (status, type) => {
    const service = await playedService((call, response) =>
      call.place === 1 ? refused(response, status, type) : told(response, 200, { Item: {} }),
    );
    expect(await calling(service.url).getItem(ITEM)).toEqual({ Item: {} });
    expect(service.calls).toHaveLength(2);
    expect(service.calls[1]?.body).toBe(service.calls[0]?.body);
  });

  it.each(["ProvisionedThroughputExceededException", "InternalServerError"])(
    "with %s each time is tried twice in all, and fails with it [all-1]",
    async (type) => {
      const service = await playedService((_, response) => refused(response, 500, type));
      expect((await failureOf(calling(service.url).getItem(ITEM))).name).toBe(type);
      expect(service.calls).toHaveLength(2);
    },
  );

  it.each([
    "ConditionalCheckFailedException",
    "ValidationException",
    "ResourceNotFoundException",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "ItemCollectionSizeLimitExceededException",
    "KMSDisabledException",
  ])("with %s is not tried again: it would fail again", async (type) => {
    const service = await playedService((_, response) => refused(response, 400, type));
    expect((await failureOf(calling(service.url).getItem(ITEM))).name).toBe(type);
    expect(service.calls).toHaveLength(1);
  });

  it("is tried less and less while most fail, and again once they do well", async () => {
    let isDown = true;
    const service = await playedService((_, response) =>
      isDown ? refused(response, 500, "InternalServerError") : told(response, 200, {}),
    );
    const calls = calling(service.url);
    const triesOf = async (count: number): Promise<number> => {
      const before = service.calls.length;
      await Promise.allSettled(Array.from({ length: count }, () => calls.getItem(ITEM)));
      return (service.calls.length - before) / count;
    };
    expect(await triesOf(100)).toBe(2);
    expect(await triesOf(50)).toBe(1);
    isDown = false;
    await triesOf(50);
    isDown = true;
    expect(await triesOf(50)).toBeCloseTo(1 + 10 / 50);
  });
});

describe("a clock that is wrong", () => {
  const skewed = (theirs: number) => ({ date: new Date(theirs).toUTCString() });

  it.each([-30, 6, 600])("by %i minutes is set by the service's, and the call does well [all-7]", async (minutes) => {
    const theirsMs = Date.now() + minutes * MINUTE_MS;
    const service = await playedService((call, response) => {
      const signedFor = call.headers["x-amz-date"] as string;
      const signedMs = Date.parse(signedFor.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"));
      if (Math.abs(signedMs - theirsMs) < 5 * MINUTE_MS) told(response, 200, {});
      else refused(response, 400, "InvalidSignatureException", skewed(theirsMs));
    });
    const calls = calling(service.url);
    await calls.getItem(ITEM);
    expect(service.calls).toHaveLength(2);
    await calls.getItem(ITEM);
    expect(service.calls).toHaveLength(3);
  });

  it("is not the reason when it shows the service's time: the signature is wrong then, and stays so", async () => {
    const service = await playedService((_, response) =>
      refused(response, 400, "InvalidSignatureException", skewed(Date.now())),
    );
    expect((await failureOf(calling(service.url).getItem(ITEM))).name).toBe("InvalidSignatureException");
    expect(service.calls).toHaveLength(1);
  });
});

describe("credentials that have expired", () => {
  const expiredFor = (accessKeyId: string) =>
    playedService((call, response) =>
      call.headers.authorization?.includes(`Credential=${accessKeyId}/`)
        ? refused(response, 400, "ExpiredTokenException")
        : told(response, 200, {}),
    );

  it("are asked for anew when the service says so, and the call does well [all-6]", async () => {
    const service = await expiredFor("OLD");
    let held: Credentials = { accessKeyId: "OLD", secretAccessKey: "s" };
    const refusals: Credentials[] = [];
    const credentials = {
      current: () => held,
      refused(refused: Credentials) {
        refusals.push(refused);
        held = { accessKeyId: "NEW", secretAccessKey: "s" };
        return true;
      },
    };
    await calling(service.url, { credentials }).getItem(ITEM);
    expect([service.calls.length, refusals.map(({ accessKeyId }) => accessKeyId)]).toEqual([2, ["OLD"]]);
  });

  it("fail the call at once where there can be no others", async () => {
    const service = await expiredFor("AKIDEXAMPLE");
    expect((await failureOf(calling(service.url).getItem(ITEM))).name).toBe("ExpiredTokenException");
    expect(service.calls).toHaveLength(1);
  });
});
