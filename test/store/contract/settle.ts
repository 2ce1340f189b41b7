/** The contract of `note`, `settle` and `requeue`: fences, what steps go through, and what a person can do. */
import { describe, expect, it } from "vitest";
import type { Claim, StepNote } from "../../../src/model/ledger.ts";
import { lane, message, type OpenBench, steps, there, world } from "./world.ts";

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
        sends: 2,
        emptyReads: 0,
        deadline: 3_600,
      });
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

export function requeueContract(open: OpenBench): void {
  describe("requeue", () => {
    const w = world(open);

    it("replays a dead letter: attempts anew, refused steps planned again", async () => {
      await w.delivery("a", steps("activity-a"));
      const { id } = await w.fail("refused");
      expect(await w.ledger.requeue({ kind: "replay", delivery: id, now: 4_000 })).toBe(true);
      expect(await w.only("event-a")).toMatchObject({ state: "pending", attempts: 0, reason: null });
      expect((await w.claim({ now: 4_000 })).steps[0]?.state).toBe("planned");
      expect(await w.ledger.requeue({ kind: "replay", delivery: id, now: 4_000 })).toBe(false);
    });

    it("replays an unknown outcome as unknown, and lets it be sent once more", async () => {
      await w.delivery("a", steps("activity-a"));
      const { id } = await w.fail("unknown");
      await w.ledger.requeue({ kind: "replay", delivery: id, now: 4_000 });
      expect((await w.claim({ now: 4_000 })).steps[0]).toMatchObject({ state: "unknown", sends: 0, emptyReads: 0 });
    });

    it("confirms the unknown step with the ref a person found, and goes on with what is left", async () => {
      await w.delivery("a", steps("activity-a", "activity-b"));
      const { id } = await w.fail("unknown");
      expect(await w.ledger.requeue({ kind: "confirm", delivery: id, ref: "crm-9", now: 4_000 })).toBe(true);
      expect((await w.claim({ now: 4_000 })).steps).toMatchObject([
        { state: "confirmed", ref: "crm-9" },
        { state: "planned" },
      ]);
      await w.delivery("b", steps("activity-a"), { now: 4_100 });
      expect((await w.claim({ now: 4_100 })).steps[0]).toMatchObject({ ref: "crm-9", remembered: true });
    });

    it("is done when the confirmed step was the last, and does not apply where nothing is unknown", async () => {
      await w.delivery("a", steps("activity-a"));
      const unknown = await w.fail("unknown");
      await w.ledger.requeue({ kind: "confirm", delivery: unknown.id, ref: "crm-9", now: 4_000 });
      expect((await w.only("event-a")).state).toBe("processed");
      await w.delivery("b", steps("activity-b"));
      const refused = await w.fail("refused");
      expect(await w.ledger.requeue({ kind: "confirm", delivery: refused.id, ref: "x", now: 4_000 })).toBe(false);
    });

    it("drops a dead letter: it stays failed and leaves the list", async () => {
      await w.delivery("a", steps("activity-a"));
      const { id } = await w.fail("refused");
      expect(await w.ledger.deadLetters({ limit: 10 })).toMatchObject([
        {
          id,
          eventId: "event-a",
          messageId: "<a@example.net>",
          tenant: "acme",
          lane,
          reason: "permanent",
          detail: "the vendor's words",
          attempts: 1,
          at: 3_000,
        },
      ]);
      expect(await w.ledger.requeue({ kind: "drop", delivery: id, now: 4_000, detail: "spam" })).toBe(true);
      expect(await w.ledger.deadLetters({ limit: 10 })).toEqual([]);
      expect(await w.only("event-a")).toMatchObject({ state: "failed", reason: "dropped", detail: "spam" });
      expect((await w.ledger.stats(0)).deliveries.failed).toBe(1);
      expect((await w.ledger.lanes())[0]?.failed).toBe(0);
      expect(await w.ledger.requeue({ kind: "replay", delivery: id, now: 4_000 })).toBe(false);
    });

    it("reprocesses a message: parsed and planned again, dead letters back in the queue, confirmed steps as they are", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      const claim = await w.claim();
      const [person, activity] = claim.steps;
      const notes: StepNote[] = [
        { step: there(person).id, state: "confirmed", at: 1, ref: "r", adopted: false },
        { step: there(activity).id, state: "refused", at: 1, reason: "400" },
      ];
      await w.ledger.settle({
        claim,
        at: 1,
        settlement: { state: "failed", reason: "permanent", detail: "400" },
        steps: notes,
      });
      expect(await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 })).toBe(true);
      expect(await w.row("event-a")).toMatchObject({ stage: "accepted", parseAttempts: 0 });
      expect((await w.only("event-a")).state).toBe("failed");
      await w.prepareAll(steps("person-p", "activity-a"), { now: 4_100 });
      expect(await w.only("event-a")).toMatchObject({ state: "pending", attempts: 0 });
      expect((await w.claim({ now: 4_100 })).steps).toMatchObject([
        { state: "confirmed", ref: "r" },
        { state: "planned" },
      ]);
    });

    it("changes nothing about a reprocessed message that was already right", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
      await w.prepareAll(steps("activity-a"), { now: 4_100 });
      expect(await w.only("event-a")).toMatchObject({ state: "processed", settledAt: 3_000 });
      expect(await w.claims({ now: 5_000 })).toEqual([]);
    });

    it("says so when there is nothing to requeue", async () => {
      await w.delivery("a", steps("activity-a"));
      const { id } = await w.only("event-a");
      for (const kind of ["replay", "drop", "confirm"] as const) {
        expect(await w.ledger.requeue({ kind, delivery: id, now: 1, detail: "", ref: "r" })).toBe(false);
        expect(await w.ledger.requeue({ kind, delivery: 4_711, now: 1, detail: "", ref: "r" })).toBe(false);
      }
      expect(await w.ledger.requeue({ kind: "reprocess", eventId: "nobody", now: 1 })).toBe(false);
    });

    it("puts a replayed delivery back into its place in the thread", async () => {
      await w.delivery("a", steps("activity-a"), { thread: "t" });
      await w.delivery("b", steps("activity-b"), { thread: "t" });
      const { id } = await w.fail("refused");
      await w.ledger.requeue({ kind: "replay", delivery: id, now: 4_000 });
      expect((await w.claims({ now: 4_000 })).map(({ eventId }) => eventId)).toEqual(["event-a"]);
    });

    it("has the whole story, in order", async () => {
      await w.ledger.accept([message("a")]);
      await w.prepareAll(steps("activity-a"), { now: 1_600 });
      const { id } = await w.fail("refused", { now: 2_000 });
      await w.ledger.requeue({ kind: "replay", delivery: id, now: 3_000 });
      await w.deliver({ now: 4_000 });
      const story = await w.ledger.story("event-a");
      expect(story.map(({ at, what }) => [at, what])).toEqual([
        [1_000, "received"],
        [1_600, "parse began"],
        [1_600, "planned"],
        [2_000, "dead letter"],
        [3_000, "replayed by a person"],
        [4_000, "delivered"],
      ]);
    });
  });
}
