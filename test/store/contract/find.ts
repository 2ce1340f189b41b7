/** The contract of looking and of keeping small: `find`, `stats`, `lanes`, `archivable`, `purge`, `probe`, `close`. */
import { describe, expect, it } from "vitest";
import { lane, message, type OpenBench, preparedOf, skip, steps, text, there, world } from "./world.ts";

export function findContract(open: OpenBench): void {
  describe("find", () => {
    const w = world(open);
    const names = async (query: Parameters<typeof w.ledger.find>[0]) =>
      (await w.ledger.find(query)).map(({ eventId }) => eventId.replace("event-", ""));

    it("finds by event id, and by Message-ID with or without brackets", async () => {
      await w.ledger.accept([message("a"), message("b"), message("a", { eventId: "event-c", tenant: "umbrella" })]);
      expect(await names({ event: "event-b", limit: 5 })).toEqual(["b"]);
      expect(await names({ message: "<a@example.net>", limit: 5 })).toEqual(["c", "a"]);
      expect(await names({ message: "a@example.net", limit: 5 })).toEqual(["c", "a"]);
      expect(await names({ message: "event-a", limit: 5 })).toEqual(["a"]);
      expect(await names({ message: "a@example.net", tenant: "acme", limit: 5 })).toEqual(["a"]);
      expect(await names({ message: "nothing' OR 1=1 --", limit: 5 })).toEqual([]);
    });

    it("filters by tenant, lane, state, age and place, newest first, in pages", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      await w.delivery("b", skip(), { message: { receivedAt: 5_000 } });
      await w.delivery("c", steps("activity-c"), { lane: "acme/other", message: { receivedAt: 6_000 } });
      await w.ledger.accept([
        message("d", { raw: { kind: "spool", name: "s" }, receivedAt: 7_000 }),
        message("e", { tenant: "umbrella" }),
      ]);
      expect(await names({ limit: 10 })).toEqual(["e", "d", "c", "b", "a"]);
      expect(await names({ tenant: "acme", limit: 2 })).toEqual(["d", "c"]);
      expect(await names({ state: "received", limit: 10 })).toEqual(["e", "d"]);
      expect(await names({ state: "processed", limit: 10 })).toEqual(["a"]);
      expect(await names({ state: "pending", lane, limit: 10 })).toEqual([]);
      expect(await names({ state: "pending", lane: "acme/other", limit: 10 })).toEqual(["c"]);
      expect(await names({ lane, limit: 10 })).toEqual(["b", "a"]);
      expect(await names({ since: 6_000, limit: 10 })).toEqual(["d", "c"]);
      expect(await names({ spooled: true, limit: 10 })).toEqual(["d"]);
      const [, second] = await w.ledger.find({ limit: 2 });
      expect(await names({ limit: 2, before: there(second).seq })).toEqual(["c", "b"]);
    });

    it("leaves the bodies out for whoever looks through all spooled messages", async () => {
      await w.delivery("a", skip(), { message: { raw: { kind: "spool", name: "s" } } });
      const [spooled] = await w.ledger.find({ spooled: true, limit: 5 });
      expect(there(spooled)).toMatchObject({
        eventId: "event-a",
        raw: { kind: "spool", name: "s" },
        stage: "prepared",
      });
      expect(there(spooled).sealedEvent).toBeUndefined();
      expect(text((await w.row("event-a")).sealedEvent)).toBe("event event-a");
    });

    it("finds an event once, however many of its lanes are in the state", async () => {
      await w.ledger.accept([message("a"), message("b")]);
      const attempts = await w.attempt();
      await w.ledger.prepare(
        attempts.map((attempt) =>
          preparedOf(attempt, { "acme/one": steps("activity-a"), "acme/two": steps("activity-a") }),
        ),
      );
      expect(await names({ state: "pending", limit: 10 })).toEqual(["b", "a"]);
      expect(await names({ state: "pending", limit: 1 })).toEqual(["b"]);
    });

    it("remembers the ids of a lane's records from all messages, in the order asked", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      const [row] = await w.ledger.find({ limit: 1 });
      const confirmed = there(row).deliveries.flatMap((delivery) => delivery.steps);
      const asked = [{ kind: "person", key: "nobody" } as const, ...confirmed];
      expect(await w.ledger.remembered(lane, asked)).toEqual([null, ...confirmed.map(({ ref }) => ref)]);
      expect(confirmed.map(({ ref }) => ref === null)).toContain(false);
      expect(await w.ledger.remembered("acme/other", asked)).toEqual(asked.map(() => null));
    });

    it("tells of another delivery's latest call for a person that got no clear answer, and of nothing else", async () => {
      const asks = (except: number, more: object = {}) =>
        w.ledger.unclear({ lane, kind: "person", key: "person-p", except, ...more });
      await w.delivery("a", steps("person-p"));
      const claim = await w.claim({ now: 4_000 });
      const step = there(claim.steps[0]).id;
      const [own, other] = [claim.id, claim.id + 1_000];
      expect(await asks(other), "planned").toBeNull();
      await w.ledger.note({ claim, steps: [{ step, state: "sent", at: 4_000, deadline: 4_100 }] });
      expect(await asks(other), "sent").toEqual({ deadline: 4_100, pending: true });
      expect(await asks(own), "its own").toBeNull();
      expect(await asks(other, { lane: "acme/other" })).toBeNull();
      expect(await asks(other, { key: "person-q" })).toBeNull();
      expect(await asks(other, { kind: "company" })).toBeNull();
      await w.ledger.note({ claim, steps: [{ step, state: "unknown", at: 4_050, reason: "no answer", over: 4_050 }] });
      expect(await asks(other), "unknown").toEqual({ deadline: 4_100, pending: true });
      const settlement = { state: "failed", reason: "outcome_unknown", detail: "no answer" } as const;
      await w.ledger.settle({ claim, at: 4_200, settlement });
      expect(await asks(other), "a dead letter").toEqual({ deadline: 4_100, pending: false });

      await w.delivery("b", steps("person-p"), { now: 5_000 });
      const later = await w.claim({ now: 5_000 });
      expect(await asks(later.id)).toEqual({ deadline: 4_100, pending: false });
      const sent = { step: there(later.steps[0]).id, state: "sent", at: 5_000, deadline: 5_100 } as const;
      await w.ledger.note({ claim: later, steps: [sent] });
      expect(await asks(other), "the latest").toEqual({ deadline: 5_100, pending: true });
      const confirmed = { step: sent.step, state: "confirmed", at: 5_050, ref: "crm-1", adopted: false } as const;
      await w.ledger.settle({ claim: later, at: 5_050, settlement: { state: "processed" }, steps: [confirmed] });
      expect(await asks(other), "confirmed").toEqual({ deadline: 4_100, pending: false });

      await w.delivery("c", steps("deal-d"), { now: 6_000 });
      const third = await w.claim({ now: 6_000 });
      await w.ledger.note({
        claim: third,
        steps: [{ step: there(third.steps[0]).id, state: "sent", at: 6_000, deadline: 6_100 }],
      });
      expect(await asks(other, { kind: "deal", key: "deal-d" })).toEqual({ deadline: 6_100, pending: true });
    });

    it("pages dead letters and filters them by tenant and lane", async () => {
      for (const name of ["a", "b", "c"]) {
        await w.delivery(name, steps(`activity-${name}`));
        await w.fail("refused");
      }
      const [newest] = await w.ledger.deadLetters({ limit: 1 });
      expect(newest?.eventId).toBe("event-c");
      expect(
        (await w.ledger.deadLetters({ limit: 5, before: there(newest).id })).map(({ eventId }) => eventId),
      ).toEqual(["event-b", "event-a"]);
      expect(await w.ledger.deadLetters({ limit: 5, tenant: "umbrella" })).toEqual([]);
      expect(await w.ledger.deadLetters({ limit: 5, lane: "acme/other" })).toEqual([]);
      expect(await w.ledger.deadLetters({ limit: 5, tenant: "acme", lane })).toHaveLength(3);
    });

    it("counts what was skipped by rule and reason, and finds the messages of one reason", async () => {
      await w.delivery("a", skip("a newsletter"));
      await w.delivery("b", skip("a bounce"));
      await w.delivery("c", skip("a newsletter"));
      await w.delivery("d", steps("activity-d"));
      const counted = (reason: string, messages: number) => ({ lane, rule: "automated", reason, messages });
      expect(await w.ledger.skips({})).toEqual([counted("a newsletter", 2), counted("a bounce", 1)]);
      expect(await w.ledger.skips({ because: "NEWS" })).toEqual([counted("a newsletter", 2)]);
      expect(await w.ledger.skips({ because: "automated", tenant: "acme", lane })).toHaveLength(2);
      expect(await w.ledger.skips({ because: "auto" })).toEqual([]);
      expect(await w.ledger.skips({ tenant: "umbrella" })).toEqual([]);
      expect(await w.ledger.skips({ since: Number.MAX_SAFE_INTEGER })).toEqual([]);
      expect(await names({ state: "skipped", because: "newsletter", limit: 10 })).toEqual(["c", "a"]);
      expect(await names({ state: "skipped", because: "automated", limit: 10 })).toEqual(["c", "b", "a"]);
    });

    it("counts what lies beyond a hundred reasons together", async () => {
      for (let n = 0; n < 103; n++) await w.delivery(`m${n}`, skip(`reason ${n}`));
      const counts = await w.ledger.skips({});
      expect(counts).toHaveLength(101);
      expect(counts.at(-1)).toEqual({ lane, rule: null, reason: "other reasons", messages: 3 });
    });

    it("knows nothing of what is not there", async () => {
      expect(await w.ledger.story("nobody")).toEqual([]);
      expect(await w.ledger.raw("nobody")).toBeUndefined();
      expect(await w.ledger.steps(4_711)).toBeUndefined();
    });
  });
}

