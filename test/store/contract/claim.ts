/** The contract of `claim`, `pause` and `reclaim`: order, leases, pauses, and clocks that jump. */
import { describe, expect, it } from "vitest";
import type { Attempt, StepNote } from "../../../src/model/ledger.ts";
import { lane, message, type OpenBench, preparedOf, skip, steps, there, world } from "./world.ts";

const day = 24 * 3600_000;

export function claimContract(open: OpenBench): void {
  describe("claim", () => {
    const w = world(open);
    const ask = (now: number, room = 10) => w.ledger.claim({ lane, room, now, leaseMs: 1_000 });
    const names = (claims: readonly { eventId: string }[]) =>
      claims.map(({ eventId }) => eventId.replace("event-", ""));
    const retry = async (dueAt: number, now: number) => {
      const claim = await w.claim({ now });
      await w.ledger.settle({ claim, at: now, settlement: { state: "pending", dueAt, counted: true, detail: "busy" } });
    };

    it("hands out the oldest due first, each once while its lease lives", async () => {
      for (const [index, name] of ["a", "b", "c"].entries())
        await w.delivery(name, steps(`activity-${name}`), { now: 2_000 + index });
      expect(names((await ask(3_000, 2)).claims)).toEqual(["a", "b"]);
      expect(names((await ask(3_000)).claims)).toEqual(["c"]);
      expect((await ask(3_500)).claims).toEqual([]);
      expect(names((await ask(4_000)).claims)).toEqual(["a", "b", "c"]);
    });

    it("hands out live mail before replays that were asked for in bulk, and one replay in eight all the same", async () => {
      const old = Array.from({ length: 6 }, (_, n) => `old${n}`);
      for (const name of old) await w.delivery(name, skip());
      for (const name of old) await w.ledger.requeue({ kind: "reprocess", eventId: `event-${name}`, now: 2_000 });
      await w.prepareAll(steps("activity-old"), { now: 2_000 });
      const live = Array.from({ length: 20 }, (_, n) => `live${n}`);
      for (const name of live) await w.delivery(name, steps(`activity-${name}`), { now: 2_500 });
      const order: string[] = [];
      for (let turn = 0; turn < 26; turn++) order.push(...names((await ask(3_000, 1)).claims));
      expect(order.slice(0, 16).filter((name) => name.startsWith("old"))).toHaveLength(2);
      expect(new Set(order).size).toBe(26);
      expect(order.slice(-3)).toEqual(["old3", "old4", "old5"]);
    });

    it("hands out live mail before old mail of a mailbox, which came first", async () => {
      const old = Array.from({ length: 3 }, (_, n) => message(`old${n}`, { priority: 1 }));
      await w.ledger.accept([...old, ...Array.from({ length: 7 }, (_, n) => message(`live${n}`))]);
      await w.prepareAll(steps("activity"), { now: 2_000 });
      const order: string[] = [];
      for (let turn = 0; turn < 10; turn++) order.push(...names((await ask(3_000, 1)).claims));
      expect(order.slice(0, 7).every((name) => name.startsWith("live"))).toBe(true);
      expect(order.slice(7)).toEqual(["old0", "old1", "old2"]);
    });

    it("lets a replay that stands before live mail in its thread go with the live mail", async () => {
      await w.delivery("other", skip());
      await w.delivery("old", skip(), { thread: "t" });
      for (const name of ["other", "old"])
        await w.ledger.requeue({ kind: "reprocess", eventId: `event-${name}`, now: 2_000 });
      const attempts = await w.attempt({ now: 2_000 });
      await w.ledger.prepare(
        attempts.map((attempt) =>
          preparedOf(attempt, { [lane]: steps("activity") }, { thread: attempt.eventId === "event-old" ? "t" : "o" }),
        ),
      );
      await w.delivery("new", steps("activity-new"), { now: 2_500, thread: "t" });
      expect(names((await ask(3_000, 1)).claims)).toEqual(["old"]);
    });

    it("carries what the lane needs to work it", async () => {
      await w.delivery("a", steps("person-p", "activity-a"), { now: 2_000 });
      expect(await w.claim({ now: 3_000, leaseMs: 500 })).toMatchObject({
        lane,
        tenant: "acme",
        eventId: "event-a",
        attempts: 0,
        receivedAt: 1_000,
        preparedAt: 2_000,
        lease: { until: 3_500 },
        steps: [
          {
            kind: "person",
            key: "person-p",
            state: "planned",
            sends: 0,
            emptyReads: 0,
            deadline: null,
            ref: null,
            remembered: false,
          },
          {
            kind: "activity",
            key: "activity-a",
            state: "planned",
            sends: 0,
            emptyReads: 0,
            deadline: null,
            ref: null,
            remembered: false,
          },
        ],
      });
    });

    it("says what an earlier plan of the delivery has left at the CRM, and this one holds no more", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      await w.deliver();
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
      await w.prepareAll(steps("person-q", "activity-a", "activity-more"), { now: 4_000 });
      const claim = await w.claim({ now: 4_000 });
      expect(claim.left).toEqual([{ kind: "person", key: "person-p", ref: "ref-of-person-p" }]);
      expect(claim.steps.map(({ key, ref }) => [key, ref])).toEqual([
        ["person-q", null],
        ["activity-a", "ref-of-activity-a"],
        ["activity-more", null],
      ]);
    });

    it("keeps a thread in the order of arrival, one delivery at a time, also across retries", async () => {
      await w.delivery("a", steps("activity-a"), { thread: "t", now: 2_000 });
      await w.delivery("b", steps("activity-b"), { thread: "t", now: 2_000 });
      await w.delivery("other", steps("activity-o"), { thread: "u", now: 2_001 });
      expect(names((await ask(3_000)).claims)).toEqual(["a", "other"]);
      const claim = there((await ask(4_000)).claims.find(({ eventId }) => eventId === "event-a"));
      await w.ledger.settle({
        claim,
        at: 4_000,
        settlement: { state: "pending", dueAt: 8_000, counted: true, detail: "busy" },
      });
      expect(names((await ask(4_001)).claims)).toEqual([]);
      expect(names((await ask(8_000)).claims)).toEqual(["other", "a"]);
    });

    it("goes by arrival also when a later message of the thread was parsed first", async () => {
      await w.ledger.accept([message("a"), message("b")]);
      const [a, b] = await w.attempt();
      await w.ledger.prepare([preparedOf(there(b), { [lane]: steps("activity-b") }, { thread: "t" })]);
      await w.ledger.prepare([preparedOf(there(a), { [lane]: steps("activity-a") }, { thread: "t" })]);
      expect(names((await ask(3_000)).claims)).toEqual(["a"]);
    });

    it("never has two of a thread in flight, even when the earlier one turns up late", async () => {
      await w.ledger.accept([message("a"), message("b")]);
      const [a, b] = await w.attempt();
      await w.ledger.prepare([preparedOf(there(b), { [lane]: steps("activity-b") }, { thread: "t" })]);
      const late = await w.claim();
      await w.ledger.prepare([preparedOf(there(a), { [lane]: steps("activity-a") }, { thread: "t" })]);
      expect(await w.claims()).toEqual([]);
      await w.ledger.settle({
        claim: late,
        at: 3_000,
        settlement: { state: "pending", dueAt: 3_000, counted: true, detail: "busy" },
      });
      expect(names(await w.claims())).toEqual(["a"]);
    });

    it("keeps the rule that a lane held a mail by, when the mail is planned again and nothing of it is other", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      const claim = await w.claim();
      const settlement = { state: "held", rule: "mapping.strangers", detail: "no such person" } as const;
      await w.ledger.settle({ claim, at: 3_000, settlement });
      await w.ledger.accept([message("a", { routes: ["sales@in.example.com"] })]);
      const [attempt] = await w.attempt({ now: 3_100 });
      await w.ledger.prepare([preparedOf(there(attempt), { [lane]: steps("person-p", "activity-a") }, { now: 3_200 })]);
      expect(await w.only("event-a")).toMatchObject({
        state: "held",
        rule: "mapping.strangers",
        detail: "no such person",
      });
    });

    it.each(["failed", "held"] as const)("does not let a %s delivery hold up its thread", async (state) => {
      await w.delivery("a", steps("activity-a"), { thread: "t" });
      await w.delivery("b", steps("activity-b"), { thread: "t" });
      const claim = await w.claim();
      const settlement =
        state === "failed"
          ? ({ state, reason: "permanent", detail: "no" } as const)
          : ({ state, rule: "r", detail: "no" } as const);
      await w.ledger.settle({ claim, at: 3_000, settlement });
      expect(names(await w.claims())).toEqual(["b"]);
    });

    it("does not let a skipped delivery hold up its thread", async () => {
      await w.delivery("a", skip(), { thread: "t" });
      await w.delivery("b", steps("activity-b"), { thread: "t" });
      expect(names(await w.claims())).toEqual(["b"]);
    });

    it("keeps lanes apart", async () => {
      await w.delivery("a", steps("activity-a"), { lane: "acme/other" });
      expect(await w.claims()).toEqual([]);
      expect(names(await w.claims({ lane: "acme/other" }))).toEqual(["a"]);
    });

    it("says when the next delivery comes due, or a lease ends", async () => {
      expect((await ask(3_000)).nextDueAt).toBeNull();
      await w.delivery("a", steps("activity-a"));
      await retry(9_000, 3_000);
      expect((await ask(3_001)).nextDueAt).toBe(9_000);
      await w.delivery("b", steps("activity-b"), { now: 3_500 });
      const some = await ask(4_000, 0);
      expect(some.claims).toEqual([]);
      expect(some.nextDueAt).toBeLessThanOrEqual(4_000);
      expect(await ask(4_000)).toMatchObject({ claims: [{ eventId: "event-b" }], nextDueAt: 5_000 });
      await retry(20_000, 5_000);
    });

    it("remembers a record for the lane and says so in the claims of other messages", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      await w.deliver();
      await w.delivery("b", steps("person-p", "activity-b"));
      const [person, activity] = (await w.claim()).steps;
      expect(person).toMatchObject({ state: "planned", ref: "ref-of-person-p", remembered: true });
      expect(activity).toMatchObject({ state: "planned", ref: null, remembered: false });
      await w.delivery("c", steps("person-p"), { lane: "acme/other" });
      expect((await w.claim({ lane: "acme/other" })).steps[0]).toMatchObject({ ref: null, remembered: false });
    });

    it("does not let a clock that was set back stop deliveries or their retries", async () => {
      await w.delivery("a", steps("activity-a"), { now: 100 * day });
      await w.delivery("b", steps("activity-b"), { now: 100 * day });
      await retry(100 * day + 5_000, 100 * day);
      expect(names((await ask(90 * day)).claims)).toEqual(["b"]);
      expect(names((await ask(90 * day + 5_000)).claims).sort()).toEqual(["a", "b"]);
    });

    it("does the same when a call that comes with it fails by itself", async () => {
      const later = 10 * day;
      await w.delivery("a", steps("activity-a"), { now: later });
      await w.delivery("b", steps("activity-b"), { now: later });
      await retry(later + 5_000, later);
      const { id, lease } = await w.claim({ now: later, leaseMs: 20 * day });
      const processed = { claim: { id, lease }, at: 1_000, settlement: { state: "processed" } } as const;
      const [claims, refused] = await Promise.allSettled([ask(1_000), w.ledger.settle(processed)]);
      expect([claims.status, refused.status]).toEqual(["fulfilled", "rejected"]);
      expect(names((await ask(6_001)).claims)).toEqual(["a"]);
    });

    it("does the same after a call that was the first to see it, and failed by itself", async () => {
      const later = 10 * day;
      await w.delivery("a", steps("activity-a"), { now: later });
      await retry(later + 5_000, later);
      const broken = { tenants: 0 as never, room: 1, now: 1_000, leaseMs: 1_000 };
      const [attempt, stats] = await Promise.allSettled([w.ledger.attempt(broken), w.ledger.stats(1_000)]);
      expect([attempt.status, stats.status]).toEqual(["rejected", "fulfilled"]);
      expect(names((await ask(1_000)).claims)).toEqual([]);
      expect(names((await ask(6_001)).claims)).toEqual(["a"]);
    });

    it("bounds every wait when the clock was set back while nothing ran", async () => {
      await w.delivery("a", steps("activity-a"), { now: 100 * day });
      await retry(100 * day + 5_000, 100 * day);
      await w.reopen();
      expect((await ask(10 * day)).claims).toEqual([]);
      expect(names((await ask(11 * day)).claims)).toEqual(["a"]);
    });
  });
}

