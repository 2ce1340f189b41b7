import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { batchBytes, maxBatches } from "../../src/blobs/spool-batches.ts";
import type { Spool } from "../../src/model/blob.ts";
import { folder } from "./disk.ts";
import { openOnFailingThread, openOnThread, ring } from "./spool-kinds.ts";
import { collected, patterned } from "./streams.ts";

const mail = patterned(300_000);
const piece = patterned(65_536);

async function sound(spool: Spool): Promise<boolean> {
  const draft = await spool.create("after");
  await draft.write(mail);
  const { name } = await draft.commit();
  const { plain, label } = ring.open(await collected((await spool.read(name)) ?? new ReadableStream()));
  await spool.remove(name);
  return label === "after" && Buffer.from(plain).equals(mail);
}

describe("the spool's thread", () => {
  test("that dies in the middle rejects every draft it had, leaves no file, and is started again", async () => {
    const dir = folder();
    const { spool, ask } = await openOnFailingThread(dir);
    const drafts = await Promise.all(["a", "b", "c"].map((label) => spool.create(label)));
    expect(readdirSync(dir)).toHaveLength(3);
    await ask({ kind: "die" });
    const outcomes = drafts.map(async (draft, index) => {
      await draft.write(mail);
      if (index === 2) return await draft.discard();
      await draft.commit();
      return undefined;
    });
    const settled = await Promise.allSettled(outcomes);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(readdirSync(dir)).toEqual([]);
    for (const draft of drafts) await expect(draft.write(piece)).rejects.toThrow(/already/);
    expect(await sound(spool)).toBe(true);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("that dies leaves a draft that was idle to its owner, who hears of it with the next write", async () => {
    const dir = folder();
    const { spool, ask } = await openOnFailingThread(dir);
    const idle = await spool.create("idle");
    const fatal = await spool.create("fatal");
    await ask({ kind: "die" });
    await fatal.write(mail);
    await expect(fatal.commit()).rejects.toThrow(/thread ended/);
    await expect(idle.write(piece)).rejects.toThrow(/thread ended/);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("takes no more than its buffers hold while the disk stands still, and goes on when it does", async () => {
    const { spool, ask } = await openOnFailingThread(folder());
    const draft = await spool.create("raw");
    await ask({ kind: "hold" });
    const capacity = (batchBytes * maxBatches) / piece.length;
    const writes = Array.from({ length: capacity }, () => draft.write(piece));
    await Promise.all(writes);
    let taken = false;
    const beyond = draft.write(piece).then(() => {
      taken = true;
    });
    // The thread answers after it has seen every batch: had one been given back, its buffer would have come before this.
    await ask({ kind: "calls" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(false);
    await ask({ kind: "release" });
    await beyond;
    const { name } = await draft.commit();
    const { plain } = ring.open(await collected((await spool.read(name)) ?? new ReadableStream()));
    expect(plain).toHaveLength((capacity + 1) * piece.length);
  });

  test("rejects those who wait for a buffer when it dies", async () => {
    const dir = folder();
    const { spool, ask } = await openOnFailingThread(dir);
    const draft = await spool.create("raw");
    const other = await spool.create("raw");
    await ask({ kind: "hold" });
    await Promise.all(Array.from({ length: (batchBytes * maxBatches) / piece.length }, () => draft.write(piece)));
    // Either the death comes first, or a buffer does and the next call hears of the death.
    const waiting = expect(other.write(piece).then(() => other.commit())).rejects.toThrow(/thread ended/);
    await ask({ kind: "die" });
    // It may die before it can answer.
    void ask({ kind: "release" });
    await waiting;
    await expect(draft.commit()).rejects.toThrow(/thread ended/);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("says no to a write once an earlier one failed, with what the disk said", async () => {
    const dir = folder();
    const { spool, ask } = await openOnFailingThread(dir);
    const draft = await spool.create("raw");
    await ask({ kind: "failAt", call: "write", code: "EIO", from: 1 });
    const failing = async () => {
      for (let nth = 0; nth < 1_000; nth += 1) await draft.write(piece);
    };
    await expect(failing()).rejects.toMatchObject({ code: "EIO" });
    expect(readdirSync(dir)).toEqual([]);
    await ask({ kind: "mend" });
    expect(await sound(spool)).toBe(true);
  });

  test("takes nothing after close, which ends it", async () => {
    const dir = folder();
    const spool = await openOnThread(dir);
    const open = await spool.create("raw");
    await spool.close();
    await spool.close();
    await expect(spool.create("raw")).rejects.toThrow(/closed/);
    await expect(open.write(mail)).rejects.toThrow(/thread ended/);
    expect(readdirSync(dir)).toEqual([]);
  });

  test.skipIf(!existsSync("/proc/self/fd"))("passes on 150 MiB in flat memory, and leaves no file open", async () => {
    const spool = await openOnThread(folder());
    const files = readdirSync("/proc/self/fd").length;
    const before = process.memoryUsage.rss();
    const draft = await spool.create("raw");
    let most = 0;
    for (let nth = 0; nth < 2_400; nth += 1) {
      await draft.write(piece);
      most = Math.max(most, process.memoryUsage.rss());
    }
    const { name } = await draft.commit();
    expect(most - before).toBeLessThan(100 * 1024 * 1024);
    for await (const file of spool.list())
      if (file.name === name) expect(file.bytes).toBeGreaterThan(150 * 1024 * 1024);
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(files);
  });
});
