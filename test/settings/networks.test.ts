/** Networks and name servers, as they may be written. */
import { describe, expect, test } from "vitest";
import { isNetwork, isServer } from "../../src/settings/networks.ts";
import { load, refusal, tenantLines } from "./sample.ts";

describe("a network", () => {
  test.each(["192.0.2.1", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0"])("%s is one", (text) => {
    expect(isNetwork(text)).toBe(true);
  });
  test.each([
    "",
    "10.0.0.0/33",
    "2001:db8::/129",
    "10.0.0/8",
    "mx.example.com",
    "10.0.0.0/",
    "/8",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
  ])("%j is none", (text) => {
    expect(isNetwork(text)).toBe(false);
  });
});

describe("a name server", () => {
  test.each(["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"])("%s is one", (text) => {
    expect(isServer(text)).toBe(true);
  });
  test.each([
    "",
    "ns.example.com",
    "192.0.2.53:0",
    "192.0.2.53:70000",
    "[192.0.2.53]:53",
    "[2001:db8::53]",
    "192.0.2.53:",
  ])("%j is none", (text) => {
    expect(isServer(text)).toBe(false);
  });
});

test("without a word DNS is asked as the system asks it, and senders are verified", () => {
  expect(load(tenantLines).dns).toEqual({ servers: [], timeout: 5_000, verify: true });
  expect(load(tenantLines).tenants[0]?.trust).toMatchObject({ authserv_ids: [], relays: [] });
});

test("what is neither is refused where it stands", () => {
  const { message } = refusal(
    `dns: { servers: [ns.example.com] }\n${tenantLines}    trust: { relays: [10.0.0.0/99] }\n`,
  );
  expect(message).toContain("dns.servers[0]");
  expect(message).toContain("tenants[0].trust.relays[0]");
});
