/** The evidence of who sent a message: taken beside the parse, kept when it is read again, and never the reason that a mail does not go on. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openHasher } from "../../src/blobs/index.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import { failed } from "../../src/mail/trust/evidence.ts";
import type { Blobs, Spool } from "../../src/model/blob.ts";
import { type CanonicalEvent, type Evidence, noEvidence } from "../../src/model/event.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { type Preparing, startPreparing } from "../../src/pipeline/prepare.ts";
import type { Senders } from "../../src/pipeline/senders.ts";
import { openSenders } from "../../src/pipeline/senders.ts";
import { readMail } from "../../src/pipeline/stored.ts";
import { openLedger } from "../../src/store/index.ts";
import { VirtualTime } from "../simulation/clock.ts";
import { openParsing } from "../simulation/parsing.ts";
import { type Kept, keeping, openSealer, plainRandom } from "./fakes.ts";

const nobody = compilePeople(noLists, () => false);

let time: VirtualTime;
let ledger: Ledger;
let kept: Kept;
let running: Preparing[];

beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  kept = keeping();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await ledger.close();
});

const passing: Evidence = {
  ...noEvidence,
  spf: { result: "fail", domain: "people.test", aligned: "strict", by: "mailwright", detail: null },
  dmarc: { result: "pass", domain: "people.test", policy: "reject", by: "mailwright", detail: null },
};
const bytes = Buffer.from("From: ada@people.test\r\nSubject: one\r\n\r\nbody\r\n");

async function accepted(): Promise<void> {
  const now = time.trueNow;
  await ledger.accept([
    {
      eventId: "one",
      tenant: "acme",
      messageId: "<one@people.test>",
      digest: "0".repeat(64),
      receivedAt: now,
      envelope: { kind: "smtp", tenant: "acme", routes: ["deals@in.test"], received_at: now },
      rawSha256: "0".repeat(64),
      rawSize: bytes.length,
      raw: { kind: "inline", sealed: openSealer.seal(bytes, "raw") },
    },
  ]);
}

function start(senders: Senders): Preparing {
  const tenants = [
    {
      tenant: "acme",
      mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const,
      lanes: ["acme/crm"],
      people: nobody,
      arcSealers: [],
      threads: defaultMarks,
    },
  ];
  const started = startPreparing(tenants, 4, {
    ledger,
    pool: openParsing({ begins: () => true, die: () => new Promise(() => undefined) }),
    senders,
    spool: { read: async () => undefined } as unknown as Spool,
    blobs: { get: async () => undefined } as unknown as Blobs,
    threadTokens: openThreadTokens(Buffer.alloc(32)),
    sealer: openSealer,
    hasher: openHasher(Buffer.alloc(32)),
    clock: time.clock(),
    random: plainRandom(),
    log: kept.log,
    metrics: kept.metrics,
    prepared: () => undefined,
  });
  running.push(started);
  return started;
}

/** Answers in their order, and how often it was asked. */
function answering(...answers: (Evidence | Error)[]) {
  const seen: string[] = [];
  const verify: Senders["verify"] = async (_, raw) => {
    let text = "";
    for await (const chunk of await raw()) text += Buffer.from(chunk).toString();
    seen.push(text);
    const answer = answers[Math.min(seen.length, answers.length) - 1];
    if (answer instanceof Error || answer === undefined) throw answer ?? new Error("nothing to answer");
    return answer;
  };
  return { verify, seen };
}

async function auth(): Promise<CanonicalEvent["auth"]> {
  const [row] = await ledger.find({ event: "one", limit: 1 });
  if (row?.sealedEvent === undefined) throw new Error("there is no event");
  return readMail<CanonicalEvent>(openSealer.open(row.sealedEvent).plain).auth;
}

async function again(preparing: Preparing): Promise<void> {
  await ledger.requeue({ kind: "reprocess", eventId: "one", now: time.trueNow });
  preparing.wake();
  await preparing.quiet();
}

describe("evidence", () => {
  test("is in the event, and counted by mechanism", async () => {
    await accepted();
    const senders = answering(passing);
    await start(senders).quiet();
    expect(await auth()).toMatchObject(passing);
    expect(senders.seen).toEqual([bytes.toString()]);
    expect(kept.counts.get("auth_total spf fail")).toBe(1);
    expect(kept.counts.get("auth_total dmarc pass")).toBe(1);
  });

  test("of when the mail came is kept when it is read again", async () => {
    await accepted();
    const senders = answering(passing, failed("policy", "the key is gone"));
    const preparing = start(senders);
    await preparing.quiet();
    await again(preparing);
    expect(await auth()).toMatchObject(passing);
    expect(senders.seen).toHaveLength(1);
  });

  test("that DNS did not give is asked for again, and what is there stays where DNS still gives none", async () => {
    await accepted();
    const first = failed("temperror", "first");
    const senders = answering(first, failed("temperror", "second"), passing, noEvidence);
    const preparing = start(senders);
    await preparing.quiet();
    expect((await auth()).dmarc?.detail).toBe("first");
    await again(preparing);
    expect((await auth()).dmarc?.detail).toBe("first");
    await again(preparing);
    expect(await auth()).toMatchObject(passing);
    await again(preparing);
    expect(senders.seen).toHaveLength(3);
  });

  test("that was taken stays where nothing is verified any more", async () => {
    await accepted();
    const preparing = start(answering(failed("temperror", "first"), noEvidence));
    await preparing.quiet();
    await again(preparing);
    expect((await auth()).dmarc?.detail).toBe("first");
  });

  test("that cannot be taken holds up nothing, and is a defect", async () => {
    await accepted();
    await start(answering(new Error("broken"))).quiet();
    expect((await auth()).dmarc).toMatchObject({ result: "temperror" });
    expect(kept.counts.get("defects_total verify")).toBe(1);
    const [row] = await ledger.find({ event: "one", limit: 1 });
    expect(row?.deliveries).toMatchObject([{ state: "pending" }]);
  });
});

test("each tenant's own relays and hosts count for its mail", async () => {
  const seen: unknown[] = [];
  const verifier = {
    verify: async (_raw: unknown, _size: number, received: unknown) => {
      seen.push(received);
      return noEvidence;
    },
  };
  const { verify } = openSenders(
    [
      { tenant: "acme", authservIds: ["mx.acme.test"], relays: ["192.0.2.0/24"] },
      { tenant: "globex", authservIds: [], relays: [] },
    ],
    "mw.test",
    verifier,
  );
  const smtp = { remote_ip: "192.0.2.1", helo: "mx", tls: null, mail_from: null, rcpt_to: [] };
  for (const tenant of ["acme", "globex", "gone"])
    await verify({ kind: "smtp", tenant, routes: [], received_at: 0, smtp }, async () => (async function* () {})(), 0);
  expect(seen).toMatchObject([
    { client: null, authservIds: ["mx.acme.test"] },
    { client: { ip: "192.0.2.1" }, authservIds: [] },
    { client: { ip: "192.0.2.1" }, authservIds: [] },
  ]);
});
