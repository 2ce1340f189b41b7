import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Blobs, Spool } from "../../src/model/blob.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import { Refused } from "../../src/model/outcome.ts";
import { archiveSettled, nothingSetAside } from "../../src/pipeline/archive.ts";
import { openRaw } from "../../src/pipeline/raw.ts";
import { purgeByAge, type RetainPorts, startRetaining, sweepSpool } from "../../src/pipeline/retain.ts";
import { openLedger } from "../../src/store/index.ts";
import { Chance } from "../simulation/chance.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { type MemoryDisk, openMemoryDisk } from "../simulation/disk.ts";
import { Life, mortal } from "../simulation/life.ts";
import { type Kept, keeping, openSealer } from "./fakes.ts";

const hour = 3_600_000;
const day = 24 * hour;
let time: VirtualTime;
let ledger: Ledger;
let disk: MemoryDisk;
let kept: Kept;

beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  disk = openMemoryDisk(openSealer, time.clock(), new Chance("retain"));
  kept = keeping();
});
afterEach(() => ledger.close());

const ports = (changes: Partial<RetainPorts> = {}): RetainPorts => ({
  ledger,
  spool: disk.spool,
  blobs: disk.blobs,
  clock: time.clock(),
  log: kept.log,
  metrics: kept.metrics,
  maintain: async () => undefined,
  ...changes,
});

/** A spool file as accept leaves it. */
async function spooled(text: string): Promise<string> {
  const draft = await disk.spool.create("label");
  await draft.write(Buffer.from(text));
  return (await draft.commit()).name;
}

/** A message that is done with: planned, and skipped. */
async function settled(event: string, place: "inline" | "spool", tenant = "acme"): Promise<void> {
  const now = time.trueNow;
  const text = `raw of ${event}`;
  const raw =
    place === "inline"
      ? ({ kind: "inline", sealed: openSealer.seal(Buffer.from(text), "raw") } as const)
      : ({ kind: "spool", name: await spooled(text) } as const);
  await ledger.accept([
    {
      eventId: event,
      tenant,
      messageId: `<${event}@people.test>`,
      digest: Buffer.from(event).toString("hex").padEnd(64, "0"),
      receivedAt: now,
      envelope: { kind: "smtp", tenant, routes: ["deals@in.test"], received_at: now },
      rawSha256: "0".repeat(64),
      rawSize: text.length,
      raw,
    },
  ]);
  const [attempt] = await ledger.attempt({ tenants: [tenant], room: 1, now, leaseMs: 1_000 });
  if (attempt === undefined) throw new Error("nothing to prepare");
  const decision = { kind: "skip", rule: "automated.bulk", reason: "bulk" } as const;
  await ledger.prepare([
    {
      eventId: event,
      lease: attempt.lease,
      now,
      sealedEvent: Buffer.from("event"),
      schemaVersion: 1,
      mappingVersion: 1,
      parseStatus: "ok",
      threadKey: event,
      deliveries: [{ lane: `${tenant}/crm`, decision }],
    },
  ]);
}

async function rawOf(event: string): Promise<string> {
  const [row] = await ledger.find({ event, limit: 1 });
  if (row === undefined) throw new Error(`there is no ${event}`);
  // Nothing of this file's seal hides: what is inline was sealed whole, what went through a file by the stream that seals nothing.
  const raw = await openRaw(row, row.raw, await ledger.raw(event), { ...disk, sealer: openSealer });
  const chunks: Uint8Array[] = [];
  for await (const chunk of raw) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return text.startsWith("{") ? Buffer.from(openSealer.open(Buffer.from(text)).plain).toString("utf8") : text;
}

