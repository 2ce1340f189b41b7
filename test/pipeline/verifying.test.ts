/** The thread that verifies: many at once, flat for long mail, and killed without harm to anybody but the one it was killed for. */
import { afterEach, expect, onTestFinished, test } from "vitest";
import { openVerifier, type Verifier, type VerifierOptions } from "../../src/pipeline/verifying.ts";
import { chunks, fromPeer, goodZone, mail, signedMail } from "../mail/trust/mails.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import type { Zone } from "../support/dns-zone.ts";
import { type Kept, keeping } from "./fakes.ts";

const open: Verifier[] = [];
afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close();
});

const entry = new URL("../../src/main/verify-thread.ts", import.meta.url);

async function serving(zone: Zone = goodZone()): Promise<DnsServer> {
  const server = await startDnsServer(zone);
  onTestFinished(() => server.close());
  return server;
}

function verifier(server: DnsServer, changes: Partial<VerifierOptions> = {}): { verifier: Verifier; kept: Kept } {
  const kept = keeping();
  const data = { dns: { servers: [server.address], timeoutMs: 8_000 } };
  const opened = openVerifier({ entry, data, log: kept.log, metrics: kept.metrics, ...changes });
  open.push(opened);
  return { verifier: opened, kept };
}

const rawOf = (bytes: Uint8Array, size?: number) => async () => chunks(bytes, size);
const verified = (to: Verifier, bytes: Uint8Array, received = fromPeer()) =>
  to.verify(rawOf(bytes), bytes.length, received);

test("a message is verified by names over the wire, and its bytes are still there for the parse", async () => {
  const { verifier: one } = verifier(await serving());
  const raw = signedMail(mail());
  const before = Buffer.from(raw).toString("hex");
  const evidence = await verified(one, raw);
  expect([evidence.spf?.result, evidence.dkim[0]?.result, evidence.dmarc?.result]).toEqual(["pass", "pass", "pass"]);
  expect(raw.toString("hex")).toBe(before);
});

test("messages that wait for DNS hold up no other", async () => {
  const zone = goodZone();
  zone.delay("slow.example", 1_500);
  const { verifier: one } = verifier(await serving(zone));
  const ended: string[] = [];
  const slow = verified(
    one,
    Buffer.from(mail({ from: "a@slow.example" })),
    fromPeer({ mailFrom: "a@slow.example" }),
  ).then(() => ended.push("slow"));
  const quick = Array.from({ length: 20 }, () => verified(one, signedMail(mail())).then(() => ended.push("quick")));
  await Promise.all([slow, ...quick]);
  expect(ended.at(-1)).toBe("slow");
});

test("each name is asked for once, however many messages name it at the same time", async () => {
  const zone = goodZone();
  zone.delayAll(50);
  const { verifier: one } = verifier(await serving(zone));
  await Promise.all(Array.from({ length: 30 }, () => verified(one, signedMail(mail()))));
  expect(zone.asked.filter((asked) => asked === "TXT ed._domainkey.good.example")).toHaveLength(1);
});

test("long mail is streamed, and verified as it stands", async () => {
  const { verifier: one } = verifier(await serving());
  const raw = signedMail(mail({ body: "0123456789 abc \r\n".repeat(200_000) }));
  expect(raw.length).toBeGreaterThan(3_000_000);
  expect((await verified(one, raw)).dkim).toMatchObject([{ result: "pass" }]);
});

test("of long mail no more is read than the thread has worked", async () => {
  const server = await serving();
  const { verifier: one } = verifier(server, {
    entry: new URL("./verifying/stuck-thread.ts", import.meta.url),
    data: { dns: { servers: [server.address], timeoutMs: 8_000 }, takes: 3 },
  });
  let read = 0;
  const raw = async () =>
    (async function* () {
      for (; read < 1_000; read++) yield new Uint8Array(128 * 1024);
    })();
  const waiting = one.verify(raw, 128 * 1024 * 1_000, fromPeer());
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  // Three that the thread has taken, four on the way, and one that waits for its turn.
  expect(read).toBeLessThanOrEqual(8);
  expect(read).toBeGreaterThanOrEqual(4);
  await one.close();
  expect((await waiting).dmarc?.result).toBe("temperror");
});