export function statsContract(open: OpenBench): void {
  describe("stats and lanes", () => {
    const w = world(open);

    it("counts what there is, and agrees with itself after a restart", async () => {
      await w.ledger.accept([message("x", { receivedAt: 700 }), message("y", { receivedAt: 800 })]);
      await w.prepareAll(steps("activity-x"), { thread: "t" });
      await w.delivery("b", skip());
      await w.delivery("c", steps("activity-c"));
      await w.ledger.accept([message("d", { receivedAt: 900 })]);
      await w.deliver();
      await w.fail("refused");
      const before = await w.ledger.stats(5_000);
      expect(before).toMatchObject({
        messages: 5,
        received: 1,
        oldestReceivedAt: 900,
        backlog: 2,
        deliveries: { pending: 1, processed: 1, failed: 1, skipped: 1, held: 0 },
      });
      expect(before.unarchived).toBe(3);
      expect(before.bytes).toBeGreaterThan(0);
      expect(await w.ledger.lanes()).toMatchObject([
        { lane, tenant: "acme", pending: 1, failed: 1, held: 0, oldestPendingAt: expect.any(Number) },
      ]);
      await w.reopen();
      expect({ ...(await w.ledger.stats(5_000)), bytes: 0 }).toEqual({ ...before, bytes: 0 });
    });

    it("says when the oldest pending message of a lane was received", async () => {
      await w.delivery("a", steps("activity-a"), { message: { receivedAt: 500 } });
      await w.delivery("b", steps("activity-b"), { message: { receivedAt: 600 } });
      expect((await w.ledger.lanes())[0]?.oldestPendingAt).toBe(500);
      await w.deliver();
      expect((await w.ledger.lanes())[0]?.oldestPendingAt).toBe(600);
      await w.deliver();
      expect((await w.ledger.lanes())[0]?.oldestPendingAt).toBeNull();
    });
  });

  describe("probe and close", () => {
    const w = world(open);

    it("proves that a commit would succeed", async () => {
      await expect(w.ledger.probe(1_000)).resolves.toBeUndefined();
    });

    it("finishes what was asked before it closes, and rejects what comes after", async () => {
      const before = w.ledger.accept([message("a")]);
      const closing = w.ledger.close();
      await expect(before).resolves.toHaveLength(1);
      await expect(w.ledger.accept([message("b")])).rejects.toThrow(/closed/);
      await closing;
      await w.ledger.close();
      await w.reopen();
      expect((await w.ledger.find({ limit: 5 })).map(({ eventId }) => eventId)).toEqual(["event-a"]);
    });
  });
}