describe("archiving", () => {
  test("moves the bytes of what is settled to the attic, and leaves nothing in the ledger or the spool", async () => {
    await settled("e1", "inline");
    await settled("e2", "spool");
    expect(await archiveSettled(ports())).toBe(2);
    const rows = await ledger.find({ limit: 9 });
    expect(rows.map(({ raw }) => raw.kind)).toEqual(["blob", "blob"]);
    expect(disk.spooled.size).toBe(0);
    expect(await ledger.raw("e1")).toBeUndefined();
    expect([await rawOf("e1"), await rawOf("e2")]).toEqual(["raw of e1", "raw of e2"]);
    expect(await archiveSettled(ports())).toBe(0);
  });

  /** Every look at this spool file, or at this key, fails as a bad sector does. */
  const ill = <T extends object>(target: T, what: string): T =>
    new Proxy(target, {
      get(object, key) {
        const member: unknown = Reflect.get(object, key);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (args[0] === what) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
          return Reflect.apply(member, object, args) as unknown;
        };
      },
    });

  async function spoolNameOf(event: string): Promise<string> {
    const [row] = await ledger.find({ event, limit: 1 });
    return row?.raw.kind === "spool" ? row.raw.name : "";
  }

  describe("where each tenant has a store of its own", () => {
    const away = new Refused({ kind: "blocked", reason: "the bucket acme-mail refuses" });
    /** Writes down another name than the key, and takes nothing of tenant acme while `isAway`. */
    function stores(isAway: () => boolean): Blobs {
      const put: Blobs["put"] = async (key, sealed) => {
        if (key.startsWith("raw/acme/") && isAway()) throw away;
        return { ...(await disk.blobs.put(`there/${key}`, sealed)), ref: `there/${key}` };
      };
      return { ...disk.blobs, put };
    }

    test("writes down what the store says, and finds the message by it", async () => {
      await settled("e1", "inline");
      await settled("e2", "spool");
      expect(await archiveSettled(ports({ blobs: stores(() => false) }))).toBe(2);
      const [row] = await ledger.find({ event: "e1", limit: 1 });
      expect(row?.raw).toEqual({ kind: "blob", key: "there/raw/acme/e1//e1" });
      expect([await rawOf("e1"), await rawOf("e2")]).toEqual(["raw of e1", "raw of e2"]);
    });

    test("writes down the store also of a message that was moved before a crash, and whose spool file is gone", async () => {
      await settled("e1", "spool");
      const there = stores(() => false);
      const key = "raw/acme/e1//e1";
      await there.put(key, (async function* () {})());
      await disk.spool.remove(await spoolNameOf("e1"));
      const found = { ...there, refOf: async (asked: string) => (asked === key ? `there/${asked}` : undefined) };
      expect(await archiveSettled(ports({ blobs: found }))).toBe(1);
      expect((await ledger.find({ event: "e1", limit: 1 }))[0]?.raw).toEqual({ kind: "blob", key: `there/${key}` });
    });

    test("moves the others' mail while one takes nothing, says so once, and asks again a minute later", async () => {
      let isAway = true;
      for (let index = 0; index < 70; index++) await settled(`a${index}`, index % 2 === 0 ? "spool" : "inline");
      for (let index = 0; index < 3; index++) await settled(`o${index}`, "inline", "other");
      const mine = ports({ blobs: stores(() => isAway) });
      const aside = nothingSetAside();
      expect(await archiveSettled(mine, () => true, aside)).toBe(3);
      expect(await archiveSettled(mine, () => true, aside)).toBe(0);
      const told = kept.lines.filter(({ level }) => level === "error");
      // Those that were on their way together each say it.
      expect(told.length).toBeLessThanOrEqual(8);
      expect(told[0]).toMatchObject({ fields: { tenant: "acme", kind: "blocked" } });
      expect(await rawOf("a0")).toBe("raw of a0");
      isAway = false;
      await time.advance(60_000);
      expect(await archiveSettled(mine, () => true, aside)).toBe(70);
      expect(disk.spooled.size).toBe(0);
    });

    test("does not ask a store hundreds of times to delete that has refused three times", async () => {
      for (let index = 0; index < 20; index++) await settled(`e${index}`, "inline");
      const there: Blobs = {
        ...disk.blobs,
        put: async (key, sealed) => ({ ...(await disk.blobs.put(key, sealed)), ref: `s3:mail/${key}` }),
      };
      await archiveSettled(ports({ blobs: there }));
      await time.advance(100 * day);
      let asked = 0;
      const refusing: Blobs["delete"] = async () => {
        asked++;
        throw away;
      };
      const mine = ports({ blobs: { ...there, delete: refusing } });
      expect(await purgeByAge({ rawMs: day, eventMs: null }, false, mine)).toMatchObject({ raws: 0 });
      expect(asked).toBe(3);
      expect((await ledger.find({ limit: 100 })).every(({ raw }) => raw.kind === "blob")).toBe(true);
    });
  });

  test("goes on past a spool file that cannot be read, leaves it where it is, and looks again an hour later", async () => {
    await settled("e1", "spool");
    for (let index = 2; index < 80; index++) await settled(`e${index}`, index % 2 === 0 ? "spool" : "inline");
    const mine = ports({ spool: ill(disk.spool, await spoolNameOf("e1")) });
    const aside = nothingSetAside();
    expect(await archiveSettled(mine, () => true, aside)).toBe(78);
    expect(await archiveSettled(mine, () => true, aside)).toBe(0);
    expect(kept.lines.filter(({ level }) => level === "error")).toMatchObject([{ fields: { event_id: "e1" } }]);
    expect(await rawOf("e1")).toBe("raw of e1");
    await time.advance(hour);
    expect(await archiveSettled(ports(), () => true, aside)).toBe(1);
    expect(await rawOf("e1")).toBe("raw of e1");
  });

  test("never says of bytes that they are in the attic when they are nowhere", async () => {
    await settled("e1", "spool");
    await settled("e2", "spool");
    await disk.spool.remove(await spoolNameOf("e1"));
    expect(await archiveSettled(ports())).toBe(1);
    const rows = await ledger.find({ limit: 9 });
    expect(rows.map(({ eventId, raw }) => [eventId, raw.kind])).toEqual([
      ["e2", "blob"],
      ["e1", "spool"],
    ]);
    expect(kept.lines).toMatchObject([{ level: "error", fields: { event_id: "e1" } }]);
  });

  test("stops when live mail comes", async () => {
    for (let index = 0; index < 70; index++) await settled(`e${index}`, "inline");
    let rounds = 0;
    expect(await archiveSettled(ports(), () => rounds++ < 1)).toBe(64);
  });

  test("a process that dies at any of its calls, before or after it, leaves every message readable; the next one finishes", async () => {
    for (const moment of ["before", "after"] as const) {
      for (let nth = 0; nth < 12; nth++) {
        await ledger.close();
        ledger = await openLedger({ path: ":memory:", thread: "calling" });
        disk = openMemoryDisk(openSealer, time.clock(), new Chance(`${moment} ${nth}`));
        await settled("e1", "inline");
        await settled("e2", "spool");
        let calls = 0;
        const life = new Life(
          1,
          () => (calls++ === nth ? moment : undefined),
          () => undefined,
        );
        const mine = ports({
          ledger: mortal(life, "ledger", ledger),
          spool: mortal(life, "spool", disk.spool),
          blobs: mortal(life, "blobs", disk.blobs),
        });
        await Promise.race([archiveSettled(mine), life.died]);
        disk.crash();
        expect([await rawOf("e1"), await rawOf("e2")]).toEqual(["raw of e1", "raw of e2"]);
        await archiveSettled(ports());
        expect([await rawOf("e1"), await rawOf("e2")]).toEqual(["raw of e1", "raw of e2"]);
        expect((await ledger.stats(time.trueNow)).unarchived).toBe(0);
      }
    }
  });
});

