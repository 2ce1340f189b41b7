import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Spool, SpoolDraft } from "../../src/model/blob.ts";
import type { Envelope } from "../../src/model/envelope.ts";
import type { Accepted, Ledger, NewMessage } from "../../src/model/ledger.ts";
import { type Intake, keepableBytes, NotAccepted, type Refusal } from "../../src/model/source.ts";
import { type IntakeLimits, type IntakePorts, labelOf, openIntake } from "../../src/pipeline/accept.ts";
import { openLedger } from "../../src/store/index.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { keeping, openSealer, plainRandom } from "./fakes.ts";

const inlineBytes = 400;
const limits: IntakeLimits = { maxBytes: 2_000, inlineBytes, backlog: 3, diskReserve: (total) => total / 10 };

interface World {
  readonly intake: Intake;
  readonly time: VirtualTime;
  /** Every call to a port, in order. */
  readonly calls: string[];
  readonly items: NewMessage[];
  readonly files: Map<string, Buffer>;
  readonly drafts: Set<string>;
  wakes: number;
  disk: { freeBytes: number; totalBytes: number } | Error;
  ledger: Partial<Pick<Ledger, "accept" | "probe" | "stats">>;
  spool: { commit?: Error; link?: Error; remove?: Error; write?: Error; discard?: Error };
}

function open(changed: Partial<IntakeLimits> = {}): World {
  const time = new VirtualTime();
  const kept = keeping();
  const world: World = {
    intake: undefined as unknown as Intake,
    time,
    calls: [],
    items: [],
    files: new Map(),
    drafts: new Set(),
    wakes: 0,
    disk: { freeBytes: 900, totalBytes: 1_000 },
    ledger: {},
    spool: {},
  };
  const { calls, files, drafts } = world;
  const failing = (error: Error | undefined): void => {
    if (error !== undefined) throw error;
  };
  let names = 0;
  const draftOf = (id: string): SpoolDraft => {
    const held: Uint8Array[] = [];
    return {
      async write(plain) {
        failing(world.spool.write);
        held.push(Buffer.from(plain));
      },
      async commit() {
        calls.push("fsync file", "rename", "fsync directory");
        failing(world.spool.commit);
        drafts.delete(id);
        const bytes = Buffer.concat(held);
        files.set(id, bytes);
        return { name: id, sha256: createHash("sha256").update(bytes).digest("hex") };
      },
      async discard() {
        calls.push("discard");
        drafts.delete(id);
        failing(world.spool.discard);
      },
    };
  };
  const spool: Spool = {
    async create() {
      const id = `file-${++names}`;
      drafts.add(id);
      calls.push("draft");
      return draftOf(id);
    },
    read: async () => undefined,
    async link(name) {
      failing(world.spool.link);
      const second = `file-${++names}`;
      files.set(second, files.get(name) ?? Buffer.alloc(0));
      calls.push("link");
      return second;
    },
    async remove(name) {
      calls.push(`remove ${name}`);
      failing(world.spool.remove);
      files.delete(name);
    },
    async *list() {},
    sweepDrafts: async () => 0,
  };
  const ports: IntakePorts = {
    ledger: {
      async accept(items) {
        calls.push("ledger commit");
        world.items.push(...items);
        return (
          (await world.ledger.accept?.(items)) ??
          items.map(({ eventId }): Accepted => ({ eventId, outcome: "new", routeAdded: false }))
        );
      },
      async probe(ms) {
        calls.push("probe");
        await world.ledger.probe?.(ms);
      },
      stats: async (now) =>
        (await world.ledger.stats?.(now)) ?? ({ backlog: 0 } as Awaited<ReturnType<Ledger["stats"]>>),
    },
    spool,
    sealer: openSealer,
    clock: time.clock(),
    random: plainRandom(),
    log: kept.log,
    metrics: kept.metrics,
    async disk() {
      if (world.disk instanceof Error) throw world.disk;
      return world.disk;
    },
    wake: () => void world.wakes++,
  };
  return Object.assign(world, { intake: openIntake({ ...limits, ...changed }, ports) });
}

