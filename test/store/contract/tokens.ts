/** The contract of kept tokens: replaced only over what was read, one turn at a time, sealed, and there after a restart. */
import { describe, expect, it } from "vitest";
import { openKeyRing } from "../../../src/blobs/index.ts";
import type { Obtained } from "../../../src/model/tokens.ts";
import { openKeptTokens } from "../../../src/store/index.ts";
import { recordingLog } from "../../destinations/fixtures.ts";
import { bytes, type OpenBench, text, world } from "./world.ts";

export function tokensContract(open: OpenBench): void {
  describe("tokens", () => {
    const w = world(open);
    const keep = (account: string, sealed: string, over: number) =>
      w.ledger.keepToken({ account, sealed: bytes(sealed), over });
    const sealedOf = async (account: string) => text((await w.ledger.tokenRow(account))?.sealed ?? undefined);
    const turn = (holder: string, now: number, until = now + 40) =>
      w.ledger.takeTokenTurn({ account: "acme/crm", holder, now, until });

    it("are replaced only over the revision that was read", async () => {
      expect(await w.ledger.tokenRow("acme/crm")).toBeUndefined();
      expect(await keep("acme/crm", "one", 0)).toBe(true);
      expect([await keep("acme/crm", "late", 0), await keep("acme/crm", "early", 2)]).toEqual([false, false]);
      expect(await keep("acme/crm", "two", 1)).toBe(true);
      await w.reopen();
      expect(await w.ledger.tokenRow("acme/crm")).toMatchObject({ revision: 2 });
      expect([await sealedOf("acme/crm"), await sealedOf("acme/other")]).toEqual(["two", undefined]);
    });

    it("that are dropped leave a revision behind, so that nobody keeps over what was", async () => {
      await keep("acme/crm", "one", 0);
      await w.ledger.dropToken("acme/crm");
      await w.ledger.dropToken("never/there");
      expect(await w.ledger.tokenRow("acme/crm")).toEqual({ sealed: null, revision: 2 });
      expect(await keep("acme/crm", "late", 1)).toBe(false);
      expect(await keep("acme/crm", "new", 2)).toBe(true);
    });

    it("are asked for by one at a time, until that one's turn is over, given back, or was for nothing", async () => {
      expect([await turn("one", 100), await turn("other", 110), await turn("one", 120)]).toEqual([true, false, true]);
      expect([await turn("other", 159), await turn("other", 160)]).toEqual([false, true]);
      expect([await turn("other", 170, 170), await turn("one", 170)]).toEqual([true, true]);
      expect(await keep("acme/crm", "one", 0)).toBe(true);
      expect(await turn("other", 171)).toBe(true);
      // The clock was set back by an hour.
      expect(await turn("one", 50)).toBe(true);
    });

    it("are sealed for one account, and what cannot be opened is as if it were not there", async () => {
      const { log, lines } = recordingLog();
      const ring = (key: string) => openKeyRing({ key: key.repeat(32) });
      const store = (key: string) => openKeptTokens({ rows: w.ledger, sealer: ring(key), log, holder: "test" });
      const obtained: Obtained = {
        token: {
          accessToken: "the-access",
          expiresAt: 5,
          refreshToken: "the-refresh",
          extra: { instance_url: "https://x" },
        },
        grant: "grant",
        at: 1,
      };
      const kept = store("01");
      expect(await kept.save("acme/crm", obtained, 0)).toBe(true);
      await w.reopen();
      expect(await store("01").load("acme/crm")).toEqual({ obtained, revision: 1 });
      const { sealed } = (await w.ledger.tokenRow("acme/crm")) ?? {};
      expect(Buffer.from(sealed ?? []).toString("latin1")).not.toMatch(/the-access|the-refresh/);
      expect(lines).toEqual([]);
      expect(await store("02").load("acme/crm")).toEqual({ obtained: undefined, revision: 1 });
      await w.ledger.keepToken({ account: "globex/crm", sealed: sealed ?? bytes(""), over: 0 });
      expect(await store("01").load("globex/crm")).toEqual({ obtained: undefined, revision: 1 });
      expect(lines.join()).not.toMatch(/the-access|the-refresh/);
      await store("01").drop("acme/crm");
      expect(await store("01").load("acme/crm")).toEqual({ obtained: undefined, revision: 2 });
    });
  });
}
