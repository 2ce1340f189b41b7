/** The contract of `requeue` and `story`: what a person can do with a message, and what is told of it. */
import { describe, expect, it } from "vitest";
import type { StepNote } from "../../../src/model/ledger.ts";
import { lane, message, type OpenBench, steps, there, world } from "./world.ts";

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