describe("purging", () => {
  const keepOne = { rawMs: day, eventMs: 2 * day };

  test("deletes by age, first the bytes and then the row's word of them, and reports what went", async () => {
    await settled("old", "spool");
    await archiveSettled(ports());
    await time.advance(day + 1);
    await settled("new", "inline");
    const calls: string[] = [];
    const telling = <T extends object>(name: string, target: T): T =>
      new Proxy(target, {
        get(object, key) {
          const member: unknown = Reflect.get(object, key);
          if (typeof member !== "function") return member;
          return (...args: { dryRun?: boolean }[]) => {
            calls.push(`${name}.${String(key)}${args[0]?.dryRun === true ? " dry" : ""}`);
            return Reflect.apply(member, object, args) as unknown;
          };
        },
      });
    const watched = ports({ ledger: telling("ledger", ledger), blobs: telling("blobs", disk.blobs) });
    expect(await purgeByAge(keepOne, false, watched)).toMatchObject({ raws: 1, events: 0 });
    expect(calls.slice(0, 4)).toEqual(["ledger.purge dry", "ledger.purge dry", "blobs.delete", "ledger.purge"]);
    expect(disk.archived.size).toBe(0);
    expect(await rawOf("new")).toBe("raw of new");
    await expect(rawOf("old")).rejects.toThrow("not there");
  });

  test("of a dry run changes nothing and says the same", async () => {
    await settled("old", "inline");
    await time.advance(3 * day);
    const dry = await purgeByAge(keepOne, true, ports());
    expect(dry).toMatchObject({ raws: 1, events: 1 });
    expect(await rawOf("old")).toBe("raw of old");
    expect(await purgeByAge(keepOne, false, ports())).toEqual(dry);
    expect(await purgeByAge(keepOne, false, ports())).toMatchObject({ raws: 0, rawBytes: 0, events: 0 });
  });

  test("spares a message that is worked again while others before it are deleted", async () => {
    await settled("e1", "inline");
    await settled("e2", "inline");
    await archiveSettled(ports());
    await time.advance(day + 1);
    const reopening: Blobs["delete"] = async (key) => {
      expect(await ledger.requeue({ kind: "reprocess", eventId: "e2", now: time.trueNow })).toBe(true);
      return await disk.blobs.delete(key);
    };
    const mine = ports({ blobs: { ...disk.blobs, delete: reopening } });
    expect(await purgeByAge(keepOne, false, mine)).toMatchObject({ raws: 1 });
    await expect(rawOf("e1")).rejects.toThrow("not there");
    expect(await rawOf("e2")).toBe("raw of e2");
  });

  test("keeps knowing of bytes that could not be deleted, deletes the others, and tries again", async () => {
    await settled("e1", "inline");
    await settled("e2", "inline");
    await archiveSettled(ports());
    await time.advance(day + 1);
    const failing: Blobs["delete"] = (key) =>
      key.endsWith("e1") ? Promise.reject(new Error("EACCES")) : disk.blobs.delete(key);
    const mine = ports({ blobs: { ...disk.blobs, delete: failing } });
    expect(await purgeByAge(keepOne, false, mine)).toMatchObject({ raws: 1 });
    expect(await rawOf("e1")).toBe("raw of e1");
    await expect(rawOf("e2")).rejects.toThrow("not there");
    expect(await purgeByAge(keepOne, false, ports())).toMatchObject({ raws: 1 });
    expect(disk.archived.size).toBe(0);
  });

  test("goes on past all that could not be deleted, however much it is", async () => {
    for (let n = 0; n < 520; n++) await settled(`e${n}`, "inline");
    await archiveSettled(ports());
    const last = "z-of-another-store";
    await settled(last, "inline");
    await archiveSettled(ports());
    await time.advance(day + 1);
    let asked = 0;
    const failing: Blobs["delete"] = (key) => {
      if (key.endsWith(last)) return disk.blobs.delete(key);
      asked++;
      return Promise.reject(new Error("EACCES"));
    };
    const mine = ports({ blobs: { ...disk.blobs, delete: failing } });
    expect(await purgeByAge(keepOne, false, mine)).toMatchObject({ raws: 1, failed: 520 });
    expect(asked).toBe(520);
    await expect(rawOf(last)).rejects.toThrow("not there");
    expect(await purgeByAge(keepOne, false, ports())).toMatchObject({ raws: 520, failed: 0 });
  });

  test("keeps for ever what nobody gave an age", async () => {
    await settled("old", "inline");
    await time.advance(4_000 * day);
    expect(await purgeByAge({ rawMs: null, eventMs: null }, false, ports())).toMatchObject({
      raws: 0,
      rawBytes: 0,
      events: 0,
      failed: 0,
    });
    expect(await rawOf("old")).toBe("raw of old");
  });

  test("that is cut off anywhere leaves nothing on disk that no row knows of, once it is run again", async () => {
    for (const moment of ["before", "after"] as const) {
      for (let nth = 0; nth < 6; nth++) {
        await ledger.close();
        ledger = await openLedger({ path: ":memory:", thread: "calling" });
        disk = openMemoryDisk(openSealer, time.clock(), new Chance(`purge ${moment} ${nth}`));
        await settled("old", "inline");
        await archiveSettled(ports());
        await time.advance(day + 1);
        let calls = 0;
        const life = new Life(
          1,
          () => (calls++ === nth ? moment : undefined),
          () => undefined,
        );
        const mine = ports({ ledger: mortal(life, "ledger", ledger), blobs: mortal(life, "blobs", disk.blobs) });
        await Promise.race([purgeByAge(keepOne, false, mine), life.died]);
        await purgeByAge(keepOne, false, ports());
        expect(disk.archived.size).toBe(0);
        expect(await ledger.find({ limit: 9 })).toMatchObject([{ raw: { kind: "gone" } }]);
      }
    }
  });
});

