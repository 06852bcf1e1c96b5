import { describe, expect, test } from "vitest";
import { hostsOf, preflightHeaders, whyForbidden } from "../../../local/guards.ts";

describe("who may talk to the embedded bus", () => {
  test.each([
    "127.0.0.1:7070",
    "127.8.9.1",
    "localhost",
    "LOCALHOST:7070",
    "bus.localhost:7070",
    "[::1]:7070",
    "[::1]",
  ])("the Host %s is this machine", (host) => expect(whyForbidden({ host })).toBeNull());

  test.each([
    "example.com",
    "example.com:7070",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "notlocalhost",
    "127.0.0.1@example.com",
    "0.0.0.0:7070",
    "[::2]",
    "10.0.0.1",
    "",
    "127.0.0.1:7070/x",
  ])("the Host %j is not", (host) => expect(whyForbidden({ host })).toContain("Host"));

  test("a request without a Host is refused", () => expect(whyForbidden({})).toContain("Host"));

  test.each(["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"])(
    "a page from %s may use it",
    (origin) => expect(whyForbidden({ host: "localhost", origin })).toBeNull(),
  );

  test.each([
    "https://example.com",
    "null",
    "http://localhost.example.com",
    "http://127.0.0.1.nip.io",
    "file://",
    "localhost",
    "http://localhost@example.com",
  ])("a page from %s may not", (origin) => expect(whyForbidden({ host: "localhost", origin })).toContain("origin"));

  test("what a page of another site links to or embeds carries no Origin, and is refused all the same", () => {
    const embedded = { host: "localhost", "sec-fetch-site": "cross-site" };
    expect(whyForbidden(embedded)).toContain("another site");
    // To a browser, localhost and 127.0.0.1 are two sites; the Origin tells that both are this machine.
    expect(whyForbidden({ ...embedded, origin: "http://127.0.0.1:5173" })).toBeNull();
  });

  test.each(["same-origin", "same-site", "none"])("a browser's own call (%s) may go on", (site) =>
    expect(whyForbidden({ host: "localhost", "sec-fetch-site": site })).toBeNull(),
  );
});

describe("who may talk to an embedded bus that listens for others", () => {
  const isOurs = hostsOf(["bus.lan", "Workstation"]);

  test.each(["127.0.0.1:7070", "localhost", "192.168.1.5:7070", "[fe80::1]:7070", "BUS.lan:7070", "workstation"])(
    "the Host %s is an address, or a name of this machine",
    (host) => expect(whyForbidden({ host }, isOurs)).toBeNull(),
  );

  test.each(["example.com", "bus.lan.example.com", "192.168.1.5.nip.io", "[::1", "", "bus.lan@example.com"])(
    "the Host %j is neither: a name that was made to lead here",
    (host) => expect(whyForbidden({ host }, isOurs)).toContain("Host"),
  );

  test("pages of other sites may not, whatever address they call", () => {
    const host = "192.168.1.5:7070";
    expect(whyForbidden({ host, origin: "https://example.com" }, isOurs)).toContain("origin");
    expect(whyForbidden({ host, origin: "http://192.168.1.5:7070" }, isOurs)).toContain("origin");
    expect(whyForbidden({ host, "sec-fetch-site": "cross-site" }, isOurs)).toContain("another site");
  });
});

test("a page of this machine may send a CloudEvent in binary mode, and read where history goes on", () => {
  const headers = preflightHeaders("http://localhost:5173");
  expect(headers["access-control-allow-headers"]?.split(", ")).toEqual(
    expect.arrayContaining(["content-type", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-correlationid"]),
  );
  expect(headers["access-control-expose-headers"]?.split(", ")).toContain("link");
});
