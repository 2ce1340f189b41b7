import { expect, test } from "vitest";
import { openHasher } from "../../src/blobs/index.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import type { Blobs, Spool } from "../../src/model/blob.ts";
import type { Session } from "../../src/model/destination.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { openBucket } from "../../src/pipeline/bucket.ts";
import { type Road, startRoad } from "../../src/pipeline/road.ts";
import { unverified } from "../../src/pipeline/senders.ts";
import { openLedger, type SqliteLedger } from "../../src/store/index.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { openParsing } from "../simulation/parsing.ts";
import { facts, keeping, openSealer, plainRandom, scripted } from "./fakes.ts";

function roadOn(ledger: SqliteLedger, time: VirtualTime, session: Session, moved = () => {}): Road {
  const clock = time.clock();
  const settings = {
    lane: "acme/crm",
    tenant: "acme",
    destination: "crm",
    facts,
    firstRetryMs: 5_000,
    retryWindowMs: 72 * 3_600_000,
  };
  const tenant = {
    tenant: "acme",
    mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const,
    people: compilePeople(noLists, () => false),
    threads: defaultMarks,
    arcSealers: [],
    lanes: ["acme/crm"],
  };
  const { log, metrics } = keeping();
  return startRoad([tenant], [{ settings, session, bucket: openBucket([], clock) }], 2, {
    ledger,
    pool: openParsing({ begins: () => true, die: () => new Promise(() => undefined) }),
    senders: unverified,
    spool: {} as Spool,
    blobs: {} as Blobs,
    sealer: openSealer,
    hasher: openHasher(Buffer.alloc(32)),
    threadTokens: openThreadTokens(Buffer.alloc(32)),
    clock,
    random: plainRandom(),
    log,
    metrics,
    moved,
  });
}

async function accepted(ledger: SqliteLedger, time: VirtualTime): Promise<void> {
  const bytes = Buffer.from("From: ada@people.test\r\nSubject: one\r\n\r\nbody\r\n");
  const now = time.trueNow;
  await ledger.accept([
    {
      eventId: "e1",
      tenant: "acme",
      messageId: null,
      digest: "1".repeat(64),
      receivedAt: now,
      envelope: { kind: "smtp", tenant: "acme", routes: ["deals@in.test"], received_at: now },
      rawSha256: "0".repeat(64),
      rawSize: bytes.length,
      raw: { kind: "inline", sealed: openSealer.seal(bytes, "raw") },
    },
  ]);
}

test("the road takes a message from the ledger to the CRM, and is settled only then", async () => {
  const time = new VirtualTime();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  await accepted(ledger, time);
  const session = scripted({});
  const road = roadOn(ledger, time, session);
  expect(road.busy()).toBe(true);
  await road.settled();
  expect(session.calls).toEqual(["find person", "put person", "put activity"]);
  expect((await ledger.stats(time.trueNow)).deliveries.processed).toBe(1);
  expect(road.busy()).toBe(false);
  await road.stop(1_000);
  await ledger.close();
});

test("the road says when a message was prepared and when a delivery is done, so that its bytes can be put away", async () => {
  const time = new VirtualTime();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  await accepted(ledger, time);
  const unarchived: number[] = [];
  const looks: Promise<unknown>[] = [];
  const road = roadOn(ledger, time, scripted({}), () => {
    looks.push(ledger.stats(time.trueNow).then((stats) => unarchived.push(stats.unarchived)));
  });
  await road.settled();
  await Promise.all(looks);
  expect(unarchived).toEqual([0, 1]);
  await road.stop(1_000);
  await ledger.close();
});

test("a stop waits for a vendor no longer than its grace, and leaves the intent behind for the next process", async () => {
  const time = new VirtualTime();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  await accepted(ledger, time);
  const session: Session = { ...scripted({}), put: () => new Promise(() => undefined) };
  const road = roadOn(ledger, time, session);
  await turn();
  let stopped = false;
  const stopping = road.stop(8_000).then(() => {
    stopped = true;
  });
  await time.advance(7_999);
  expect(stopped).toBe(false);
  await time.advance(1);
  await stopping;
  const [row] = await ledger.find({ limit: 1 });
  expect(row?.deliveries).toMatchObject([{ state: "pending", steps: [{ state: "sent" }, { state: "planned" }] }]);
  expect(await ledger.reclaim(time.trueNow)).toBe(1);
  await ledger.close();
});