describe("the spool's broom", () => {
  async function swept(changes: Partial<RetainPorts> = {}): Promise<number> {
    const sweeping = sweepSpool(ports(changes));
    let count: number | undefined;
    void sweeping.then((found) => {
      count = found;
    });
    await time.until(() => count !== undefined);
    return await sweeping;
  }

  test("takes files that no row names and drafts that nobody finished, once they are an hour old", async () => {
    await settled("promised", "spool");
    await spooled("an orphan");
    await disk.spool.create("never finished");
    await time.advance(hour);
    await spooled("young");
    expect(await swept()).toBe(0);
    await time.advance(1);
    expect(await swept()).toBe(2);
    expect(disk.spooled.size).toBe(2);
    expect(await rawOf("promised")).toBe("raw of promised");
  });

  test("sweeps the attic's drafts too, and goes on past a file that cannot be removed", async () => {
    const stuck = await spooled("stuck");
    await spooled("an orphan");
    await time.advance(hour + 1);
    const remove: Spool["remove"] = (name) =>
      name === stuck ? Promise.reject(new Error("EACCES")) : disk.spool.remove(name);
    const olderThan: number[] = [];
    const sweepDrafts = async (old: number) => olderThan.push(old);
    const changes = { spool: { ...disk.spool, remove }, blobs: { ...disk.blobs, sweepDrafts } };
    expect(await swept(changes)).toBe(2);
    expect(olderThan).toEqual([time.trueNow - 60_000 - hour]);
    expect([...disk.spooled.keys()]).toEqual([stuck]);
  });

  test("never takes a promised file, however many rows there are to look through", async () => {
    for (let index = 0; index < 30; index++) await settled(`e${index}`, "spool");
    await time.advance(2 * hour);
    const find: Ledger["find"] = (query) => ledger.find({ ...query, limit: Math.min(query.limit, 7) });
    const pages = ports({ ledger: Object.assign(Object.create(ledger) as Ledger, ledger, { find }) });
    await spooled("an orphan");
    await time.advance(2 * hour);
    expect(await swept(pages)).toBe(1);
    expect(disk.spooled.size).toBe(30);
  });

  test("never takes the file of an accept under way, though a clock that leapt ahead makes it look old", async () => {
    const name = await spooled("on its way");
    time.jump(10 * day);
    const sweeping = sweepSpool(ports());
    await turn();
    await ledger.accept([
      {
        eventId: "late",
        tenant: "acme",
        messageId: null,
        digest: "1".repeat(64),
        receivedAt: time.trueNow,
        envelope: { kind: "smtp", tenant: "acme", routes: [], received_at: 1 },
        rawSha256: "0".repeat(64),
        rawSize: 1,
        raw: { kind: "spool", name },
      },
    ]);
    await time.advance(60_000);
    expect(await sweeping).toBe(0);
    expect(disk.spooled.has(name)).toBe(true);
  });
});

