import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Disk, realDisk, sharedDirectorySync } from "../../src/blobs/durable.ts";
import { openSpool } from "../../src/blobs/index.ts";
import type { Spool } from "../../src/model/blob.ts";
import { type Call, FailingDisk, folder } from "./disk.ts";
import { ring, spoolKinds } from "./spool-kinds.ts";
import { collected, cut, patterned } from "./streams.ts";

const mail = patterned(200_000);

async function fill(spool: Spool, bytes: Uint8Array = mail): Promise<string> {
  const draft = await spool.create("raw");
  for (const piece of cut(bytes, [16_384])) await draft.write(piece);
  return (await draft.commit()).name;
}

async function readBack(spool: Spool, name: string): Promise<{ plain: Buffer; label: string }> {
  const sealed = await spool.read(name);
  if (sealed === undefined) throw new Error("there is no such spool file");
  const { plain, label } = ring.open(await collected(sealed));
  return { plain: Buffer.from(plain), label };
}

async function namesOf(spool: Spool): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of spool.list()) names.push(name);
  return names.sort();
}

const mode = (path: string) => statSync(path).mode & 0o777;

describe.each(spoolKinds)("$name", ({ open, openFailing }) => {
  describe("a spool file", () => {
    test("holds the bytes sealed, under the name that commit gave", async () => {
      const dir = folder();
      const spool = await open(dir);
      const name = await fill(spool);
      expect(await readBack(spool, name)).toEqual({ plain: mail, label: "raw" });
      expect(await namesOf(spool)).toEqual([name]);
      expect(readdirSync(dir)).toEqual([name]);
    });

    test("is for its owner alone, and so is its directory", async () => {
      const dir = join(folder(), "spool");
      const spool = await open(dir);
      const draft = await spool.create("raw");
      const [made] = readdirSync(dir);
      expect(made).toMatch(/^tmp-/);
      expect(mode(join(dir, made ?? ""))).toBe(0o600);
      expect(mode(join(dir, (await draft.commit()).name))).toBe(0o600);
      expect(mode(dir)).toBe(0o700);
    });

    test("is synced, renamed and its directory synced, in this order, before its name is given out", async () => {
      const { spool, faults } = await openFailing(folder());
      await faults.mend();
      await fill(spool);
      const order = (await faults.calls()).filter((call) => call !== "write");
      expect(order).toEqual(["open", "sync", "close", "rename", "syncDirectory"]);
    });

    test("takes its name from the ids that are handed in", async () => {
      let count = 0;
      const spool = await open(folder(), { newId: () => `id-${++count}` });
      expect(await fill(spool)).toBe("id-1.sealed");
      expect(await spool.link("id-1.sealed")).toBe("id-2.sealed");
    });

    test("has a second name after link, and lives until both are removed", async () => {
      const spool = await open(folder());
      const first = await fill(spool);
      const second = await spool.link(first);
      expect(second).not.toBe(first);
      await spool.remove(first);
      await spool.remove(first);
      expect(await spool.read(first)).toBeUndefined();
      expect((await readBack(spool, second)).plain.equals(mail)).toBe(true);
      await spool.remove(second);
      expect(await namesOf(spool)).toEqual([]);
    });

    test("may be empty", async () => {
      const spool = await open(folder());
      expect((await readBack(spool, await fill(spool, new Uint8Array(0)))).plain).toHaveLength(0);
    });

    test("that is not there cannot get a second name", async () => {
      const spool = await open(folder());
      await expect(spool.link("gone.sealed")).rejects.toMatchObject({ code: "ENOENT" });
      expect(await spool.read("gone.sealed")).toBeUndefined();
    });

    test.skipIf(!existsSync("/proc/self/fd"))(
      "leaves no open file behind when its reader goes away early",
      async () => {
        const spool = await open(folder());
        const name = await fill(spool, patterned(3_000_000));
        const before = readdirSync("/proc/self/fd").length;
        for (let round = 0; round < 20; round += 1) {
          const sealed = await spool.read(name);
          for await (const part of sealed ?? []) if (part.length > 0) break;
        }
        expect(readdirSync("/proc/self/fd").length).toBeLessThan(before + 10);
      },
    );

    test.each([
      "../x.sealed",
      "a/b.sealed",
      "tmp-x",
      "x",
      ".sealed",
      "..",
      "x.sealed\n",
      `${"x".repeat(65)}.sealed`,
      "x\0.sealed",
    ])("is never looked for by a name from outside like %j", async (name) => {
      const spool = await open(folder());
      await expect(spool.read(name)).rejects.toBeInstanceOf(RangeError);
      await expect(spool.link(name)).rejects.toBeInstanceOf(RangeError);
      await expect(spool.remove(name)).rejects.toBeInstanceOf(RangeError);
    });
  });

  describe("a draft", () => {
    test("tells the SHA-256 of its plain bytes when it is committed", async () => {
      const draft = await (await open(folder())).create("raw");
      for (const piece of cut(mail, [70_000, 1])) await draft.write(piece);
      expect((await draft.commit()).sha256).toBe(createHash("sha256").update(mail).digest("hex"));
    });

    test("takes calls in their order, also from a caller who does not wait", async () => {
      const spool = await open(folder());
      const drafts = await Promise.all(["a", "b", "c"].map((label) => spool.create(label)));
      const pieces = [...cut(patterned(3_000_000), [100_000, 7, 300_000])];
      const names = drafts.map(async (draft) => {
        const writes = pieces.map((piece) => draft.write(piece));
        const { name } = await draft.commit();
        await Promise.all(writes);
        return name;
      });
      for (const [index, name] of (await Promise.all(names)).entries()) {
        const { plain, label } = await readBack(spool, name);
        expect(plain.equals(Buffer.concat(pieces))).toBe(true);
        expect(label).toBe("abc"[index]);
      }
    });

    test("is gone after discard, also twice, and takes nothing more", async () => {
      const dir = folder();
      const spool = await open(dir);
      const draft = await spool.create("raw");
      await draft.write(mail);
      await draft.discard();
      await draft.discard();
      expect(readdirSync(dir)).toEqual([]);
      await expect(draft.write(mail)).rejects.toThrow(/discarded/);
      await expect(draft.commit()).rejects.toThrow();
    });

    test("whose label cannot be sealed leaves no file", async () => {
      const dir = folder();
      const spool = await open(dir);
      await expect(spool.create("x".repeat(2_000))).rejects.toBeInstanceOf(RangeError);
      expect(readdirSync(dir)).toEqual([]);
    });

    test("that was committed is not undone by a late discard", async () => {
      const spool = await open(folder());
      const draft = await spool.create("raw");
      await draft.write(mail);
      const { name } = await draft.commit();
      await draft.discard();
      expect((await readBack(spool, name)).plain.equals(mail)).toBe(true);
    });

    test("discarded in the middle of a write ends that write and is gone", async () => {
      const dir = folder();
      const spool = await open(dir);
      const draft = await spool.create("raw");
      const writing = draft.write(patterned(5_000_000)).then(
        () => "written",
        () => "ended",
      );
      await draft.discard();
      expect(["written", "ended"]).toContain(await writing);
      expect(readdirSync(dir)).toEqual([]);
    });

    test("is no spool file: it is not listed, and a sweep takes it when it is old", async () => {
      const dir = folder();
      const spool = await open(dir);
      const kept = await fill(spool);
      for (const name of ["tmp-left-by-a-crash", "tmp-young"]) writeFileSync(join(dir, name), "x");
      utimesSync(join(dir, "tmp-left-by-a-crash"), 1_000, 1_000);
      utimesSync(join(dir, "tmp-young"), 3_000, 3_000);
      utimesSync(join(dir, kept), 1_000, 1_000);
      expect(await namesOf(spool)).toEqual([kept]);
      expect(await spool.sweepDrafts(2_000_000)).toBe(1);
      expect(readdirSync(dir).sort()).toEqual([kept, "tmp-young"].sort());
    });

    test("that is being written is not swept, whatever its age looks like", async () => {
      const dir = folder();
      const spool = await open(dir);
      const draft = await spool.create("raw");
      await draft.write(mail);
      expect(await spool.sweepDrafts(Number.MAX_SAFE_INTEGER)).toBe(0);
      expect((await readBack(spool, (await draft.commit()).name)).plain.equals(mail)).toBe(true);
    });
  });

  describe("a disk that fails", () => {
    const faults = (["open", "write", "sync", "close", "rename", "syncDirectory"] as const).flatMap((call) =>
      (["ENOSPC", "EIO"] as const).map((code): [Call, "ENOSPC" | "EIO"] => [call, code]),
    );

    test.each(faults)(
      "in %s with %s: the draft rejects with it, leaves nothing, and the next one works",
      async (call, code) => {
        const dir = folder();
        const { spool, faults } = await openFailing(dir);
        await faults.failAt(call, code);
        await expect(fill(spool)).rejects.toMatchObject({ code });
        expect(readdirSync(dir)).toEqual([]);
        await faults.mend();
        expect((await readBack(spool, await fill(spool))).plain.equals(mail)).toBe(true);
      },
    );

    test("at any write of a long message: no part of it stays", async () => {
      const dir = folder();
      const { spool, faults } = await openFailing(dir);
      for (let nth = 1; nth <= 5; nth += 1) {
        await faults.failAt("write", "ENOSPC", nth);
        await expect(fill(spool)).rejects.toMatchObject({ code: "ENOSPC" });
        expect(readdirSync(dir)).toEqual([]);
      }
    });
  });
});

