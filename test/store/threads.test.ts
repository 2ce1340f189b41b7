import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { placeThreads } from "../../src/mail/thread.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import { defaultMarks, type ThreadFacts } from "../../src/model/threads.ts";
import { openLedger } from "../../src/store/index.ts";
import { corpusMails, factsOf } from "../mail/thread/corpus.ts";
import { arrival, generated, inBatches } from "../mail/thread/generated.ts";
import { byCluster, clustersIn } from "../mail/thread/mails.ts";
import { message, preparedOf } from "./contract/world.ts";

let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
});
afterAll(() => ledger.close());

let runs = 0;

/** Takes the messages in and places them as the road does, until nothing waits any more; says how often one was placed. */
async function placeAll(batches: readonly (readonly ThreadFacts[])[], tenant: string): Promise<number> {
  const known = new Map(batches.flat().map((facts) => [facts.eventId, facts]));
  let placings = 0;
  for (const batch of batches) {
    await ledger.accept(batch.map(({ eventId }) => message(eventId, { eventId, tenant })));
    for (;;) {
      const attempts = await ledger.attempt({ tenants: [tenant], room: 50, now: 1_500, leaseMs: 60_000 });
      if (attempts.length === 0) break;
      const facts = attempts.map(({ eventId }) => known.get(eventId)).filter((each) => each !== undefined);
      const around = await ledger.around({ tenant, facts, window: defaultMarks.window });
      expect(around.cut).toBe(false);
      const placed = placeThreads(facts, around, defaultMarks);
      placings += placed.length;
      const written = await ledger.prepare(
        attempts.map((attempt, at) => ({
          ...preparedOf(attempt, {}, { thread: placed[at]?.thread.thread_id ?? "" }),
          ...(placed[at] === undefined ? {} : { thread: placed[at] }),
        })),
      );
      expect(written.every((each) => each)).toBe(true);
    }
  }
  return placings;
}

/** The threads that the messages stand in, once nothing waits any more. */
async function clustersAfter(batches: readonly (readonly ThreadFacts[])[], tenant: string): Promise<string[][]> {
  await placeAll(batches, tenant);
  const threads = await Promise.all(
    batches.flat().map(async ({ eventId }) => {
      const row = await ledger.thread({ event: eventId });
      return [eventId, row?.threadId ?? "nowhere"] as const;
    }),
  );
  return byCluster(threads);
}

const ofTenant = (facts: ThreadFacts, tenant: string): ThreadFacts => ({
  ...facts,
  tenant,
  eventId: `${tenant}-${facts.eventId}`,
  begins: `${tenant}-${facts.begins}`,
  token: facts.token === null ? null : `${tenant}-${facts.token}`,
});

test("the conversations of the corpus come out the same in the ledger, forwards, backwards and across", async () => {
  const facts = factsOf(await corpusMails());
  const orders = [facts, facts.toReversed(), facts.toSorted((one, other) => (one.begins < other.begins ? -1 : 1))];
  for (const [index, order] of orders.entries()) {
    const tenant = `corpus${index}`;
    const messages = order.map((each) => ofTenant(each, tenant));
    const batches = index === 0 ? messages.map((each) => [each]) : inBatches(messages, { keys: [0], batch: 7 });
    expect(await clustersAfter(batches, tenant)).toEqual(clustersIn(messages));
  }
}, 60_000);

test("the same mails come to the same conversations in the ledger, whatever the order of arrival", async () => {
  await fc.assert(
    fc.asyncProperty(generated, arrival, async ({ messages: given }, how) => {
      const tenant = `t${runs++}`;
      const messages = given.map((facts) => ofTenant(facts, tenant));
      const placings = await placeAll(inBatches(messages, how), tenant);
      const threads = await Promise.all(
        messages.map(async ({ eventId }) => {
          const row = await ledger.thread({ event: eventId });
          return [eventId, row?.threadId ?? "nowhere"] as const;
        }),
      );
      expect(byCluster(threads)).toEqual(clustersIn(messages));
      // Each is planned again as often as it moves at most: nothing is moved to and fro for ever.
      expect(placings).toBeLessThan(messages.length * (messages.length + 1));
    }),
    { numRuns: 300 },
  );
}, 60_000);
