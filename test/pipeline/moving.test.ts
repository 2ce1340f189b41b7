/** A message that is planned again and belongs to other records: moved at the CRM, exactly once, through lost answers, crashes and another account. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { local } from "../../src/destinations/local.ts";
import type { Session } from "../../src/model/destination.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import { Refused } from "../../src/model/outcome.ts";
import type { LocalRecords } from "../../src/model/records.ts";
import type { Decision, Step } from "../../src/model/step.ts";
import { inLine, plannedBefore } from "../../src/pipeline/before.ts";
import { openBucket } from "../../src/pipeline/bucket.ts";
import { type Lane, startLane } from "../../src/pipeline/drain.ts";
import { preparedOf } from "../../src/pipeline/enrich.ts";
import { createHubspotSandbox, type HubspotSandbox } from "../../src/sandbox/hubspot.ts";
import { openLedger } from "../../src/store/index.ts";
import { memoryRecords, noWire, portsFor } from "../destinations/fixtures.ts";
import { openHubspot } from "../destinations/hubspot-rig.ts";
import { eventWith } from "../mapping/fakes.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { activity, facts, keeping, openSealer, person, plainRandom } from "./fakes.ts";

const lane = "acme/crm";
const eventId = "e1";
const letters = "cdef";
const contact = (name: string): Step => ({
  ...person,
  key: (letters["abcd".indexOf(name[0] ?? "")] ?? "0").repeat(64),
  email: `${name}@people.test`,
});
const planOf = (...names: string[]): Decision => {
  const people = names.map(contact);
  return { kind: "steps", rule: "test", steps: [...people, { ...activity, about: people.map(({ key }) => key) }] };
};

let time: VirtualTime;
let ledger: Ledger;
let running: Lane[];
beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await ledger.close();
});

async function plan(decision: Decision, unmovable: readonly string[] = []): Promise<void> {
  const now = time.trueNow;
  const [known] = await ledger.find({ event: eventId, limit: 1 });
  if (known === undefined) {
    const envelope = { kind: "smtp" as const, tenant: "acme", routes: ["deals@in.test"], received_at: now };
    const raw = { kind: "inline" as const, sealed: new Uint8Array() };
    const message = { eventId, tenant: "acme", messageId: "<m@x>", digest: "1".repeat(64), receivedAt: now };
    await ledger.accept([{ ...message, envelope, rawSha256: "0".repeat(64), rawSize: 1, raw }]);
  } else await ledger.requeue({ kind: "reprocess", eventId, now });
  const [attempt] = await ledger.attempt({ tenants: ["acme"], room: 1, now, leaseMs: 60_000 });
  if (attempt === undefined) throw new Error("nothing to prepare");
  const before = await plannedBefore(eventId, { ledger, sealer: openSealer });
  const tenant = { tenant: "acme", unmovable: new Set(unmovable) };
  const { decisions, reviews } = inLine(eventId, [{ lane, decision }], before, tenant);
  const event = eventWith({ event_id: eventId });
  expect(await ledger.prepare([preparedOf(attempt, event, decisions, openSealer, now, { reviews })])).toEqual([true]);
}

function start(session: Session): Lane {
  const { log, metrics } = keeping();
  const settings = {
    lane,
    tenant: "acme",
    destination: "crm",
    facts,
    firstRetryMs: 5_000,
    retryWindowMs: 72 * 3_600_000,
  };
  const clock = time.clock();
  const ports = { ledger, session, bucket: openBucket([], clock), sealer: openSealer, clock, random: plainRandom() };
  const started = startLane(settings, { ...ports, log, metrics });
  running.push(started);
  return started;
}

async function delivery() {
  const [row] = await ledger.find({ event: eventId, limit: 1 });
  const [found] = row?.deliveries ?? [];
  if (found === undefined) throw new Error("no delivery");
  return found;
}

/** Until it is settled, whatever waits that takes. */
async function settled(session: Session): Promise<void> {
  const started = start(session);
  for (let looks = 0; (await delivery()).state === "pending"; looks++) {
    if (looks > 3_000) throw new Error(`still pending: ${JSON.stringify(await delivery())}`);
    await turn();
    if (looks % 5 === 4) time.wakeNext();
  }
  await started.stop();
}

