/** Senders are judged on the road: with what the ledger knows of them, what they teach it, and one mail that comes by two ways at once. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openHasher } from "../../src/blobs/index.ts";
import { createIdentity } from "../../src/mail/identity.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import { inquire, trustable } from "../../src/mail/trust/acquaintance.ts";
import type { Blobs, Spool } from "../../src/model/blob.ts";
import { type CanonicalEvent, type Evidence, noEvidence } from "../../src/model/event.ts";
import type { EventRow, Ledger } from "../../src/model/ledger.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { startPreparing } from "../../src/pipeline/prepare.ts";
import type { Senders } from "../../src/pipeline/senders.ts";
import { readMail } from "../../src/pipeline/stored.ts";
import { openLedger } from "../../src/store/index.ts";
import { passed, signature, spf } from "../mail/trust/acme.ts";
import { VirtualTime } from "../simulation/clock.ts";
import { openParsing } from "../simulation/parsing.ts";
import { keeping, openSealer, plainRandom } from "./fakes.ts";

const hasher = openHasher(Buffer.alloc(32, 1));
const keyed = (purpose: string, value: string): string => hasher.hash(purpose, value);
const people = compilePeople({ ...noLists, own_domains: ["globex.test"] }, () => false);
let time: VirtualTime;
let ledger: Ledger;
let running: ReturnType<typeof startPreparing>[];
/** What verifying gives, by the mail's X-Way header. */
let evidence: Map<string, Evidence>;
let slow: Set<string>;
/** Lanes that were told of work. */
let woken: number;

beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  running = [];
  evidence = new Map([["passed", passed("acme.test")]]);
  slow = new Set();
  woken = 0;
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await ledger.close();
});

interface Mail {
  readonly id?: string;
  readonly way?: string;
  readonly from?: string;
  readonly more?: string;
  readonly body?: string;
}

async function accepted(
  event: string,
  {
    id = `<${event}@acme.test>`,
    way = "passed",
    from = "Ada Lovelace <ada@acme.test>",
    more = "",
    body = "Ten, please.",
  }: Mail = {},
): Promise<void> {
  const raw = Buffer.from(
    `From: ${from}\r\nDate: Tue, 14 Jul 2026 09:15:00 +0200\r\nSubject: An order\r\nMessage-ID: ${id}\r\nX-Way: ${way}\r\nX-Event: ${event}\r\n${more}\r\n${body}\r\n`,
  );
  const identity = createIdentity();
  identity.update(raw);
  const { messageId, digest } = identity.finish();
  const now = time.trueNow;
  await ledger.accept([
    {
      eventId: event,
      tenant: "globex",
      messageId,
      digest,
      receivedAt: now,
      envelope: { kind: "smtp", tenant: "globex", routes: ["deals@in.test"], received_at: now },
      rawSha256: createHash("sha256").update(raw).digest("hex"),
      rawSize: raw.length,
      raw: { kind: "inline", sealed: openSealer.seal(raw, "raw") },
    },
  ]);
}

/** Says what the mail's own header wants; a slow one takes a second of the virtual time. */
const senders: Senders = {
  async verify(_envelope, raw) {
    let text = "";
    for await (const chunk of await raw()) text += Buffer.from(chunk).toString("latin1");
    if (slow.has(/^X-Event: (\S+)/m.exec(text)?.[1] ?? "")) await time.clock().sleep(1_000);
    return evidence.get(/^X-Way: (\S+)/m.exec(text)?.[1] ?? "") ?? noEvidence;
  },
};

