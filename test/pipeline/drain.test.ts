import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Session } from "../../src/model/destination.ts";
import type { Envelope } from "../../src/model/envelope.ts";
import type { CanonicalEvent } from "../../src/model/event.ts";
import type { EventRow, Ledger, Prepared } from "../../src/model/ledger.ts";
import { Refused } from "../../src/model/outcome.ts";
import type { Step } from "../../src/model/step.ts";
import { type Ahead, openAhead } from "../../src/pipeline/ahead.ts";
import { attemptsWithin } from "../../src/pipeline/backoff.ts";
import { type Bucket, openBucket } from "../../src/pipeline/bucket.ts";
import { type Lane, startLane } from "../../src/pipeline/drain.ts";
import { writeMail, writeSteps } from "../../src/pipeline/stored.ts";
import { openLedger } from "../../src/store/index.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import {
  activity,
  facts,
  type Kept,
  keeping,
  openSealer,
  person,
  plainRandom,
  readBack,
  type Script,
  scripted,
  searchOnly,
} from "./fakes.ts";

const lane = "acme/crm";
const hour = 3_600_000;
let time: VirtualTime;
let ledger: Ledger;
let kept: Kept;
let running: Lane[];

beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  kept = keeping();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await ledger.close();
});

const key = (letter: string): string => letter.repeat(64);

/** Puts a message with these steps before the lane. */
async function prepared(
  event: string,
  steps: readonly Step[],
  changes: { thread?: string; sealed?: Uint8Array; event?: Uint8Array; priority?: number } = {},
): Promise<void> {
  const now = time.trueNow;
  const envelope: Envelope = { kind: "smtp", tenant: "acme", routes: ["deals@in.test"], received_at: now };
  await ledger.accept([
    {
      eventId: event,
      tenant: "acme",
      messageId: `<${event}@people.test>`,
      digest: event.padEnd(64, "0"),
      receivedAt: now,
      envelope,
      rawSha256: key("0"),
      rawSize: 1,
      raw: { kind: "inline", sealed: new Uint8Array() },
      ...(changes.priority === undefined ? {} : { priority: changes.priority }),
    },
  ]);
  const [attempt] = await ledger.attempt({ tenants: ["acme"], room: 1, now, leaseMs: 1_000 });
  if (attempt === undefined) throw new Error("nothing to prepare");
  const sealedSteps = changes.sealed ?? openSealer.seal(Buffer.from(JSON.stringify(steps)), "steps");
  const item: Prepared = {
    eventId: event,
    lease: attempt.lease,
    now,
    sealedEvent: changes.event ?? new Uint8Array(),
    schemaVersion: 1,
    mappingVersion: 1,
    parseStatus: "ok",
    threadKey: changes.thread ?? event,
    deliveries: [
      {
        lane,
        decision: {
          kind: "steps",
          rule: "default",
          steps: steps.map(({ kind, key, why }) => ({ kind, key, why })),
          sealedSteps,
        },
      },
    ],
  };
  expect(await ledger.prepare([item])).toEqual([true]);
}

function start(
  session: Session,
  changes: { ledger?: Partial<Ledger>; width?: number; ahead?: Ahead; bucket?: Bucket } = {},
): Lane {
  const through = Object.assign(Object.create(ledger) as Ledger, ledger, changes.ledger);
  const started = startLane(
    {
      lane,
      tenant: "acme",
      destination: "crm",
      facts: { ...facts, width: changes.width ?? 4 },
      firstRetryMs: 5_000,
      retryWindowMs: 72 * hour,
    },
    {
      ledger: through,
      session,
      bucket: changes.bucket ?? openBucket([], time.clock()),
      ...(changes.ahead === undefined ? {} : { ahead: changes.ahead }),
      sealer: openSealer,
      clock: time.clock(),
      random: plainRandom(),
      log: kept.log,
      metrics: kept.metrics,
    },
  );
  running.push(started);
  return started;
}

