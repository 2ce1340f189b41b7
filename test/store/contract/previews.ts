/** The contract of previews: no bytes without a row that knows them, and nothing of a file outlives it. */
import { describe, expect, it } from "vitest";
import { bench } from "./files.ts";
import type { OpenBench } from "./world.ts";

export function previewsContract(open: OpenBench): void {
  describe("previews", () => {
    const b = bench(open);
    const of = { tenant: "acme", sha256: "sha-of-one" };
    const storeKey = "preview/one";
    const begin = (now = 5_000, key = storeKey) => b.w.ledger.previewBegun({ ...of, storeKey: key, now });
    const done = (reason: "unreadable" | null = null, now = 6_000) =>
      b.w.ledger.previewDone({ ...of, storeKey, reason, now });
    const file = {
      id: "one",
      partId: "2",
      filename: "one.png",
      contentType: "image/png",
      detectedType: "image/png",
      size: 10,
      sha256: of.sha256,
      inline: false,
    };
    const say = (id: string, answer: "release" | "drop") =>
      b.w.ledger.decideFile({ id, answer, by: "Ada", note: "x", now: 9_000 });

    it("are begun only of what is served, and a process that ended is counted", async () => {
      await b.mail("a", [file]);
      expect(await begin()).toBeUndefined();
      await b.keep(() => ({ status: "quarantined" }));
      expect(await begin()).toBeUndefined();
      await say("one", "release");
      expect([await begin(), await begin(), await begin()]).toEqual([1, 2, 3]);
      await b.w.reopen();
      expect(await b.w.ledger.preview(of)).toEqual({ state: "making", storeKey, reason: null, attempts: 3, at: 5_000 });
      expect(await done("unreadable")).toBe(true);
      expect(await b.w.ledger.preview(of)).toMatchObject({ state: "none", reason: "unreadable", attempts: 0 });
    });

    it("are not counted where an attempt says nothing of the picture", async () => {
      await b.mail("a", [file]);
      await b.keep(() => ({ status: "stored" }));
      for (let round = 0; round < 5; round++) {
        expect(await begin()).toBe(1);
        await b.w.ledger.previewLeft(of);
      }
      await b.w.ledger.previewLeft(of);
      expect(await b.w.ledger.preview(of)).toMatchObject({ state: "making", attempts: 0 });
      await begin();
      await done();
      await b.w.ledger.previewLeft(of);
      expect(await b.w.ledger.preview(of)).toMatchObject({ state: "made", attempts: 0 });
      await b.w.ledger.previewLeft({ tenant: "acme", sha256: "of nothing" });
    });

    it("go with the original, made or only begun", async () => {
      await b.mail("a", [file]);
      await b.keep(() => ({ status: "stored" }));
      await begin();
      await say("one", "drop");
      expect(await b.w.ledger.preview(of)).toBeUndefined();
      expect(await b.doomed()).toEqual([storeKey, "ref-sha-of-one"]);
      // Whoever made it meanwhile hears of it, and its bytes are found though they came after.
      await b.w.ledger.fileDeleted(storeKey);
      expect(await done()).toBe(false);
      expect(await b.doomed()).toEqual([storeKey, "ref-sha-of-one"]);
    });

    it("are forgotten by age with their bytes, and made again by who asks: those bytes are not deleted then", async () => {
      await b.mail("a", [file]);
      await b.keep(() => ({ status: "stored" }));
      await begin();
      await done();
      const remove = async (before: number, dryRun: boolean) =>
        (await b.w.ledger.previewsRemoved({ before, limit: 10, dryRun })).length;
      expect([await remove(6_000, false), await remove(6_001, true)]).toEqual([0, 1]);
      expect(await b.w.ledger.preview(of)).toMatchObject({ state: "made" });
      expect(await remove(6_001, false)).toBe(1);
      expect([await b.w.ledger.preview(of), await b.doomed()]).toEqual([undefined, [storeKey]]);
      expect((await b.file("one")).status).toBe("stored");
      expect(await begin()).toBe(1);
      expect(await b.doomed()).toEqual([]);
    });

    it("that move to another store leave nothing in the one before", async () => {
      await b.mail("a", [file]);
      await b.keep(() => ({ status: "stored" }));
      await begin();
      await done();
      await begin(7_000, "s3:other/preview/one");
      expect(await b.doomed()).toEqual([storeKey]);
    });
  });
}