function start(changes: Partial<Ledger> = {}): ReturnType<typeof startPreparing> {
  const { log, metrics } = keeping();
  const started = startPreparing(
    [
      {
        tenant: "globex",
        mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" },
        people,
        arcSealers: ["groups.test"],
        threads: defaultMarks,
        lanes: ["globex/crm", "globex/mirror"],
      },
    ],
    4,
    {
      ledger: Object.assign(Object.create(ledger) as Ledger, ledger, changes),
      pool: openParsing({ begins: () => true, die: () => new Promise(() => undefined) }),
      senders,
      spool: { read: async () => undefined } as unknown as Spool,
      blobs: { get: async () => undefined } as unknown as Blobs,
      sealer: openSealer,
      hasher,
      threadTokens: openThreadTokens(Buffer.alloc(32)),
      clock: time.clock(),
      random: plainRandom(),
      log,
      metrics,
      prepared: () => void woken++,
    },
  );
  running.push(started);
  return started;
}

async function row(event: string): Promise<EventRow> {
  const [found] = await ledger.find({ event, limit: 1 });
  if (found === undefined) throw new Error(`there is no event ${event}`);
  return found;
}
async function eventOf(event: string): Promise<CanonicalEvent> {
  const { sealedEvent = new Uint8Array() } = await row(event);
  return readMail<CanonicalEvent>(openSealer.open(sealedEvent).plain);
}
const rules = async (event: string) => (await row(event)).deliveries.map(({ state, rule }) => `${state} ${rule}`);
/** Until so many messages are through: each calls both lanes. */
const through = (messages: number): Promise<void> => time.until(() => woken >= 2 * messages);

