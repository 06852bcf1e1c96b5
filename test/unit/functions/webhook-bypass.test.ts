import { describe, expect, it, vi } from "vitest";
import { HOST, PUBLIC_ADDRESS, receiveHttp, senderTo } from "../../support/webhook-endpoint.ts";

const call = (url: string) => ({ url, headers: { "content-type": "application/json" }, body: "{}" });

/** What private name servers, and public ones that are in on it, say. Any other name seems to be public. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "127.0.0.1.nip.io": ["127.0.0.1"],
  "localtest.me": ["127.0.0.1"],
  "lvh.me": ["127.0.0.1", "::1"],
  "private.example.com": ["10.1.2.3"],
  "metadata.example.com": ["169.254.169.254"],
  "mapped.example.com": ["::ffff:169.254.169.254"],
  "nat64.example.com": ["64:ff9b::a9fe:a9fe"],
  "zone.example.com": ["fe80::1%eth0"],
  "public-and-private.example.com": [PUBLIC_ADDRESS, "10.0.0.1"],
  "private-and-public.example.com": ["192.168.0.1", PUBLIC_ADDRESS],
  "public-and-loopback6.example.com": [PUBLIC_ADDRESS, "::1"],
  "garbage.example.com": ["not an address"],
  "nothing.example.com": [],
};
const resolve = async (host: string): Promise<readonly string[]> => {
  if (host.startsWith("unknown.")) throw Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
  return NAMES[host] ?? [PUBLIC_ADDRESS];
};

const NOT_HTTPS = "a URL with https was expected";
const NOT_A_URL = "a URL was expected";
const NOT_PUBLIC = "the address is not public";
const PRIVATE_NAME = "the host name belongs to private networks";
const NOT_A_NAME = "a fully qualified host name was expected";
const UNRESOLVED = "the host name cannot be resolved";

const BYPASSES: Readonly<Record<string, readonly string[]>> = {
  [NOT_HTTPS]: [
    "http://hook.example.com/",
    "HTTP://hook.example.com/",
    "http://127.0.0.1/",
    "ftp://hook.example.com/",
    "file:///etc/passwd",
    "gopher://hook.example.com/_x",
    "data:text/plain,x",
    "javascript:alert(1)",
    "blob:https://hook.example.com/1",
    "ws://hook.example.com/",
    "wss://hook.example.com/",
    "httpss://hook.example.com/",
  ],
  "port 443 was expected": [
    "https://hook.example.com:80/",
    "https://hook.example.com:8443/",
    "https://hook.example.com:0/",
    "https://hook.example.com:4430/",
    "https://hook.example.com:22/",
    "https://127.0.0.1:8080/",
    "https://hook.example.com:00444/",
  ],
  "a URL without a user name and password was expected": [
    "https://agent@hook.example.com/",
    "https://agent:secret@hook.example.com/",
    "https://:secret@hook.example.com/",
    "https://hook.example.com@127.0.0.1/",
    "https://hook.example.com:443@169.254.169.254/",
    "https://127.0.0.1%2f@hook.example.com/",
    "https://hook.example.com%40x@127.0.0.1/",
  ],
  [NOT_A_URL]: [
    "",
    "hook.example.com",
    "//hook.example.com/",
    "https://",
    "https:// hook.example.com/",
    " https://hook.example.com/",
    "https://hook.example.com/\r\nhost: 127.0.0.1",
    "https://hook.exa\nmple.com/",
    "https://127.0.0\t.1/",
    "https://hook.example.com\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "https://hook.example.com\u0000.evil.com/",
    "https://hook.example.com%00/",
    "https://hook.example.com:65536/",
    "https://hook.example.com:99999999/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://[::1%lo]/",
    "https://256.1.1.1/",
    "https://127.0.0.1.1/",
    "https://1.2.3.4.5/",
    "https://hook.example.0x7f/",
    "https://[127.0.0.1]/",
    "https://hook%2eexample%2fcom/",
    "https://hook.example.com%3a80/",
    "https://hook .example.com/",
  ],
  [PRIVATE_NAME]: [
    "https://localhost/",
    "https://LOCALHOST/",
    "https://%6c%6f%63alhost/",
    "https://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/",
    "https://loc\u00adalhost/",
    "https://bus.localhost/",
    "https://localhost.localdomain/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://ip-10-0-0-1.ec2.internal/",
    "https://wiki.corp/",
    "https://router.lan/",
    "https://nas.home.arpa/",
    "https://x.intranet/",
  ],
  [NOT_A_NAME]: [
    "https://localhost./",
    "https://metadata/",
    "https://kubernetes/",
    "https://hook.example.com./",
    "https://metadata.google.internal./",
    "https://hook..example.com/",
    "https://.example.com/",
    "https://*.example.com/",
    "https://hook$.example.com/",
    "https://-hook.example.com/",
    "https://hook-.example.com/",
    `https://${"a".repeat(64)}.example.com/`,
    `https://${"a.".repeat(125)}example.com/`,
    "https://hook,127.0.0.1.example.com/",
  ],
  [NOT_PUBLIC]: [
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7F.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0177.0.0.01/",
    "https://127.0.0.0x1/",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    "https://127\u30020\u30020\u30021/",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https:127.0.0.1/",
    "https:/127.0.0.1/",
    "https:////127.0.0.1/",
    "https://127.255.255.254/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://192.168.257/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://169.254.170.2/v2/credentials",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[0000::0001]/",
    "https://[::127.0.0.1]/",
    "https://[::7f00:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2606:4700::5efe:127.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
    "https://[100:0:0:1::1]/",
    "https://[4000::1]/",
    "https://127.0.0.1.nip.io/",
    "https://localtest.me/",
    "https://LVH.me/",
    "https://private.example.com/",
    "https://metadata.example.com/",
    "https://mapped.example.com/",
    "https://nat64.example.com/",
    "https://zone.example.com/",
    "https://public-and-private.example.com/",
    "https://private-and-public.example.com/",
    "https://public-and-loopback6.example.com/",
    "https://garbage.example.com/",
  ],
  [UNRESOLVED]: ["https://nothing.example.com/", "https://unknown.example.com/"],
  "up to 2048 characters were expected": [
    `https://hook.example.com/${"a".repeat(2_048)}`,
    // Grows when it is written as it is sent.
    `https://hook.example.com/${"\u00e4".repeat(1_000)}`,
  ],
};
const bypasses = Object.entries(BYPASSES).flatMap(([reason, urls]) => urls.map((url) => [url, reason] as const));

describe("a URL that leads, or might lead, into somebody's network", () => {
  it.each(bypasses)("is refused when subscribing and when sending, and nothing is called: %j", async (url, reason) => {
    const sender = senderTo(null, { resolve });
    expect(await sender.check(url)).toBe(reason);
    expect(await sender.send(call(url))).toEqual({ kind: "failed", reason, elapsedMs: expect.any(Number) });
    expect(sender.reached).toEqual([]);
  });

  it("is refused in over 80 spellings, no two the same", () => {
    expect(new Set(bypasses.map(([url]) => url)).size).toBe(bypasses.length);
    expect(bypasses.length).toBeGreaterThan(80);
  });

  it.each([
    ["https://hook.example.com/", `${PUBLIC_ADDRESS}:443`],
    ["https://hook.example.com:443/agents/7?key=a%20b#part", `${PUBLIC_ADDRESS}:443`],
    ["HTTPS://Hook.Example.COM", `${PUBLIC_ADDRESS}:443`],
    ["https://b\u00fccher.example.com/", `${PUBLIC_ADDRESS}:443`],
    ["https://my_agent.a1.example.co.uk/", `${PUBLIC_ADDRESS}:443`],
    ["https://notlocalhost.com/", `${PUBLIC_ADDRESS}:443`],
    ["https://hook.milan/", `${PUBLIC_ADDRESS}:443`],
    ["https://local.example.com/", `${PUBLIC_ADDRESS}:443`],
    ["https://93.184.215.14/", "93.184.215.14:443"],
    ["https://1.1/", "1.0.0.1:443"],
    ["https://[2606:4700:4700::1111]/", "2606:4700:4700::1111:443"],
  ])("is not mistaken for %s, which is taken and called", async (url, reached) => {
    const sender = senderTo(null, { resolve });
    expect(await sender.check(url)).toBeNull();
    expect(sender.reached).toEqual([]);
    await sender.send(call(url));
    expect(sender.reached).toEqual([reached]);
  });
});

describe("a name whose address changes", () => {
  it("to a private one after subscribing is refused when sending [subscribe-6]", async () => {
    const receiver = await receiveHttp((_, response) => response.end());
    const resolve = vi
      .fn<() => Promise<string[]>>()
      .mockResolvedValueOnce([PUBLIC_ADDRESS])
      .mockResolvedValue(["127.0.0.1"]);
    const sender = senderTo(receiver, { resolve });
    expect(await sender.check(`https://${HOST}/`)).toBeNull();
    expect(await sender.send(call(`https://${HOST}/`))).toMatchObject({ kind: "failed", reason: NOT_PUBLIC });
    expect([sender.reached, receiver.connections()]).toEqual([[], 0]);
  });

  it("while it is called is called at the address that was judged: it is asked for once, and the connection has no name", async () => {
    const receiver = await receiveHttp((_, response) => response.end());
    const resolve = vi
      .fn<() => Promise<string[]>>()
      .mockResolvedValueOnce([PUBLIC_ADDRESS])
      .mockResolvedValue(["127.0.0.1"]);
    const sender = senderTo(receiver, { resolve });
    await sender.send(call(`https://${HOST}/`));
    expect(sender.resolved).toEqual([HOST]);
    expect(sender.reached).toEqual([`${PUBLIC_ADDRESS}:443`]);
  });
});

describe("a name server that does not answer", () => {
  it.each(["check", "send"] as const)("does not hold %s for ever", async (operation) => {
    const sender = senderTo(null, { resolve: () => new Promise(() => {}), timeoutMs: 50 });
    const url = `https://${HOST}/`;
    const refusal = operation === "check" ? await sender.check(url) : await sender.send(call(url));
    expect(refusal).toEqual(
      operation === "check" ? UNRESOLVED : expect.objectContaining({ kind: "failed", reason: UNRESOLVED }),
    );
  });
});
