/** The contract of runs over stored messages: what is planned by one, what comes in between, and what taking one back must not touch. */
import { describe, expect, it } from "vitest";
import type { Attempt } from "../../../src/model/ledger.ts";
import { type NewRun, undoRule } from "../../../src/model/runs.ts";
import { facts } from "./threads.ts";
import { hold, lane, message, type OpenBench, type Plan, preparedOf, steps, there, world } from "./world.ts";

export function runsContract(open: OpenBench): void {
  describe("runs", () => {
    const w = world(open);
    const run: NewRun = {
      tenant: "acme",
      kind: "apply",
      of: null,
      mappingVersion: 100,
      cohort: {},
      by: "ida",
      note: null,
      now: 4_000,
    };

    async function begun(events: readonly string[], changes: Partial<NewRun> = {}): Promise<number> {
      const id = there(await w.ledger.beginRun({ ...run, ...changes }));
      if (changes.kind !== "undo") await w.ledger.chooseForRun(id, events);
      await w.ledger.stateRun({ run: id, state: "running", now: 4_000 });
      return id;
    }
    const feed = (id: number): Promise<number> => w.ledger.feedRun({ run: id, limit: 10, now: 4_000 });
    const only = async (): Promise<Attempt> => there((await w.attempt({ now: 4_000 }))[0]);
    const planned = async (attempt: Attempt, plan: Plan, now = 4_100): Promise<readonly boolean[]> =>
      await w.ledger.prepare([
        {
          ...preparedOf(attempt, { [lane]: plan }, { now }),
          ...(attempt.run === undefined ? {} : { byRun: attempt.run.id }),
        },
      ]);
    const states = async (id: number) =>
      (await w.ledger.runEvents({ run: id, limit: 10 })).map(({ eventId, state }) => `${eventId} ${state}`);
    const undo = (of: number): Promise<number> => begun([], { kind: "undo", of });
    const nothing: Plan = { ...steps(), rule: undoRule } as Plan;

    it("give their messages to be planned by their mapping, and hold what they were planned by", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      expect(await feed(id)).toBe(1);
      const attempt = await only();
      expect(attempt).toMatchObject({ run: { id, kind: "apply" }, pinned: 100 });
      await planned(attempt, steps("activity-a", "person-p"));
      expect(await states(id)).toEqual(["event-a planned"]);
      expect((await w.only("event-a")).state).toBe("pending");
    });

    it("leave a message that changed while it was planned to its live plan, and ask for it again", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      await feed(id);
      const attempt = await only();
      await w.ledger.accept([message("a", { routes: ["sales@in.example.com"] })]);
      expect(await planned(attempt, steps("activity-a", "person-p"))).toEqual([true]);
      expect(await states(id)).toEqual(["event-a waiting"]);
      const live = await only();
      expect(live.run).toBeUndefined();
      await planned(live, steps("activity-a"));
      expect(await feed(id)).toBe(1);
      expect((await only()).run).toMatchObject({ id });
    });

    it("ask again for what a live plan took the place of before it came about", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("activity-a", "person-p"));
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_200 });
      await planned(await only(), steps("activity-a"));
      expect(await states(id)).toEqual(["event-a waiting"]);
    });

    it.each(["note", "settle"] as const)("keep what the CRM held after a step, told by %s", async (how) => {
      await w.delivery("a", steps("activity-a"));
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("activity-a", "person-p"));
      const claim = await w.claim({ now: 4_200 });
      const snapshot = new Uint8Array([1, 2, 250]);
      const notes = claim.steps.map(
        (step) =>
          ({ step: step.id, state: "confirmed", at: 4_300, ref: `ref-${step.key}`, adopted: false, snapshot }) as const,
      );
      const settlement = { state: "processed" } as const;
      if (how === "note") expect(await w.ledger.note({ claim, steps: notes })).toBe(true);
      expect(
        await w.ledger.settle({ claim, at: 4_300, settlement, ...(how === "settle" ? { steps: notes } : {}) }),
      ).toBe(true);
      const back = await undo(id);
      const made = await w.ledger.runMade({ run: id, undo: back, eventId: "event-a" });
      const held = made.deliveries.flatMap((one) => one.steps.map((step) => [...(step.snapshot ?? [])]));
      expect(held.length).toBeGreaterThan(0);
      for (const bytes of held) expect(bytes).toEqual([1, 2, 250]);
    });

    it("let what a lane held for want of a contact be worked again: their mapping may make one", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      const claim = await w.claim();
      const settlement = { state: "held", rule: "trust.create_contact", detail: "no such person" } as const;
      await w.ledger.settle({ claim, at: 2_500, settlement });
      expect((await w.only("event-a")).state).toBe("held");
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("person-p", "activity-a"));
      expect((await w.only("event-a")).state).toBe("pending");
    });

    it("give up a message that they cannot plan: it stays as it was, under the mapping of before, with the reason", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      await feed(id);
      const attempt = await only();
      const given = { eventId: "event-a", token: attempt.lease.token, run: id, reason: "no such rules", now: 4_100 };
      expect(await w.ledger.giveUpInRun({ ...given, token: "another" })).toBe(false);
      expect(await w.ledger.giveUpInRun(given)).toBe(true);
      expect(await w.ledger.runEvents({ run: id, limit: 10 })).toMatchObject([
        { state: "unable", reason: "no such rules", deliveries: [] },
      ]);
      expect(await w.only("event-a")).toMatchObject({ state: "processed" });
      expect(await w.attempt({ now: 99_000 })).toEqual([]);
      expect(await w.ledger.stateRun({ run: id, state: "done", now: 4_200 })).toBe(true);
      // What a person asks for is decided by what decided before.
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_300 });
      const live = await only();
      expect(live.run).toBeUndefined();
      expect(live.pinned).toBeUndefined();
    });

    it("are given what they could not plan once more, where nobody has taken them back and no other run is under way", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      await feed(id);
      const { lease } = await only();
      expect(await w.ledger.retryRun(id)).toBe(0);
      await w.ledger.giveUpInRun({ eventId: "event-a", token: lease.token, run: id, reason: "no rules", now: 4_100 });
      expect(await w.ledger.stateRun({ run: id, state: "done", now: 4_200 })).toBe(true);
      expect(await w.ledger.retryRun(id)).toBe(1);
      expect(await w.ledger.retryRun(id)).toBe(0);
      expect(await w.ledger.runs({ id, limit: 1 })).toMatchObject([{ state: "running", endedAt: null }]);
      await feed(id);
      await planned(await only(), steps("activity-a", "person-p"));
      await w.deliver({ now: 4_300 });
      expect(await w.ledger.stateRun({ run: id, state: "done", now: 4_400 })).toBe(true);
      expect(await w.ledger.retryRun(id)).toBe(0);

      const back = await undo(id);
      await feed(back);
      const second = await only();
      const given = { eventId: "event-a", token: second.lease.token, reason: "cannot be opened", now: 4_500 };
      await w.ledger.giveUpInRun({ ...given, run: back });
      expect(await w.ledger.stateRun({ run: back, state: "done", now: 4_600 })).toBe(true);
      expect(await w.ledger.retryRun(id)).toBe(0);
      const later = await begun(["event-a"]);
      expect(await w.ledger.retryRun(back)).toBe(0);
      await w.ledger.stateRun({ run: later, state: "stopped", now: 4_700 });
      expect(await w.ledger.retryRun(back)).toBe(0);
      expect(await states(back)).toEqual(["event-a unable"]);
      // That one is taken back too: then what this undo could not plan is nobody else's any more.
      const last = await undo(later);
      expect(await w.ledger.stateRun({ run: last, state: "done", now: 4_800 })).toBe(true);
      expect(await w.ledger.retryRun(back)).toBe(1);
      expect(await states(back)).toEqual(["event-a waiting"]);
    });

    it("are given once more only what no later run has, which stays with that one's mapping", async () => {
      for (const name of ["a", "b"]) await w.delivery(name, steps(`activity-${name}`));
      for (const _ of ["a", "b"]) await w.deliver();
      const all = ["event-a", "event-b"];
      const first = await begun(all);
      const fail = async (id: number) => {
        await feed(id);
        for (const { eventId, lease } of await w.attempt({ now: 4_000 }))
          await w.ledger.giveUpInRun({ eventId, token: lease.token, run: id, reason: "no rules", now: 4_100 });
        expect(await w.ledger.stateRun({ run: id, state: "done", now: 4_200 })).toBe(true);
      };
      await fail(first);
      const second = await begun(["event-a"], { mappingVersion: 101 });
      await feed(second);
      await planned(await only(), steps("activity-a", "person-p"));
      await w.deliver({ now: 4_300 });
      expect(await w.ledger.stateRun({ run: second, state: "done", now: 4_400 })).toBe(true);
      expect(await w.ledger.retryRun(first)).toBe(1);
      expect(await states(first)).toEqual(["event-a unable", "event-b waiting"]);
      await fail(first);
      // The later one is taken back: what it had is nobody else's any more.
      const back = await undo(second);
      await feed(back);
      await planned(await only(), nothing, 4_500);
      expect(await w.ledger.stateRun({ run: back, state: "done", now: 4_600 })).toBe(true);
      expect(await w.ledger.retryRun(first)).toBe(2);
    });

    it("gone on with, ask for nothing again that a later run has planned since", async () => {
      for (const name of ["a", "b"]) await w.delivery(name, steps(`activity-${name}`));
      for (const _ of ["a", "b"]) await w.deliver();
      const first = await begun(["event-a", "event-b"]);
      await feed(first);
      for (const attempt of await w.attempt({ now: 4_000 })) {
        const { eventId, lease } = attempt;
        if (eventId === "event-a") await planned(attempt, steps("activity-a", "person-p"));
        else await w.ledger.giveUpInRun({ eventId, token: lease.token, run: first, reason: "no rules", now: 4_100 });
      }
      // A call of the first was begun, and nobody knows what came of it.
      const claim = await w.claim({ now: 4_150 });
      const step = there(claim.steps.find(({ key }) => key === "person-p")).id;
      await w.ledger.note({ claim, steps: [{ step, state: "sent", at: 4_160, deadline: 4_170 }] });
      const settlement = { state: "pending", dueAt: 90_000, counted: true, detail: "later" } as const;
      await w.ledger.settle({ claim, at: 4_180, settlement });
      expect(await w.ledger.stateRun({ run: first, state: "done", now: 4_200 })).toBe(true);
      const second = await begun(["event-a"], { mappingVersion: 101 });
      await feed(second);
      await planned(await only(), steps("activity-a", "person-p"));
      expect(await w.ledger.stateRun({ run: second, state: "done", now: 4_300 })).toBe(true);
      expect(await w.ledger.retryRun(first)).toBe(1);
      // What the first asked for has not come about: a live plan would have that run ask again.
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_400 });
      const live = await only();
      expect(live.pinned).toBe(101);
      await planned(live, steps("activity-a"));
      expect(await states(first)).toEqual(["event-a planned", "event-b waiting"]);
    });

    it("gone on with, leave an answer of a conversation that gets its deal now to the later run that planned it", async () => {
      for (const name of ["a", "b"]) await w.delivery(name, steps(`activity-${name}`));
      for (const _ of ["a", "b"]) await w.deliver();
      const inThread = async (attempt: Attempt, writtenAt: number, asks?: string): Promise<void> => {
        const name = attempt.eventId.slice(-1);
        const place = { thread_id: "t1", parent_event_id: null, confidence: 1, method: "new", review: false } as const;
        const prepared = {
          ...preparedOf(attempt, { [lane]: steps(`activity-${name}`) }, { thread: "t1", now: 4_100 }),
          thread: { facts: facts(name, { writtenAt }), thread: { ...place, candidates: [] }, moved: [] },
          ...(attempt.run === undefined ? {} : { byRun: attempt.run.id }),
          ...(asks === undefined ? {} : { deal: { key: asks, pipeline: null, stage: "qualification" } }),
        };
        expect(await w.ledger.prepare([prepared])).toEqual([true]);
      };
      const first = await begun(["event-a", "event-b"]);
      await feed(first);
      for (const attempt of await w.attempt({ now: 4_000 })) {
        const { eventId, lease } = attempt;
        if (eventId === "event-a") await inThread(attempt, 2_000);
        else await w.ledger.giveUpInRun({ eventId, token: lease.token, run: first, reason: "no rules", now: 4_100 });
      }
      expect(await w.ledger.stateRun({ run: first, state: "done", now: 4_200 })).toBe(true);
      const second = await begun(["event-a"], { mappingVersion: 101 });
      await feed(second);
      await inThread(await only(), 2_000);
      expect(await w.ledger.stateRun({ run: second, state: "done", now: 4_300 })).toBe(true);
      expect(await w.ledger.retryRun(first)).toBe(1);
      await feed(first);
      await inThread(await only(), 1_000, "deal-b");
      expect(await states(first)).toEqual(["event-a planned", "event-b planned"]);
    });

    it("taken back, gone on with, leave what a later run has planned since out of their further passes", async () => {
      for (const name of ["a", "b"]) await w.delivery(name, steps(`activity-${name}`));
      for (const _ of ["a", "b"]) await w.deliver();
      const first = await begun(["event-a", "event-b"]);
      await feed(first);
      for (const attempt of await w.attempt({ now: 4_000 })) {
        const name = attempt.eventId.slice(-1);
        await planned(attempt, steps(`activity-${name}`, `person-${name}`));
      }
      for (const _ of ["a", "b"]) {
        const claim = await w.claim({ now: 4_200 });
        const step = there(claim.steps.find(({ key }) => key.startsWith("person-"))).id;
        const snapshot = new Uint8Array([1]);
        const note = { step, state: "confirmed", at: 4_210, ref: `ref-${step}`, adopted: false, snapshot } as const;
        await w.ledger.settle({ claim, at: 4_210, settlement: { state: "processed" }, steps: [note] });
      }
      expect(await w.ledger.stateRun({ run: first, state: "done", now: 4_300 })).toBe(true);
      const back = await undo(first);
      await feed(back);
      for (const attempt of await w.attempt({ now: 4_300 })) {
        const { eventId, lease } = attempt;
        if (eventId === "event-a") await planned(attempt, nothing, 4_350);
        else await w.ledger.giveUpInRun({ eventId, token: lease.token, run: back, reason: "no", now: 4_350 });
      }
      expect(await w.ledger.stateRun({ run: back, state: "done", now: 4_400 })).toBe(true);
      const later = await begun(["event-a"], { mappingVersion: 101 });
      await feed(later);
      await planned(await only(), steps("activity-a", "person-a"), 4_450);
      expect(await w.ledger.stateRun({ run: later, state: "done", now: 4_500 })).toBe(true);
      expect(await w.ledger.retryRun(back)).toBe(1);
      await w.ledger.nextPass(back);
      expect((await states(back))[0]).toBe("event-a planned");
    });

    it("give up a message that something else was asked of meanwhile, which is planned then", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      await feed(id);
      const attempt = await only();
      await w.ledger.accept([message("a", { routes: ["sales@in.example.com"] })]);
      const { token } = attempt.lease;
      await w.ledger.giveUpInRun({ eventId: "event-a", token, run: id, reason: "no", now: 4_100 });
      const live = await only();
      expect(live.run).toBeUndefined();
      expect(live.pinned).toBeUndefined();
    });

    it("give up a message that a person decided about before a try began: the decision is brought about", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      await feed(id);
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_050 });
      const { lease } = await only();
      await w.ledger.giveUpInRun({ eventId: "event-a", token: lease.token, run: id, reason: "no", now: 4_100 });
      const live = await only();
      expect([live.run, live.pinned]).toEqual([undefined, undefined]);
      await planned(live, steps("activity-a"));
      expect(await w.attempt({ now: 99_000 })).toEqual([]);
    });

    it("give up a message that came by a new route at an earlier try, or between two: it is planned by it", async () => {
      for (const name of ["a", "b"]) {
        const eventId = `event-${name}`;
        await w.delivery(name, steps(`activity-${name}`));
        await w.deliver();
        const id = await begun([eventId]);
        await feed(id);
        const comes = () => w.ledger.accept([message(name, { routes: ["sales@in.example.com"] })]);
        const first = await only();
        if (name === "a") await comes();
        await w.ledger.release(eventId, first.lease, 4_001);
        if (name === "b") await comes();
        const second = there((await w.attempt({ now: 4_002 }))[0]);
        expect(second.run).toMatchObject({ id });
        await w.ledger.giveUpInRun({ eventId, token: second.lease.token, run: id, reason: "no", now: 4_100 });
        const live = await only();
        expect(live.run).toBeUndefined();
        await planned(live, steps(`activity-${name}`));
        expect(await w.ledger.stateRun({ run: id, state: "done", now: 4_200 })).toBe(true);
      }
    });

    it("overtaken leave a message to what a person asked for before a try began", async () => {
      await w.delivery("a", steps("activity-a"));
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("activity-a", "person-p"));
      const back = await undo(id);
      await feed(back);
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_210 });
      const attempt = await only();
      await w.deliver({ now: 4_300 });
      await planned(attempt, nothing, 4_250);
      expect(await states(back)).toEqual(["event-a waiting"]);
      expect((await only()).run).toBeUndefined();
    });

    it("tell how far they are without being read", async () => {
      for (const name of ["a", "b", "c"]) await w.delivery(name, steps(`activity-${name}`));
      for (const _ of ["a", "b", "c"]) await w.deliver();
      const id = await begun(["event-a", "event-b", "event-c"]);
      const told = async () => {
        const { pending, ...events } = await w.ledger.runProgress(id);
        const { deliveries, waiting, given, planned: done, unable } = await w.ledger.runTally(id);
        expect(events).toEqual({ waiting, given, planned: done, unable });
        expect(pending).toBe(deliveries.pending);
        return { ...events, pending };
      };
      expect(await told()).toEqual({ waiting: 3, given: 0, planned: 0, unable: 0, pending: 0 });
      await w.ledger.feedRun({ run: id, limit: 2, now: 4_000 });
      expect(await told()).toMatchObject({ waiting: 1, given: 2 });
      for (const attempt of await w.attempt({ now: 4_000 }))
        await planned(attempt, steps(attempt.eventId.replace("event", "activity"), `person-${attempt.eventId}`));
      expect(await told()).toEqual({ waiting: 1, given: 0, planned: 2, unable: 0, pending: 2 });
      await w.deliver({ now: 4_200 });
      expect(await told()).toMatchObject({ planned: 2, pending: 1 });
    });

    it("taken back before anything came about, leave a held mail held", async () => {
      await w.delivery("a", hold("suspicious"));
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("activity-a"));
      expect((await w.only("event-a")).state).toBe("pending");
      const back = await undo(id);
      await feed(back);
      await planned(await only(), nothing);
      expect(await w.only("event-a")).toMatchObject({ state: "held", detail: "suspicious", rule: "trust" });
      expect(await w.ledger.reviews({ limit: 10 })).toMatchObject([{ eventId: "event-a", kind: "held" }]);
    });

    it("taken back, unpin what the run pinned, however often it gave it", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const id = await begun(["event-a"]);
      for (const again of [false, true]) {
        if (again) await w.ledger.accept([message("a", { routes: ["sales@in.example.com"] })]);
        await feed(id);
        const attempt = await only();
        if (!again) await w.ledger.accept([message("a", { routes: ["more@in.example.com"] })]);
        await planned(attempt, steps("activity-a"));
        if (!again) await planned(await only(), steps("activity-a"));
      }
      const back = await undo(id);
      await feed(back);
      expect((await only()).pinned).toBeUndefined();
    });

    it.each(["waiting", "unable"] as const)("are taken back in what came about before it was %s", async (became) => {
      for (const name of ["a", "b"]) {
        await w.delivery(name, steps(`activity-${name}`));
        await w.deliver();
      }
      const id = await begun(["event-a", "event-b"]);
      await feed(id);
      for (const attempt of await w.attempt({ now: 4_000 })) {
        const name = attempt.eventId.slice(-1);
        await planned(attempt, steps(`activity-${name}`, `person-${name}`, `company-${name}`));
      }
      // Of the one a person is made, of the other nothing that the run wanted.
      const claim = await w.claim({ now: 4_200 });
      const step = there(claim.steps.find(({ key }) => key.startsWith("person-"))).id;
      await w.ledger.settle({
        claim,
        at: 4_210,
        settlement: { state: "pending", dueAt: 90_000, counted: true, detail: "later" },
        steps: [{ step, state: "confirmed", at: 4_210, ref: "ref-p", adopted: false }],
      });
      for (const name of ["a", "b"]) {
        await w.ledger.requeue({ kind: "reprocess", eventId: `event-${name}`, now: 4_300 });
        await planned(await only(), steps(`activity-${name}`));
      }
      expect(await states(id)).toEqual(["event-a waiting", "event-b waiting"]);
      if (became === "unable") {
        await feed(id);
        for (const { eventId, lease } of await w.attempt({ now: 4_000 }))
          await w.ledger.giveUpInRun({ eventId, token: lease.token, run: id, reason: "no", now: 4_400 });
        expect(await states(id)).toEqual(["event-a unable", "event-b unable"]);
      }
      expect(await states(await undo(id))).toEqual([`${claim.eventId} waiting`]);
    });

    it("are not taken back in what a lane is working, until that has ended", async () => {
      await w.delivery("a", steps("activity-a"));
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("activity-a", "person-p"));
      const claim = await w.claim({ now: 4_200 });
      const back = await undo(id);
      expect(await feed(back)).toBe(0);
      await w.ledger.settle({
        claim,
        at: 4_300,
        settlement: { state: "pending", dueAt: 9_000, counted: true, detail: "later" },
      });
      expect(await feed(back)).toBe(1);
    });

    it("plan nothing back from what was read before a lane settled it", async () => {
      await w.delivery("a", steps("activity-a"));
      const id = await begun(["event-a"]);
      await feed(id);
      await planned(await only(), steps("activity-a", "person-p"));
      const back = await undo(id);
      await feed(back);
      const attempt = await only();
      await w.deliver({ now: 4_300 });
      await planned(attempt, nothing, 4_250);
      expect(await states(back)).toEqual(["event-a waiting"]);
      expect((await w.only("event-a")).state).toBe("processed");
    });

    it("are not taken back before a later one over the same messages", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const first = await begun(["event-a"]);
      await feed(first);
      await planned(await only(), steps("activity-a"));
      expect(await w.ledger.stateRun({ run: first, state: "done", now: 4_200 })).toBe(true);
      const second = await begun(["event-a"], { mappingVersion: 101 });
      await feed(second);
      await planned(await only(), steps("activity-a"));
      expect(await w.ledger.stateRun({ run: second, state: "done", now: 4_300 })).toBe(true);
      expect(await w.ledger.beginRun({ ...run, kind: "undo", of: first })).toBeUndefined();
      expect(await w.ledger.beginRun({ ...run, kind: "undo", of: second })).toBeGreaterThan(second);
    });
  });
}