describe("on the road", () => {
  test("a sender is judged by the evidence, and the event says so", async () => {
    await accepted("e1");
    await start().quiet();
    expect((await eventOf("e1")).auth).toMatchObject({
      trust: "verified",
      reasons: [{ code: "dmarc_pass" }],
      dmarc: { result: "pass" },
    });
  });

  test("a proven sender becomes an acquaintance, whom a look-alike is held against", async () => {
    await accepted("e1", { from: "Ada <ada@initrode.test>", way: "initrode" });
    evidence.set("initrode", passed("initrode.test"));
    evidence.set("imitation", passed("initr0de.test"));
    const started = start();
    await started.quiet();
    await accepted("e2", { from: "Ada <ada@initr0de.test>", way: "imitation" });
    started.wake();
    await started.quiet();
    expect(await rules("e1")).toEqual(["pending default.inbound", "pending default.inbound"]);
    expect(await rules("e2")).toEqual(["held trust.suspicious", "held trust.suspicious"]);
    expect((await eventOf("e2")).auth.reasons[0]).toMatchObject({
      code: "lookalike_of_known",
      detail: expect.stringContaining("e1"),
    });
  });

  test("of two that look alike the later one is held, until a person says which is honest", async () => {
    evidence.set("imitation", passed("initr0de.test"));
    evidence.set("initrode", passed("initrode.test"));
    await accepted("e1", { from: "Ada <ada@initr0de.test>", way: "imitation" });
    const started = start();
    await started.quiet();
    await accepted("e2", { from: "Ada <ada@initrode.test>", way: "initrode" });
    started.wake();
    await started.quiet();
    expect((await eventOf("e1")).auth.trust).toBe("verified");
    expect((await eventOf("e2")).auth.reasons[0]?.code).toBe("lookalike_of_known");
    const { message, auth } = await eventOf("e2");
    await ledger.decideSender(
      trustable({ tenant: "globex", eventId: "e2", message, evidence: auth, people, keyed }, "jane", time.trueNow),
    );
    for (const event of ["e2", "e1"]) {
      await ledger.requeue({ kind: "reprocess", eventId: event, now: time.trueNow });
      started.wake();
      await started.quiet();
    }
    expect((await eventOf("e2")).auth).toMatchObject({ trust: "verified", reasons: [{ code: "dmarc_pass" }] });
    expect((await eventOf("e1")).auth).toMatchObject({
      trust: "suspicious",
      reasons: [{ code: "lookalike_of_known" }, { code: "dmarc_pass" }],
    });
  });

  test("mail that is not proven teaches nothing, nor does what is reprocessed teach twice", async () => {
    await accepted("e1", { way: "nothing" });
    await accepted("e2", { from: "Bob Byte <bob@acme.test>" });
    const started = start();
    await started.quiet();
    const asked = async (from: string, eventId: string) => {
      const { message } = await eventOf(from);
      const inquiry = inquire({
        tenant: "globex",
        eventId,
        message,
        evidence: noEvidence,
        people,
        keyed,
      });
      if (inquiry === undefined) throw new Error("nobody to ask about");
      return (await ledger.acquainted([inquiry.question]))[0]?.features ?? [];
    };
    expect((await asked("e1", "other")).filter(({ kind }) => kind === "address" || kind === "name")).toEqual([]);
    const before = await asked("e2", "other");
    expect(before.map(({ kind }) => kind).sort()).toEqual(["address", "domain", "label", "name", "skeleton"]);
    await time.advance(60_000);
    await ledger.requeue({ kind: "reprocess", eventId: "e2", now: time.trueNow });
    started.wake();
    await started.quiet();
    expect(await asked("e2", "other")).toEqual(before);
    expect(await asked("e2", "e2")).toEqual([]);
  });

  test("a person who trusts a sender is heard with the next mail that the same domain vouches for", async () => {
    const failed: Evidence = {
      ...noEvidence,
      spf: spf("pass", "esp.test", false),
      dkim: [signature({ domain: "esp.test", aligned: null })],
      dmarc: { result: "fail", domain: "acme.test", policy: "reject", by: "mailwright", detail: null },
    };
    evidence.set("esp", failed);
    evidence.set("other", { ...failed, spf: spf("pass", "evil.test", false), dkim: [] });
    await accepted("e1", { way: "esp" });
    const started = start();
    await started.quiet();
    expect(await rules("e1")).toContain("held trust.suspicious");
    const { message } = await eventOf("e1");
    await ledger.decideSender(
      trustable({ tenant: "globex", eventId: "e1", message, evidence: failed, people, keyed }, "jane", time.trueNow),
    );
    await ledger.requeue({ kind: "reprocess", eventId: "e1", now: time.trueNow });
    await accepted("e2", { way: "esp" });
    await accepted("e3", { way: "other" });
    started.wake();
    await started.quiet();
    expect((await eventOf("e1")).auth).toMatchObject({ trust: "aligned-weak", reasons: [{ code: "sender_trusted" }] });
    expect(await rules("e1")).toContain("pending default.inbound");
    expect((await eventOf("e2")).auth.trust).toBe("aligned-weak");
    expect((await eventOf("e3")).auth.trust).toBe("suspicious");
  });

  test("a ledger that does not answer is asked again, and nothing is lost", async () => {
    await accepted("e1");
    let fails = 2;
    const acquainted: Ledger["acquainted"] = (questions) =>
      fails-- > 0 ? Promise.reject(new Error("EIO")) : ledger.acquainted(questions);
    start({ acquainted });
    await through(3);
    // A call that failed tells the lanes too: what it did may be on disk.
    expect((await eventOf("e1")).auth.trust).toBe("verified");
  });
});

