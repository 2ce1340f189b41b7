/** The contract of `accept`: identity, duplicates, conflicts. */
import { describe, expect, it } from "vitest";
import {
  bytes,
  lane,
  message,
  type OpenBench,
  type Plan,
  preparedOf,
  skip,
  steps,
  text,
  there,
  world,
} from "./world.ts";

export function acceptContract(open: OpenBench): void {
  describe("accept", () => {
    const w = world(open);

    it("keeps a new message with its envelope, routes and sealed bytes", async () => {
      const answers = await w.ledger.accept([
        message("a", { routes: ["deals@in.example.com", "deals+us@in.example.com"] }),
      ]);
      expect(answers).toEqual([{ eventId: "event-a", outcome: "new", routeAdded: false }]);
      expect(await w.row("event-a")).toMatchObject({
        eventId: "event-a",
        tenant: "acme",
        messageId: "<a@example.net>",
        conflict: false,
        stage: "accepted",
        parseAttempts: 0,
        routes: ["deals@in.example.com", "deals+us@in.example.com"],
        raw: { kind: "inline" },
        receivedAt: 1_000,
        deliveries: [],
      });
      expect(text(await w.ledger.raw("event-a"))).toBe("raw of a");
    });

    it("still has what it acknowledged after it was opened again", async () => {
      await w.ledger.accept([message("a"), message("b", { raw: { kind: "spool", name: "s1" } })]);
      await w.reopen();
      expect((await w.ledger.find({ limit: 10 })).map(({ eventId, raw }) => [eventId, raw])).toEqual([
        ["event-b", { kind: "spool", name: "s1" }],
        ["event-a", { kind: "inline" }],
      ]);
    });

    it("knows the same mail again under the event id that was first", async () => {
      await w.ledger.accept([message("a")]);
      expect(await w.ledger.accept([message("a", { eventId: "event-later" })])).toEqual([
        { eventId: "event-a", outcome: "duplicate", routeAdded: false },
      ]);
      expect((await w.ledger.stats(0)).messages).toBe(1);
    });

    it("answers in the order of the items and knows copies inside one call", async () => {
      const answers = await w.ledger.accept([
        message("a"),
        message("b"),
        message("a", { eventId: "second", routes: ["sales@in.example.com"] }),
      ]);
      expect(answers.map(({ eventId, outcome }) => [eventId, outcome])).toEqual([
        ["event-a", "new"],
        ["event-b", "new"],
        ["event-a", "duplicate"],
      ]);
      expect((await w.row("event-a")).routes).toEqual(["deals@in.example.com", "sales@in.example.com"]);
    });

    it("knows copies in calls made at the same moment", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => w.ledger.accept([message("a", { eventId: `e${n}` })])),
      );
      const outcomes = answers.flat();
      expect(outcomes.filter(({ outcome }) => outcome === "new")).toHaveLength(1);
      expect(new Set(outcomes.map(({ eventId }) => eventId)).size).toBe(1);
    });

    it("keeps the same Message-ID with other content beside the first and flags the newer", async () => {
      await w.ledger.accept([message("a")]);
      expect(await w.ledger.accept([message("a", { eventId: "forged", digest: "other" })])).toEqual([
        { eventId: "forged", outcome: "conflict", routeAdded: false },
      ]);
      expect((await w.row("event-a")).conflict).toBe(false);
      expect((await w.row("forged")).conflict).toBe(true);
      expect(await w.ledger.accept([message("a", { eventId: "x", digest: "other" })])).toMatchObject([
        { eventId: "forged", outcome: "duplicate" },
      ]);
    });

    it("tells mails without a Message-ID apart by their digest alone", async () => {
      const bare = (eventId: string, digest: string) => message("x", { eventId, digest, messageId: null });
      await w.ledger.accept([bare("one", "d1")]);
      expect(await w.ledger.accept([bare("two", "d1"), bare("three", "d2")])).toMatchObject([
        { eventId: "one", outcome: "duplicate" },
        { eventId: "three", outcome: "new" },
      ]);
    });

    it("keeps the mail of one tenant apart from the same mail of another", async () => {
      const answers = await w.ledger.accept([message("a"), message("a", { eventId: "theirs", tenant: "umbrella" })]);
      expect(answers.map(({ outcome }) => outcome)).toEqual(["new", "new"]);
    });

    it("plans a prepared message again when a copy comes by a new route, and not when it comes by a known one", async () => {
      await w.delivery("a", steps("activity-a"));
      expect(await w.ledger.accept([message("a")])).toMatchObject([{ routeAdded: false }]);
      expect((await w.row("event-a")).stage).toBe("prepared");
      expect(await w.ledger.accept([message("a", { routes: ["sales@in.example.com"] })])).toMatchObject([
        { outcome: "duplicate", routeAdded: true },
      ]);
      expect(await w.row("event-a")).toMatchObject({
        stage: "accepted",
        parseAttempts: 0,
        routes: ["deals@in.example.com", "sales@in.example.com"],
      });
      const [attempt] = await w.attempt();
      expect(there(attempt).routes).toEqual(["deals@in.example.com", "sales@in.example.com"]);
    });

    it("knows by which route old mail came too, and does not plan it again among live mail", async () => {
      await w.delivery("a", steps("activity-a"));
      const old = message("a", { routes: ["imap://sales/INBOX"], priority: 1 });
      expect(await w.ledger.accept([old])).toMatchObject([{ outcome: "duplicate", routeAdded: false }]);
      expect(await w.row("event-a")).toMatchObject({
        stage: "prepared",
        routes: ["deals@in.example.com", "imap://sales/INBOX"],
      });
    });

    it("plans once more when a new route comes while the message is being parsed", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt();
      await w.ledger.accept([message("a", { routes: ["sales@in.example.com"] })]);
      expect(await w.ledger.prepare([preparedOf(there(attempt), { [lane]: steps("activity-a") })])).toEqual([true]);
      expect((await w.row("event-a")).stage).toBe("accepted");
      const [second] = await w.attempt();
      expect(there(second)).toMatchObject({
        eventId: "event-a",
        attempts: 1,
        routes: ["deals@in.example.com", "sales@in.example.com"],
      });
      expect(await w.ledger.prepare([preparedOf(there(second), { [lane]: steps("activity-a") })])).toEqual([true]);
      expect((await w.row("event-a")).stage).toBe("prepared");
      expect((await w.row("event-a")).deliveries).toHaveLength(1);
    });

    it("takes the bytes of a copy when retention had deleted those of the first", async () => {
      await w.delivery("a", skip());
      await w.ledger.purge({ rawBefore: 5_000, eventBefore: null, now: 6_000, dryRun: false, limit: 10 });
      expect(
        await w.ledger.accept([
          message("a", { routes: ["sales@in.example.com"], raw: { kind: "inline", sealed: bytes("again") } }),
        ]),
      ).toMatchObject([{ routeAdded: true }]);
      expect(text(await w.ledger.raw("event-a"))).toBe("again");
    });

    it("does not plan again without bytes to plan from", async () => {
      await w.delivery("a", skip());
      await w.ledger.purge({ rawBefore: 5_000, eventBefore: null, now: 6_000, dryRun: false, limit: 10 });
      const copy = message("a", { routes: ["sales@in.example.com"], raw: { kind: "spool", name: "s9" } });
      expect(await w.ledger.accept([copy])).toMatchObject([{ outcome: "duplicate", routeAdded: false }]);
      expect(await w.row("event-a")).toMatchObject({
        stage: "prepared",
        raw: { kind: "gone" },
        routes: ["deals@in.example.com", "sales@in.example.com"],
      });
    });

    it("fails one call of a batch without failing the calls beside it", async () => {
      const wrong = message("bad", { digest: undefined as unknown as string });
      const [good, bad, alsoGood] = await Promise.allSettled([
        w.ledger.accept([message("a")]),
        w.ledger.accept([message("b"), wrong]),
        w.ledger.accept([message("c")]),
      ]);
      expect([good?.status, bad?.status, alsoGood?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect((await w.ledger.find({ limit: 10 })).map(({ eventId }) => eventId)).toEqual(["event-c", "event-a"]);
      expect((await w.ledger.stats(0)).messages).toBe(2);
    });

    describe("a mail whose first copy nobody believed", () => {
      const suspicious: Plan = { kind: "hold", rule: "trust.suspicious", reason: "DMARC failed" };
      const otherWay = (eventId: string, raw = eventId) => message("a", { eventId, rawSha256: raw });

      it("is taken in as one of its own when it comes by another way, and knows the first as the same content", async () => {
        await w.delivery("a", suspicious);
        const first = await w.row("event-a");
        expect(await w.ledger.accept([otherWay("real")])).toEqual([
          { eventId: "real", outcome: "conflict", routeAdded: false },
        ]);
        expect(await w.ledger.namesakes("real")).toMatchObject([
          { eventId: "event-a", earlier: true, sameContent: true },
        ]);
        expect((await w.row("event-a")).digest).toBe(first.digest);
        expect((await w.row("event-a")).deliveries).toMatchObject([{ state: "held" }]);
        expect((await w.ledger.story("event-a")).at(-1)?.what).toBe("the same message came by another way");
        // From now on that one is the mail.
        expect(await w.ledger.accept([otherWay("again", "third")])).toMatchObject([
          { eventId: "real", outcome: "duplicate" },
        ]);
        await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
        const attempts = await w.attempt({ now: 5_000 });
        expect(attempts.map(({ eventId, digest }) => [eventId, digest]).sort()).toEqual([
          ["event-a", first.digest],
          ["real", first.digest],
        ]);
      });

      it("is merged when the very same bytes come from the same peer again", async () => {
        await w.delivery("a", suspicious);
        const { rawSha256 } = message("a");
        expect(await w.ledger.accept([otherWay("again", rawSha256)])).toMatchObject([
          { eventId: "event-a", outcome: "duplicate" },
        ]);
      });

      it.each([
        ["held by a rule of the mapping", { kind: "hold", rule: "mapping.later", reason: "later" } as Plan],
        ["skipped", skip()],
        ["filed", steps("activity-a")],
      ])("is merged where the first was %s", async (_, plan) => {
        await w.delivery("a", plan);
        expect(await w.ledger.accept([otherWay("again")])).toMatchObject([
          { eventId: "event-a", outcome: "duplicate" },
        ]);
      });

      it("is merged while the first is not judged yet, and after eight that were not believed either", async () => {
        await w.ledger.accept([message("a")]);
        expect(await w.ledger.accept([otherWay("early")])).toMatchObject([{ outcome: "duplicate" }]);
        await w.prepareAll(suspicious);
        for (let n = 0; n < 8; n++) {
          expect(await w.ledger.accept([otherWay(`way-${n}`)])).toMatchObject([{ outcome: "conflict" }]);
          await w.prepareAll(suspicious);
        }
        expect(await w.ledger.accept([otherWay("way-8")])).toMatchObject([{ eventId: "way-7", outcome: "duplicate" }]);
      });
    });

    it("bounds the story of a mail that comes again without end", async () => {
      await w.ledger.accept([message("a")]);
      for (let n = 0; n < 300; n++) await w.ledger.accept([message("a", { receivedAt: 2_000 + n })]);
      const story = await w.ledger.story("event-a");
      expect(story.length).toBeLessThan(260);
      expect(story[0]).toMatchObject({ at: 1_000, what: "received" });
      expect(story.at(-1)?.at).toBe(2_299);
    });
  });
}
