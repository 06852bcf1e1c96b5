import dns from "node:dns";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createAuthority } from "../../support/webhook-endpoint.ts";
import { calling, failureOf, ITEM, type Play, playedService, told, trustAnybody } from "./played-service.ts";

const well: Play = (_, response) => told(response, 200, {});

/** A server below HTTP. */
async function playedSockets(play: (socket: Socket, place: number) => void): Promise<{ url: URL; count(): number }> {
  let connections = 0;
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    play(socket, ++connections);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return { url: new URL(`http://127.0.0.1:${port}`), count: () => connections };
}

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

describe("a connection that was kept", () => {
  it("and closed at its other end meanwhile fails no call: another is made at once [all-5]", async () => {
    // Closes as soon as there is a second call, as one does whose first bytes find nobody any more.
    const service = await playedService((call, response) =>
      call.place === 2 ? void response.socket?.destroy() : told(response, 200, {}),
    );
    const calls = calling(service.url);
    const pauses = vi.spyOn(Math, "random");
    await calls.getItem(ITEM);
    await calls.getItem(ITEM);
    expect(service.calls.map(({ connection }) => connection)).toEqual([1, 1, 2]);
    expect(pauses).not.toHaveBeenCalled();
    pauses.mockRestore();
  });

  it("is not used again when it was seen to close", async () => {
    const service = await playedService(well);
    const calls = calling(service.url);
    await calls.getItem(ITEM);
    service.server.closeIdleConnections();
    await vi.waitFor(async () => {
      await calls.getItem(ITEM);
      expect(service.connections()).toBeGreaterThan(1);
    });
  });

  it("and died as all others that lay idle costs one try, not one for each: none of them is used again [all-5]", async () => {
    let isDead = false;
    const service = await playedService((call, response) =>
      isDead && call.connection <= 8 ? void response.socket?.destroy() : told(response, 200, {}),
    );
    const calls = calling(service.url);
    await Promise.all(Array.from({ length: 8 }, () => calls.getItem(ITEM)));
    expect(service.connections()).toBe(8);
    isDead = true;
    const before = service.calls.length;
    await calls.getItem(ITEM);
    expect(service.calls.slice(before).map(({ connection }) => connection > 8)).toEqual([false, true]);
  });

  it("and dies each time is given up after two tries all the same", async () => {
    let isDead = false;
    const service = await playedService((_, response) =>
      isDead ? void response.socket?.destroy() : told(response, 200, {}),
    );
    const calls = calling(service.url);
    await calls.getItem(ITEM);
    isDead = true;
    expect((await failureOf(calls.getItem(ITEM))).name).toBe("ConnectionError");
    expect(service.calls).toHaveLength(3);
  });
});

describe("a connection that breaks", () => {
  it.each([
    ["before the answer", (socket: Socket) => void socket.once("data", () => socket.destroy())],
    [
      "within the answer",
      (socket: Socket) =>
        void socket.once("data", () =>
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", () => socket.destroy()),
        ),
    ],
    ["with what is no HTTP", (socket: Socket) => void socket.once("data", () => socket.end("good morning\r\n\r\n"))],
  ])("%s is tried once more, and does well then", async (_, breaks) => {
    const service = await playedSockets((socket, place) =>
      place === 1 ? breaks(socket) : void socket.once("data", () => socket.end(ANSWER)),
    );
    expect(await calling(service.url).getItem(ITEM)).toEqual({});
    expect(service.count()).toBe(2);
  });

  it("each time fails the call after two tries, with the reason", async () => {
    const service = await playedSockets((socket) => void socket.once("data", () => socket.destroy()));
    const pauses = vi.spyOn(Math, "random");
    const error = await failureOf(calling(service.url).getItem(ITEM));
    expect(error).toMatchObject({ name: "ConnectionError", message: "socket hang up" });
    expect(service.count()).toBe(2);
    // It was a new connection that broke, so it may be the service.
    expect(pauses).toHaveBeenCalledTimes(1);
    pauses.mockRestore();
  });

  it("because nobody listens fails the call, with the reason", async () => {
    const service = await playedService(well);
    await new Promise((resolve) => service.server.close(resolve));
    const error = await failureOf(calling(service.url).getItem(ITEM));
    expect(error).toMatchObject({ name: "ConnectionError", message: expect.stringContaining("ECONNREFUSED") });
  });
});

