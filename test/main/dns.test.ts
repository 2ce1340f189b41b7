/** DNS over the wire: the three kinds of answer, a deadline, and a breaker for servers that do not answer at all. */
import { expect, onTestFinished, test } from "vitest";
import { openDns } from "../../src/main/dns.ts";
import { systemClock } from "../../src/main/system.ts";
import { startDnsServer } from "../support/dns-server.ts";

async function stage(timeoutMs = 300) {
  const server = await startDnsServer();
  onTestFinished(() => server.close());
  let skipMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + skipMs };
  const dns = openDns({ servers: [server.address], timeoutMs }, clock);
  const skip = (ms: number): void => {
    skipMs += ms;
  };
  return { server, zone: server.zone, dns, skip };
}

test("records, no such name, none of the type, and a failure are told apart", async () => {
  const { zone, dns } = await stage();
  zone.add("a.example", "TXT", "one", "two");
  zone.add("a.example", "MX", { exchange: "mx.example", priority: 5 });
  zone.fail("bad.example", "servfail");
  zone.fail("no.example", "refused");
  zone.fail("liar.example", "garbage");
  expect(await dns.ask("a.example", "TXT")).toEqual({ kind: "records", records: [["one"], ["two"]] });
  expect(await dns.ask("a.example", "MX")).toMatchObject({ kind: "records", records: [{ exchange: "mx.example" }] });
  expect(await dns.ask("a.example", "A")).toEqual({ kind: "none", code: "ENODATA" });
  expect(await dns.ask("nobody.example", "A")).toEqual({ kind: "none", code: "ENOTFOUND" });
  for (const name of ["bad.example", "no.example", "liar.example"])
    expect(await dns.ask(name, "A")).toMatchObject({ kind: "failed" });
});

test("a name that cannot be written in a question is none", async () => {
  const { dns } = await stage();
  expect(await dns.ask(`${"x".repeat(70)}.example`, "A")).toMatchObject({ kind: "none" });
});

test("an answer that comes late, for another name or with another number is no answer", async () => {
  const { zone, dns } = await stage(200);
  zone.add("a.example", "A", "192.0.2.1");
  for (const failure of ["silent", "other_id", "other_name"] as const) {
    zone.fail("a.example", failure);
    expect(await dns.ask("a.example", "A")).toMatchObject({ kind: "failed" });
  }
  zone.fail("a.example", null);
  zone.delay("a.example", 1_000);
  expect(await dns.ask("a.example", "A")).toEqual({ kind: "failed", code: "ETIMEOUT" });
});

test("a server that is down is found out, and from then on nobody waits for it, until it is back", async () => {
  const { server, zone, dns, skip } = await stage(150);
  zone.add("a.example", "A", "192.0.2.1");
  zone.failAll("silent");
  let tries = 0;
  for (; tries < 20; tries++) {
    const answer = await dns.ask(`n${tries}.example`, "A");
    expect(answer).toMatchObject({ kind: "failed", code: "ETIMEOUT" });
    if (answer.kind === "failed" && answer.lasting === true) break;
  }
  expect(tries).toBeGreaterThanOrEqual(3);
  expect(tries).toBeLessThan(20);
  const before = server.zone.asked.length;
  for (let i = 0; i < 100; i++) expect(await dns.ask("a.example", "A")).toMatchObject({ lasting: true });
  expect(server.zone.asked).toHaveLength(before);
  zone.failAll(null);
  skip(5_001);
  // This one finds out, for those after it.
  expect(await dns.ask("a.example", "A")).toMatchObject({ lasting: true });
  await expect.poll(() => dns.ask("a.example", "A"), { timeout: 10_000 }).toMatchObject({ kind: "records" });
});

test("names that never answer, however many, do not make the others fail", async () => {
  const { zone, dns } = await stage(60);
  zone.add("a.example", "A", "192.0.2.1");
  for (let i = 0; i < 12; i++) {
    zone.fail(`slow${i}.example`, "silent");
    expect(await dns.ask(`slow${i}.example`, "A")).toEqual({ kind: "failed", code: "ETIMEOUT" });
  }
  expect(await dns.ask("a.example", "A")).toMatchObject({ kind: "records" });
});

test("an answer larger than any that DNS can give is refused", async () => {
  const { zone, dns } = await stage(2_000);
  zone.add("big.example", "A", ...Array.from({ length: 600 }, (_, i) => `192.0.${i >> 8}.${i & 255}`));
  expect(await dns.ask("big.example", "A")).toEqual({ kind: "failed", code: "EBADRESP" });
});
