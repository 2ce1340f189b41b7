/** The contract of `note` and `settle`: fences, and what steps go through. */
import { describe, expect, it } from "vitest";
import type { Claim, StepNote } from "../../../src/model/ledger.ts";
import { lane, type OpenBench, steps, there, world } from "./world.ts";

const sent = (step: number, at = 3_000): StepNote => ({ step, state: "sent", at, deadline: at + 100 });
const firstOf = (claim: Claim) => there(claim.steps[0]).id;

export function settleContract(open: OpenBench): void {
  describe("note and settle", () => {
    const w = world(open);

    it("writes nothing under a lease that was lost", async () => {
      await w.delivery("a", steps("activity-a"));
      const old = await w.claim({ now: 3_000, leaseMs: 100 });
      const claim = await w.claim({ now: 3_100 });
      expect(await w.ledger.note({ claim: old, steps: [sent(firstOf(old))] })).toBe(false);
      expect(
        await w.ledger.settle({
          claim: old,
          at: 3_200,
          settlement: { state: "failed", reason: "permanent", detail: "no" },
        }),
      ).toBe(false);
      expect(await w.only("event-a")).toMatchObject({ state: "pending", steps: [{ state: "planned", sends: 0 }] });
      expect(await w.ledger.note({ claim, steps: [sent(firstOf(claim))] })).toBe(true);
    });

    it("counts sends and empty reads, and keeps the deadline of the last call", async () => {
      await w.delivery("a", steps("activity-a"));
      let claim = await w.claim({ now: 3_000 });
      const step = firstOf(claim);
      const again = async (now: number, note: StepNote) => {
        await w.ledger.settle({
          claim,
          at: now,
          settlement: { state: "pending", dueAt: now, counted: false, detail: "" },
          steps: [note],
        });
        claim = await w.claim({ now });
        return there(claim.steps[0]);
      };
      await w.ledger.note({ claim, steps: [sent(step, 3_000)] });
      expect(await again(3_200, { step, state: "unknown", at: 3_200, reason: "cut" })).toMatchObject({
        state: "unknown",
        sends: 1,
        emptyReads: 0,
        deadline: 3_100,
      });
      expect(
        await again(3_300, { step, state: "unknown", at: 3_300, reason: "nothing found", emptyRead: true }),
      ).toMatchObject({ emptyReads: 1, sends: 1 });
      expect(
        await again(3_400, { step, state: "unknown", at: 3_400, reason: "nothing found", emptyRead: true }),
      ).toMatchObject({ emptyReads: 2 });
      await w.ledger.note({ claim, steps: [sent(step, 3_500)] });
      expect(await again(3_700, { step, state: "planned", at: 3_700, reason: "429" })).toMatchObject({
        state: "planned",
        sends: 1,
        emptyReads: 0,
        deadline: 3_600,
      });
    });

    it("waits for the end of a call that outlasted its deadline, and no shorter for one that ended before it", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim({ now: 3_000 });
      const step = firstOf(claim);
      const deadline = async (over: number) => {
        const at = 4_000;
        await w.ledger.note({ claim, steps: [sent(step, 3_000), { step, state: "unknown", at, reason: "cut", over }] });
        await w.ledger.note({ claim, steps: [{ step, state: "unknown", at, reason: "nothing found" }] });
        const settlement = { state: "pending", dueAt: at, counted: false, detail: "" } as const;
        await w.ledger.settle({ claim, at, settlement });
        const again = await w.claim({ now: at });
        Object.assign(claim, { lease: again.lease });
        return again.steps[0]?.deadline;
      };
      expect(await deadline(4_000)).toBe(4_000);
      expect(await deadline(3_050)).toBe(3_100);
    });

    it("does not count a call that was certainly not executed, and takes no other send back with it", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim();
      const step = firstOf(claim);
      const sends = async (...notes: StepNote[]) => {
        for (const note of notes) expect(await w.ledger.note({ claim, steps: [note] })).toBe(true);
        return (await w.only("event-a")).steps[0]?.sends;
      };
      const planned: StepNote = { step, state: "planned", at: 3_100, reason: "429" };
      expect(await sends(planned)).toBe(0);
      expect(await sends(sent(step), planned)).toBe(0);
      expect(await sends(sent(step), { step, state: "unknown", at: 3_100, reason: "cut" }, planned)).toBe(1);
    });

    it("keeps the ref, whether it was adopted, and a word about it", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim();
      const note: StepNote = {
        step: firstOf(claim),
        state: "confirmed",
        at: 3_050,
        ref: "77",
        adopted: true,
        note: "body cut",
      };
      await w.ledger.settle({ claim, at: 3_060, settlement: { state: "processed" }, steps: [note] });
      expect(await w.only("event-a")).toMatchObject({
        state: "processed",
        settledAt: 3_060,
        attempts: 1,
        steps: [{ state: "confirmed", ref: "77", adopted: true, note: "body cut", settledAt: 3_050 }],
      });
    });

    it("never takes a confirmed step back by a note", async () => {
      await w.delivery("a", steps("activity-a", "activity-b"));
      const claim = await w.claim();
      const step = firstOf(claim);
      await w.ledger.note({ claim, steps: [{ step, state: "confirmed", at: 1, ref: "r", adopted: false }] });
      await expect(w.ledger.note({ claim, steps: [sent(step)] })).rejects.toThrow(/confirmed/);
      await expect(
        w.ledger.note({ claim, steps: [{ step, state: "confirmed", at: 1, ref: "another", adopted: false }] }),
      ).rejects.toThrow(/confirmed/);
      expect(
        await w.ledger.note({ claim, steps: [{ step, state: "confirmed", at: 1, ref: "r", adopted: false }] }),
      ).toBe(true);
    });

    it("refuses to call a delivery processed while a step of it is not confirmed", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim();
      await expect(w.ledger.settle({ claim, at: 1, settlement: { state: "processed" } })).rejects.toThrow(
        /not every step/,
      );
      expect((await w.only("event-a")).state).toBe("pending");
    });

    it("writes the notes and the settlement together or not at all", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim();
      const notes: StepNote[] = [
        { step: firstOf(claim), state: "confirmed", at: 1, ref: "r", adopted: false },
        { step: 9_999, state: "planned", at: 1, reason: "no such step" },
      ];
      await expect(
        w.ledger.settle({ claim, at: 1, settlement: { state: "processed" }, steps: notes }),
      ).rejects.toThrow();
      expect(await w.only("event-a")).toMatchObject({ state: "pending", steps: [{ state: "planned" }] });
    });

    it("treats a call without an answer as unknown when the work ends", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim();
      await w.ledger.note({ claim, steps: [sent(firstOf(claim))] });
      await w.ledger.settle({ claim, at: 1, settlement: { state: "failed", reason: "defect", detail: "thrown" } });
      expect((await w.only("event-a")).steps[0]?.state).toBe("unknown");
    });

    it("counts an attempt for a retry and none for a lane that had to wait", async () => {
      await w.delivery("a", steps("activity-a"));
      const again = async (counted: boolean) => {
        await w.ledger.settle({
          claim: await w.claim(),
          at: 3_000,
          settlement: { state: "pending", dueAt: 3_000, counted, detail: "busy" },
        });
        return (await w.only("event-a")).attempts;
      };
      expect([await again(true), await again(false), await again(true)]).toEqual([1, 1, 2]);
      const told = (await w.ledger.story("event-a")).filter(({ what }) => what.startsWith("not delivered"));
      expect(told).toHaveLength(2);
    });

    it("forgets a record that has vanished and plans its step again", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      await w.deliver();
      await w.delivery("b", steps("person-p", "activity-b"));
      const claim = await w.claim();
      const [person, activity] = claim.steps;
      await w.ledger.note({
        claim,
        steps: [{ step: there(person).id, state: "confirmed", at: 1, ref: "ref-of-person-p", adopted: true }],
      });
      const gone = { lane, kind: "person", key: "person-p", ref: "ref-of-person-p" } as const;
      expect(
        await w.ledger.note({
          claim,
          steps: [{ step: there(activity).id, state: "planned", at: 2, reason: "gone" }],
          forget: [gone],
        }),
      ).toBe(true);
      await w.ledger.settle({
        claim,
        at: 2,
        settlement: { state: "pending", dueAt: 2, counted: true, detail: "again" },
      });
      expect((await w.claim()).steps[0]).toMatchObject({ state: "planned", ref: null, remembered: false });
      expect((await w.only("event-a")).steps[0]?.state).toBe("confirmed");
    });

    it("forgets nothing that has been found anew since", async () => {
      await w.delivery("a", steps("person-p"));
      await w.deliver();
      await w.delivery("b", steps("person-p", "activity-b"));
      const claim = await w.claim();
      await w.ledger.note({
        claim,
        steps: [],
        forget: [{ lane, kind: "person", key: "person-p", ref: "an older one" }],
      });
      await w.ledger.settle({
        claim,
        at: 2,
        settlement: { state: "pending", dueAt: 2, counted: true, detail: "again" },
      });
      expect((await w.claim()).steps[0]).toMatchObject({ ref: "ref-of-person-p", remembered: true });
    });
  });
}
