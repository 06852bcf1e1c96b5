import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLoopbackAddress, isPublicAddress } from "../../../functions/runtime/webhook/public-address.ts";

/** The first and the last address of what IANA's registries list as special, of multicast, and of what carries IPv4. */
const SPECIAL: readonly (readonly [name: string, first: string, last: string])[] = [
  ["this network", "0.0.0.0", "0.255.255.255"],
  ["private use", "10.0.0.0", "10.255.255.255"],
  ["shared address space", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.0", "127.255.255.255"],
  ["link local", "169.254.0.0", "169.254.255.255"],
  ["private use", "172.16.0.0", "172.31.255.255"],
  ["IETF protocol assignments", "192.0.0.0", "192.0.0.255"],
  ["documentation", "192.0.2.0", "192.0.2.255"],
  ["AS112", "192.31.196.0", "192.31.196.255"],
  ["AMT", "192.52.193.0", "192.52.193.255"],
  ["6to4 relays", "192.88.99.0", "192.88.99.255"],
  ["private use", "192.168.0.0", "192.168.255.255"],
  ["direct delegation AS112", "192.175.48.0", "192.175.48.255"],
  ["benchmarking", "198.18.0.0", "198.19.255.255"],
  ["documentation", "198.51.100.0", "198.51.100.255"],
  ["documentation", "203.0.113.0", "203.0.113.255"],
  ["multicast", "224.0.0.0", "239.255.255.255"],
  ["reserved", "240.0.0.0", "255.255.255.254"],
  ["limited broadcast", "255.255.255.255", "255.255.255.255"],
  ["unspecified", "::", "::"],
  ["loopback", "::1", "::1"],
  ["IPv4-compatible", "::2", "::ffff:ffff"],
  ["IPv4-compatible, of a public address", "::8.8.8.8", "::93.184.215.14"],
  ["IPv4-mapped", "::ffff:0.0.0.0", "::ffff:255.255.255.255"],
  ["IPv4-mapped, of a public address", "::ffff:8.8.8.8", "::ffff:5db8:d70e"],
  ["IPv4-translated", "::ffff:0:0.0.0.0", "::ffff:0:255.255.255.255"],
  ["NAT64", "64:ff9b::", "64:ff9b::255.255.255.255"],
  ["local NAT64", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
  ["discard only", "100::", "100::ffff:ffff:ffff:ffff"],
  ["dummy prefix", "100:0:0:1::", "100::1:ffff:ffff:ffff:ffff"],
  ["Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["IETF protocol assignments", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["benchmarking", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"],
  ["AMT", "2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["AS112", "2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff"],
  ["ORCHID", "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["ORCHIDv2", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["drone remote id", "2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["direct delegation AS112", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"],
  ["documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["not given to anybody", "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["not given to anybody", "6000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["metadata of EC2", "fd00:ec2::254", "fd00:ec2::23"],
  ["link local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["site local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["ISATAP", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1"],
  ["with a zone", "fe80::1%eth0", "2606:4700:4700::1111%lo"],
];

describe("an address of the public internet", () => {
  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2A00:1450:4001:080E:0000:0000:0000:200E",
    "2003::1",
    "3ffe::1",
  ])("may be called: %s", (address) => expect(isPublicAddress(address)).toBe(true));
});

describe("a special address", () => {
  it.each(SPECIAL)("may not be called: %s, %s to %s", (_, first, last) => {
    expect([first, last].map(isPublicAddress)).toEqual([false, false]);
  });

  it("may not be called wherever in its range it is", () => {
    const from = (prefix: string) => fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `${prefix}.${a}.${b}`);
    const v4 = fc.oneof(
      fc.nat(255).chain((a) => fc.constantFrom("0", "10", "127").chain((first) => from(`${first}.${a}`))),
      fc.integer({ min: 16, max: 31 }).chain((b) => from(`172.${b}`)),
      fc.integer({ min: 64, max: 127 }).chain((b) => from(`100.${b}`)),
      fc.integer({ min: 224, max: 255 }).chain((first) => from(`${first}.1`)),
      from("169.254"),
      from("192.168"),
    );
    fc.assert(fc.property(v4, (address) => !isPublicAddress(address)));
    // Nor when any address at all is carried inside of an IPv6 address.
    const carried = fc.oneof(v4, fc.ipV4());
    const around = fc.constantFrom("::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::");
    fc.assert(fc.property(around, carried, (prefix, address) => !isPublicAddress(prefix + address)));
  });

  it("may not be called when it is anywhere outside of what is given to people", () => {
    const outside = fc.ipV6().filter((address) => !/^[23]/.test(address));
    fc.assert(fc.property(outside, (address) => !isPublicAddress(address)));
  });
});

describe("what is not an address", () => {
  it.each([
    "",
    "localhost",
    "127.1",
    "0x8.8.8.8",
    "010.8.8.8",
    "134744072",
    "8.8.8.8 ",
    "8.8.8.8/32",
    "[2606:4700::1]",
    "1.1.1",
  ])("is neither public nor this machine: %j", (text) =>
    expect([isPublicAddress(text), isLoopbackAddress(text)]).toEqual([false, false]),
  );
});

describe("an address of this machine", () => {
  it.each(["127.0.0.1", "127.255.255.255", "127.8.9.1", "::1", "0:0:0:0:0:0:0:1"])("is known: %s", (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });

  it.each([
    "126.255.255.255",
    "128.0.0.0",
    "0.0.0.0",
    "::",
    "::2",
    "::ffff:127.0.0.1",
    "10.0.0.1",
    "8.8.8.8",
    "fe80::1",
  ])("is not taken for one: %s", (address) => expect(isLoopbackAddress(address)).toBe(false));
});