async function row(event: string): Promise<EventRow["deliveries"][number]> {
  const [found] = await ledger.find({ event, limit: 1 });
  const [delivery] = found?.deliveries ?? [];
  if (delivery === undefined) throw new Error(`${event} has no delivery`);
  return delivery;
}

const note = (subject: string, letter: string): Step => ({ ...activity, subject, key: key(letter) });
const refused = (kind: "retryable" | "ambiguous" | "permanent" | "blocked", reason: string): Refused =>
  new Refused({ kind, reason });

describe("a lane with a day's budget", () => {
  test("loses nothing of it by a restart, with work or without, and little by a kill", async () => {
    const of = () =>
      openBucket([], time.clock(), { day: { unit: "calls", most: 1_000, renews: "rolling", liveReserve: 20 } });
    const left = async () => {
      const { day } = of();
      day?.restore((await ledger.laneBudget(lane)) ?? "");
      return day?.standing()?.left;
    };
    for (let restart = 0; restart < 20; restart++) await start(scripted({}), { bucket: of() }).stop();
    expect(await left(), "nothing to do").toBe(1_000);

    const bucket = of();
    const called = async () => {
      await bucket.take("default");
      return { id: "a-1" };
    };
    const session = scripted({ put: [called] });
    await prepared("one", [note("one", "1")]);
    const worked = start(session, { bucket });
    await worked.quiet();
    const killed = await left();
    expect(killed, "killed now").toBeGreaterThanOrEqual(1_000 - 1 - 32);
    expect(killed).toBeLessThanOrEqual(1_000 - 1);
    await worked.stop();
    expect(await left(), "stopped").toBe(999);
    for (let restart = 0; restart < 20; restart++) await start(scripted({}), { bucket: of() }).stop();
    expect(await left(), "nothing to do again").toBe(999);
  });

  test("goes on where what it has used cannot be kept", async () => {
    const day = { unit: "calls", most: 1_000, renews: "rolling", liveReserve: 20 } as const;
    const broken = { keepLaneBudget: () => Promise.reject(new Error("disk full")) };
    await prepared("one", [note("one", "1")]);
    await start(scripted({}), { ledger: broken, bucket: openBucket([], time.clock(), { day }) }).quiet();
    expect((await row("one")).state).toBe("processed");
  });
});

describe("a lane with plans at hand", () => {
  const sealed = (steps: readonly Step[], label: string): Uint8Array =>
    openSealer.seal(writeSteps(steps, { message: activity } as unknown as CanonicalEvent), label);
  const own = (letter: string): readonly Step[] => [note("x", letter)];

  test("works them as they were before they were sealed, and asks for no events", async () => {
    const ahead = openAhead();
    const asked: (boolean | undefined)[] = [];
    for (const letter of ["1", "2", "3"]) {
      const bytes = sealed(own(letter), `steps ${letter}`);
      ahead.keep(bytes, own(letter));
      await prepared(`e${letter}`, own(letter), { sealed: bytes });
    }
    const claim: Ledger["claim"] = (request) => {
      asked.push(request.bodies);
      return ledger.claim(request);
    };
    const session = scripted({});
    start(session, { ahead, width: 1, ledger: { claim } });
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 3);
    // The event that each plan speaks of is empty here: it could not have been read.
    expect(session.calls).toEqual(["put activity", "put activity", "put activity"]);
    expect(asked.slice(0, 2)).toEqual([true, false]);
  });

  test("reads the event of one that is not at hand, though it did not ask for it with the others", async () => {
    const ahead = openAhead();
    const first = sealed(own("1"), "steps 1");
    ahead.keep(first, own("1"));
    await prepared("e1", own("1"), { sealed: first });
    const event = openSealer.seal(writeMail({ message: { text: activity.text, html: activity.html } }), "event e2");
    await prepared("e2", own("2"), { sealed: sealed(own("2"), "steps 2"), event });
    const session = scripted({});
    start(session, { ahead, width: 1 });
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 2);
    expect(session.calls).toEqual(["put activity", "put activity"]);
  });
});