describe("a disk that fails on the calling thread", () => {
  test("after linking: the second name is taken back, the first stays", async () => {
    const dir = folder();
    const failing = new FailingDisk();
    const spool = await openSpool(dir, ring, { disk: failing.disk });
    const name = await fill(spool);
    failing.failAt("syncDirectory", "EIO");
    await expect(spool.link(name)).rejects.toMatchObject({ code: "EIO" });
    expect(readdirSync(dir)).toEqual([name]);
  });
});

describe("syncing a directory for many", () => {
  /** Syncs that end when told to. */
  function heldDisk() {
    const running: { end: () => void; fail: (error: Error) => void }[] = [];
    const sync = () => new Promise<void>((end, fail) => running.push({ end, fail }));
    const disk = { ...realDisk, open: async () => ({ sync, close: async () => undefined }) } as unknown as Disk;
    return { disk, running };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test("lets whoever comes during a sync share the next one, and nobody the running one", async () => {
    const { disk, running } = heldDisk();
    const sync = sharedDirectorySync("dir", disk);
    const told: string[] = [];
    const tell = (who: string) => void sync().then(() => told.push(who));
    tell("first");
    await settled();
    tell("second");
    tell("third");
    await settled();
    expect(running).toHaveLength(1);
    running[0]?.end();
    await settled();
    expect(told).toEqual(["first"]);
    tell("fourth");
    await settled();
    expect(running).toHaveLength(2);
    running[1]?.end();
    await settled();
    expect(told).toEqual(["first", "second", "third"]);
    expect(running).toHaveLength(3);
    running[2]?.end();
    await settled();
    expect(told).toEqual(["first", "second", "third", "fourth"]);
  });

  test("fails those who shared the sync that failed, and nobody after", async () => {
    const { disk, running } = heldDisk();
    const sync = sharedDirectorySync("dir", disk);
    const outcomes = [sync(), sync(), sync()].map((each) => each.then(() => "synced", String));
    await settled();
    running[0]?.end();
    await settled();
    running[1]?.fail(new Error("EIO"));
    const later = sync().then(() => "synced", String);
    await settled();
    running[2]?.end();
    expect(await Promise.all([...outcomes, later])).toEqual(["synced", "Error: EIO", "Error: EIO", "synced"]);
  });

  test("takes fewer syncs than commits, the last of them after the last rename", async () => {
    const failing = new FailingDisk();
    const spool = await openSpool(folder(), ring, { disk: failing.disk });
    const drafts = await Promise.all(Array.from({ length: 20 }, () => spool.create("raw")));
    failing.mend();
    await Promise.all(drafts.map((draft) => draft.commit()));
    const { calls } = failing;
    expect(calls.filter((call) => call === "rename")).toHaveLength(20);
    expect(calls.filter((call) => call === "syncDirectory").length).toBeLessThanOrEqual(20);
    expect(calls.lastIndexOf("syncDirectory")).toBeGreaterThan(calls.lastIndexOf("rename"));
  });
});