export function retireContract(open: OpenBench): void {
  describe("archivable and archived", () => {
    const w = world(open);

    it("offers the raw bytes of settled messages, oldest first, and forgets them once they are in the attic", async () => {
      await w.delivery("a", skip());
      await w.delivery("b", steps("activity-b"));
      await w.delivery("c", skip(), { message: { raw: { kind: "spool", name: "s1" } } });
      const items = await w.ledger.archivable(10);
      expect(items.map(({ eventId, raw, sealed }) => [eventId, raw, text(sealed)])).toEqual([
        ["event-a", { kind: "inline" }, "raw of a"],
        ["event-c", { kind: "spool", name: "s1" }, undefined],
      ]);
      await w.ledger.archived([
        { eventId: "event-a", key: "raw/a" },
        { eventId: "event-c", key: "raw/c" },
      ]);
      expect(await w.ledger.archivable(10)).toEqual([]);
      expect(await w.ledger.raw("event-a")).toBeUndefined();
      expect((await w.row("event-c")).raw).toEqual({ kind: "blob", key: "raw/c" });
      expect((await w.ledger.stats(0)).unarchived).toBe(0);
      await w.deliver();
      expect((await w.ledger.archivable(10)).map(({ eventId }) => eventId)).toEqual(["event-b"]);
    });

    it("parses an archived message from where its bytes are now", async () => {
      await w.delivery("a", skip());
      await w.ledger.archived([{ eventId: "event-a", key: "raw/a" }]);
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 3_000 });
      const [attempt] = await w.attempt();
      expect(there(attempt).raw).toEqual({ kind: "blob", key: "raw/a" });
      expect(there(attempt).sealed).toBeUndefined();
      expect(await w.ledger.archivable(10)).toEqual([]);
    });
  });

  describe("purge", () => {
    const w = world(open);
    const policy = { rawBefore: 5_000, eventBefore: 5_000, now: 9_000, dryRun: false, limit: 100 };

    it("says first and deletes then, by age, and keeps the rows that keep doubles away", async () => {
      await w.delivery("a", steps("activity-a"));
      await w.deliver();
      await w.delivery("young", skip(), { message: { receivedAt: 6_000 } });
      const planned = await w.ledger.purge({ ...policy, dryRun: true });
      expect(planned).toEqual({
        raws: [{ eventId: "event-a", raw: { kind: "inline" }, bytes: 100 }],
        events: ["event-a"],
        through: { receivedAt: 1_000, seq: 1 },
        more: false,
      });
      expect(text(await w.ledger.raw("event-a"))).toBe("raw of a");
      expect(await w.ledger.purge(policy)).toEqual(planned);
      expect(await w.ledger.purge(policy)).toMatchObject({ raws: [], events: [], more: false });
      const row = await w.row("event-a");
      expect(row.raw).toEqual({ kind: "gone" });
      expect(row.sealedEvent).toBeUndefined();
      expect(await w.ledger.steps(there(row.deliveries[0]).id)).toBeUndefined();
      expect(row.deliveries[0]?.steps[0]).toMatchObject({ state: "confirmed", ref: "ref-of-activity-a" });
      expect(await w.ledger.accept([message("a")])).toMatchObject([{ outcome: "duplicate" }]);
      expect(await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 9_000 })).toBe(false);
    });

    it("keeps what is still open: waiting, held, or a dead letter that nobody has dropped", async () => {
      await w.ledger.accept([message("waits")]);
      await w.attempt({ leaseMs: 1e9 });
      await w.delivery("dead", steps("activity-dead"));
      const { id } = await w.fail("refused");
      await w.delivery("pending", steps("activity-pending"));
      await w.delivery("held", { kind: "hold", rule: "trust", reason: "suspicious" });
      expect((await w.ledger.purge({ ...policy, dryRun: true })).raws).toEqual([]);
      await w.ledger.requeue({ kind: "drop", delivery: id, now: 8_000, detail: "spam" });
      expect((await w.ledger.purge(policy)).raws.map(({ eventId }) => eventId)).toEqual(["event-dead"]);
    });

    it("looks at one message alone when it is asked about one", async () => {
      await w.delivery("a", skip());
      await w.delivery("b", skip());
      await w.delivery("young", skip(), { message: { receivedAt: 6_000 } });
      const one = async (only: string) => (await w.ledger.purge({ ...policy, dryRun: true, only })) as unknown;
      expect(await one("event-b")).toMatchObject({ raws: [{ eventId: "event-b" }], events: [], more: false });
      expect(await one("event-young")).toMatchObject({ raws: [], events: [] });
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-b", now: 8_000 });
      expect(await one("event-b")).toMatchObject({ raws: [], events: [] });
    });

    it("goes in steps of the limit and says when there is more", async () => {
      for (const name of ["a", "b", "c"]) await w.delivery(name, skip());
      expect(await w.ledger.purge({ ...policy, limit: 2, eventBefore: null })).toMatchObject({
        raws: [{ eventId: "event-a" }, { eventId: "event-b" }],
        events: [],
        more: true,
      });
      expect(await w.ledger.purge({ ...policy, limit: 2, eventBefore: null })).toMatchObject({
        raws: [{ eventId: "event-c" }],
        more: false,
      });
      expect(await w.ledger.purge({ ...policy, limit: 2, rawBefore: null })).toMatchObject({
        raws: [],
        events: ["event-a", "event-b"],
        more: true,
      });
    });
  });
}