describe("a service that takes its time", () => {
  it("is not waited for longer than said, for an answer nor for the rest of one; what comes then is nobody's", async () => {
    const answers: (() => void)[] = [];
    const service = await playedService((call, response) => {
      if (call.place % 2 === 0) response.write('{"Item"');
      answers.push(() => response.end(":{}}"));
    });
    const error = await failureOf(calling(service.url, { answerTimeoutMs: 100 }).getItem(ITEM));
    expect(error).toMatchObject({ name: "TimeoutError", message: "There was no answer in 100 ms." });
    for (const answer of answers) answer();
    expect(service.calls).toHaveLength(2);
    expect(service.connections()).toBe(2);
    // Its connections are closed, and serve no other call.
    const left = promisify(service.server.getConnections.bind(service.server));
    await vi.waitFor(async () => expect(await left()).toBe(0));
  });

  it("and never ends its answer is given up before the answer fills the memory", async () => {
    const part = Buffer.alloc(1024 * 1024, " ");
    let sent = 0;
    const service = await playedService((_, response) => {
      const send = (): void => {
        while (!response.destroyed && response.write(part)) sent++;
      };
      response.on("drain", send);
      send();
    });
    const error = await failureOf(calling(service.url).getItem(ITEM));
    expect(error).toMatchObject({ name: "AnswerTooLong", again: "never" });
    expect([service.calls.length, sent < 100]).toEqual([1, true]);
  });

  it("may take longer for a long answer, as long as its parts come", async () => {
    const service = await playedService((_, response) => {
      let parts = 0;
      response.write('{"Item":{}');
      const timer = setInterval(() => {
        if (++parts < 10) return response.write(" ");
        clearInterval(timer);
        return response.end("}");
      }, 20);
    });
    expect(await calling(service.url, { answerTimeoutMs: 150 }).getItem(ITEM)).toEqual({ Item: {} });
    expect(service.calls).toHaveLength(1);
  });

  it("to be reached is not waited for longer than said, which is less", async () => {
    const lookup = vi.spyOn(dns, "lookup").mockImplementation((() => {}) as unknown as typeof dns.lookup);
    onTestFinished(() => lookup.mockRestore());
    const error = await failureOf(calling(new URL("http://nowhere.invalid"), { connectTimeoutMs: 50 }).getItem(ITEM));
    expect(error).toMatchObject({ name: "TimeoutError", message: "There was no connection in 50 ms." });
    expect(lookup).toHaveBeenCalledTimes(2);
  });
});

describe("a call that is broken off", () => {
  it("ends at once, and is not tried again", async () => {
    const service = await playedService(() => {});
    const breaking = new AbortController();
    const error = failureOf(calling(service.url).getItem(ITEM, { signal: breaking.signal }));
    await vi.waitFor(() => expect(service.calls).toHaveLength(1));
    breaking.abort();
    expect((await error).name).toBe("AbortError");
    expect(service.calls).toHaveLength(1);
  });

  it("before it began is not made", async () => {
    const service = await playedService(well);
    const error = await failureOf(calling(service.url).getItem(ITEM, { signal: AbortSignal.abort() }));
    expect(error.name).toBe("AbortError");
    expect(service.calls).toHaveLength(0);
  });

  it("while it pauses before another try is not tried again", async () => {
    const breaking = new AbortController();
    const service = await playedService((_, response) => {
      told(response, 400, { __type: "ThrottlingException" });
      response.on("close", () => breaking.abort());
    });
    const random = vi.spyOn(Math, "random").mockReturnValue(0.999);
    const error = await failureOf(calling(service.url).getItem(ITEM, { signal: breaking.signal }));
    random.mockRestore();
    expect([error.name, service.calls.length]).toEqual(["AbortError", 1]);
  });

  it("leaves nothing behind at its signal, however many calls it is for", async () => {
    const service = await playedService(well);
    const calls = calling(service.url);
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const added = vi.spyOn(signal, "addEventListener");
    for (let i = 0; i < 12; i++) await calls.getItem(ITEM, { signal });
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(added.mock.calls.length);
  });
});

describe("over HTTPS", () => {
  const certified = async (play: Play) => {
    const authority = await createAuthority();
    return playedService(play, await authority.issue(["127.0.0.1"]));
  };

  it("nobody is spoken to whose certificate is not to be trusted; that is not tried again", async () => {
    const service = await certified(well);
    const error = await failureOf(calling(service.url).getItem(ITEM));
    expect(error).toMatchObject({ name: "ConnectionError", again: "never" });
    expect(service.calls).toHaveLength(0);
  });

  it("a connection that was opened early is the one that the first call uses", async () => {
    trustAnybody();
    const service = await certified(well);
    const calls = calling(service.url);
    calls.open();
    calls.open();
    await vi.waitFor(() => expect(service.connections()).toBe(1));
    await calls.getItem(ITEM);
    await calls.getItem(ITEM);
    expect(service.calls.map(({ connection }) => connection)).toEqual([1, 1]);
  });

  it("a connection that is still being opened serves the first call too", async () => {
    trustAnybody();
    const service = await certified(well);
    const calls = calling(service.url);
    calls.open();
    await calls.getItem(ITEM);
    expect(service.connections()).toBe(1);
  });

  it("a connection that was opened early and closed meanwhile fails no call", async () => {
    trustAnybody();
    const service = await certified(well);
    const calls = calling(service.url);
    calls.open();
    await vi.waitFor(() => expect(service.connections()).toBe(1));
    service.server.closeAllConnections();
    await calls.getItem(ITEM);
    expect(service.calls).toHaveLength(1);
  });

  it("a connection that died before its first call costs a try, and is no fault of the service", async () => {
    trustAnybody();
    const service = await certified((call, response) =>
      call.connection === 1 ? void response.socket?.destroy() : told(response, 200, {}),
    );
    const calls = calling(service.url);
    calls.open();
    await vi.waitFor(() => expect(service.connections()).toBe(1));
    const pauses = vi.spyOn(Math, "random");
    await calls.getItem(ITEM);
    expect(service.calls.map(({ connection }) => connection)).toEqual([1, 2]);
    expect(pauses).not.toHaveBeenCalled();
    pauses.mockRestore();
  });

  it("a connection that cannot be opened early is no matter until there is a call", async () => {
    const service = await certified(well);
    await new Promise((resolve) => service.server.close(resolve));
    const calls = calling(service.url);
    calls.open();
    expect((await failureOf(calls.getItem(ITEM))).name).toBe("ConnectionError");
  });
});
