import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openHasher } from "../../src/blobs/index.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import type { Blobs, Spool } from "../../src/model/blob.ts";
import type { CanonicalEvent, ParsedMessage } from "../../src/model/event.ts";
import type { EventRow, Ledger, NewMessage } from "../../src/model/ledger.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { type ParsePool, type Preparing, startPreparing } from "../../src/pipeline/prepare.ts";
import { type Senders, unverified } from "../../src/pipeline/senders.ts";
import { readMail } from "../../src/pipeline/stored.ts";
import { openLedger } from "../../src/store/index.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { openParsing } from "../simulation/parsing.ts";
import { type Kept, keeping, openSealer, plainRandom } from "./fakes.ts";

let time: VirtualTime;
let ledger: Ledger;
let kept: Kept;
let running: Preparing[];
let woken: string[];
let pool: ParsePool;
let blobs: Partial<Blobs>;
/** Whole parses and degraded ones, by subject where it is known. */
let parses: string[];

beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  kept = keeping();
  running = [];
  woken = [];
  parses = [];
  blobs = {};
  const plain = openParsing({ begins: () => true, die: () => new Promise(() => undefined) });
  pool = {
    async parse(raw, size) {
      const parsed = await plain.parse(raw, size);
      parses.push(`whole ${parsed.message.subject}`);
      return parsed;
    },
    async headersOnly(raw) {
      const parsed = await plain.headersOnly(raw);
      parses.push(`headers ${parsed.message.subject}`);
      return parsed;
    },
  };
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await ledger.close();
});

async function accepted(
  subject: string,
  changes: { tenant?: string; raw?: NewMessage["raw"]; routes?: string[] } = {},
): Promise<void> {
  const { tenant = "acme", routes = ["deals@in.test"] } = changes;
  const now = time.trueNow;
  const bytes = Buffer.from(`From: ada@people.test\r\nSubject: ${subject}\r\n\r\nbody of ${subject}\r\n`);
  await ledger.accept([
    {
      eventId: `${tenant}-${subject}`,
      tenant,
      messageId: `<${subject}@people.test>`,
      digest: Buffer.from(subject).toString("hex").padEnd(64, "0"),
      receivedAt: now,
      envelope: { kind: "smtp", tenant, routes, received_at: now },
      rawSha256: "0".repeat(64),
      rawSize: bytes.length,
      raw: changes.raw ?? { kind: "inline", sealed: openSealer.seal(bytes, "raw") },
    },
  ]);
}

function start(
  changes: { ledger?: Partial<Ledger>; width?: number; tenants?: string[]; senders?: Senders } = {},
): Preparing {
  const through = Object.assign(Object.create(ledger) as Ledger, ledger, changes.ledger);
  const tenants = (changes.tenants ?? ["acme"]).map((tenant) => ({
    tenant,
    mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const,
    people: compilePeople(noLists, () => false),
    threads: defaultMarks,
    arcSealers: [],
    lanes: [`${tenant}/crm`],
  }));
  const spool = { read: async () => undefined } as unknown as Spool;
  const started = startPreparing(tenants, changes.width ?? 4, {
    ledger: through,
    pool,
    senders: changes.senders ?? unverified,
    spool,
    blobs: { get: async () => undefined, ...blobs } as Blobs,
    sealer: openSealer,
    hasher: openHasher(Buffer.alloc(32)),
    threadTokens: openThreadTokens(Buffer.alloc(32)),
    clock: time.clock(),
    random: plainRandom(),
    log: kept.log,
    metrics: kept.metrics,
    prepared: (lane) => void woken.push(lane),
  });
  running.push(started);
  return started;
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
}

async function row(event: string): Promise<EventRow> {
  const [found] = await ledger.find({ event, limit: 1 });
  if (found === undefined) throw new Error(`there is no event ${event}`);
  return found;
}

async function eventOf(event: string): Promise<CanonicalEvent> {
  const { sealedEvent } = await row(event);
  if (sealedEvent === undefined) throw new Error(`${event} has no body`);
  return readMail<CanonicalEvent>(openSealer.open(sealedEvent).plain);
}

