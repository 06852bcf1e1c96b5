import { describe, expect, it } from "vitest";
import { API_FUNCTIONS, matchRoute, ROUTES } from "../../shared/routes.ts";

const ID = "0190a0b0-1111-7000-8000-000000000000";

describe("a request finds its operation and the function that serves it", () => {
  it.each([
    ["POST", "/events", "emit", "emit", {}],
    ["POST", "/requests", "request", "request", {}],
    ["GET", `/requests/${ID}`, "resume", "request", { event_id: ID }],
    ["DELETE", `/requests/${ID}`, "cancel", "request", { event_id: ID }],
    ["POST", `/events/${ID}/responses`, "respond", "respond", { event_id: ID }],
    ["GET", "/events/stream", "stream", "stream", {}],
    ["GET", "/events", "list", "history", {}],
    ["GET", `/events/${ID}`, "show", "history", { event_id: ID }],
    ["GET", "/event-types", "types", "history", {}],
    ["GET", "/health", "health", "history", {}],
  ])("%s %s", (method, path, operation, servedBy, params) => {
    expect(matchRoute(method, path)).toEqual({ kind: "matched", operation, servedBy, params });
    expect(matchRoute(method, `${path}/`)).toEqual({ kind: "matched", operation, servedBy, params });
  });

  it("every route, whatever its parameters, is reachable", () => {
    for (const route of ROUTES)
      expect(matchRoute(route.method, route.path.replace(/\{.*?\}/, "some-id"))).toMatchObject({
        kind: "matched",
        operation: route.operation,
      });
  });

  it("every function with a URL serves something", () => {
    expect(new Set(ROUTES.map((route) => route.servedBy))).toEqual(new Set(API_FUNCTIONS));
  });

  it("a parameter arrives decoded", () => {
    expect(matchRoute("GET", "/events/a%20b%2Fc%C3%A9")).toMatchObject({ params: { event_id: "a b/cé" } });
  });
});

describe("a request that fits no route", () => {
  it("is told which methods the path has, each once", () => {
    expect(matchRoute("PUT", "/events")).toEqual({ kind: "unmatched", allowed: ["POST", "GET"] });
    expect(matchRoute("PATCH", `/requests/${ID}`)).toEqual({ kind: "unmatched", allowed: ["GET", "DELETE"] });
    expect(matchRoute("POST", "/events/stream")).toEqual({ kind: "unmatched", allowed: ["GET"] });
    expect(matchRoute("get", "/health")).toEqual({ kind: "unmatched", allowed: ["GET"] });
  });

  it.each([
    ["/"],
    [""],
    ["//"],
    ["/nothing"],
    ["/events/a/b"],
    ["/events/a/responses/b"],
    ["/EVENTS"],
    ["/requests//"],
    ["//events"],
    ["/events/%"],
    ["/events/%zz"],
    ["/events/%ff"],
    ["events"],
  ])("%s is no path", (path) => {
    for (const method of ["GET", "POST", "DELETE"])
      expect(matchRoute(method, path)).toEqual({ kind: "unmatched", allowed: [] });
  });
});
