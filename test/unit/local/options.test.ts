import { describe, expect, test } from "vitest";
import { parseOptions } from "../../../local/options.ts";

const parse = (...args: string[]) => parseOptions(args, "/project", "/elsewhere");

describe("the command line of npm run dev", () => {
  test("needs nothing", () => {
    expect(parse()).toEqual({
      kind: "run",
      options: {
        port: 7070,
        dataDir: "/project/.local/data",
        configPath: "/project/bus.config.ts",
        allowLoopbackWebhooks: false,
        keys: false,
        host: "127.0.0.1",
      },
    });
  });

  test("takes paths relative to where the user is", () => {
    expect(parse("--port", "0", "--data-dir=d", "--config", "c/bus.config.ts")).toMatchObject({
      kind: "run",
      options: { port: 0, dataDir: "/elsewhere/d", configPath: "/elsewhere/c/bus.config.ts" },
    });
  });

  test("lets webhooks call this machine only when it is told to", () => {
    expect(parse("--allow-loopback-webhooks")).toMatchObject({ options: { allowLoopbackWebhooks: true } });
  });

  test.each(["0.0.0.0", "::", "[::]", "192.168.1.5", "fe80::1", "bus.example.com", "127.0.0.1.example.com", "127.1"])(
    "listens on %s only for those who have keys, and says so",
    (host) => {
      expect(parse("--host", host, "--keys")).toMatchObject({ options: { host, keys: true } });
      const parsed = parse("--host", host);
      expect(parsed.kind).toBe("invalid");
      expect((parsed as { message: string }).message).toMatch(/^--host: on .* others could reach the bus.*--keys/);
    },
  );

  test.each(["127.0.0.1", "127.0.0.2", "localhost", "::1", "[::1]"])("listens on %s, which is this machine", (host) => {
    expect(parse("--host", host)).toMatchObject({ options: { host, keys: false } });
  });

  test.each(["", "a b", "http://localhost", "localhost:7070", "/tmp/socket"])("refuses the host %j", (host) => {
    expect(parse(`--host=${host}`, "--keys")).toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("--host"),
    });
  });

  test.each(["-1", "65536", "80a", "", "1.5", "0x10", " 7070"])(
    "refuses the port %j and says what is expected",
    (port) => {
      expect(parse(`--port=${port}`)).toEqual({
        kind: "invalid",
        message: `--port: expected a whole number from 0 to 65535, not "${port}"`,
      });
    },
  );

  test.each([
    ["--prot", "7070"],
    ["7070"],
    ["--port"],
    ["--data-dir="],
    ["--config="],
    ["--help=yes"],
    ["--allow-loopback-webhooks=1"],
    ["--keys=1"],
    ["--host"],
  ])("refuses %j by name", (...args) => {
    const parsed = parse(...args);
    expect(parsed.kind).toBe("invalid");
    expect((parsed as { message: string }).message).toContain(args[0]?.split("=")[0]);
  });

  test("shows help whatever else is given", () => {
    expect(parse("--port", "x", "--help")).toEqual({ kind: "help" });
  });
});