const envelope = (tenant = "acme", routes = [`deals@in.${tenant}.test`]): Envelope => ({
  kind: "smtp",
  tenant,
  routes,
  received_at: 1,
  smtp: { remote_ip: "192.0.2.1", helo: "mx.test", tls: null, mail_from: "ada@people.test", rcpt_to: routes },
});

/** A mail of exactly so many bytes, in chunks. */
async function* mail(bytes: number, headers = "Message-ID: <m1@people.test>\r\n\r\n"): AsyncIterable<Uint8Array> {
  const whole = Buffer.alloc(bytes, "x");
  whole.write(headers);
  for (let start = 0; start < bytes; start += 100) yield whole.subarray(start, start + 100);
}

async function* mailOf(whole: Uint8Array): AsyncIterable<Uint8Array> {
  yield whole;
}

async function refusalOf(work: Promise<unknown>): Promise<Refusal["kind"]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NotAccepted);
  return (error as NotAccepted).refusal.kind;
}

describe("accepting a message", () => {
  test.each([
    [inlineBytes - 1, "inline"],
    [inlineBytes, "inline"],
    [inlineBytes + 1, "spool"],
  ] as const)("of %i bytes keeps them %s", async (bytes, kind) => {
    const world = open();
    const receipts = await world.intake.accept(mail(bytes), [envelope()]);
    expect(receipts).toEqual([{ eventId: "event-0001", tenant: "acme", outcome: "new" }]);
    expect(world.items[0]).toMatchObject({
      raw: { kind },
      rawSize: bytes,
      messageId: "<m1@people.test>",
      tenant: "acme",
    });
    expect(world.wakes).toBe(1);
    expect(world.drafts.size).toBe(0);
  });

  test("from a source that uses the memory of its chunks again gives the same bytes and the same identity", async () => {
    async function* lent(whole: Buffer): AsyncIterable<Uint8Array> {
      yield Buffer.from(whole.subarray(0, keepableBytes));
      const memory = Buffer.alloc(10_000);
      for (let start = keepableBytes; start < whole.length; start += memory.length) {
        yield memory.subarray(0, whole.copy(memory, 0, start));
        memory.fill("#");
      }
    }
    // Most of it header, so that what is hashed of it is less than what may be kept.
    const trace = "X-Trace: of no importance\r\n".repeat(2_300);
    const whole = Buffer.from(`${trace}Message-ID: <m1@people.test>\r\n\r\n${"a line\r\n".repeat(2_000)}`);
    const kinds = [1_000, 1_000_000].map((inline) => open({ inlineBytes: inline, maxBytes: 1_000_000 }));
    for (const world of kinds) {
      world.disk = { freeBytes: 10_000_000, totalBytes: 10_000_000 };
      await world.intake.accept(lent(whole), [envelope()]);
      await world.intake.accept(mailOf(whole), [envelope()]);
      const [of, expected] = world.items;
      expect(of?.digest).toBe(expected?.digest);
      expect(of?.rawSha256).toBe(createHash("sha256").update(whole).digest("hex"));
    }
    expect([...(kinds[0]?.files.values() ?? [])].map((bytes) => bytes.equals(whole))).toEqual([true, true]);
  });

  test("has the file, its name and its directory on disk before the row, and the row before anybody is told", async () => {
    const world = open();
    await world.intake.accept(mail(1_000), [envelope(), envelope("globex")]);
    expect(world.calls).toEqual(["draft", "fsync file", "rename", "fsync directory", "link", "ledger commit"]);
    expect([...world.files.values()].map(({ length }) => length)).toEqual([1_000, 1_000]);
  });

  test("does not say yes while the commit is under way", async () => {
    const world = open();
    const commit = Promise.withResolvers<Accepted[]>();
    world.ledger.accept = () => commit.promise;
    let told = false;
    const accepted = world.intake.accept(mail(50), [envelope()]).then(() => {
      told = true;
    });
    await turn();
    expect(told).toBe(false);
    expect(world.wakes).toBe(0);
    commit.resolve([{ eventId: "event-0001", outcome: "new", routeAdded: false }]);
    await accepted;
  });

  test("gives the same identity whatever the chunks, and the same for a mail with another trace", async () => {
    const world = open();
    const text = "Message-ID: <m1@people.test>\r\nSubject: x\r\n\r\nbody\r\n";
    async function* bytes(of: string, size: number): AsyncIterable<Uint8Array> {
      for (let start = 0; start < of.length; start += size) yield Buffer.from(of.slice(start, start + size));
    }
    for (const size of [1, 7, 1_000]) await world.intake.accept(bytes(text, size), [envelope()]);
    await world.intake.accept(bytes(`Received: by another.test\r\n${text}`, 9), [envelope()]);
    expect(new Set(world.items.map(({ digest }) => digest)).size).toBe(1);
    expect(new Set(world.items.map(({ rawSha256 }) => rawSha256)).size).toBe(2);
  });

  test("takes a hundred recipients, with a label that every seal has room for", async () => {
    const world = open();
    const routes = Array.from({ length: 100 }, (_, index) => `deals+number-${index}@in.acme.test`);
    await world.intake.accept(mail(50), [envelope("acme", routes)]);
    expect(world.items[0]?.envelope.routes).toHaveLength(100);
    const raw = world.items[0]?.raw;
    if (raw?.kind !== "inline") throw new Error("not inline");
    const { label } = openSealer.open(raw.sealed);
    expect(Buffer.byteLength(label)).toBeLessThanOrEqual(1_024);
    expect(JSON.parse(label)).toMatchObject({
      v: 1,
      events: [{ event_id: "event-0001", envelope: { tenant: "acme", routes: [routes[0]] } }],
    });
  });

  test("labels what was sealed with all of the envelope where there is room, and never with more than there is", () => {
    const events = (count: number, size: number) =>
      Array.from({ length: count }, (_, index) => ({
        event_id: `event-${index}`,
        envelope: envelope(`t${index}`, ["r".repeat(size)]),
      }));
    expect(JSON.parse(labelOf(events(1, 10)))).toEqual({ v: 1, events: events(1, 10) });
    for (const [count, size] of [
      [1, 900],
      [1, 5_000],
      [3, 100],
      [40, 20],
    ] as const)
      expect(Buffer.byteLength(labelOf(events(count, size)))).toBeLessThanOrEqual(1_024);
  });
});

