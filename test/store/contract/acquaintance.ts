/** The contract of what the ledger remembers of senders, of what people decide about them, and of messages that share an id. */
import { describe, expect, it } from "vitest";
import type { Feature, Lesson } from "../../../src/model/acquaintance.ts";
import { lane, message, type OpenBench, preparedOf, skip, steps, text, there, world } from "./world.ts";

const feature = (hash: string, of = "globex", kind: Feature["kind"] = "domain"): Feature => ({ kind, hash, of });
const lesson = (at: number, features: Feature[], trust: Lesson["trust"] = "verified"): Lesson => ({
  trust,
  at,
  features,
});

export function acquaintanceContract(open: OpenBench): void {
  describe("acquaintances", () => {
    const w = world(open);
    /** Takes one message in, and its lesson with it. */
    async function taught(name: string, of: Lesson, options: { tenant?: string } = {}): Promise<string> {
      const tenant = options.tenant ?? "acme";
      await w.ledger.accept([message(name, { tenant })]);
      const [attempt] = await w.attempt({ tenants: [tenant] });
      const prepared = { ...preparedOf(there(attempt), { [`${tenant}/crm`]: skip() }), acquaintance: of };
      expect(await w.ledger.prepare([prepared])).toEqual([true]);
      return `event-${name}`;
    }
    const ask = async (hashes: string[], options: { tenant?: string; eventId?: string; address?: string } = {}) => {
      const { tenant = "acme", eventId = "event-new", address = null } = options;
      return there((await w.ledger.acquainted([{ tenant, eventId, hashes, address }]))[0]);
    };

    it("knows nobody at first", async () => {
      expect(await ask(["h1"], { address: "a1" })).toEqual({ features: [], trusted: [] });
    });

    it("remembers what a message taught, across a restart", async () => {
      await taught("a", lesson(1_000, [feature("h1"), feature("h2", "globex", "skeleton")], "aligned-weak"));
      await w.reopen();
      const { features } = await ask(["h2", "h1", "h3"]);
      expect(features).toEqual([
        {
          kind: "skeleton",
          hash: "h2",
          of: "globex",
          eventId: "event-a",
          firstAt: 1_000,
          lastAt: 1_000,
          trust: "aligned-weak",
        },
        {
          kind: "domain",
          hash: "h1",
          of: "globex",
          eventId: "event-a",
          firstAt: 1_000,
          lastAt: 1_000,
          trust: "aligned-weak",
        },
      ]);
    });

    it("keeps the first and the last time, whatever the order of arrival, and the best trust", async () => {
      await taught("a", lesson(5_000, [feature("h1")], "aligned-weak"));
      await taught("b", lesson(9_000, [feature("h1")], "verified"));
      await taught("c", lesson(1_000, [feature("h1")], "aligned-weak"));
      expect((await ask(["h1"])).features).toMatchObject([
        { firstAt: 1_000, lastAt: 9_000, trust: "verified", eventId: "event-a" },
      ]);
    });

    it("does not take a message for an acquaintance of itself, until another has taught the same", async () => {
      await taught("a", lesson(1_000, [feature("h1")]));
      expect((await ask(["h1"], { eventId: "event-a" })).features).toEqual([]);
      await taught("b", lesson(2_000, [feature("h1")]));
      expect((await ask(["h1"], { eventId: "event-a" })).features).toHaveLength(1);
    });

    it("learns nothing anew when a message is reprocessed or comes again", async () => {
      await taught("a", lesson(1_000, [feature("h1")]));
      const before = await ask(["h1"]);
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 7_000 });
      const [attempt] = await w.attempt({ now: 8_000 });
      await w.ledger.prepare([
        {
          ...preparedOf(there(attempt), { [lane]: skip() }, { now: 8_000 }),
          acquaintance: lesson(1_000, [feature("h1")]),
        },
      ]);
      expect(await ask(["h1"])).toEqual(before);
      expect((await ask(["h1"], { eventId: "event-a" })).features).toEqual([]);
    });

    it("learns nothing from work whose lease was lost", async () => {
      await w.ledger.accept([message("a")]);
      const [attempt] = await w.attempt({ now: 1_500, leaseMs: 500 });
      await w.attempt({ now: 2_000 });
      const late = { ...preparedOf(there(attempt), { [lane]: skip() }), acquaintance: lesson(1_000, [feature("h1")]) };
      expect(await w.ledger.prepare([late])).toEqual([false]);
      expect((await ask(["h1"])).features).toEqual([]);
    });

    it("keeps tenants apart", async () => {
      await taught("a", lesson(1_000, [feature("h1")]), { tenant: "globex" });
      expect((await ask(["h1"])).features).toEqual([]);
      expect((await ask(["h1"], { tenant: "globex" })).features).toHaveLength(1);
    });

    it("gives a few bearers of one hash at most", async () => {
      const many = Array.from({ length: 12 }, (_, n) => feature("name", `owner-${n}`, "name"));
      await taught("a", lesson(1_000, many));
      expect((await ask(["name"])).features).toHaveLength(4);
    });

    it("remembers whom a person trusts, until that is taken back", async () => {
      const decision = { tenant: "acme", address: "a1", domain: "d1", eventId: "event-a", by: "ada", at: 1_000 };
      await w.ledger.decideSender([
        { kind: "trust", ...decision },
        { kind: "trust", ...decision, domain: "d2" },
      ]);
      await w.reopen();
      expect((await ask([], { address: "a1" })).trusted).toEqual(["d1", "d2"]);
      expect((await ask([], { address: "a2" })).trusted).toEqual([]);
      expect((await ask([], { address: "a1", tenant: "globex" })).trusted).toEqual([]);
      await w.ledger.decideSender([{ kind: "revoke", ...decision, at: 2_000 }]);
      expect((await ask([], { address: "a1" })).trusted).toEqual(["d2"]);
    });
  });

  describe("namesakes", () => {
    const w = world(open);
    const sameId = { messageId: "<same@example.net>" };

    it("are the other messages of the tenant with the same id, with what became of them", async () => {
      await w.delivery("a", steps("activity-a"), { message: sameId });
      await w.delivery("b", skip(), { message: sameId });
      await w.ledger.accept([message("c", sameId), message("d", { ...sameId, tenant: "globex" }), message("e")]);
      const found = await w.ledger.namesakes("event-b");
      expect(found.map(({ sealedEvent, ...rest }) => ({ ...rest, event: text(sealedEvent) }))).toEqual([
        {
          eventId: "event-a",
          earlier: true,
          sameContent: false,
          lanes: [lane],
          waiting: false,
          event: "event event-a",
        },
        { eventId: "event-c", earlier: false, sameContent: false, lanes: [], waiting: true, event: undefined },
      ]);
      expect(await w.ledger.namesakes("event-e")).toEqual([]);
      expect(await w.ledger.namesakes("event-unknown")).toEqual([]);
    });

    it("are none for messages without an id", async () => {
      await w.ledger.accept([message("a", { messageId: null }), message("b", { messageId: null })]);
      expect(await w.ledger.namesakes("event-a")).toEqual([]);
    });
  });
}
