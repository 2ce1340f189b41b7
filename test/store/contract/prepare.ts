/** The contract of `attempt`, `release` and `prepare`: fair shares, leases, and what planning again does to what is there. */
import { describe, expect, it } from "vitest";
import { hold, lane, message, type OpenBench, preparedOf, skip, steps, text, there, world } from "./world.ts";

export function attemptContract(open: OpenBench): void {
  describe("attempt", () => {
    const w = world(open);

    it("commits the attempt before it hands a message out, with all that a parse needs", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt({ now: 1_500, leaseMs: 500 });
      expect(there(attempt)).toMatchObject({
        eventId: "event-a",
        tenant: "acme",
        attempts: 1,
        receivedAt: 1_000,
        messageId: "<a@example.net>",
        digest: "digest-of-a",
        conflict: false,
        rawSha256: "sha-of-a",
        rawSize: 100,
        raw: { kind: "inline" },
        routes: ["deals@in.example.com"],
        lease: { until: 2_000 },
      });
      expect(text(there(attempt).sealed)).toBe("raw of a");
      expect(await w.attempt()).toEqual([]);
      await w.reopen();
      expect((await w.row("event-a")).parseAttempts).toBe(1);
    });

    it("hands a message out again when its lease is over, and takes no result under the old one", async () => {
      await w.ledger.accept([message("a")]);
      const [first] = await w.attempt({ now: 1_500, leaseMs: 500 });
      expect(await w.attempt({ now: 1_999 })).toEqual([]);
      const [second] = await w.attempt({ now: 2_000 });
      expect(there(second).attempts).toBe(2);
      expect(await w.ledger.prepare([preparedOf(there(first), { [lane]: steps("activity-a") })])).toEqual([false]);
      expect((await w.row("event-a")).deliveries).toEqual([]);
      expect(await w.ledger.prepare([preparedOf(there(second), { [lane]: steps("activity-a") })])).toEqual([true]);
    });

    it("gives each tenant an equal share of the room, and what one leaves to the others", async () => {
      const flood = Array.from({ length: 50 }, (_, n) => message(`f${n}`, { tenant: "noisy" }));
      await w.ledger.accept([...flood, message("q1", { tenant: "quiet" }), message("q2", { tenant: "quiet" })]);
      const attempts = await w.attempt({ tenants: ["noisy", "quiet", "silent"], room: 10 });
      expect(attempts.filter(({ tenant }) => tenant === "quiet")).toHaveLength(2);
      expect(attempts.filter(({ tenant }) => tenant === "noisy")).toHaveLength(8);
      expect(await w.attempt({ tenants: ["quiet"], room: 10 })).toEqual([]);
    });

    it("takes the lower priority first, and among equals the first to arrive", async () => {
      await w.ledger.accept([message("old", { priority: 10 }), message("a"), message("b")]);
      expect((await w.attempt({ room: 2 })).map(({ eventId }) => eventId)).toEqual(["event-a", "event-b"]);
      expect((await w.attempt()).map(({ eventId }) => eventId)).toEqual(["event-old"]);
    });

    it("hands a message that was given back out again when it is due", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.release("event-a", there(attempt).lease, 9_000);
      expect(await w.attempt({ now: 8_999 })).toEqual([]);
      expect((await w.attempt({ now: 9_000 })).map(({ attempts }) => attempts)).toEqual([2]);
    });

    it("gives the attempt back too where the bytes could not be read, and tells of it", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.release("event-a", there(attempt).lease, 9_000, { at: 5_000, lost: true });
      expect(await w.row("event-a")).toMatchObject({ stage: "accepted", parseAttempts: 0 });
      expect(await w.ledger.story("event-a")).toContainEqual({
        at: 5_000,
        what: "its raw bytes could not be read",
        detail: null,
      });
      expect((await w.attempt({ now: 9_000 })).map(({ attempts }) => attempts)).toEqual([1]);
    });

    it("leaves a message that was prepared before as it stood, where its bytes are lost", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
      const [attempt] = await w.attempt({ now: 4_000 });
      expect(there(attempt).preparedBefore).toBe(true);
      await w.ledger.release("event-a", there(attempt).lease, 9_000, { at: 5_000, lost: true });
      const row = await w.row("event-a");
      expect(row).toMatchObject({ stage: "prepared", parseStatus: "ok", deliveries: [{ state: "pending" }] });
      expect(text(row.sealedEvent)).toBe("event event-a");
      expect((await w.ledger.stats(5_000)).received).toBe(0);
      expect(await w.attempt({ now: 9_000 })).toEqual([]);
      await w.ledger.release("event-a", there(attempt).lease, 9_000, { at: 5_000, lost: true });
      expect((await w.row("event-a")).parseAttempts).toBe(row.parseAttempts);
    });

    it("does not let a holder give back what it lost", async () => {
      await w.ledger.accept([message("a")]);
      const [first] = await w.attempt({ now: 1_500, leaseMs: 500 });
      const [second] = await w.attempt({ now: 2_500 });
      await w.ledger.release("event-a", there(first).lease, 0);
      expect(await w.attempt({ now: 2_600 })).toEqual([]);
      expect(await w.ledger.prepare([preparedOf(there(second), { [lane]: skip() })])).toEqual([true]);
    });

    it("keeps a message given back from waiting longer when the clock is set back", async () => {
      const day = 24 * 3600_000;
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt({ now: 100 * day });
      await w.ledger.release("event-a", there(attempt).lease, 100 * day + 5_000);
      expect(await w.attempt({ now: 90 * day })).toEqual([]);
      expect(await w.attempt({ now: 90 * day + 5_000 })).toHaveLength(1);
    });
  });
}