describe("refusing a message", () => {
  test("that is one byte too large, at that byte, keeping nothing", async () => {
    const world = open();
    let read = 0;
    async function* endless(): AsyncIterable<Uint8Array> {
      for (;;) {
        read += 100;
        yield Buffer.alloc(100, "x");
      }
    }
    expect(await refusalOf(world.intake.accept(endless(), [envelope()]))).toBe("too_large");
    expect(read).toBe(limits.maxBytes + 100);
    expect(world.calls).toEqual(["draft", "discard"]);
    expect(world.drafts.size).toBe(0);
    await world.intake.accept(mail(limits.maxBytes), [envelope()]);
  });

  test("that has been handed on by more than fifty relays", async () => {
    const world = open();
    const hops = (count: number) => `${"Received: x\r\n".repeat(count)}\r\n`;
    expect(await refusalOf(world.intake.accept(mail(1_900, hops(51)), [envelope()]))).toBe("loop");
    expect(world.drafts.size).toBe(0);
    expect(world.items).toEqual([]);
    await world.intake.accept(mail(1_900, hops(50)), [envelope()]);
  });

  test.each([50, 1_000])("whose stream ends in an error after %i bytes, keeping nothing of it", async (bytes) => {
    const world = open();
    const gone = new Error("the peer went away");
    async function* broken(): AsyncIterable<Uint8Array> {
      yield* mail(bytes);
      throw gone;
    }
    await expect(world.intake.accept(broken(), [envelope()])).rejects.toBe(gone);
    expect([...world.files.keys(), ...world.drafts]).toEqual([]);
    expect(world.items).toEqual([]);
    expect(world.wakes).toBe(0);
  });

  test.each(["write", "commit", "link"] as const)(
    "when the spool fails at %s, in a way that the sender tries again",
    async (call) => {
      const world = open();
      world.spool[call] = new Error("ENOSPC");
      expect(await refusalOf(world.intake.accept(mail(1_000), [envelope(), envelope("globex")]))).toBe("store_failed");
      expect(world.items).toEqual([]);
    },
  );

  test("says why it was refused, also when the draft cannot be discarded", async () => {
    const world = open();
    world.spool = { commit: new Error("ENOSPC"), discard: new Error("EIO") };
    expect(await refusalOf(world.intake.accept(mail(1_000), [envelope()]))).toBe("store_failed");
  });

  test("when the ledger fails keeps the spool file, for the commit may be on disk, and has the road look", async () => {
    const world = open();
    world.ledger.accept = () => Promise.reject(new Error("fsync failed"));
    expect(await refusalOf(world.intake.accept(mail(1_000), [envelope()]))).toBe("store_failed");
    expect(world.files.size).toBe(1);
    expect(world.calls).not.toContain("discard");
    expect(world.wakes).toBe(1);
  });
});