function localCrm(records: LocalRecords): { session: Session; linked(): string[] } {
  return {
    session: local.open({}, portsFor(time.clock(), noWire, records)),
    linked: () =>
      (records.list("activity", { limit: 10 })[0]?.links ?? [])
        .map((id) => String(records.get(id)?.fields.email ?? id))
        .sort(),
  };
}
const emails = (...names: string[]): string[] => names.map((name) => `${name}@people.test`);

describe("at the local CRM", () => {
  test("a message follows its plans there and back, as one activity, and is at rest when nothing changes", async () => {
    const records = memoryRecords();
    const { session, linked } = localCrm(records);
    for (const names of [["ann"], ["ben"], ["ann"], ["ben", "cay"], ["cay"], ["cay"], ["ann", "dan"]]) {
      await plan(planOf(...names));
      await settled(session);
      expect((await delivery()).state).toBe("processed");
      expect(linked()).toEqual(emails(...names));
    }
    expect(records.list("activity", { limit: 10 })).toHaveLength(1);
    await plan(planOf("ann", "dan"));
    expect((await delivery()).state).toBe("processed");
  });

  test("plans that come faster than they are worked end where the last one says", async () => {
    const { session, linked } = localCrm(memoryRecords());
    await plan(planOf("ann"));
    await settled(session);
    for (const names of [["ben"], ["cay"], ["ann"], ["dan"]]) await plan(planOf(...names));
    await settled(session);
    expect(linked()).toEqual(emails("dan"));
  });

  test("what a person there associated with it stays", async () => {
    const records = memoryRecords();
    const { session, linked } = localCrm(records);
    await plan(planOf("ann"));
    await settled(session);
    const theirs = await session.put(contact("dan"), new Map());
    records.link(records.list("activity", { limit: 1 })[0]?.id ?? "", theirs.id);
    await plan(planOf("ben"));
    await settled(session);
    expect(linked()).toEqual(emails("ben", "dan"));
  });

  test("two addresses of one contact are one: what is wanted is not taken away under its other name", async () => {
    const records = memoryRecords();
    const { session, linked } = localCrm(records);
    const one = await session.put(contact("ann"), new Map());
    const alias: Session = {
      ...session,
      find: async (step, refs) =>
        step.kind === "person" ? { id: one.id, adopted: true } : await session.find(step, refs),
    };
    await plan(planOf("ann"));
    await settled(alias);
    await plan(planOf("ben"));
    await settled(alias);
    expect(linked()).toEqual(emails("ann"));
    expect((await delivery()).steps.at(-1)).toMatchObject({ kind: "person" });
    expect((await delivery()).steps.find(({ kind }) => kind === "unlink")?.note).toContain("belongs to");
  });

  test("an activity that somebody deleted there is not made again, and its move is done", async () => {
    const records = memoryRecords();
    const { session } = localCrm(records);
    await plan(planOf("ann"));
    await settled(session);
    const refuse = async (): Promise<never> => {
      throw new Refused({ kind: "permanent", reason: "no such record" });
    };
    const gone: Session = {
      ...session,
      put: async (step, refs) =>
        step.kind === "link" || step.kind === "unlink" ? await refuse() : await session.put(step, refs),
      read: async (kind, id) => (kind === "activity" ? undefined : await session.read(kind, id)),
    };
    await plan(planOf("ben"));
    await settled(gone);
    const { state, steps } = await delivery();
    expect(state).toBe("processed");
    expect(steps.filter(({ kind }) => kind === "link").map(({ note }) => note)).toEqual([
      "what it would move is no longer at the CRM",
    ]);
    expect(records.list("activity", { limit: 10 })).toHaveLength(1);
  });

  test("a refusal for another reason is a dead letter in the CRM's words", async () => {
    const { session } = localCrm(memoryRecords());
    await plan(planOf("ann"));
    await settled(session);
    await plan(planOf("ben"));
    await settled({
      ...session,
      async put(step, refs) {
        if (step.kind === "link") throw new Refused({ kind: "permanent", reason: "a rule forbids it" });
        return await session.put(step, refs);
      },
    });
    expect(await delivery()).toMatchObject({ state: "failed", reason: "permanent", detail: "a rule forbids it" });
  });

  test("in another account it is made where it belongs now, and nothing is taken away there", async () => {
    const { session } = localCrm(memoryRecords());
    await plan(planOf("ann"));
    await settled(session);
    await plan(planOf("ben"));
    const records = memoryRecords();
    const calls: string[] = [];
    const other = localCrm(records);
    const watched: Session = {
      ...other.session,
      account: async () => "local:other",
      put: async (step, refs) => {
        calls.push(step.kind);
        return await other.session.put(step, refs);
      },
    };
    await settled(watched);
    expect((await delivery()).state).toBe("processed");
    expect(other.linked()).toEqual(emails("ben"));
    expect(calls).not.toContain("unlink");
  });
});

