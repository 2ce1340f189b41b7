/** The name server of the tests answers as node:dns expects, and fails in every way it is told to. */
import { Resolver } from "node:dns/promises";
import { expect, onTestFinished, test } from "vitest";
import { type DnsServer, startDnsServer } from "./dns-server.ts";

async function serving(): Promise<{ server: DnsServer; ask: Resolver }> {
  const server = await startDnsServer();
  onTestFinished(() => server.close());
  const ask = new Resolver({ timeout: 250, tries: 1 });
  ask.setServers([server.address]);
  return { server, ask };
}

const codeOf = async (answer: Promise<unknown>): Promise<unknown> => {
  try {
    return await answer;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

test("every type is answered as it was put in", async () => {
  const { server, ask } = await serving();
  const { zone } = server;
  zone.add("host.example", "A", "192.0.2.1", "192.0.2.2");
  zone.add("host.example", "AAAA", "2001:db8::1");
  zone.add("host.example", "MX", { exchange: "mx.example", priority: 10 });
  zone.add("host.example", "TXT", "v=spf1 -all", "x".repeat(300));
  zone.add("1.2.0.192.in-addr.arpa", "PTR", "host.example");
  zone.add("alias.example", "CNAME", "host.example");
  expect((await ask.resolve("host.example", "A")).sort()).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(await ask.resolve("HOST.example.", "AAAA")).toEqual(["2001:db8::1"]);
  expect(await ask.resolve("host.example", "MX")).toMatchObject([{ exchange: "mx.example", priority: 10 }]);
  expect(await ask.resolve("host.example", "TXT")).toEqual([["v=spf1 -all"], ["x".repeat(255), "x".repeat(45)]]);
  expect(await ask.resolve("1.2.0.192.in-addr.arpa", "PTR")).toEqual(["host.example"]);
  expect(await ask.resolve("alias.example", "A")).toHaveLength(2);
  expect(await ask.resolve("alias.example", "CNAME")).toEqual(["host.example"]);
  expect(zone.asked[0]).toBe("A host.example");
});

test("a name without the type has no data; a name that is not there is not found", async () => {
  const { server, ask } = await serving();
  server.zone.add("deep.host.example", "A", "192.0.2.1");
  expect(await codeOf(ask.resolve("deep.host.example", "MX"))).toBe("ENODATA");
  expect(await codeOf(ask.resolve("host.example", "A"))).toBe("ENODATA");
  expect(await codeOf(ask.resolve("nobody.example", "A"))).toBe("ENOTFOUND");
  await expect(server.zone.resolve("host.example", "A")).rejects.toMatchObject({ code: "ENODATA" });
  await expect(server.zone.resolve("nobody.example", "A")).rejects.toMatchObject({ code: "ENOTFOUND" });
});

test("it fails as it is told to", async () => {
  const { server, ask } = await serving();
  const { zone } = server;
  zone.add("host.example", "A", "192.0.2.1");
  const seen: unknown[] = [];
  for (const failure of ["servfail", "refused", "silent", "garbage", "other_id", "other_name", null] as const) {
    zone.fail("host.example", failure);
    seen.push(await codeOf(ask.resolve("host.example", "A")));
  }
  expect(seen.slice(0, 3)).toEqual(["ESERVFAIL", "EREFUSED", "ETIMEOUT"]);
  // What the resolver makes of a lie is its own matter, as long as it is no answer.
  for (const code of seen.slice(3, 6)) expect(code).toMatch(/^E/);
  expect(seen[6]).toEqual(["192.0.2.1"]);
});

test("what does not fit into a datagram is fetched by TCP", async () => {
  const { server, ask } = await serving();
  server.zone.add("big.example", "TXT", "y".repeat(4000));
  server.zone.add("cut.example", "A", "192.0.2.9");
  server.zone.truncate("cut.example");
  expect((await ask.resolve("big.example", "TXT"))[0]?.join("")).toBe("y".repeat(4000));
  expect(await ask.resolve("cut.example", "A")).toEqual(["192.0.2.9"]);
});