describe("the same message again", () => {
  test("is one event, also when the commit that was refused turns out to be durable", async () => {
    const world = open();
    const ledger = await openLedger({ path: ":memory:", thread: "calling" });
    let fails = true;
    world.ledger.accept = async (items) => {
      const answers = await ledger.accept(items);
      if (!fails) return answers;
      fails = false;
      throw new Error("fsync failed after the commit");
    };
    expect(await refusalOf(world.intake.accept(mail(1_000), [envelope()]))).toBe("store_failed");
    const [receipt] = await world.intake.accept(mail(1_000), [envelope()]);
    expect(receipt?.outcome).toBe("duplicate");
    const rows = await ledger.find({ limit: 10 });
    expect(rows.map(({ eventId }) => eventId)).toEqual([receipt?.eventId]);
    const [raw] = rows.map(({ raw }) => raw);
    expect([...world.files.keys()]).toEqual(raw?.kind === "spool" ? [raw.name] : []);
    await ledger.close();
  });

  test("leaves no second file in the spool, and is not refused when that one cannot be removed", async () => {
    const world = open();
    world.ledger.accept = async (items) =>
      items.map(() => ({ eventId: "event-9", outcome: "duplicate", routeAdded: false }));
    await world.intake.accept(mail(1_000), [envelope()]);
    expect(world.files.size).toBe(0);
    world.spool.remove = new Error("EIO");
    expect(await world.intake.accept(mail(1_000), [envelope()])).toMatchObject([
      { outcome: "duplicate", eventId: "event-9" },
    ]);
  });

  test("keeps the file of a conflict: that is another mail", async () => {
    const world = open();
    world.ledger.accept = async (items) =>
      items.map(({ eventId }) => ({ eventId, outcome: "conflict", routeAdded: false }));
    await world.intake.accept(mail(1_000), [envelope()]);
    expect(world.files.size).toBe(1);
  });
});

interface Squeeze {
  readonly what: string;
  readonly disk?: World["disk"];
  readonly ledger?: World["ledger"];
  readonly reason?: string;
}

const squeezes: readonly Squeeze[] = [
  { what: "there is room" },
  {
    what: "the disk has less than its reserve",
    disk: { freeBytes: 99, totalBytes: 1_000 },
    reason: "insufficient system storage",
  },
  { what: "the disk cannot be examined", disk: new Error("ENOENT"), reason: "cannot be examined" },
  {
    what: "the ledger is locked",
    ledger: { probe: () => Promise.reject(new Error("SQLITE_BUSY")) },
    reason: "locked",
  },
  {
    what: "too many events wait",
    ledger: { stats: async () => ({ backlog: 3 }) as Awaited<ReturnType<Ledger["stats"]>> },
    reason: "3 events wait",
  },
];