describe("where the CRM cannot move it", () => {
  test("it stays, and a person is told what to do, by the CRM's ids", async () => {
    const records = memoryRecords();
    const { session, linked } = localCrm(records);
    await plan(planOf("ann"), [lane]);
    await settled(session);
    await plan(planOf("ben"), [lane]);
    await settled(session);
    expect(linked()).toEqual(emails("ann"));
    const [review] = await ledger.reviews({ limit: 10 });
    expect(review).toMatchObject({ kind: "move", eventId });
    expect(review?.detail).toMatch(
      /^acme\/crm: activity activity-\d+ belongs to .* now and no longer to contact contact-\d+; /,
    );
    expect(review?.detail).not.toContain("@");
    await plan(planOf("ben"), [lane]);
    expect(await ledger.reviews({ limit: 10 })).toHaveLength(1);
  });
});

describe("at HubSpot, when answers of associations get lost", () => {
  const fates = [
    { kind: "drop" },
    { kind: "commit_then_drop" },
    { kind: "commit_then_status", status: 504 },
    { kind: "status", status: 500 },
    { kind: "status", status: 429, body: { policyName: "SECONDLY" } },
  ] as const;
  const crm = (): { sandbox: HubspotSandbox; session: Session; linked(): string[] } => {
    const clock = time.trueClock();
    const sandbox = createHubspotSandbox({ clock, options: { prepared: true } });
    const manual = { ...clock, advance: async () => undefined };
    return {
      sandbox,
      session: openHubspot(sandbox, manual),
      linked() {
        const { emails: mails, contacts } = sandbox.state();
        const ids = Object.values(mails[0]?.associations ?? {}).flat();
        return ids.map((id) => contacts.find((each) => each.id === id)?.properties.email ?? id).sort();
      },
    };
  };

  test.each(fates)("%j: it is moved all the same, there and back, as one activity", async (fault) => {
    const { sandbox, session: plainly, linked } = crm();
    const failed: string[] = [];
    const session: Session = {
      ...plainly,
      put: async (step, refs) =>
        await plainly.put(step, refs).catch((error: unknown) => {
          failed.push(step.kind);
          throw error;
        }),
    };
    for (const names of [["ann"], ["ben"], ["ann"]]) {
      await plan(planOf(...names));
      for (const route of ["emails.associate", "emails.dissociate"]) sandbox.faults.plan({ route, fault, times: 2 });
      await settled(session);
      expect((await delivery()).state).toBe("processed");
      expect(linked()).toEqual(emails(...names));
    }
    expect(new Set(failed)).toEqual(new Set(["link", "unlink"]));
    expect(sandbox.state().emails).toHaveLength(1);
  });

  test("a crash after any call leaves a move that the next start brings to its end", async () => {
    for (let calls = 0; calls < 4; calls++) {
      time = new VirtualTime();
      await ledger.close();
      ledger = await openLedger({ path: ":memory:", thread: "calling" });
      const { session, linked, sandbox } = crm();
      await plan(planOf("ann"));
      await settled(session);
      await plan(planOf("ben"));
      let left = calls;
      const never = new Promise<never>(() => undefined);
      const dying: Session = {
        ...session,
        async put(step, refs) {
          if (left-- === 0) return await never;
          const ref = await session.put(step, refs);
          return left === 0 ? await never : ref;
        },
      };
      start(dying);
      for (let turns = 0; turns < 50; turns++) await turn();
      // The process is gone: its lane never comes back, and the next one takes the leases.
      running = [];
      await ledger.reclaim(time.trueNow);
      await settled(session);
      expect((await delivery()).state, `after ${calls} calls`).toBe("processed");
      expect(linked()).toEqual(emails("ben"));
      expect(sandbox.state().emails).toHaveLength(1);
    }
  });
});
