/** The contract of sweeping: which objects of a store a ledger needs, and how long its trail is kept. */
import { describe, expect, it } from "vitest";
import type { StoredObject } from "../../../src/model/sweep.ts";
import { bench } from "./files.ts";
import { hold, message, type OpenBench, skip } from "./world.ts";

export function sweepContract(open: OpenBench): void {
  describe("what lies in a store", () => {
    const b = bench(open);
    const file = (id: string) => ({
      id,
      partId: "2",
      filename: `${id}.png`,
      contentType: "image/png",
      detectedType: "image/png",
      size: 10,
      sha256: `sha-of-${id}`,
      inline: false,
    });
    const object = (kind: StoredObject["class"], name: string, storeKey: string): StoredObject => ({
      storeKey,
      class: kind,
      tenant: "acme",
      name,
    });
    const strays = (objects: readonly StoredObject[], doom = false) => b.w.ledger.strays({ objects, doom });
    const nothing = { unneeded: [], unknownMail: [], openMail: [] };

    it("is needed while a row names it, or its bytes are to be deleted anyway; all else can go, and goes when it is said", async () => {
      await b.mail("a", [file("one")], skip());
      await b.keep(() => ({ status: "stored" }));
      await b.w.ledger.previewBegun({ tenant: "acme", sha256: "sha-of-one", storeKey: "preview/one", now: 5_000 });
      const needed = [
        object("attachment", "sha-of-one", "ref-sha-of-one"),
        object("preview", "sha-of-one", "preview/one"),
      ];
      // In a store that was there before, and of a content that nobody knows.
      const others = [object("attachment", "sha-of-one", "s3:old/one"), object("preview", "sha-of-two", "preview/two")];
      expect(await strays([...needed, ...others])).toEqual({ ...nothing, unneeded: ["s3:old/one", "preview/two"] });
      expect(await b.doomed()).toEqual([]);
      await strays([...needed, ...others], true);
      expect(await b.doomed()).toEqual(["preview/two", "s3:old/one"]);
      expect(await strays(others, true)).toEqual(nothing);
    });

    it("is spared where a mail that came since puts it again", async () => {
      await strays([object("attachment", "sha-of-one", "ref-sha-of-one")], true);
      expect(await b.w.ledger.fileToDelete("ref-sha-of-one")).toBe(true);
      await b.mail("a", [file("one")], skip());
      await b.keep(() => ({ status: "stored" }));
      expect(await b.w.ledger.fileToDelete("ref-sha-of-one")).toBe(false);
    });

    it("as raw mail can go where its message has it not any more, and not before, by whatever name; mail that nobody knows never does", async () => {
      const raw = (event: string, storeKey: string) => object("raw", `event-${event}`, storeKey);
      await b.mail("moved", [], skip());
      await b.w.ledger.archived([{ eventId: "event-moved", key: "s3:new/moved" }]);
      await b.mail("held", [], hold());
      await b.w.ledger.archived([{ eventId: "event-held", key: "s3:new/held" }]);
      await b.w.ledger.accept([message("fresh")]);
      expect(
        await strays([
          raw("moved", "s3:new/moved"),
          raw("moved", "raw/moved"),
          raw("held", "s3:new/held"),
          raw("fresh", "raw/fresh"),
          raw("lost", "raw/lost"),
        ]),
      ).toEqual({ unneeded: [], unknownMail: ["raw/lost"], openMail: ["s3:new/held"] });
      await b.w.ledger.purge({ rawBefore: 99_000, eventBefore: null, now: 99_000, dryRun: false, limit: 10 });
      const both = [raw("moved", "s3:new/moved"), raw("moved", "raw/moved")];
      expect((await strays(both, true)).unneeded).toEqual(["s3:new/moved", "raw/moved"]);
      expect(await b.doomed()).toEqual(["raw/moved", "s3:new/moved"]);
    });
  });

  describe("the audit trail", () => {
    const b = bench(open);

    it("is forgotten by age, page by page", async () => {
      const entry = { what: "link.open", about: "f", who: "link", outcome: "served", from: null };
      for (let at = 1_000; at < 1_010; at++) await b.w.ledger.audit({ ...entry, at });
      const remove = (before: number, limit: number, dryRun = false) =>
        b.w.ledger.auditRemoved({ before, limit, dryRun });
      expect([await remove(1_005, 100, true), await remove(1_005, 3, true)]).toEqual([5, 3]);
      expect([await remove(1_005, 3), await remove(1_005, 3), await remove(1_005, 3)]).toEqual([3, 2, 0]);
      expect((await b.w.ledger.auditTrail({ limit: 100 })).map(({ at }) => at)).toEqual([
        1_009, 1_008, 1_007, 1_006, 1_005,
      ]);
    });
  });
}