describe("a lane", () => {
  test("finds or makes the person, logs the mail, and is quiet", async () => {
    await prepared("e1", [person, activity]);
    const session = scripted({});
    const quiet = start(session).quiet();
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    await quiet;
    expect(session.calls).toEqual(["find person", "put person", "put activity"]);
    expect(await row("e1")).toMatchObject({ state: "processed", steps: [{ ref: "person-1" }, { ref: "activity-1" }] });
  });

  test("looks a sender up once for a burst of mails, also when they are worked at the same time", async () => {
    for (const [index, letter] of ["c", "d", "e"].entries()) await prepared(`e${index}`, [person, note("x", letter)]);
    const session = scripted({});
    start(session);
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 3);
    expect(session.calls.filter((call) => call === "find person")).toHaveLength(1);
    expect(session.calls.filter((call) => call === "put person")).toHaveLength(1);
    expect(session.calls.filter((call) => call === "put activity")).toHaveLength(3);
  });

  test("keeps the order within a thread while the first of it fails, and lets other threads pass", async () => {
    await prepared("e1", [note("first", "c")], { thread: "one" });
    await prepared("e2", [note("second", "d")], { thread: "one" });
    await prepared("e3", [note("third", "e")], { thread: "other" });
    const done: string[] = [];
    let fails = 3;
    const session: Session = {
      ...scripted({}),
      async put(step) {
        const { subject } = step as typeof activity;
        if (subject === "first" && fails-- > 0) throw refused("retryable", "busy");
        done.push(subject);
        return { id: subject };
      },
    };
    start(session);
    await time.until(() => done.length === 3);
    expect(done).toEqual(["third", "first", "second"]);
  });

  test("lets a thread go on past a dead letter, which says what the vendor said", async () => {
    await prepared("e1", [note("first", "c")], { thread: "one" });
    await prepared("e2", [note("second", "d")], { thread: "one" });
    const session = scripted({
      put: [refused("permanent", "PROPERTY_DOESNT_EXIST: no such thing"), { id: "a2" } as never],
    });
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect(await row("e1")).toMatchObject({ state: "failed", reason: "permanent" });
    expect(await ledger.deadLetters({ limit: 9 })).toMatchObject([
      { eventId: "e1", detail: "PROPERTY_DOESNT_EXIST: no such thing" },
    ]);
    expect((await row("e2")).state).toBe("processed");
  });

  test("told to slow down pauses as a whole, counts no attempt, and goes on when it may", async () => {
    await prepared("e1", [note("first", "c")]);
    await prepared("e2", [note("second", "d")]);
    const until = time.trueNow + 90_000;
    const session = scripted({
      put: [new Refused({ kind: "rate_limited", reason: "429", until }), { id: "a" } as never],
    });
    start(session, { width: 1 });
    await time.advance(89_000);
    expect(session.calls).toEqual(["put activity"]);
    expect(await ledger.lanes()).toMatchObject([{ lane, pausedUntil: until, pauseReason: "429" }]);
    expect((await row("e1")).attempts).toBe(0);
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 2);
    expect(time.trueNow).toBeGreaterThanOrEqual(until);
  });

  test("whose calls stood in line for too long waits with what it has not begun, and stops nobody who stands there still", async () => {
    const until = time.trueNow + 5_000;
    const pauses: number[] = [];
    const bucket: Bucket = { ...openBucket([], time.clock()), pause: (end) => void pauses.push(end) };
    await prepared("e1", [note("first", "c")]);
    await prepared("e2", [note("second", "d")]);
    const limited = (more: object) => new Refused({ kind: "rate_limited", reason: "429", until, ...more });
    const session = scripted({ put: [limited({ standing: true }), limited({}), { id: "a" } as never] });
    start(session, { bucket, width: 1 });
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 2);
    expect(pauses).toEqual([until]);
    expect(time.trueNow).toBeGreaterThanOrEqual(until);
  });

  test("keeps what is left of a day for live mail: old mail waits, also after a restart, and goes on when the day has room again", async () => {
    const day = { unit: "calls", most: 400, renews: "rolling", liveReserve: 50 } as const;
    const worked = (bucket: Bucket): Session => {
      const session = scripted({});
      return {
        ...session,
        async put(step, refs) {
          // Forty calls for a mail.
          for (let call = 0; call < 40; call++) await bucket.take("default");
          return await session.put(step, refs);
        },
      };
    };
    const states = async (names: readonly string[]) =>
      (await Promise.all(names.map(async (name) => (await row(name)).state))).filter((state) => state === "processed");
    const old = Array.from({ length: 8 }, (_, n) => `old${n}`);
    for (const [n, name] of old.entries()) await prepared(name, [note(name, String(n))], { priority: 1 });
    const first = openBucket([], time.clock(), { day });
    const lane1 = start(worked(first), { width: 1, bucket: first });
    const settle = async () => {
      for (let turns = 0; turns < 300; turns++) await turn();
    };
    await settle();
    expect((await ledger.lanes())[0]?.oldMail?.reason).toContain("of the day's 400 calls are left");
    expect((await states(old)).length, "200 of 400 calls, and what was in hand").toBe(5);
    await prepared("live", [note("live", "a")]);
    lane1.wake();
    await settle();
    expect(await states(["live"])).toHaveLength(1);
    expect(await states(old)).toHaveLength(5);
    await lane1.stop();
    const second = openBucket([], time.clock(), { day });
    start(worked(second), { width: 1, bucket: second });
    await time.advance(hour);
    expect(await states(old), "the count was kept").toHaveLength(5);
    expect(second.day?.standing()?.left).toBeLessThanOrEqual(400 - 240);
    await time.advance(25 * hour);
    expect(await states(old)).toHaveLength(8);
    expect((await ledger.lanes())[0]?.oldMail).toBeNull();
  });

  test("that is blocked keeps its mail pending and calls nobody, until an operator resumes it", async () => {
    await prepared("e1", [note("first", "c")]);
    const session = scripted({ put: [refused("blocked", "401: renew the token"), { id: "a" } as never] });
    const started = start(session);
    await time.advance(30 * 24 * hour);
    expect(session.calls).toEqual(["put activity"]);
    expect(await row("e1")).toMatchObject({ state: "pending", attempts: 0 });
    expect(await ledger.lanes()).toMatchObject([{ blockedReason: "401: renew the token", pending: 1 }]);
    await ledger.pause({ lane, kind: "resume" });
    started.wake();
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
  });

  test("goes on trying for 72 hours, and then leaves a dead letter", async () => {
    await prepared("e1", [note("first", "c")]);
    const session = scripted({ put: [refused("retryable", "503 from the vendor")] });
    const started = time.trueNow;
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm failed"), 40 * 24 * hour);
    expect(time.trueNow - started).toBeGreaterThanOrEqual(72 * hour);
    expect(session.calls).toHaveLength(attemptsWithin(72 * hour, 5_000));
    expect(await row("e1")).toMatchObject({
      reason: "exhausted",
      detail: expect.stringContaining("503 from the vendor"),
    });
  });

  test("after 72 hours of unclear answers does not call it failed but unknown", async () => {
    await prepared("e1", [note("first", "c")]);
    start(scripted({ put: [refused("ambiguous", "504")] }));
    await time.until(() => kept.counts.has("deliveries_total acme crm failed"), 40 * 24 * hour);
    expect(await row("e1")).toMatchObject({ reason: "outcome_unknown", steps: [{ state: "unknown" }] });
  });

  test("reads an unclear outcome back instead of sending again, and adopts what it finds", async () => {
    await prepared("e1", [note("first", "c")]);
    const session = scripted({
      dedupe: readBack,
      put: [refused("ambiguous", "no answer")],
      find: [undefined, { id: "a-7" } as never],
    });
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect(session.calls).toEqual(["find activity", "put activity", "find activity"]);
    expect((await row("e1")).steps).toMatchObject([{ ref: "a-7", adopted: true, sends: 1 }]);
  });

  test("looks again for a contact that has vanished, and logs the mail on the new one", async () => {
    await prepared("e0", [person, note("zero", "c")]);
    const session = scripted({
      put: [{ id: "p-old" }, { id: "a-0" }, refused("permanent", "404"), { id: "p-new" }, { id: "a-1" }] as NonNullable<
        Script["put"]
      >,
      read: [undefined],
    });
    const started = start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    await prepared("e1", [person, note("one", "d")]);
    started.wake();
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 2);
    expect((await row("e1")).steps).toMatchObject([{ ref: "p-new" }, { ref: "a-1" }]);
  });

  test("does not spin when a CRM goes on finding a contact that it cannot read", async () => {
    await prepared("e1", [person, activity]);
    const session = scripted({ find: [{ id: "ghost" }], put: [refused("permanent", "404")], read: [undefined] });
    start(session);
    await time.advance(hour);
    expect(session.calls.filter((call) => call === "put activity").length).toBeLessThan(12);
    await time.until(() => kept.counts.has("deliveries_total acme crm failed"), 40 * 24 * hour);
    expect((await row("e1")).reason).toBe("permanent");
  });

  test("never doubles an activity whose contact was deleted while its outcome was unknown", async () => {
    await prepared("e1", [person, activity]);
    const session = scripted({
      dedupe: readBack,
      find: [{ id: "p-1" }, undefined, refused("permanent", "404: no such contact")] as NonNullable<Script["find"]>,
      put: [refused("ambiguous", "no answer")],
      read: [undefined],
    });
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm failed"));
    expect(session.calls.filter((call) => call === "put activity")).toHaveLength(1);
    expect(await row("e1")).toMatchObject({ reason: "outcome_unknown", steps: [{}, { state: "unknown" }] });
  });

  test("takes an exception that nobody knows for an unclear outcome, counts a defect, and reads back", async () => {
    await prepared("e1", [note("first", "c")]);
    const session = scripted({
      put: [new TypeError("oops") as never],
      dedupe: readBack,
      find: [undefined, { id: "a-1" } as never],
    });
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect(kept.counts.get("defects_total destination")).toBe(1);
    expect(session.calls).toEqual(["find activity", "put activity", "find activity"]);
  });

  test.each([
    ["is not what was sealed", Buffer.from("nonsense")],
    [
      "names a step that the ledger does not hold",
      openSealer.seal(Buffer.from(JSON.stringify([note("x", "9")])), "steps"),
    ],
  ])("leaves a dead letter where the plan %s, and not silence", async (_what, sealed) => {
    await prepared("e1", [note("first", "c")], { sealed });
    const session = scripted({});
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm failed"));
    expect(session.calls).toEqual([]);
    expect(await row("e1")).toMatchObject({ state: "failed", reason: "defect" });
    expect(kept.counts.get("defects_total deliver")).toBe(1);
  });

  test("works a delivery again whose outcome the ledger could not take, and finds what it did", async () => {
    await prepared("e1", [note("first", "c")]);
    let fails = 1;
    const settle: Ledger["settle"] = (request) =>
      fails-- > 0 ? Promise.reject(new Error("EIO")) : ledger.settle(request);
    const session = scripted({ dedupe: readBack, find: [undefined, { id: "activity-1" } as never] });
    start(session, { ledger: { settle } });
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect(session.calls).toEqual(["find activity", "put activity", "find activity"]);
    expect(time.trueNow - new VirtualTime().trueNow).toBeLessThan(15 * 60_000);
  });

  test("sends nothing when the intent cannot be written", async () => {
    await prepared("e1", [note("first", "c")]);
    let fails = 1;
    const failing: Ledger["note"] = (request) =>
      fails-- > 0 ? Promise.reject(new Error("EIO")) : ledger.note(request);
    const session = scripted({});
    start(session, { ledger: { note: failing } });
    await turn();
    await turn();
    expect(session.calls).toEqual([]);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect(session.calls).toEqual(["put activity"]);
  });

  test("has no more in flight than its window, and asks for more as soon as there is room", async () => {
    for (const [index, letter] of [..."cdefghij"].entries()) await prepared(`e${index}`, [note("x", letter)]);
    let inFlight = 0;
    let most = 0;
    const session: Session = {
      ...scripted({}),
      async put() {
        most = Math.max(most, ++inFlight);
        await time.clock().sleep(1_000);
        inFlight--;
        return { id: "x" };
      },
    };
    start(session, { width: 3 });
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 8);
    expect(most).toBe(3);
    expect(time.trueNow - new VirtualTime().trueNow).toBe(3_000);
  });

  test("stops after what is in flight, and takes up nothing new", async () => {
    await prepared("e1", [note("first", "c")]);
    await prepared("e2", [note("second", "d")]);
    const session: Session = {
      ...scripted({}),
      async put() {
        await time.clock().sleep(1_000);
        return { id: "x" };
      },
    };
    const started = start(session, { width: 1 });
    await turn();
    let stopped = false;
    const stop = started.stop().then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    await time.advance(1_000);
    await stop;
    expect([(await row("e1")).state, (await row("e2")).state]).toEqual(["processed", "pending"]);
  });

  test("forgets what another account gave it: the next mail is filed where its sender is found now", async () => {
    await prepared("e0", [person, note("zero", "c")]);
    let account = "test:A";
    const bodies: string[] = [];
    const session: Session = {
      ...scripted({}),
      account: async () => account,
      put: async (step, refs) => {
        const about = "about" in step ? step.about.map((key) => refs.get(key)?.id).join() : "";
        bodies.push(`${account} ${step.kind} ${about}`);
        return { id: `${step.kind} at ${account}` };
      },
    };
    const started = start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    account = "test:B";
    for (const letter of ["d", "e"]) await prepared(`e-${letter}`, [person, note(letter, letter)]);
    started.wake();
    await time.until(() => kept.counts.get("deliveries_total acme crm processed") === 3);
    expect(bodies).toEqual([
      "test:A person ",
      "test:A activity person at test:A",
      "test:B person ",
      "test:B activity person at test:B",
      "test:B activity person at test:B",
    ]);
  });

  test("plans a half-done delivery again when its CRM has become another account in between", async () => {
    await prepared("e1", [person, activity]);
    let account = "test:A";
    const session = scripted({
      account: () => account,
      put: [{ id: "p-A" }, refused("retryable", "503"), { id: "p-B" }, { id: "a-B" }] as NonNullable<Script["put"]>,
    });
    start(session);
    await time.advance(1_000);
    account = "test:B";
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect((await row("e1")).steps).toMatchObject([{ ref: "p-B" }, { ref: "a-B" }]);
    expect((await ledger.story("e1")).map(({ what }) => what)).toContain("planned again");
  });

  test("sends nothing while it cannot tell whose account it is, and tries again", async () => {
    await prepared("e1", [note("first", "c")]);
    let fails = 1;
    const session = scripted({
      account: () => {
        if (fails-- > 0) throw refused("ambiguous", "no answer");
        return "test:A";
      },
    });
    start(session);
    await time.advance(1_000);
    expect(session.calls).toEqual([]);
    expect(await row("e1")).toMatchObject({ state: "pending", attempts: 1 });
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
  });

  test("keeps its lease through a turn of half an hour, which is worked once", async () => {
    await prepared("e1", [person, activity]);
    const session = scripted({
      put: [
        () =>
          time
            .clock()
            .sleep(1_800_000)
            .then(() => ({ id: "p" })),
        { id: "a" },
      ] as NonNullable<Script["put"]>,
    });
    start(session);
    await time.until(() => kept.counts.has("deliveries_total acme crm processed"));
    expect(session.calls).toEqual(["find person", "put person", "put activity"]);
    expect(await row("e1")).toMatchObject({ attempts: 1 });
    expect(kept.lines.filter(({ level }) => level !== "info")).toEqual([]);
    await time.advance(1_800_000);
    expect(time.sleeping, "nothing is renewed when nothing is in flight").toBe(0);
  });

  test("makes a dead letter of what loses its lease again and again", async () => {
    await prepared("e1", [note("first", "c")]);
    const settle: Ledger["settle"] = (request) =>
      "detail" in request.settlement && request.settlement.detail.includes("written down")
        ? ledger.settle(request)
        : Promise.reject(new Error("EIO"));
    start(scripted({ put: [refused("retryable", "503")] }), { ledger: { settle } });
    await time.until(() => kept.counts.has("deliveries_total acme crm failed"), 40 * 24 * hour);
    expect(await row("e1")).toMatchObject({ state: "failed", reason: "outcome_unknown" });
  });
});