export function prepareContract(open: OpenBench): void {
  describe("prepare", () => {
    const w = world(open);
    const replan = async (plan: Parameters<typeof w.prepareAll>[0], options?: Parameters<typeof w.prepareAll>[1]) => {
      await w.ledger.accept([message("a", { routes: [`again${Math.trunc(options?.now ?? 0)}@in.example.com`] })]);
      expect(await w.prepareAll(plan, options)).toEqual([true]);
    };

    it("commits the event and a delivery per lane with what was decided for it", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.prepare([
        preparedOf(there(attempt), {
          "acme/one": steps("person-p", "activity-a"),
          "acme/two": skip("automated"),
          "acme/three": hold("suspicious"),
        }),
      ]);
      const row = await w.row("event-a");
      expect(row).toMatchObject({ stage: "prepared", preparedAt: 2_000, parseStatus: "ok" });
      expect(text(row.sealedEvent)).toBe("event event-a");
      expect(
        row.deliveries.map(({ lane: name, state, rule, detail, settledAt }) => [name, state, rule, detail, settledAt]),
      ).toEqual([
        ["acme/one", "pending", "inbound", null, null],
        ["acme/two", "skipped", "automated", "automated", 2_000],
        ["acme/three", "held", "trust", "suspicious", 2_000],
      ]);
      expect(row.deliveries[0]?.steps.map(({ kind, key, why, state }) => [kind, key, why, state])).toEqual([
        ["person", "person-p", "because of person-p", "planned"],
        ["activity", "activity-a", "because of activity-a", "planned"],
      ]);
      expect(text(await w.ledger.steps(there(row.deliveries[0]).id))).toBe("plan person-p activity-a");
    });

    it("is done at once with a plan that asks for nothing", async () => {
      await w.delivery("a", steps());
      expect((await w.only("event-a")).state).toBe("processed");
      expect(await w.claims()).toEqual([]);
    });

    it("keeps confirmed steps, and makes a processed delivery pending only for steps it does not have", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      await w.deliver();
      await replan(steps("person-p", "activity-a"));
      expect((await w.only("event-a")).state).toBe("processed");
      await replan(steps("person-p", "activity-a", "activity-b"), { now: 5_000 });
      const claim = await w.claim({ now: 5_000 });
      expect(claim.steps.map(({ key, state, ref }) => [key, state, ref])).toEqual([
        ["person-p", "confirmed", "ref-of-person-p"],
        ["activity-a", "confirmed", "ref-of-activity-a"],
        ["activity-b", "planned", null],
      ]);
      expect(text(claim.sealedSteps)).toBe("plan person-p activity-a activity-b");
      expect(text(claim.sealedEvent)).toBe("event event-a");
    });

    it("hands out a plan without its event where that is not wanted, and with it the next time", async () => {
      await w.delivery("a", steps("activity-a"));
      const bare = await w.claim({ bodies: false, leaseMs: 10 });
      expect(text(bare.sealedSteps)).toBe("plan activity-a");
      expect(bare.sealedEvent).toBeUndefined();
      expect(text((await w.claim({ now: bare.lease.until })).sealedEvent)).toBe("event event-a");
    });

    it("lets steps go that were never sent, and keeps as history what may have happened", async () => {
      await w.delivery("a", steps("person-p", "activity-a", "activity-b"));
      const claim = await w.claim();
      const [person, activity] = claim.steps;
      await w.ledger.note({
        claim,
        steps: [
          { step: there(person).id, state: "confirmed", at: 1, ref: "r", adopted: false },
          { step: there(activity).id, state: "sent", at: 1, deadline: 2 },
        ],
      });
      await w.ledger.settle({
        claim,
        at: 2,
        settlement: { state: "pending", dueAt: 2, counted: true, detail: "unclear" },
        steps: [{ step: there(activity).id, state: "unknown", at: 2, reason: "cut" }],
      });
      await replan(steps("activity-c"));
      expect((await w.only("event-a")).steps.map(({ key, state }) => [key, state])).toEqual([
        ["activity-c", "planned"],
        ["person-p", "confirmed"],
        ["activity-a", "unknown"],
      ]);
      expect((await w.claim()).steps.map(({ key }) => key)).toEqual(["activity-c"]);
    });

    it("shows a person a record that the new plan has no more and that may be at the CRM, once all else is there", async () => {
      await w.delivery("a", steps("deal-a", "activity-a"));
      const claim = await w.claim();
      const step = there(claim.steps[0]).id;
      await w.ledger.note({ claim, steps: [{ step, state: "sent", at: 3_000, deadline: 3_100 }] });
      await w.ledger.settle({
        claim,
        at: 3_001,
        settlement: { state: "pending", dueAt: 3_002, counted: true, detail: "cut" },
        steps: [{ step, state: "unknown", at: 3_001, reason: "cut" }],
      });
      await replan(steps("activity-a"), { now: 4_000 });
      expect((await w.deliver({ now: 4_000 })).steps.map(({ key }) => key)).toEqual(["activity-a"]);
      const dead = await w.only("event-a");
      expect(dead).toMatchObject({ state: "failed", reason: "outcome_unknown" });
      expect(dead.detail).toContain("deal");
      // A person has looked: there it ends.
      await w.ledger.requeue({ kind: "replay", delivery: dead.id, now: 5_000 });
      expect(await w.only("event-a")).toMatchObject({ state: "processed" });
      await replan(steps("activity-a", "file-a"), { now: 6_000 });
      await w.deliver({ now: 6_000 });
      expect(await w.only("event-a")).toMatchObject({ state: "processed" });
    });

    it("makes a skipped delivery pending when it is planned with steps after all", async () => {
      await w.delivery("a", skip());
      await replan(steps("activity-a"));
      expect((await w.only("event-a")).state).toBe("pending");
      expect((await w.claim()).steps.map(({ key }) => key)).toEqual(["activity-a"]);
    });

    it("lets the new plan decide about a delivery that the old one held, and leaves one that was held while it was worked", async () => {
      await w.delivery("a", hold());
      await replan(steps("activity-a"));
      const claim = await w.claim();
      await w.ledger.settle({
        claim,
        at: 1,
        settlement: { state: "held", rule: "trust.create_contact", detail: "no such contact" },
      });
      expect(await w.only("event-a")).toMatchObject({
        state: "held",
        rule: "trust.create_contact",
        detail: "no such contact",
      });
      await replan(steps("activity-a"), { now: 6_000 });
      expect((await w.only("event-a")).state).toBe("held");
    });

    it("skips a pending delivery that is planned as skipped, unless the outcome of a call is unknown", async () => {
      await w.delivery("a", steps("activity-a"));
      await replan(skip("a bounce"));
      expect(await w.only("event-a")).toMatchObject({ state: "skipped", detail: "a bounce", steps: [] });
      await replan(steps("activity-a"), { now: 4_000 });
      const claim = await w.claim({ now: 4_000 });
      const step = there(claim.steps[0]).id;
      await w.ledger.note({ claim, steps: [{ step, state: "sent", at: 4_000, deadline: 4_010 }] });
      await w.ledger.settle({
        claim,
        at: 4_001,
        settlement: { state: "pending", dueAt: 9_000, counted: true, detail: "cut" },
        steps: [{ step, state: "unknown", at: 4_001, reason: "cut" }],
      });
      await replan(skip("a bounce"), { now: 5_000 });
      expect(await w.only("event-a")).toMatchObject({ state: "failed", reason: "outcome_unknown" });
    });

    it("leaves a dead letter to a person when a copy of its message is planned again", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.fail("refused");
      await replan(steps("activity-a"));
      expect(await w.only("event-a")).toMatchObject({ state: "failed", reason: "permanent" });
    });

    it("lets work under way end under the plan it began with, and then goes on with the new one", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim();
      const step = there(claim.steps[0]).id;
      expect(await w.ledger.note({ claim, steps: [{ step, state: "sent", at: 3_000, deadline: 3_100 }] })).toBe(true);
      await replan(steps("activity-a", "activity-b"));
      // Nobody else gets it meanwhile, and the call in flight keeps its intent.
      expect(await w.claims()).toEqual([]);
      expect((await w.only("event-a")).steps.map(({ key, state }) => [key, state])).toEqual([["activity-a", "sent"]]);
      expect(
        await w.ledger.settle({
          claim,
          at: 3_050,
          settlement: { state: "processed" },
          steps: [{ step, state: "confirmed", at: 3_050, ref: "r1", adopted: false }],
        }),
      ).toBe(true);
      expect((await w.only("event-a")).state).toBe("pending");
      expect((await w.claim()).steps.map(({ key, state, ref }) => [key, state, ref])).toEqual([
        ["activity-a", "confirmed", "r1"],
        ["activity-b", "planned", null],
      ]);
    });

    it("goes on with the new plan also when the work under the old one never ends", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim({ now: 3_000, leaseMs: 100 });
      await w.ledger.note({
        claim,
        steps: [{ step: there(claim.steps[0]).id, state: "sent", at: 3_000, deadline: 3_100 }],
      });
      await replan(steps("activity-b"));
      expect((await w.claim({ now: 3_100 })).steps.map(({ key }) => key)).toEqual(["activity-b"]);
      expect((await w.only("event-a")).steps.map(({ key, state }) => [key, state])).toEqual([
        ["activity-b", "planned"],
        ["activity-a", "sent"],
      ]);
    });

    it("writes nothing for an item whose lease was lost and everything for those beside it", async () => {
      await w.ledger.accept([message("a"), message("b")]);
      const [a, b] = await w.attempt();
      const lost = preparedOf({ ...there(a), lease: { token: "not mine", until: 9 } }, { [lane]: steps("activity-a") });
      expect(await w.ledger.prepare([lost, preparedOf(there(b), { [lane]: steps("activity-b") })])).toEqual([
        false,
        true,
      ]);
      expect((await w.row("event-a")).deliveries).toEqual([]);
      expect((await w.row("event-b")).deliveries).toHaveLength(1);
    });
  });
}