describe("retention at work", () => {
  const forever = { rawMs: null, eventMs: null };

  test("archives after it is woken, when no live mail is being worked", async () => {
    let busy = true;
    const retaining = startRetaining(forever, () => busy, ports());
    await time.advance(10_000);
    await settled("e1", "inline");
    retaining.wake();
    await time.advance(10_000);
    expect((await ledger.stats(time.trueNow)).unarchived).toBe(1);
    busy = false;
    await time.advance(10_000);
    expect((await ledger.stats(time.trueNow)).unarchived).toBe(0);
    const stopped = retaining.stop();
    await time.advance(5_000);
    await stopped;
  });

  test("goes on by itself when live mail cut it short and was done before it looked again", async () => {
    await settled("e1", "inline");
    let asked = 0;
    const retaining = startRetaining(forever, () => ++asked === 1, ports());
    await time.advance(10_000);
    expect((await ledger.stats(time.trueNow)).unarchived).toBe(0);
    const stopped = retaining.stop();
    await time.advance(5_000);
    await stopped;
  });

  test("purges once a day, also when nobody wakes it, and after the clock was set back", async () => {
    await settled("e1", "inline");
    const retaining = startRetaining({ rawMs: hour, eventMs: null }, () => false, ports());
    await time.advance(10_000);
    expect(await rawOf("e1")).toBe("raw of e1");
    await time.advance(day + 10_000);
    await expect(rawOf("e1")).rejects.toThrow("not there");
    time.jump(-10 * day);
    await settled("e2", "inline");
    await time.advance(3 * day);
    time.jump(10 * day);
    await time.advance(2 * day);
    await expect(rawOf("e2")).rejects.toThrow("not there");
    const stopped = retaining.stop();
    await time.advance(5_000);
    await stopped;
  });

  test("purges nothing in the hour for which the clock leaps ahead", async () => {
    await settled("e1", "inline");
    const retaining = startRetaining({ rawMs: 90 * day, eventMs: 90 * day }, () => false, ports());
    await time.advance(10_000);
    time.jump(365 * day);
    retaining.wake();
    await time.advance(hour);
    time.jump(-365 * day);
    await time.advance(2 * day);
    expect(await rawOf("e1")).toBe("raw of e1");
    const stopped = retaining.stop();
    await time.advance(5_000);
    await stopped;
  });

  test("goes on after a failing disk", async () => {
    await settled("e1", "inline");
    disk.failing(1);
    const retaining = startRetaining(forever, () => false, ports());
    await time.advance(20_000);
    expect(kept.lines.some(({ message }) => message.includes("attic could not be kept"))).toBe(true);
    disk.failing(0);
    await time.advance(20_000);
    expect((await ledger.stats(time.trueNow)).unarchived).toBe(0);
    const stopped = retaining.stop();
    await time.advance(5_000);
    await stopped;
  });
});