describe("one mail by two ways", () => {
  const id = "<one@acme.test>";

  test("is filed once, also when both are in work at the same time", async () => {
    slow.add("e1");
    await accepted("e1", { id });
    await accepted("e2", { id, more: "Auto-Submitted: no\r\n" });
    start();
    await through(2);
    expect(await rules("e1")).toEqual(["pending default.inbound", "pending default.inbound"]);
    expect(await rules("e2")).toEqual(["skipped duplicate.variant", "skipped duplicate.variant"]);
    const copy = await eventOf("e2");
    expect(copy.anomalies.map(({ code }) => code)).not.toContain("message_id_conflict");
  });

  test("stays filed once when both are reprocessed, in either order", async () => {
    await accepted("e1", { id });
    const started = start();
    await started.quiet();
    await accepted("e2", { id, more: "Auto-Submitted: no\r\n" });
    started.wake();
    await started.quiet();
    for (const event of ["e2", "e1", "e2"]) {
      await ledger.requeue({ kind: "reprocess", eventId: event, now: time.trueNow });
      started.wake();
      await started.quiet();
    }
    expect(await rules("e1")).toEqual(["pending default.inbound", "pending default.inbound"]);
    expect(await rules("e2")).toEqual(["skipped duplicate.variant", "skipped duplicate.variant"]);
  });

  describe("where the list's copy is first", () => {
    const sealed = "ARC-Authentication-Results: i=1; groups.test; dmarc=pass header.from=acme.test\r\n";
    const byList = (domain: string): Evidence => ({
      ...noEvidence,
      spf: spf("pass", domain, false),
      dmarc: { result: "fail", domain: "acme.test", policy: "reject", by: "mailwright", detail: null },
      arc: { result: "pass", sealer: domain, by: "mailwright", detail: null } as Evidence["arc"],
    });
    const both = async (domain: string): Promise<void> => {
      evidence.set("list", byList(domain));
      await accepted("e1", { id, way: "list", more: sealed, body: "Ten, please.\r\n-- \r\nThe sales list" });
      const started = start();
      await started.quiet();
      await accepted("e2", { id });
      started.wake();
      await started.quiet();
    };

    test("and its seal is believed, the sender's own mail is the copy", async () => {
      await both("groups.test");
      expect((await eventOf("e1")).auth).toMatchObject({ trust: "aligned-weak", reasons: [{ code: "arc_pass" }] });
      expect(await rules("e1")).toEqual(["pending default.inbound", "pending default.inbound"]);
      expect(await rules("e2")).toEqual(["skipped duplicate.variant", "skipped duplicate.variant"]);
      expect((await eventOf("e2")).anomalies.map(({ code }) => code)).not.toContain("message_id_conflict");
    });

    test("and nobody named its seal, the sender's own mail is filed", async () => {
      await both("else.test");
      expect(await rules("e1")).toEqual(["held trust.suspicious", "held trust.suspicious"]);
      expect(await rules("e2")).toEqual(["pending default.inbound", "pending default.inbound"]);
    });
  });

  test("is filed as it would be alone when a copy that nobody believed came first, with the same words", async () => {
    evidence.set("forged", {
      ...noEvidence,
      spf: spf("fail", "acme.test", false),
      dmarc: { result: "fail", domain: "acme.test", policy: "reject", by: "mailwright", detail: null },
    });
    await accepted("e1", { id, way: "forged" });
    const started = start();
    await started.quiet();
    expect(await rules("e1")).toEqual(["held trust.suspicious", "held trust.suspicious"]);
    await accepted("e2", { id });
    started.wake();
    await started.quiet();
    expect((await eventOf("e2")).auth).toMatchObject({ trust: "verified", reasons: [{ code: "dmarc_pass" }] });
    expect((await eventOf("e2")).anomalies.map(({ code }) => code)).not.toContain("message_id_conflict");
    expect(await rules("e2")).toEqual(["pending default.inbound", "pending default.inbound"]);
    expect(await rules("e1")).toEqual(["held trust.suspicious", "held trust.suspicious"]);
  });

  test("is not taken for a copy of one whose content retention has removed: both are kept", async () => {
    await accepted("e1", { id });
    const started = start();
    await started.quiet();
    const namesakes: Ledger["namesakes"] = async (event) =>
      (await ledger.namesakes(event)).map((other) => ({ ...other, sealedEvent: undefined }));
    await started.stop();
    running = [];
    await accepted("e2", { id, more: "Auto-Submitted: no\r\n" });
    await start({ namesakes }).quiet();
    expect((await eventOf("e2")).auth).toMatchObject({
      trust: "aligned-weak",
      reasons: [{ code: "message_id_conflict" }, { code: "dmarc_pass" }],
    });
    expect(await rules("e2")).toContain("pending default.inbound");
  });
});