/** `bind`: what one account of a CRM gave out is worth nothing in another. */
export function bindContract(open: OpenBench): void {
  describe("bind", () => {
    const w = world(open);

    it("keeps what it knows under the first account, and under the same one again", async () => {
      await w.delivery("a", steps("person-p"));
      await w.deliver();
      expect(await w.ledger.bind({ lane, account: "crm:1" })).toBe(false);
      await w.reopen();
      expect(await w.ledger.bind({ lane, account: "crm:1" })).toBe(false);
      expect(await w.ledger.remembered(lane, [{ kind: "person", key: "person-p" }])).toEqual(["ref-of-person-p"]);
    });

    it("forgets all that the lane remembered when the account is another, and nothing of other lanes", async () => {
      for (const name of [lane, "acme/other"]) {
        await w.delivery(`of-${name}`, steps("person-p"), { lane: name });
        await w.deliver({ lane: name });
        await w.ledger.bind({ lane: name, account: "crm:1" });
      }
      expect(await w.ledger.bind({ lane, account: "crm:2" })).toBe(true);
      const asked = [{ kind: "person", key: "person-p" }] as const;
      expect(await w.ledger.remembered(lane, asked)).toEqual([null]);
      expect(await w.ledger.remembered("acme/other", asked)).toEqual(["ref-of-person-p"]);
      expect((await w.only(`event-of-${lane}`)).steps[0]?.ref).toBe("ref-of-person-p");
    });

    it("takes leases back and plans what was confirmed of an open delivery again, with a line in its story", async () => {
      await w.ledger.bind({ lane, account: "crm:1" });
      await w.delivery("a", steps("person-p", "activity-a", "activity-b"));
      const old = await w.claim();
      const [person, activity] = old.steps;
      const notes: StepNote[] = [
        { step: there(person).id, state: "confirmed", at: 3_000, ref: "r", adopted: false },
        { step: there(activity).id, state: "sent", at: 3_000, deadline: 3_500 },
      ];
      await w.ledger.note({ claim: old, steps: notes });
      expect(await w.ledger.bind({ lane, account: "crm:2" })).toBe(true);
      expect(await w.ledger.note({ claim: old, steps: [] })).toBe(false);
      expect((await w.claim()).steps).toMatchObject([
        { state: "planned", ref: null, remembered: false, sends: 0 },
        { state: "unknown", sends: 1 },
        { state: "planned" },
      ]);
      expect((await w.ledger.story("event-a")).at(-1)).toMatchObject({ what: "planned again", at: 3_000 });
    });

    it("brings a dead letter that comes back to the new account too, but for what a person confirms there", async () => {
      await w.ledger.bind({ lane, account: "crm:1" });
      await w.delivery("a", steps("person-p", "activity-a", "activity-b"));
      const claim = await w.claim();
      const [person, activity] = claim.steps;
      await w.ledger.settle({
        claim,
        at: 3_000,
        settlement: { state: "failed", reason: "outcome_unknown", detail: "cut" },
        steps: [
          { step: there(person).id, state: "confirmed", at: 3_000, ref: "r", adopted: false },
          { step: there(activity).id, state: "unknown", at: 3_000, reason: "cut" },
        ],
      });
      await w.ledger.bind({ lane, account: "crm:2" });
      await w.ledger.requeue({ kind: "confirm", delivery: claim.id, ref: "there", now: 3_100 });
      expect((await w.claim({ now: 3_200 })).steps).toMatchObject([
        { state: "planned", ref: null },
        { state: "confirmed", ref: "there" },
        { state: "planned" },
      ]);
    });
  });
}

