import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { placeThreads } from "../../src/mail/thread.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import { defaultMarks, type ThreadDecision, type ThreadFacts } from "../../src/model/threads.ts";
import { openLedger } from "../../src/store/index.ts";
import { corpusMails, factsOf } from "../mail/thread/corpus.ts";
import { arrival, generated, inBatches } from "../mail/thread/generated.ts";
import { byCluster, clustersIn } from "../mail/thread/mails.ts";
import { facts } from "./contract/threads.ts";
import { message, preparedOf } from "./contract/world.ts";

let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
});
afterAll(() => ledger.close());

let runs = 0;

/** A tenant's mail on the road: taken in, placed as the road does, and placed again as often as the ledger asks for it. */
class Road {
  readonly tenant = `t${runs++}`;
  readonly #known = new Map<string, ThreadFacts>();
  placings = 0;

  own(facts: ThreadFacts): ThreadFacts {
    const { tenant } = this;
    const named = (name: string): string => `${tenant}-${name}`;
    const { eventId, begins, token } = facts;
    const changed = {
      tenant,
      eventId: named(eventId),
      begins: named(begins),
      token: token === null ? null : named(token),
    };
    return { ...facts, ...changed };
  }

  async take(batch: readonly ThreadFacts[]): Promise<void> {
    const { tenant } = this;
    for (const facts of batch) this.#known.set(facts.eventId, facts);
    await ledger.accept(batch.map(({ eventId }) => message(eventId, { eventId, tenant })));
    while (await this.#placeWaiting());
  }

  async #placeWaiting(): Promise<boolean> {
    const { tenant } = this;
    const attempts = await ledger.attempt({ tenants: [tenant], room: 50, now: 1_500, leaseMs: 60_000 });
    if (attempts.length === 0) return false;
    const facts = attempts.map(({ eventId }) => this.#known.get(eventId)).filter((each) => each !== undefined);
    const around = await ledger.around({ tenant, facts, window: defaultMarks.window });
    expect(around.cut).toBe(false);
    const placed = placeThreads(facts, around, defaultMarks);
    this.placings += placed.length;
    const written = await ledger.prepare(
      attempts.map((attempt, at) => ({
        ...preparedOf(attempt, {}, { thread: placed[at]?.thread.thread_id ?? "" }),
        ...(placed[at] === undefined ? {} : { thread: placed[at] }),
      })),
    );
    expect(written.every((each) => each)).toBe(true);
    return true;
  }

  async decide(decisions: readonly ThreadDecision[]): Promise<void> {
    const answers = decisions.map(({ eventId, withEventId }) => ({
      eventId,
      answer: withEventId === null ? ({ kind: "new" } as const) : ({ kind: "join", withEventId } as const),
      by: "ida",
      note: null,
      now: 2_000,
    }));
    expect(await ledger.decide(answers)).toEqual(decisions.map(() => "done"));
    await this.take([]);
  }

  async clusters(): Promise<string[][]> {
    const threads = await Promise.all(
      [...this.#known.keys()].map(async (event) => {
        const row = await ledger.thread({ event });
        expect(row?.messages.some(({ eventId }) => eventId === event)).toBe(true);
        return [event, row?.threadId ?? "nowhere"] as const;
      }),
    );
    return byCluster(threads);
  }
}

test("the conversations of the corpus come out the same in the ledger, forwards, backwards and across", async () => {
  const facts = factsOf(await corpusMails());
  const orders = [facts, facts.toReversed(), facts.toSorted((one, other) => (one.begins < other.begins ? -1 : 1))];
  for (const [index, order] of orders.entries()) {
    const road = new Road();
    const messages = order.map((each) => road.own(each));
    for (const batch of inBatches(messages, { keys: [0], batch: index === 0 ? 1 : 7 })) await road.take(batch);
    expect(await road.clusters()).toEqual(clustersIn(messages));
  }
}, 60_000);

test("an answer to mass mail stands where its subject puts it, whether the mass mail comes before it or after", async () => {
  const bob = { address: "bob", organisation: "client" };
  const common = { subject: "hall", reply: true } as const;
  const asked = facts("asked", { ...common, writtenAt: 1_000, sender: bob, people: [bob] });
  const answer = facts("answer", { ...common, writtenAt: 2_000, sender: bob, people: [bob], names: ["id-news"] });
  const news = facts("news", { writtenAt: 500, broadcast: true, sender: null, inside: true, own: true, people: [] });
  for (const order of [
    [asked, answer, news],
    [news, answer, asked],
  ]) {
    const road = new Road();
    const messages = order.map((each) => road.own(each));
    for (const one of messages) await road.take([one]);
    const clusters = await road.clusters();
    expect(clusters).toEqual(clustersIn(messages));
    expect(clusters).toContainEqual([`${road.tenant}-event-answer`, `${road.tenant}-event-asked`]);
  }
});

test("strangers who name the id of a mail between two take nobody from its conversation, whoever comes first", async () => {
  const bob = { address: "bob", organisation: "client" };
  const common = { subject: "hall", reply: true } as const;
  const sent = facts("sent", { writtenAt: 500, subject: "hall", sender: null, inside: true, own: true, people: [bob] });
  const answer = facts("answer", { ...common, writtenAt: 900, sender: bob, people: [bob], names: ["id-sent"] });
  const strangers = Array.from({ length: 40 }, (_, n) => {
    const reader = { address: `reader-${n}`, organisation: `shop-${n}` };
    return facts(`s${n}`, {
      writtenAt: 1_000 + n,
      sender: reader,
      people: [reader],
      names: ["id-sent"],
      subject: `s${n}`,
    });
  });
  for (const order of [
    [sent, answer, ...strangers],
    [...strangers, answer, sent],
    [answer, ...strangers, sent],
  ]) {
    const road = new Road();
    const messages = order.map((each) => road.own(each));
    for (const one of messages) await road.take([one]);
    const clusters = await road.clusters();
    expect(clusters).toEqual(clustersIn(messages));
    expect(clusters).toContainEqual([`${road.tenant}-event-answer`, `${road.tenant}-event-sent`]);
  }
});

test("the same mails and decisions come to the same conversations in the ledger, whatever the order of arrival", async () => {
  await fc.assert(
    fc.asyncProperty(generated, arrival, async ({ messages: given, decisions: made }, how) => {
      const road = new Road();
      const messages = given.map((facts) => road.own(facts));
      for (const batch of inBatches(messages, how)) await road.take(batch);
      expect(await road.clusters()).toEqual(clustersIn(messages));
      // Each is planned again as often as it moves at most: nothing is moved to and fro for ever.
      expect(road.placings).toBeLessThan(messages.length * (messages.length + 1));
      const named = (name: string): string => `${road.tenant}-${name}`;
      const decisions = made.map(({ eventId, withEventId, kind }) => ({
        kind,
        eventId: named(eventId),
        withEventId: withEventId === null ? null : named(withEventId),
      }));
      await road.decide(decisions);
      expect(await road.clusters()).toEqual(clustersIn(messages, decisions));
      // Somebody thinks better of it.
      const apart = decisions.map(({ eventId }) => ({ eventId, kind: "new" as const, withEventId: null }));
      await road.decide(apart);
      expect(await road.clusters()).toEqual(clustersIn(messages, apart));
    }),
    { numRuns: 500 },
  );
}, 120_000);
