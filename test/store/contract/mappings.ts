/** The contract of mapping files by number, and of the deal that a conversation belongs to. */
import { describe, expect, it } from "vitest";
import type { ThreadDeal } from "../../../src/model/mappings.ts";
import type { Placed } from "../../../src/model/threads.ts";
import { facts } from "./threads.ts";
import { lane, message, type OpenBench, preparedOf, steps, there, world } from "./world.ts";

export function mappingsContract(open: OpenBench): void {
  describe("mapping files", () => {
    const w = world(open);
    const file = (sha256: string, now: number, tenant = "acme") => ({ tenant, sha256, text: `text of ${sha256}`, now });

    it("have a number from 100 on, the same for the same text of a tenant, across a restart", async () => {
      const first = await w.ledger.registerMapping(file("a", 1));
      const second = await w.ledger.registerMapping(file("b", 2));
      const others = await w.ledger.registerMapping(file("a", 3, "other"));
      expect(first).toBeGreaterThanOrEqual(100);
      expect(new Set([first, second, others]).size).toBe(3);
      await w.reopen();
      expect(await w.ledger.registerMapping(file("a", 9))).toBe(first);
      expect(await w.ledger.mappings("acme")).toEqual([
        { version: second, tenant: "acme", sha256: "b", at: 2 },
        { version: first, tenant: "acme", sha256: "a", at: 1 },
      ]);
      expect(await w.ledger.mappingText(first)).toBe("text of a");
      expect(await w.ledger.mappingText(7)).toBeUndefined();
    });
  });

  describe("the deal of a conversation", () => {
    const w = world(open);
    const deal = (key: string): ThreadDeal => ({ key, pipeline: null, stage: "qualification" });

    /** Takes a message in, which was written then, into this thread, asking for this deal. */
    async function taken(name: string, thread: string, writtenAt: number, asks?: string): Promise<void> {
      await w.ledger.accept([message(name)]);
      await again(name, thread, writtenAt, asks);
    }
    async function again(name: string, thread: string, writtenAt: number, asks?: string): Promise<void> {
      const [attempt] = await w.attempt();
      expect(attempt?.eventId).toBe(`event-${name}`);
      const place = { ...newThread, thread_id: thread };
      const prepared = {
        ...preparedOf(there(attempt), { [lane]: steps(`activity-${name}`) }, { thread }),
        thread: { facts: facts(name, { writtenAt }), thread: place, moved: [] },
        ...(asks === undefined ? {} : { deal: deal(asks) }),
      };
      expect(await w.ledger.prepare([prepared])).toEqual([true]);
    }
    const newThread = {
      parent_event_id: null,
      confidence: 1,
      method: "new",
      review: false,
      candidates: [] as never[],
    } as const satisfies Partial<Placed["thread"]>;

    it("is what the message that was written first asked for; null where nobody asked", async () => {
      await taken("quiet", "t2", 1_000);
      await taken("late", "t1", 2_000, "deal-late");
      await taken("early", "t1", 1_000, "deal-early");
      await w.reopen();
      expect(await w.ledger.dealsOf(["t2", "t1", "unknown"])).toEqual([null, deal("deal-early"), null]);
    });

    it("is found however many messages of its conversation were written before", async () => {
      for (let n = 0; n < 210; n++) await taken(`m${n}`, "t1", 1_000 + n);
      await taken("request", "t1", 5_000, "deal-late");
      expect(await w.ledger.dealsOf(["t1"])).toEqual([deal("deal-late")]);
      const again = await w.attempt({ room: 1_000 });
      expect(again).toHaveLength(200);
      expect((await w.ledger.story("event-request")).map(({ what }) => what)).toContainEqual(
        expect.stringContaining("only its first 200 messages are planned again"),
      );
    });

    it("has those of its thread planned again that came before it was asked for, once", async () => {
      await taken("answer", "t1", 2_000);
      await taken("elsewhere", "t2", 1_000);
      await taken("request", "t1", 1_000, "deal-a");
      await again("answer", "t1", 2_000);
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-request", now: 3_000 });
      await again("request", "t1", 1_000, "deal-a");
      expect(await w.attempt()).toEqual([]);
    });

    it("stays as it was asked for first when its message is planned again", async () => {
      await taken("a", "t1", 1_000, "deal-a");
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 3_000 });
      await again("a", "t1", 1_000, "deal-other");
      expect(await w.ledger.dealsOf(["t1"])).toEqual([deal("deal-a")]);
    });
  });
}