describe("preparing", () => {
  test("gives up a message of a run whose mapping cannot be had, after a few tries, and leaves it as it is", async () => {
    await accepted("one");
    const preparing = start();
    await preparing.quiet();
    await preparing.stop();
    const run = await ledger.beginRun({
      tenant: "acme",
      kind: "apply",
      of: null,
      mappingVersion: 999,
      cohort: {},
      by: "ida",
      note: null,
      now: time.trueNow,
    });
    await ledger.chooseForRun(run ?? 0, ["acme-one"]);
    expect(await ledger.feedRun({ run: run ?? 0, limit: 9, now: time.trueNow })).toBe(1);
    const again = start();
    let tries = 0;
    for (; tries < 20 && (await ledger.runProgress(run ?? 0)).given > 0; tries++) {
      again.wake();
      await again.quiet();
      await time.advance(60_000);
    }
    expect(await ledger.runEvents({ run: run ?? 0, limit: 9 })).toMatchObject([
      { state: "unable", reason: expect.stringContaining("mapping version 999") },
    ]);
    expect(tries).toBeLessThan(6);
    expect(await row("acme-one")).toMatchObject({ stage: "prepared", deliveries: [{ state: "pending" }] });
    const { story } = ledger;
    expect((await story("acme-one")).at(-1)).toMatchObject({ what: `run ${run} could not plan it` });
  });

  test("parses, plans and commits a message once, and calls its lane", async () => {
    await accepted("one");
    await start().quiet();
    expect(parses).toEqual(["whole one"]);
    expect(woken).toEqual(["acme/crm"]);
    expect(await row("acme-one")).toMatchObject({
      stage: "prepared",
      parseStatus: "ok",
      deliveries: [{ lane: "acme/crm", state: "pending" }],
    });
    expect((await eventOf("acme-one")).message.text).toContain("body of one");
  });

  test("takes up what comes later when it is woken", async () => {
    const started = start();
    await started.quiet();
    await accepted("late");
    started.wake();
    await started.quiet();
    expect(parses).toEqual(["whole late"]);
  });

  test("has no more in hand than its width", async () => {
    for (let index = 0; index < 9; index++) await accepted(`m${index}`);
    let inHand = 0;
    let most = 0;
    const { parse } = pool;
    pool.parse = async (raw, size) => {
      most = Math.max(most, ++inHand);
      await time.clock().sleep(100);
      inHand--;
      return await parse(raw, size);
    };
    start({ width: 3 });
    await time.until(() => parses.length === 9);
    expect(most).toBe(3);
  });

  test("gives each tenant its turn, however many mails another one has", async () => {
    for (let index = 0; index < 20; index++) await accepted(`flood${index}`);
    await accepted("only", { tenant: "globex" });
    start({ width: 2, tenants: ["acme", "globex"] });
    await time.until(() => parses.length === 21);
    expect(parses.indexOf("whole only")).toBeLessThan(4);
  });

  test("reads a message headers only that was in hand at eight ends of a process", async () => {
    await accepted("poison");
    for (let death = 0; death < 8; death++) {
      await ledger.attempt({ tenants: ["acme"], room: 1, now: time.trueNow, leaseMs: 1_000 });
      await ledger.reclaim(time.trueNow);
    }
    await start().quiet();
    expect(parses).toEqual(["headers poison"]);
    expect(await row("acme-poison")).toMatchObject({ stage: "prepared", parseStatus: "failed", parseAttempts: 9 });
  });

  test("takes one at a time after a start, until those that the last process had in hand are through", async () => {
    for (const subject of ["a", "b", "c", "d", "e"]) await accepted(subject);
    await ledger.attempt({ tenants: ["acme"], room: 2, now: time.trueNow, leaseMs: 1_000 });
    await ledger.reclaim(time.trueNow);
    const besides: number[] = [];
    let inHand = 0;
    const { parse } = pool;
    pool.parse = async (raw, size) => {
      besides.push(inHand++);
      await time.clock().sleep(100);
      inHand--;
      return await parse(raw, size);
    };
    start();
    await time.until(() => parses.length === 5);
    expect(besides).toEqual([0, 0, 0, 0, 1]);
    for (const subject of ["a", "b"]) expect((await row(`acme-${subject}`)).parseAttempts).toBe(2);
  });

  describe("a message whose bytes cannot be read", () => {
    test("is tried again later, and still gets its whole parse when they are back", async () => {
      await accepted("away", { raw: { kind: "spool", name: "away.sealed" } });
      let away = 6;
      const bytes = Buffer.from("From: ada@people.test\r\nSubject: away\r\n\r\nbody of away\r\n");
      blobs.get = async () => (away-- > 0 ? undefined : streamOf(bytes));
      start();
      await time.until(() => parses.length === 1);
      expect(parses).toEqual(["whole away"]);
      expect(await row("acme-away")).toMatchObject({ parseStatus: "ok" });
    });

    test("is tried again as soon when the clock is set back meanwhile", async () => {
      await accepted("away", { raw: { kind: "spool", name: "away.sealed" } });
      let away = 1;
      const bytes = Buffer.from("From: ada@people.test\r\nSubject: away\r\n\r\nbody of away\r\n");
      blobs.get = async () => (away-- > 0 ? undefined : streamOf(bytes));
      start();
      await time.advance(1_000);
      time.jump(-10 * 24 * 3_600_000);
      await time.advance(60_000);
      expect(parses).toEqual(["whole away"]);
    });

    test("waits for them as long as it takes, also over restarts, and then has its body", async () => {
      await accepted("away", { raw: { kind: "spool", name: "away.sealed" } });
      const bytes = Buffer.from("From: ada@people.test\r\nSubject: away\r\n\r\nbody of away\r\n");
      for (let restart = 0; restart < 3; restart++) {
        const started = start();
        await time.advance(12 * 3_600_000);
        await started.stop();
      }
      expect(await row("acme-away")).toMatchObject({ stage: "accepted", parseAttempts: 0 });
      expect(kept.counts.get("raw_unread_total")).toBeGreaterThan(36);
      expect(kept.lines.filter(({ level, message }) => level === "error" && message.includes("it waits")).length).toBe(
        kept.counts.get("raw_unread_total"),
      );
      blobs.get = async () => streamOf(bytes);
      start();
      await time.until(() => parses.length === 1);
      expect(parses).toEqual(["whole away"]);
      expect((await eventOf("acme-away")).message.text).toContain("body of away");
    });

    test("keeps the event that it has, when it is to be planned again and the bytes are gone", async () => {
      await accepted("kept", { raw: { kind: "spool", name: "kept.sealed" } });
      const bytes = Buffer.from("From: ada@people.test\r\nSubject: kept\r\n\r\nbody of kept\r\n");
      let isThere = true;
      blobs.get = async () => (isThere ? streamOf(bytes) : undefined);
      const started = start();
      await time.until(() => parses.length === 1);
      await started.quiet();
      isThere = false;
      await ledger.requeue({ kind: "reprocess", eventId: "acme-kept", now: time.trueNow });
      started.wake();
      await time.until(() => kept.lines.some(({ message }) => message.includes("stays as it was")));
      expect(await row("acme-kept")).toMatchObject({ stage: "prepared", parseStatus: "ok" });
      expect((await eventOf("acme-kept")).message.text).toContain("body of kept");
      expect((await ledger.story("acme-kept")).at(-1)?.what).toBe("its raw bytes are gone: it stays as it was");
    });

    test("goes on with its envelope alone where the ledger knows that they are gone, and says so", async () => {
      await accepted("lost");
      const attempt: Ledger["attempt"] = async (request) =>
        (await ledger.attempt(request)).map(({ sealed: _sealed, ...each }) => ({ ...each, raw: { kind: "gone" } }));
      start({ ledger: { attempt } });
      await time.until(() => woken.length === 1);
      const event = await eventOf("acme-lost");
      expect(event.anomalies).toContainEqual({ code: "raw_unreadable", detail: expect.stringContaining("acme-lost") });
      expect(await row("acme-lost")).toMatchObject({
        stage: "prepared",
        deliveries: [{ state: "held", rule: "sender.missing" }],
      });
    });

    test("does not hold up the others", async () => {
      await accepted("lost", { raw: { kind: "spool", name: "lost.sealed" } });
      await accepted("fine");
      await start().quiet();
      expect(parses).toEqual(["whole fine"]);
    });
  });

  test("does not ask every few seconds for mail of a tenant that the configuration no longer has", async () => {
    await accepted("left", { tenant: "former" });
    let asked = 0;
    const attempt: Ledger["attempt"] = (request) => {
      asked++;
      return ledger.attempt(request);
    };
    const started = start({ ledger: { attempt } });
    await time.advance(3_600_000);
    expect(asked).toBeLessThan(30);
    await accepted("live");
    started.wake();
    await started.quiet();
    expect(parses).toEqual(["whole live"]);
  });

  test("holds a message for review that no rule can be applied to, instead of trying it for ever", async () => {
    await accepted("odd");
    const { parse, headersOnly } = pool;
    /** A parse whose shape our rules trip over, as long as there is anything to parse. */
    const odd = (parsed: ParsedMessage): ParsedMessage =>
      parsed.message.subject === null
        ? parsed
        : { ...parsed, message: { ...parsed.message, headers: undefined as never } };
    pool.parse = async (raw, size) => odd(await parse(raw, size));
    pool.headersOnly = async (raw) => odd(await headersOnly(raw));
    start();
    await time.until(() => kept.counts.get("parse_total failed") === 1);
    expect(await row("acme-odd")).toMatchObject({
      stage: "prepared",
      deliveries: [{ state: "held", rule: "defect.prepare" }],
    });
    expect(kept.counts.get("defects_total prepare")).toBeGreaterThan(0);
  });

  test("keeps the body that it found, when a parser is stopped at a message that is planned again", async () => {
    await accepted("busy");
    const started = start();
    await started.quiet();
    const { headersOnly } = pool;
    pool.parse = async (raw) => await headersOnly(await raw());
    await ledger.requeue({ kind: "reprocess", eventId: "acme-busy", now: time.trueNow });
    started.wake();
    await started.quiet();
    expect(parses).toEqual(["whole busy", "headers busy"]);
    expect(await row("acme-busy")).toMatchObject({ stage: "prepared", parseStatus: "ok" });
    expect((await eventOf("acme-busy")).message.text).toContain("body of busy");
    const [delivery] = (await row("acme-busy")).deliveries;
    expect(delivery).toMatchObject({ state: "pending", steps: [{ kind: "person" }, { kind: "activity" }] });
  });

  test("drops a result whose lease was lost: somebody else has the message by now", async () => {
    await accepted("slow");
    const { parse } = pool;
    pool.parse = async (raw, size) => {
      await ledger.reclaim(time.trueNow);
      pool.parse = parse;
      return await parse(raw, size);
    };
    const started = start();
    await started.quiet();
    expect(woken).toEqual(["acme/crm"]);
    expect(kept.lines.some(({ message }) => message.includes("lease of a parse was lost"))).toBe(true);
    expect((await row("acme-slow")).parseAttempts).toBe(2);
  });

  test("calls the lanes also when a commit fails that is on disk all the same", async () => {
    await accepted("one");
    const prepare: Ledger["prepare"] = async (items) => {
      await ledger.prepare(items);
      throw new Error("fsync failed after the commit");
    };
    start({ ledger: { prepare } });
    await turn();
    await turn();
    expect(woken).toEqual(["acme/crm"]);
    expect((await row("acme-one")).stage).toBe("prepared");
    expect(kept.counts.has("defects_total prepare")).toBe(false);
  });

  test("goes on when the ledger could not answer, and loses nothing", async () => {
    await accepted("one");
    let fails = 3;
    const attempt: Ledger["attempt"] = (request) =>
      fails-- > 0 ? Promise.reject(new Error("EIO")) : ledger.attempt(request);
    start({ ledger: { attempt } });
    await time.until(() => woken.length === 1);
    expect(parses).toEqual(["whole one"]);
  });

  test("plans again what came by another address, with its body", async () => {
    const started = start();
    for (let copy = 0; copy < 9; copy++) {
      await accepted("often", { routes: [`deals+${copy}@in.test`] });
      started.wake();
      await started.quiet();
    }
    const event = await eventOf("acme-often");
    expect(event.routes).toHaveLength(9);
    expect(event.message.text).toContain("body of often");
    expect((await row("acme-often")).deliveries).toHaveLength(1);
  });

  test("stops with what is in hand", async () => {
    await accepted("one");
    await accepted("two");
    const { parse } = pool;
    pool.parse = async (raw, size) => {
      await time.clock().sleep(1_000);
      return await parse(raw, size);
    };
    const started = start({ width: 1 });
    await turn();
    const stopped = started.stop();
    await time.advance(1_000);
    await stopped;
    expect(parses).toEqual(["whole one"]);
    expect((await row("acme-two")).stage).toBe("accepted");
  });

  describe("threads", () => {
    const wrote = async (name: string, ...headers: string[]): Promise<void> => {
      const bytes = Buffer.from([...headers, "", `body of ${name}`, ""].join("\r\n"));
      await accepted(name, { raw: { kind: "inline", sealed: openSealer.seal(bytes, "raw") } });
    };
    const threadOf = async (name: string) => (await eventOf(`acme-${name}`)).thread;

    test("are found for all that is ready together at once, and committed with the events", async () => {
      for (let index = 0; index < 9; index++) await accepted(`m${index}`);
      const batches: number[] = [];
      const around: Ledger["around"] = (request) => {
        batches.push(request.facts.length);
        return ledger.around(request);
      };
      await start({ ledger: { around }, width: 8 }).quiet();
      expect(batches.reduce((sum, size) => sum + size, 0)).toBe(9);
      expect(Math.max(...batches)).toBeGreaterThan(1);
      for (let index = 0; index < 9; index++)
        expect((await ledger.thread({ event: `acme-m${index}` }))?.threadId).toBe(
          (await threadOf(`m${index}`)).thread_id,
        );
    });

    test("join an answer to what it answers, in one batch or one after the other", async () => {
      await wrote(
        "ask",
        "From: ada@people.test",
        "To: bob@other.test",
        "Subject: Offer 17",
        "Message-ID: <ask@people.test>",
      );
      await wrote(
        "answer",
        "From: bob@other.test",
        "To: ada@people.test",
        "Subject: Re: Offer 17",
        "In-Reply-To: <ask@people.test>",
      );
      const started = start();
      await started.quiet();
      await wrote(
        "late",
        "From: bob@other.test",
        "To: ada@people.test",
        "Subject: Re: Offer 17",
        "References: <ask@people.test>",
      );
      started.wake();
      await started.quiet();
      const { thread_id } = await threadOf("ask");
      for (const name of ["answer", "late"])
        expect(await threadOf(name)).toMatchObject({ thread_id, parent_event_id: "acme-ask", method: "header" });
    });

    test("merge when a late mail says so: those that move are planned again, and no more", async () => {
      await wrote(
        "one",
        "From: ada@people.test",
        "To: cora@third.test",
        "Subject: Re: Offer 17",
        "References: <root@people.test>",
      );
      await wrote(
        "two",
        "From: bob@other.test",
        "To: cora@third.test",
        "Subject: Re: Offer 17",
        "References: <root@people.test>",
      );
      const started = start();
      await started.quiet();
      const before = [await threadOf("one"), await threadOf("two")].map(({ thread_id }) => thread_id);
      expect(new Set(before).size).toBe(2);
      await wrote("root", "From: cora@third.test", "To: ada@people.test, bob@other.test", "Subject: Offer 17");
      started.wake();
      await started.quiet();
      const after = [await threadOf("root"), await threadOf("one"), await threadOf("two")];
      expect(new Set(after.map(({ thread_id }) => thread_id))).toEqual(new Set([before[0]]));
      expect(parses.filter((parse) => parse.includes("Offer")).length).toBe(4);
      expect(await row("acme-two")).toMatchObject({ stage: "prepared", deliveries: [{ state: "pending" }] });
    });

    test("of the others are found all the same when one of them cannot be judged", async () => {
      const { parse } = pool;
      pool.parse = async (raw, size) => {
        const parsed = await parse(raw, size);
        if (parsed.message.subject !== "odd") return parsed;
        return { ...parsed, message: { ...parsed.message, references: undefined as never } };
      };
      for (const name of ["a", "odd", "b", "c"]) await accepted(name);
      start();
      await time.until(() => kept.counts.get("parse_total ok") === 3);
      for (const name of ["a", "b", "c"])
        expect(await row(`acme-${name}`)).toMatchObject({ stage: "prepared", parseAttempts: 1 });
      expect((await row("acme-odd")).stage).toBe("accepted");
    });

    test("of a conversation too large to be read do not decide for those beside it", async () => {
      for (const name of ["a", "b", "c", "d"]) await accepted(name);
      const sizes: number[] = [];
      const around: Ledger["around"] = async (request) => {
        sizes.push(request.facts.length);
        const found = await ledger.around(request);
        return request.facts.some(({ eventId }) => eventId === "acme-c") ? { ...found, cut: true } : found;
      };
      await start({ ledger: { around }, width: 8 }).quiet();
      for (const name of ["a", "b", "c", "d"]) expect((await row(`acme-${name}`)).stage).toBe("prepared");
      expect(sizes.filter((size) => size === 1).length).toBeGreaterThanOrEqual(1);
    });
  });
});
