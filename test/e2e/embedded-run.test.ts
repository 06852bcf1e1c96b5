import { rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { call, cleanUp, eventually, runScript, startDev, temporaryFolder } from "../support/embedded.ts";
import { writeConfig } from "../support/subscriber-config.ts";

afterEach(cleanUp);

/** A call with headers that `fetch` would not let through. */
function rawGet(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    })
      .on("error", reject)
      .end();
  });
}

describe("npm run dev", () => {
  test("says where it listens, after one line at most, and ends cleanly when asked", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const bus = await startDev();
      expect(bus.lines.length).toBeLessThanOrEqual(2);
      expect(bus.lines.at(-1)).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+$/);
      expect((await call(`${bus.url}/health`)).status).toBe(200);
      expect(await bus.stop(signal)).toBe(0);
    }
  });

  test("shows its options", async () => {
    const help = runScript("local/dev.ts", ["--help"]);
    expect(await help.exited).toBe(0);
    for (const option of ["--port", "--data-dir", "--config", "--help"])
      expect(help.lines.join("\n")).toContain(option);
  });

  test("refuses an option it does not know, by its name", async () => {
    const run = runScript("local/dev.ts", ["--prot", "7070"]);
    expect(await run.exited).toBe(1);
    expect(run.lines.join("\n")).toContain("--prot");
  });

  test("says that the port is taken, and leaves the one who has it alone", async () => {
    const first = await startDev();
    const port = new URL(first.url).port;
    const second = runScript("local/dev.ts", ["--port", port, "--data-dir", temporaryFolder()]);
    expect(await second.exited).toBe(1);
    expect(second.lines.join("\n")).toContain(`Port ${port} is taken`);
    expect((await call(`${first.url}/health`)).status).toBe(200);
  });

  test("says that another run uses the data folder", async () => {
    const first = await startDev();
    const second = runScript("local/dev.ts", ["--port", "0", "--data-dir", first.dataDir]);
    expect(await second.exited).toBe(1);
    expect(second.lines.join("\n")).toContain(`Another run uses the data folder ${first.dataDir}`);
    expect((await call(`${first.url}/health`)).status).toBe(200);
  });

  test("says that there is no configuration where it is told to look", async () => {
    const run = runScript("local/dev.ts", ["--port", "0", "--config", "/nowhere/bus.config.ts"]);
    expect(await run.exited).toBe(1);
    expect(run.lines).toEqual(["--config: there is no file /nowhere/bus.config.ts"]);
  });

  test("names the subscriber whose handler is not there, and takes it once it is", async () => {
    const config = writeConfig([
      {
        name: "here",
        on: "SESSION_CREATED",
        via: "direct",
        code: "export const handler = subscriber(async () => ({}));",
      },
      { name: "late", on: "SESSION_UPDATED", via: "direct", code: "" },
    ]);
    const path = join(dirname(config.path), "late.ts");
    rmSync(path);
    const bus = await startDev({ config: config.path });
    expect(bus.lines).toContain(`subscribers[1].handler (late): there is no file ${path}`);
    config.edit("late", "export const handler = subscriber(async () => ({ late: true }));");
    await bus.waitForLine(/^reloaded: late$/);
    const { body } = await call(`${bus.url}/requests`, { type: "SESSION_UPDATED", data: {}, timeout: 20 });
    expect(body.response).toEqual({ late: true });
  });

  test("ends held waits as pending when it is stopped, so that their clients come back", async () => {
    const bus = await startDev();
    const asked = call<{ status: string; resume: string; event_id: string }>(`${bus.url}/requests`, {
      type: "SESSION_CREATED",
      data: {},
      timeout: 60,
      require_subscribers: false,
    });
    await eventually(async () =>
      expect((await call<{ events: unknown[] }>(`${bus.url}/events`)).body.events).toHaveLength(1),
    );
    expect(await bus.stop()).toBe(0);
    const { status, body } = await asked;
    expect({ status, state: body.status, resume: body.resume }).toEqual({
      status: 202,
      state: "pending",
      resume: `/requests/${body.event_id}`,
    });
  });

  test("ends streams when it is stopped", async () => {
    const bus = await startDev();
    const stream = await fetch(`${bus.url}/events/stream`);
    const ended = stream.text();
    expect(await bus.stop()).toBe(0);
    await ended;
  });
});

describe("the local origin", () => {
  test("serves this machine only, whatever name leads to it", async () => {
    const { url } = await startDev();
    const host = new URL(url).host;
    const refused: Record<string, string>[] = [
      { host: "bus.example.com" },
      { host, origin: "https://example.com" },
      { host, origin: "null" },
    ];
    for (const headers of refused) {
      const { status, body } = await rawGet(`${url}/events`, headers);
      expect(status).toBe(403);
      expect(JSON.parse(body)).toMatchObject({ code: "forbidden", status: 403, retryable: false });
    }
    const page = await rawGet(`${url}/events`, { host, origin: "http://localhost:5173" });
    expect(page.status).toBe(200);
    expect(page.headers["access-control-allow-origin"]).toBe("http://localhost:5173");
  });

  test("answers a browser's preflight for the headers of the wire contract", async () => {
    const { url } = await startDev();
    const answer = await fetch(`${url}/events`, {
      method: "OPTIONS",
      headers: { origin: "http://localhost:5173", "access-control-request-method": "POST" },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-headers")).toContain("idempotency-key");
    expect(answer.headers.get("access-control-allow-methods")).toContain("DELETE");
  });

  test("names the methods that a path takes", async () => {
    const { url } = await startDev();
    const { status, body, headers } = await call(`${url}/events`, undefined, { method: "PUT" });
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: "not_found" });
    expect(body.detail).toContain("POST, GET");
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect((await call(`${url}/nothing`)).status).toBe(404);
  });

  test("refuses a body over the limit, announced or not, and goes on", async () => {
    const { url } = await startDev();
    const big = new Uint8Array(6 * 1024 * 1024).fill(32);
    const announced = await fetch(`${url}/events`, { method: "POST", body: big });
    const chunked = await fetch(`${url}/events`, {
      method: "POST",
      body: new Blob([big]).stream(),
      duplex: "half",
    } as RequestInit);
    for (const refused of [announced, chunked]) {
      expect(refused.status).toBe(413);
      expect(await refused.json()).toMatchObject({ code: "payload_too_large" });
    }
    expect((await call(`${url}/events`, { type: "SESSION_CREATED", data: {} })).status).toBe(202);
  });
});
