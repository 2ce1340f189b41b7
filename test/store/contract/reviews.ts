/** The contract of reviews and decisions: what waits for a person, and what a person's word brings about. */
import { describe, expect, it } from "vitest";
import type { NewReview, ReviewAnswer } from "../../../src/model/reviews.ts";
import { hold, lane, message, type OpenBench, preparedOf, skip, steps, there, world } from "./world.ts";

export function reviewContract(open: OpenBench): void {
  describe("reviews", () => {
    const w = world(open);
    const list = (more: Partial<Parameters<typeof w.ledger.reviews>[0]> = {}) =>
      w.ledger.reviews({ limit: 10, ...more });
    const decide = (eventId: string, answer: ReviewAnswer, now = 4_000) =>
      w.ledger.decide([{ eventId, answer, by: "ada", note: null, now }]);
    const asked = async (name: string, reviews: readonly NewReview[] | undefined, plan = steps(`activity-${name}`)) => {
      await w.ledger.accept([message(name)]);
      const [attempt] = await w.attempt();
      const prepared = preparedOf(there(attempt), { [lane]: plan });
      return await w.ledger.prepare([reviews === undefined ? prepared : { ...prepared, reviews }]);
    };
    const again = async (name: string, reviews?: readonly NewReview[], plan = steps(`activity-${name}`)) => {
      await w.ledger.requeue({ kind: "reprocess", eventId: `event-${name}`, now: 5_000 });
      const [attempt] = await w.attempt({ now: 5_000 });
      const prepared = preparedOf(there(attempt), { [lane]: plan }, { now: 5_000 });
      return await w.ledger.prepare([reviews === undefined ? prepared : { ...prepared, reviews }]);
    };
    const thread = (name: string, detail = "a candidate was not joined"): NewReview => ({
      eventId: `event-${name}`,
      kind: "thread",
      detail,
    });

    it("lists a delivery that is held, once for the message, with its reason", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.prepare([
        preparedOf(there(attempt), { [lane]: hold("looks forged"), "acme/two": hold("looks forged") }),
      ]);
      expect(await list()).toEqual([
        {
          id: expect.any(Number),
          eventId: "event-a",
          messageId: "<a@example.net>",
          tenant: "acme",
          kind: "held",
          detail: "looks forged",
          at: 2_000,
          resolved: null,
        },
      ]);
      await w.reopen();
      expect(await list()).toHaveLength(1);
    });

    it("lists what was held while it was worked", async () => {
      await w.delivery("a", steps("person-p"));
      const claim = await w.claim();
      const settlement = { state: "held", rule: "trust.create_contact", detail: "no such contact" } as const;
      await w.ledger.settle({ claim, at: 3_500, settlement });
      expect(await list()).toMatchObject([{ kind: "held", detail: "no such contact", at: 3_500 }]);
    });

    it("closes it by itself when the rules release it, and opens another when they hold it again", async () => {
      await w.delivery("a", hold());
      await again("a");
      expect(await list()).toEqual([]);
      expect(await list({ which: "resolved" })).toMatchObject([{ resolved: { by: "mailwright", as: "released" } }]);
      await w.delivery("b", hold("one"));
      await again("b", undefined, hold("two"));
      expect(await list()).toMatchObject([{ eventId: "event-b", detail: "two" }]);
      expect(await list({ which: "all" })).toHaveLength(2);
    });

    it("stays open while one of several deliveries is still held", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.prepare([preparedOf(there(attempt), { [lane]: hold(), "acme/two": hold() })]);
      await again("a");
      expect(await list()).toHaveLength(1);
    });

    it("opens one review of a kind for a message, however often it is asked for", async () => {
      await asked("a", [thread("a", "first")]);
      await again("a", [thread("a", "second")]);
      expect(await list()).toMatchObject([{ kind: "thread", detail: "second" }]);
      await again("a", [{ eventId: "event-a", kind: "move", detail: "move it by hand" }, thread("a", "third")]);
      expect((await list()).map(({ kind }) => kind)).toEqual(["move", "thread"]);
    });

    it("closes a thread's review that is not asked for any more, leaves it without an answer to that, and never one to move", async () => {
      await asked("a", [thread("a"), { eventId: "event-a", kind: "move", detail: "move it by hand" }]);
      await again("a");
      expect(await list()).toHaveLength(2);
      await again("a", []);
      expect(await list()).toMatchObject([{ kind: "move" }]);
    });

    it("may be asked for about another message than the one that was prepared", async () => {
      await asked("a", undefined);
      await asked("b", [thread("a")]);
      expect(await list()).toMatchObject([{ eventId: "event-a", kind: "thread" }]);
    });

    it("writes nothing of a prepare whose lease was lost", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      const lost = preparedOf(
        { ...there(attempt), lease: { token: "gone", until: 9 } },
        { [lane]: steps("activity-a") },
      );
      expect(await w.ledger.prepare([{ ...lost, reviews: [thread("a")] }])).toEqual([false]);
      expect(await list()).toEqual([]);
    });

    it("finds by tenant, kind, message and number, newest first, page by page", async () => {
      for (const name of ["a", "b", "c"]) await w.delivery(name, hold());
      await asked("d", [thread("d")]);
      const theirs = message("e", { tenant: "umbrella" });
      await w.ledger.accept([theirs]);
      const [attempt] = await w.attempt({ tenants: ["umbrella"] });
      await w.ledger.prepare([preparedOf(there(attempt), { "umbrella/crm": hold() })]);
      const rows = await list();
      expect(rows.map(({ eventId }) => eventId)).toEqual(["event-e", "event-d", "event-c", "event-b", "event-a"]);
      expect((await list({ tenant: "umbrella" })).map(({ eventId }) => eventId)).toEqual(["event-e"]);
      expect((await list({ kind: "thread" })).map(({ eventId }) => eventId)).toEqual(["event-d"]);
      expect((await list({ event: "event-b", which: "all" })).map(({ eventId }) => eventId)).toEqual(["event-b"]);
      expect((await list({ id: there(rows[1]).id })).map(({ eventId }) => eventId)).toEqual(["event-d"]);
      const page = await list({ limit: 2 });
      expect((await list({ limit: 2, before: there(page[1]).id })).map(({ eventId }) => eventId)).toEqual([
        "event-c",
        "event-b",
      ]);
    });

    it("counts what is open by tenant and kind, and since when the oldest waits", async () => {
      expect(await w.ledger.reviewTally()).toEqual([]);
      await w.delivery("a", hold(), { now: 7_000 });
      await w.delivery("b", hold(), { now: 6_000 });
      await asked("c", [thread("c")]);
      expect(await w.ledger.reviewTally()).toEqual([
        { tenant: "acme", kind: "held", open: 2, oldestAt: 6_000 },
        { tenant: "acme", kind: "thread", open: 1, oldestAt: 2_000 },
      ]);
      await decide("event-a", { kind: "reject" });
      expect(await w.ledger.reviewTally()).toMatchObject([{ open: 1, oldestAt: 6_000 }, { open: 1 }]);
    });

    it("keeps the bytes of a message with an open review beyond any age", async () => {
      await asked("a", [thread("a")], skip());
      const policy = { rawBefore: 5_000, eventBefore: 5_000, now: 6_000, dryRun: false, limit: 10 };
      expect((await w.ledger.purge(policy)).raws).toEqual([]);
      await decide("event-a", { kind: "new" });
      await again("a", [], skip());
      expect((await w.ledger.purge(policy)).raws).toHaveLength(1);
    });
  });

  describe("decisions", () => {
    const w = world(open);
    const decide = (eventId: string, answer: ReviewAnswer, more: { now?: number; by?: string; note?: string } = {}) =>
      w.ledger.decide([{ eventId, answer, by: more.by ?? "ada", note: more.note ?? null, now: more.now ?? 4_000 }]);
    const all = () => w.ledger.reviews({ limit: 10, which: "all" });

    it("are written with who, when and why, close the review and plan the message again", async () => {
      await w.delivery("a", hold());
      expect(await decide("event-a", { kind: "trust" }, { note: "I know them" })).toEqual(["done"]);
      expect(await all()).toMatchObject([{ resolved: { at: 4_000, by: "ada", as: "trust", note: "I know them" } }]);
      expect(await w.ledger.decisions("event-a")).toEqual([
        {
          eventId: "event-a",
          kind: "trust",
          withEventId: null,
          by: "ada",
          at: 4_000,
          note: "I know them",
          stands: true,
        },
      ]);
      expect(await w.row("event-a")).toMatchObject({ stage: "accepted", deliveries: [{ state: "held" }] });
      expect((await w.ledger.story("event-a")).at(-1)).toMatchObject({
        what: "let through by a person",
        detail: "by ada: I know them",
      });
      const [attempt] = await w.attempt({ now: 5_000 });
      expect(there(attempt).verdict).toEqual({ kind: "trust", by: "ada", at: 4_000 });
      await w.ledger.prepare([preparedOf(there(attempt), { [lane]: steps("activity-a") }, { now: 5_000 })]);
      expect(await w.only("event-a")).toMatchObject({ state: "pending" });
      expect(await all(), "no second review").toHaveLength(1);
    });

    it("are not there for a message that nobody decided about", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
      const [attempt] = await w.attempt({ now: 5_000 });
      expect(there(attempt).verdict).toBeUndefined();
      expect(await w.ledger.decisions("event-a")).toEqual([]);
      expect(await w.ledger.decisions("nobody")).toEqual([]);
    });

    it("are replaced by a later answer to the same question, and stay as history", async () => {
      await w.delivery("a", hold());
      await decide("event-a", { kind: "trust" });
      await decide("event-a", { kind: "reject" }, { now: 4_500, by: "bob" });
      expect((await w.ledger.decisions("event-a")).map(({ kind, by, stands }) => [kind, by, stands])).toEqual([
        ["reject", "bob", true],
        ["trust", "ada", false],
      ]);
      expect(await all()).toMatchObject([{ resolved: { at: 4_500, by: "bob", as: "reject" } }]);
      const [attempt] = await w.attempt({ now: 5_000 });
      expect(there(attempt).verdict?.kind).toBe("reject");
      await w.ledger.prepare([preparedOf(there(attempt), { [lane]: skip("rejected") }, { now: 5_000 })]);
      expect(await w.only("event-a")).toMatchObject({ state: "skipped" });
    });

    it("about the thread and about what is held stand beside each other", async () => {
      await w.delivery("a", hold());
      await w.delivery("b", steps("activity-b"));
      await decide("event-a", { kind: "trust" });
      await decide("event-a", { kind: "join", withEventId: "event-b" });
      expect(
        (await w.ledger.decisions("event-a")).map(({ kind, withEventId, stands }) => [kind, withEventId, stands]),
      ).toEqual([
        ["join", "event-b", true],
        ["trust", null, true],
      ]);
      await decide("event-a", { kind: "new" });
      expect((await w.ledger.decisions("event-a")).filter(({ stands }) => stands).map(({ kind }) => kind)).toEqual([
        "new",
        "trust",
      ]);
    });

    it("about a thread keep its review from being opened again", async () => {
      const review = { eventId: "event-a", kind: "thread", detail: "a candidate" } as const;
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.prepare([{ ...preparedOf(there(attempt), { [lane]: steps("activity-a") }), reviews: [review] }]);
      await decide("event-a", { kind: "new" });
      const [second] = await w.attempt({ now: 5_000 });
      await w.ledger.prepare([{ ...preparedOf(there(second), { [lane]: steps("activity-a") }), reviews: [review] }]);
      expect(await all()).toMatchObject([{ resolved: { as: "new" } }]);
    });

    it("that something was moved by hand plan nothing again", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      const reviews = [{ eventId: "event-a", kind: "move", detail: "by hand" } as const];
      await w.ledger.prepare([{ ...preparedOf(there(attempt), { [lane]: steps("activity-a") }), reviews }]);
      expect(await decide("event-a", { kind: "done" })).toEqual(["done"]);
      expect(await all()).toMatchObject([{ kind: "move", resolved: { as: "done" } }]);
      expect((await w.row("event-a")).stage).toBe("prepared");
    });

    it("are refused where there is no such message, none to join, or nothing left to plan from", async () => {
      await w.delivery("a", skip());
      await w.delivery("b", skip());
      await w.ledger.accept([message("c", { tenant: "umbrella" })]);
      expect(await decide("nobody", { kind: "trust" })).toEqual(["unknown"]);
      expect(await decide("event-a", { kind: "join", withEventId: "nobody" })).toEqual(["unknown"]);
      expect(await decide("event-a", { kind: "join", withEventId: "event-a" })).toEqual(["unknown"]);
      expect(await decide("event-a", { kind: "join", withEventId: "event-c" }), "another tenant's").toEqual([
        "unknown",
      ]);
      await w.ledger.purge({ rawBefore: 5_000, eventBefore: null, now: 6_000, dryRun: false, limit: 10 });
      expect(await decide("event-a", { kind: "new" })).toEqual(["gone"]);
      expect(await w.ledger.decisions("event-a")).toEqual([]);
    });

    it("made together are made all or none", async () => {
      await w.delivery("a", steps("activity-a"));
      const [one, other] = ["event-a", "nobody"].map((eventId) => ({
        eventId,
        answer: { kind: "new" } as const,
        by: "ada",
        note: null,
        now: 4_000,
      }));
      expect(await w.ledger.decide([there(one), there(other)])).toEqual(["done", "unknown"]);
      expect(await w.ledger.decisions("event-a")).toEqual([]);
      expect((await w.row("event-a")).stage).toBe("prepared");
      expect(await w.ledger.decide([])).toEqual([]);
    });

    it("that come while the message is being planned are not forgotten: it is planned once more", async () => {
      await w.delivery("a", steps("person-p", "activity-a"));
      const claim = await w.claim();
      const settlement = { state: "held", rule: "trust.create_contact", detail: "no such contact" } as const;
      await w.ledger.settle({ claim, at: 3_500, settlement });
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
      const [early] = await w.attempt({ now: 4_000 });
      await decide("event-a", { kind: "trust" });
      const plan = steps("person-p", "activity-a");
      expect(await w.ledger.prepare([preparedOf(there(early), { [lane]: plan }, { now: 4_100 })])).toEqual([true]);
      const [late] = await w.attempt({ now: 4_200 });
      expect([there(early).verdict, there(late).verdict?.kind]).toEqual([undefined, "trust"]);
      await w.ledger.prepare([preparedOf(there(late), { [lane]: plan }, { now: 4_200 })]);
      expect(await w.only("event-a")).toMatchObject({ state: "pending" });
      expect(await w.attempt({ now: 9_000 })).toEqual([]);
    });

    it("teach what they say of the sender, in one step with them, and take it back", async () => {
      await w.delivery("a", hold());
      const said = {
        tenant: "acme",
        address: "hash-of-ada",
        domain: "hash-of-esp",
        eventId: "event-a",
        by: "ada",
        at: 4_000,
      };
      const trusted = async () => {
        const question = { tenant: "acme", eventId: "event-x", hashes: [], address: "hash-of-ada" };
        return (await w.ledger.acquainted([question])).flatMap((answer) => answer.trusted);
      };
      const decision = { eventId: "event-a", by: "ada", note: null, now: 4_000 };
      const trust = { ...decision, answer: { kind: "trust" }, teaches: [{ ...said, kind: "trust" }] } as const;
      const unknown = { ...decision, eventId: "nobody", answer: { kind: "trust" } } as const;
      expect(await w.ledger.decide([trust, unknown])).toEqual(["done", "unknown"]);
      expect(await trusted(), "nothing of what was refused together").toEqual([]);
      await w.ledger.decide([trust]);
      expect(await trusted()).toEqual(["hash-of-esp"]);
      const revoke = { ...decision, answer: { kind: "reject" }, teaches: [{ ...said, kind: "revoke" }] } as const;
      await w.ledger.decide([revoke]);
      expect(await trusted()).toEqual([]);
    });

    it("are not lost on an attempt that was under way when they were made: it is planned once more, with them", async () => {
      await w.delivery("a", hold());
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 3_000 });
      const [under] = await w.attempt({ now: 3_500 });
      expect(there(under).verdict).toBeUndefined();
      await decide("event-a", { kind: "trust" });
      expect(await w.ledger.prepare([preparedOf(there(under), { [lane]: hold() }, { now: 4_500 })])).toEqual([true]);
      expect((await w.row("event-a")).stage, "waits to be planned again").toBe("accepted");
      const [next] = await w.attempt({ now: 5_000 });
      expect(there(next).verdict).toEqual({ kind: "trust", by: "ada", at: 4_000 });
      await w.ledger.prepare([preparedOf(there(next), { [lane]: steps("activity-a") }, { now: 5_000 })]);
      expect(await w.row("event-a")).toMatchObject({ stage: "prepared", deliveries: [{ state: "pending" }] });
      expect(await w.attempt({ now: 6_000 })).toEqual([]);
    });

    it("bring back what failed, also where an attempt was under way", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 2_500 });
      const [under] = await w.attempt({ now: 2_600 });
      await decide("event-a", { kind: "new" }, { now: 2_700 });
      await w.ledger.prepare([preparedOf(there(under), { [lane]: steps("activity-a") }, { now: 2_800 })]);
      await w.fail("refused");
      await w.prepareAll(steps("activity-a"), { now: 4_100 });
      expect(await w.only("event-a")).toMatchObject({ state: "pending", attempts: 0 });
    });

    it("that cannot be brought about, since the bytes are gone, leave what is held in sight", async () => {
      await w.delivery("a", hold("looks forged"));
      await decide("event-a", { kind: "trust" });
      const [attempt] = await w.attempt({ now: 5_000 });
      const { lease } = there(attempt);
      await w.ledger.release("event-a", lease, 6_000, { at: 5_500, lost: true });
      expect(await w.row("event-a")).toMatchObject({ stage: "prepared", deliveries: [{ state: "held" }] });
      expect(await w.ledger.reviews({ limit: 10 })).toMatchObject([{ kind: "held", detail: "looks forged" }]);
    });

    it("survive the end of the process", async () => {
      await w.delivery("a", hold());
      await decide("event-a", { kind: "reject" });
      await w.reopen();
      const [attempt] = await w.attempt({ now: 5_000 });
      expect(there(attempt).verdict).toEqual({ kind: "reject", by: "ada", at: 4_000 });
    });
  });
}