export function renewContract(open: OpenBench): void {
  describe("renew", () => {
    const w = world(open);

    it("prolongs a lease that lives, and says which was lost", async () => {
      await w.delivery("a", steps("activity-a"));
      const lost = await w.claim({ now: 3_000, leaseMs: 100 });
      const claim = await w.claim({ now: 3_100, leaseMs: 100 });
      expect(await w.ledger.renew([lost, claim], 9_000)).toEqual([false, true]);
      expect(await w.ledger.claim({ lane, room: 1, now: 8_999, leaseMs: 100 })).toEqual({
        claims: [],
        nextDueAt: 9_000,
      });
      expect(await w.ledger.note({ claim, steps: [] })).toBe(true);
    });

    it("a lease that runs out has cost an attempt", async () => {
      await w.delivery("a", steps("activity-a"));
      expect((await w.claim({ now: 3_000, leaseMs: 100 })).attempts).toBe(0);
      expect((await w.claim({ now: 3_100, leaseMs: 100 })).attempts).toBe(1);
      expect((await w.claim({ now: 3_200, leaseMs: 100 })).attempts).toBe(2);
    });
  });
}

export function pauseContract(open: OpenBench): void {
  describe("pause", () => {
    const w = world(open);
    const ask = (now: number) => w.ledger.claim({ lane, room: 10, now, leaseMs: 1_000 });
    const status = async () => there((await w.ledger.lanes()).find((entry) => entry.lane === lane));

    it("hands nothing out before the pause is over, also after a restart, and keeps the later of two", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.ledger.pause({ lane, kind: "until", until: 9_000, reason: "429" });
      await w.ledger.pause({ lane, kind: "until", until: 5_000, reason: "an earlier answer" });
      await w.reopen();
      expect(await status()).toMatchObject({ pausedUntil: 9_000, pauseReason: "429", pending: 1 });
      expect(await ask(8_999)).toEqual({ claims: [], nextDueAt: 9_000 });
      expect((await ask(9_000)).claims).toHaveLength(1);
    });

    it("holds old mail back alone, also after a restart, until its time or another word", async () => {
      const old = [message("old0", { priority: 1 }), message("old1", { priority: 1 })];
      await w.ledger.accept([...old, message("live0")]);
      await w.prepareAll(steps("activity"), { now: 2_000 });
      const waits = { until: 9_000, reason: "20 % are kept for live mail" };
      await w.ledger.pause({ lane, kind: "old_mail", waits });
      await w.ledger.keepLaneBudget({ lane, budget: "in its own words" });
      await w.reopen();
      expect(await w.ledger.laneBudget(lane)).toBe("in its own words");
      expect(await status()).toMatchObject({ oldMail: waits, pending: 3 });
      const { claims } = await ask(3_000);
      expect(claims.map(({ eventId }) => eventId)).toEqual(["event-live0"]);
      const settlement = { state: "failed", reason: "permanent", detail: "no" } as const;
      for (const claim of claims) await w.ledger.settle({ claim, at: 3_000, settlement });
      expect(await ask(3_100)).toEqual({ claims: [], nextDueAt: 9_000 });
      expect((await ask(9_000)).claims).toHaveLength(2);
      await w.ledger.pause({ lane, kind: "old_mail", waits: null });
      expect(await status()).toMatchObject({ oldMail: null });
      expect(await w.ledger.laneBudget("nobody/crm")).toBeNull();
    });

    it("never lets live mail wait with old mail that is planned after it and goes before it in its thread", async () => {
      await w.ledger.accept([message("old0", { priority: 1 }), message("old1", { priority: 1 }), message("live")]);
      const thread = (name: string, n: number) => ({ now: 2_000 + n, thread: name });
      const prepare = async (attempt: Attempt, n: number) =>
        await w.ledger.prepare([preparedOf(attempt, { [lane]: steps(`activity-${n}`) }, thread("t", n))]);
      const attempts = await w.attempt({ now: 2_000 });
      const [live, ...old] = [...attempts].sort((a, b) => a.eventId.localeCompare(b.eventId));
      await prepare(there(live), 0);
      await w.ledger.accept([message("old2", { priority: 1 })]);
      await w.prepareAll(steps("activity-later"), thread("t", 1));
      for (const [n, attempt] of old.entries()) await prepare(attempt, 2 + n);
      await w.ledger.pause({ lane, kind: "old_mail", waits: { until: 9_000, reason: "kept for live mail" } });
      const order: string[] = [];
      for (let turn = 0; turn < 4; turn++) {
        const { claims } = await ask(3_000);
        const settlement = { state: "failed", reason: "permanent", detail: "no" } as const;
        for (const claim of claims) {
          order.push(claim.eventId);
          await w.ledger.settle({ claim, at: 3_000, settlement });
        }
      }
      expect(order).toEqual(["event-old0", "event-old1", "event-live"]);
      expect((await ask(9_000)).claims.map(({ eventId }) => eventId)).toEqual(["event-old2"]);
    });

    it("never lets a dead letter of live mail that is replayed wait with old mail before it", async () => {
      await w.ledger.accept([message("old", { priority: 1 }), message("live")]);
      const attempts = await w.attempt({ now: 2_000 });
      const of = (name: string) => there(attempts.find(({ eventId }) => eventId === `event-${name}`));
      await w.ledger.prepare([preparedOf(of("live"), { [lane]: steps("activity-live") }, { thread: "t" })]);
      const { id } = await w.fail("refused", { now: 2_500 });
      await w.ledger.prepare([preparedOf(of("old"), { [lane]: steps("activity-old") }, { thread: "t" })]);
      await w.ledger.pause({ lane, kind: "old_mail", waits: { until: 9_000, reason: "kept for live mail" } });
      expect((await ask(2_900)).claims).toEqual([]);
      await w.ledger.requeue({ kind: "replay", delivery: id, now: 3_000 });
      expect((await ask(3_000)).claims.map(({ eventId }) => eventId)).toEqual(["event-old"]);
    });

    it("hands nothing out while the lane is blocked; resuming lifts the block and not the vendor's pause", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.ledger.pause({ lane, kind: "blocked", at: 3_000, reason: "the token was revoked" });
      expect(await ask(1e12)).toEqual({ claims: [], nextDueAt: null });
      expect(await status()).toMatchObject({ blockedReason: "the token was revoked", blockedAt: 3_000, pending: 1 });
      await w.ledger.pause({ lane, kind: "until", until: 1e12 + 500, reason: "429" });
      await w.ledger.pause({ lane, kind: "resume" });
      expect(await status()).toMatchObject({ blockedReason: null, blockedAt: null, pausedUntil: 1e12 + 500 });
      expect((await ask(1e12)).claims).toEqual([]);
      expect((await ask(1e12 + 500)).claims).toHaveLength(1);
    });

    it("knows a lane that has had no delivery yet, and its tenant", async () => {
      await w.ledger.pause({ lane: "umbrella/crm", kind: "resume" });
      expect(await w.ledger.lanes()).toMatchObject([
        { lane: "umbrella/crm", tenant: "umbrella", pending: 0, oldestPendingAt: null },
      ]);
    });

    it("does not let a clock set back stretch a pause", async () => {
      await w.delivery("a", steps("activity-a"), { now: 100 * day });
      await w.ledger.pause({ lane, kind: "until", until: 100 * day + 5_000, reason: "429" });
      await ask(100 * day);
      expect((await ask(90 * day)).claims).toEqual([]);
      expect((await ask(90 * day + 5_000)).claims).toHaveLength(1);
    });
  });

  describe("reclaim", () => {
    const w = world(open);

    it("frees every lease of a dead process; what it had sent is unknown from then on", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      await w.ledger.accept([message("b")]);
      await w.attempt();
      const claim = await w.claim({ now: 3_000, leaseMs: day });
      const [person, activity] = claim.steps;
      await w.ledger.note({
        claim,
        steps: [
          { step: there(person).id, state: "confirmed", at: 3_000, ref: "r", adopted: false },
          { step: there(activity).id, state: "sent", at: 3_000, deadline: 3_500 },
        ],
      });
      await w.reopen();
      expect(await w.ledger.reclaim(3_100)).toBe(2);
      expect(await w.ledger.reclaim(3_100)).toBe(0);
      expect(await w.attempt()).toHaveLength(1);
      const again = await w.claim({ now: 3_100 });
      expect(again.steps).toMatchObject([
        { state: "confirmed", ref: "r" },
        { state: "unknown", sends: 1, deadline: 3_500 },
      ]);
      expect((await w.only("event-a")).steps[1]?.reason).toContain("ended before the answer");
      expect(await w.ledger.note({ claim, steps: [] })).toBe(false);
    });

    it("knows that a call of the dead process was over now at the latest, also one that outlasted its deadline", async () => {
      await w.delivery("a", steps("activity-a"));
      const claim = await w.claim({ now: 3_000, leaseMs: day });
      const sent = { step: there(claim.steps[0]).id, state: "sent", at: 3_000, deadline: 3_500 } as const;
      await w.ledger.note({ claim, steps: [sent] });
      await w.reopen();
      await w.ledger.reclaim(9_000);
      expect((await w.claim({ now: 9_000 })).steps).toMatchObject([{ state: "unknown", deadline: 9_000 }]);
    });
  });
}
