import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { CallFailure } from "../../../functions/runtime/aws/lean/call-failure.ts";
import { type Seeded, seeded } from "../../faults/proxy/seeded.ts";
import { createAuthority } from "../../support/webhook-endpoint.ts";
import { calling, type Play, playedService, refused, told, trustAnybody } from "./played-service.ts";

const CALLS = 400;
const AT_ONCE = 32;

/** What becomes of a call: mostly what is asked for, by the name of the key. */
function disturbing(random: Seeded): Play {
  const well: Play = (call, response) => {
    const { Key } = JSON.parse(call.body) as { Key: { pk: { S: string } } };
    told(response, 200, { Item: { pk: Key.pk } });
  };
  const kinds: Play[] = [
    well,
    well,
    well,
    well,
    (_, response) => void response.socket?.destroy(),
    (call, response) => {
      well(call, response);
      response.socket?.destroySoon();
    },
    (_, response) => {
      response.writeHead(200, { "content-length": "50" });
      response.write('{"Item":', () => response.socket?.destroy());
    },
    (_, response) => void response.socket?.end("good morning\r\n\r\n"),
    (call, response) => void setTimeout(() => well(call, response), random.between(5, 25)),
    // Too late: the call is given up by then.
    (call, response) => void setTimeout(() => well(call, response), 400),
    (_, response) => refused(response, 400, "ThrottlingException"),
    (_, response) => refused(response, 500, "InternalServerError"),
    (_, response) => void response.writeHead(200).end("<html>"),
  ];
  return (call, response) => random.pick(kinds)(call, response);
}

describe("calls over connections that break, stall and lie", () => {
  it.each([1, 2, 3])("get their own answers or a failure, each after two tries at most (seed %i)", async (seed) => {
    trustAnybody();
    const certificate = await (await createAuthority()).issue(["127.0.0.1"]);
    const service = await playedService(disturbing(seeded(seed)), certificate);
    const calls = calling(service.url, { answerTimeoutMs: 200, maxSockets: 16 });
    const outcomes = { right: 0, failed: 0 };
    let left = CALLS;
    const callOn = async (): Promise<void> => {
      while (left-- > 0) {
        const key = { pk: { S: `item-${left}` } };
        try {
          expect(await calls.getItem({ TableName: "bus", Key: key })).toEqual({ Item: key });
          outcomes.right++;
        } catch (error) {
          expect(error).toBeInstanceOf(CallFailure);
          outcomes.failed++;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, callOn));
    expect(outcomes.right + outcomes.failed).toBe(CALLS);
    // How many depends on the machine too: on a busy one more are given up.
    expect(outcomes.right).toBeGreaterThan(0);
    expect(outcomes.failed).toBeGreaterThan(0);
    expect(service.calls.length).toBeLessThanOrEqual(2 * CALLS);
    calls.close();
    const open = promisify(service.server.getConnections.bind(service.server));
    await vi.waitFor(async () => expect(await open()).toBe(0));
  });
});
