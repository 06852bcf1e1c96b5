import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { inUrl, isLoopback, type Listening, listen } from "../../../local/listening.ts";

const open: Listening[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const answering = (): Server => createServer((_, answer) => answer.setHeader("connection", "close").end("here"));

async function listening(port: number, host: string): Promise<number> {
  const one = await listen(answering(), port, host);
  open.push(one);
  return one.port;
}

const at = async (host: string, port: number): Promise<string> =>
  fetch(`http://${host}:${port}`).then(
    (response) => response.text(),
    () => "nobody",
  );

describe("where the local origin listens", () => {
  test("on loopback alone, if not told otherwise", async () => {
    const port = await listening(0, "127.0.0.1");
    expect([await at("127.0.0.1", port), await at("127.0.0.2", port)]).toEqual(["here", "nobody"]);
  });

  test("on the address that it is given, and on loopback, where deployed subscribers are", async () => {
    const port = await listening(0, "127.0.0.2");
    expect([await at("127.0.0.2", port), await at("127.0.0.1", port)]).toEqual(["here", "here"]);
  });

  test("on neither when one of the two is taken, and nowhere once it is closed", async () => {
    const port = await listening(0, "127.0.0.1");
    await expect(listen(answering(), port, "127.0.0.2")).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(await at("127.0.0.2", port)).toBe("nobody");
    await open.pop()?.close();
    const other = await listen(answering(), 0, "127.0.0.2");
    await other.close();
    expect([await at("127.0.0.2", other.port), await at("127.0.0.1", other.port)]).toEqual(["nobody", "nobody"]);
  });
});

test.each([
  ["127.0.0.1", true, "127.0.0.1"],
  ["127.9.9.9", true, "127.9.9.9"],
  ["localhost", true, "localhost"],
  ["::1", true, "[::1]"],
  ["[::1]", true, "[::1]"],
  ["0.0.0.0", false, "0.0.0.0"],
  ["::", false, "[::]"],
  ["::ffff:127.0.0.1", false, "[::ffff:127.0.0.1]"],
  ["192.168.1.5", false, "192.168.1.5"],
  ["127.0.0.1.example.com", false, "127.0.0.1.example.com"],
])("%s is this machine alone: %s", (host, isOnlyHere, inTheUrl) => {
  expect([isLoopback(host), inUrl(host)]).toEqual([isOnlyHere, inTheUrl]);
});