describe("pressure", () => {
  test.each(squeezes)("when $what", async ({ disk, ledger, reason }) => {
    const world = open();
    if (disk !== undefined) world.disk = disk;
    if (ledger !== undefined) world.ledger = ledger;
    const answer = await world.intake.pressure();
    if (reason === undefined) expect(answer).toBeUndefined();
    else expect(answer).toEqual({ kind: "busy", reason: expect.stringContaining(reason) });
  });

  test("is asked of disk and ledger once a second, however many ask, and again at once after a failed commit", async () => {
    const world = open();
    const probes = () => world.calls.filter((call) => call === "probe").length;
    await Promise.all([world.intake.pressure(), world.intake.pressure(), world.intake.pressure()]);
    await world.intake.pressure();
    expect(probes()).toBe(1);
    await world.time.advance(1_000);
    await world.intake.pressure();
    expect(probes()).toBe(2);
    world.ledger.accept = () => Promise.reject(new Error("no"));
    await refusalOf(world.intake.accept(mail(50), [envelope()]));
    await world.intake.pressure();
    expect(probes()).toBe(3);
  });

  test("counts what comes between two looks, so that a burst cannot run past the cap", async () => {
    const world = open();
    await world.intake.pressure();
    for (let sent = 0; sent < 3; sent++) await world.intake.accept(mail(50), [envelope()]);
    expect(await world.intake.pressure()).toMatchObject({ kind: "busy" });
  });

  test("of a message whose declared size would eat into the reserve is known before it begins", async () => {
    const world = open();
    world.disk = { freeBytes: 300, totalBytes: 1_000 };
    expect(await world.intake.pressure(200)).toBeUndefined();
    expect(await world.intake.pressure(201)).toEqual({
      kind: "busy",
      reason: "insufficient system storage: 200 bytes free above the reserve, the message needs 201",
    });
  });

  test("counts the bytes that came since the last look against the room that was there", async () => {
    const world = open();
    world.disk = { freeBytes: 300, totalBytes: 1_000 };
    await world.intake.pressure();
    await world.intake.accept(mail(150), [envelope()]);
    expect(await world.intake.pressure(100)).toMatchObject({ kind: "busy" });
  });

  test("stops a message that grows into the reserve, and takes it where a look shows that there is room after all", async () => {
    const world = open();
    world.disk = { freeBytes: 1_000, totalBytes: 1_000 };
    await world.intake.pressure();
    world.disk = { freeBytes: 120, totalBytes: 1_000 };
    expect(await refusalOf(world.intake.accept(mail(1_500), [envelope()]))).toBe("busy");
    expect(world.drafts.size).toBe(0);
    expect(world.items).toHaveLength(0);
    world.disk = { freeBytes: 10_000, totalBytes: 1_000 };
    expect(await world.intake.accept(mail(1_500), [envelope()])).toHaveLength(1);
  });

  test("gives the room that one look finds to as many as it is enough for, however many waited for that look", async () => {
    const world = open();
    world.disk = { freeBytes: 100, totalBytes: 1_000 };
    await world.intake.pressure();
    world.disk = { freeBytes: 200, totalBytes: 1_000 };
    const both = [0, 1].map(() => world.intake.accept(mail(80), [envelope()]));
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  test("is looked at anew when the clock was set back, not trusted for as long as it was", async () => {
    const world = open();
    world.disk = { freeBytes: 1, totalBytes: 1_000 };
    await world.intake.pressure();
    world.time.jump(-864_000_000);
    world.disk = { freeBytes: 900, totalBytes: 1_000 };
    expect(await world.intake.pressure()).toBeUndefined();
  });
});