test("a reader that fails gives temperror, and the thread goes on", async () => {
  const { verifier: one, kept } = verifier(await serving());
  const torn = async () =>
    (async function* () {
      yield Buffer.from("From: a@good.example\r\n");
      throw new Error("the disk is gone");
    })();
  for (const size of [100, 10_000_000]) {
    const evidence = await one.verify(torn, size, fromPeer());
    expect(evidence.dmarc).toMatchObject({ result: "temperror", detail: expect.stringContaining("the disk is gone") });
  }
  expect((await verified(one, signedMail(mail()))).dmarc?.result).toBe("pass");
  expect(kept.counts.get("defects_total verify") ?? 0).toBe(0);
});

test("mail that costs too much gets policy, never a pass", async () => {
  const { verifier: one } = verifier(await serving());
  const evidence = await verified(one, signedMail(mail({ body: "x".repeat(1_500_000) })));
  expect(evidence.dmarc).toMatchObject({ result: "policy", detail: expect.stringContaining("longer than 1 MiB") });
});

test("mail that takes long to compute gets policy; the thread goes on", async () => {
  const server = await serving();
  const { verifier: one, kept } = verifier(server, {
    entry: new URL("./verifying/stuck-thread.ts", import.meta.url),
    data: { dns: { servers: [server.address], timeoutMs: 8_000 }, eachMs: 900 },
  });
  const long = await verified(one, Buffer.from(mail({ body: "x\r\n".repeat(500_000) })));
  expect(long.dmarc).toMatchObject({ result: "policy", detail: expect.stringContaining("4 s of computing") });
  expect((await verified(one, signedMail(mail()))).dmarc?.result).toBe("pass");
  await one.close();
  expect(kept.lines).toEqual([]);
});

test("the message that the thread is stuck in is given up; those beside it are verified by the next thread", async () => {
  const { verifier: one, kept } = verifier(await serving(), {
    entry: new URL("./verifying/stuck-thread.ts", import.meta.url),
    stuckMs: 3_000,
  });
  const stuck = verified(one, Buffer.from("X-Stuck: yes\r\n\r\n"));
  const beside = Array.from({ length: 3 }, () => verified(one, signedMail(mail())));
  expect((await stuck).dmarc).toMatchObject({ result: "policy" });
  for (const evidence of await Promise.all(beside)) expect(evidence.dmarc?.result).toBe("pass");
  expect(kept.lines.map(({ message }) => message)).toContain("the verifying thread ended; it is started again");
});

test("a thread that dies of a message takes only that one with it", async () => {
  const { verifier: one } = verifier(await serving(), {
    entry: new URL("./verifying/stuck-thread.ts", import.meta.url),
  });
  const dead = verified(one, Buffer.from("X-Dies: yes\r\n\r\n"));
  const beside = verified(one, signedMail(mail()));
  expect((await dead).dmarc).toMatchObject({ result: "policy" });
  expect((await beside).dmarc?.result).toBe("pass");
});

test("a thread that does not start holds up nothing", async () => {
  const { verifier: one, kept } = verifier(await serving(), {
    entry: new URL("./verifying/no-such-thread.ts", import.meta.url),
  });
  const evidence = await verified(one, signedMail(mail()));
  expect(evidence.dmarc).toMatchObject({ result: "temperror" });
  expect(kept.counts.get("defects_total verify") ?? 0).toBeGreaterThan(0);
});

test("closing answers everybody", async () => {
  const zone = goodZone();
  zone.failAll("silent");
  const { verifier: one } = verifier(await serving(zone));
  const waiting = verified(one, signedMail(mail()));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await one.close();
  expect((await waiting).dmarc).toMatchObject({ result: "temperror" });
  expect((await verified(one, signedMail(mail()))).dmarc).toMatchObject({ result: "temperror" });
});
