import { describe, expect, it } from "vitest";
import { createWebhookSender } from "../../../functions/runtime/webhook/sender.ts";
import { createAuthority, receiveHttp, senderTo } from "../../support/webhook-endpoint.ts";

const call = (url: string) => ({ url, headers: {}, body: "{}" });

describe("a bus on this machine that may call this machine", () => {
  it.each(["127.0.0.1", "localhost", "LOCALHOST", "127.1"])("calls http://%s on any port", async (host) => {
    const receiver = await receiveHttp((_, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end("{}"),
    );
    const sender = createWebhookSender({ allowLoopback: true });
    const url = `http://${host}:${receiver.port}/hook`;
    expect(await sender.check(url)).toBeNull();
    expect(await sender.send(call(url))).toMatchObject({ kind: "delivered", status: 200, body: "{}" });
  });

  it("calls https there too, with a certificate that is for it", async () => {
    const authority = await createAuthority();
    const identity = await authority.issue(["localhost", "127.0.0.1"]);
    const receiver = await receiveHttp((_, response) => response.end(), identity);
    const sender = createWebhookSender({ allowLoopback: true, ca: authority.cert });
    for (const host of ["localhost", "127.0.0.1"])
      expect(await sender.send(call(`https://${host}:${receiver.port}/`))).toMatchObject({ kind: "delivered" });
    expect(
      await createWebhookSender({ allowLoopback: true }).send(call(`https://localhost:${receiver.port}/`)),
    ).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("certificate"),
    });
  });

  it.each([
    ["http://127.0.0.1/", "127.0.0.1:80"],
    ["https://127.8.9.1/", "127.8.9.1:443"],
    ["http://[::1]:7071/", "::1:7071"],
    ["https://hook.example.com/", "93.184.215.14:443"],
  ])("takes %s, and would connect to %s", async (url, reached) => {
    const sender = senderTo(null, { allowLoopback: true });
    expect(await sender.check(url)).toBeNull();
    await sender.send(call(url));
    expect(sender.reached).toEqual([reached]);
  });

  it.each([
    "http://hook.example.com/",
    "http://hook.example.com:7071/",
    "https://hook.example.com:8443/",
    "http://10.0.0.1/",
    "https://10.0.0.1/",
    "http://0.0.0.0:7071/",
    "http://[::]:7071/",
    "http://[::ffff:127.0.0.1]:7071/",
    "http://169.254.169.254/",
    "http://bus.localhost:7071/",
    "http://notlocalhost:7071/",
    "http://localhost.:7071/",
    "http://localhost.example.com:7071/",
    "http://127.0.0.1.nip.io:7071/",
    "http://agent@127.0.0.1:7071/",
    "ftp://127.0.0.1/",
    "ws://localhost:7071/",
  ])("is as strict as any about everything else, wherever it leads: %s", async (url) => {
    const sender = senderTo(null, { allowLoopback: true, resolve: async () => ["127.0.0.1"] });
    expect(await sender.check(url)).not.toBeNull();
    expect(await sender.send(call(url))).toMatchObject({ kind: "failed" });
    expect(sender.reached).toEqual([]);
  });

  it.each(["10.0.0.1", "93.184.215.14", "0.0.0.0"])("does not believe that localhost is %s", async (address) => {
    const sender = senderTo(null, { allowLoopback: true, resolve: async () => ["127.0.0.1", address] });
    expect(await sender.check("http://localhost:7071/")).toBe("the address is not public");
    expect(sender.reached).toEqual([]);
  });

  it("does not take another name for this machine because it leads to it", async () => {
    const sender = senderTo(null, { allowLoopback: true, resolve: async () => ["127.0.0.1"] });
    expect(await sender.check("https://hook.example.com/")).toBe("the address is not public");
  });
});

describe("any other bus", () => {
  it.each([
    "http://127.0.0.1:7071/",
    "http://localhost:7071/",
    "https://127.0.0.1/",
    "https://localhost/",
    "http://[::1]/",
  ])("does not call %s, whether it says so or says nothing", async (url) => {
    const receiver = await receiveHttp((_, response) => response.end());
    for (const options of [{}, { allowLoopback: false }]) {
      const sender = senderTo(receiver, options);
      expect(await sender.check(url)).not.toBeNull();
      expect(await sender.send(call(url))).toMatchObject({ kind: "failed" });
    }
    expect(receiver.connections()).toBe(0);
  });
});