describe("two mails of one new sender, where the answer to the first create is lost", () => {
  const second = 1_000;

  /** A CRM that keeps no key unique and whose search lags; its first create is carried out `commitsAfterMs` later, or never. */
  function lagging(commitsAfterMs: number | undefined) {
    const made: { id: string; visibleAt: number }[] = [];
    let creates = 0;
    const session: Session = {
      ...scripted({ dedupe: searchOnly }),
      dedupe: async (kind) => (kind === "person" ? searchOnly : readBack),
      async find(step) {
        const found = made.find(({ visibleAt }) => visibleAt <= time.trueNow);
        return step.kind === "person" && found !== undefined ? { id: found.id } : undefined;
      },
      async put(step) {
        if (step.kind !== "person") return { id: step.key };
        creates += 1;
        const after = creates > 1 ? 0 : commitsAfterMs;
        if (after !== undefined)
          made.push({ id: `p-${creates}`, visibleAt: time.trueNow + after + facts.searchLagMs - second });
        if (creates === 1) throw refused("ambiguous", "no answer");
        return { id: `p-${creates}` };
      },
    };
    return { made, session };
  }
  async function both(commitsAfterMs: number | undefined) {
    const crm = lagging(commitsAfterMs);
    await prepared("e1", [person, note("one", "c")]);
    await prepared("e2", [person, note("two", "d")]);
    const started = time.trueNow;
    const lane = start(crm.session);
    const settled = (state: string) => kept.counts.get(`deliveries_total acme crm ${state}`) ?? 0;
    return { ...crm, lane, settled, sinceStart: () => time.trueNow - started };
  }

  test("become one person, and the second says what it waits for", async () => {
    const { made, settled, sinceStart } = await both(0);
    await time.advance(10 * second);
    expect(await row("e2")).toMatchObject({
      state: "pending",
      attempts: 0,
      detail: expect.stringContaining("made for another mail"),
      steps: [{ state: "planned", sends: 0 }, {}],
    });
    await time.until(() => settled("processed") === 2);
    expect(made).toHaveLength(1);
    expect((await row("e2")).steps).toMatchObject([{ ref: "p-1", adopted: true, sends: 0 }, {}]);
    expect(sinceStart()).toBeLessThan(5 * 60 * second);
  });

  test("become one person after a restart too, whichever of them is worked first", async () => {
    const { made, lane, session, settled } = await both(0);
    await time.advance(second / 2);
    await lane.stop();
    start(session, { width: 1 });
    await time.until(() => settled("processed") === 2);
    expect(made).toHaveLength(1);
  });

  test("become one person where the vendor commits so late that the first is a dead letter by then", async () => {
    const { made, settled } = await both(facts.lateCommitMs);
    await time.until(() => settled("failed") === 1);
    expect(await row("e1")).toMatchObject({ reason: "outcome_unknown" });
    expect((await row("e2")).state).toBe("pending");
    await time.until(() => settled("processed") === 1);
    expect(made).toHaveLength(1);
    expect((await row("e2")).steps).toMatchObject([{ ref: "p-1", adopted: true }, {}]);
  });

  test("do not wait for ever for a person whom nobody made", async () => {
    const { made, settled, sinceStart } = await both(undefined);
    await time.until(() => settled("processed") === 1);
    expect(made).toMatchObject([{ id: "p-2" }]);
    expect(sinceStart()).toBe(120 * second + facts.lateCommitMs + facts.searchLagMs + 1);
  });
});
