import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { placeOf } from "../../../functions/runtime/aws/lean/endpoint.ts";
import { type Place, SocketPool } from "../../../functions/runtime/aws/lean/socket-pool.ts";
import { createAuthority } from "../../support/webhook-endpoint.ts";
import { type PlayedService, playedService, told, trustAnybody } from "./played-service.ts";

async function playedOverTls(): Promise<PlayedService & { readonly place: Place }> {
  trustAnybody();
  const authority = await createAuthority();
  const service = await playedService((_, response) => told(response, 200, {}), await authority.issue(["127.0.0.1"]));
  return { ...service, place: placeOf(service.url) };
}

function aPool(): SocketPool {
  const pool = new SocketPool({ maxSockets: 5 });
  onTestFinished(() => pool.destroy());
  return pool;
}

/** A connection as a call gets it. It ends with the test. */
function taken(pool: SocketPool, place: Place): Socket {
  const socket = pool.createConnection({ ...place }) as Socket;
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe("a connection that was opened early", () => {
  it("is given out once", async () => {
    const { place, connections } = await playedOverTls();
    const pool = aPool();
    pool.openEarly(place);
    await vi.waitFor(() => expect(connections()).toBe(1));
    const first = taken(pool, place);
    expect([pool.wasOpenedEarly(first), first.connecting]).toEqual([true, false]);
    expect(pool.wasOpenedEarly(taken(pool, place))).toBe(false);
  });

  it("is given to nobody who wants another host or another port", async () => {
    const [one, other] = [await playedOverTls(), await playedOverTls()];
    const pool = aPool();
    pool.openEarly(one.place);
    await vi.waitFor(() => expect(one.connections()).toBe(1));
    expect(pool.wasOpenedEarly(taken(pool, other.place))).toBe(false);
    expect(pool.wasOpenedEarly(taken(pool, { ...one.place, host: "localhost" }))).toBe(false);
    expect(pool.wasOpenedEarly(taken(pool, one.place))).toBe(true);
  });

  it("is given to nobody once it has closed", async () => {
    const { place, server, connections } = await playedOverTls();
    const opened = vi.spyOn(Object.getPrototypeOf(SocketPool.prototype) as SocketPool, "createConnection");
    onTestFinished(() => opened.mockRestore());
    const pool = aPool();
    pool.openEarly(place);
    await vi.waitFor(() => expect(connections()).toBe(1));
    const closed = once(opened.mock.results[0]?.value as Socket, "close");
    server.closeAllConnections();
    await closed;
    expect(pool.wasOpenedEarly(taken(pool, place))).toBe(false);
  });

  it("is closed with the others", async () => {
    const { place, server, connections } = await playedOverTls();
    const pool = aPool();
    pool.openEarly(place);
    await vi.waitFor(() => expect(connections()).toBe(1));
    pool.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
