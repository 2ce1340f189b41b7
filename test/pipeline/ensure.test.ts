import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KnownRef, Ref } from "../../src/model/destination.ts";
import type { ClaimedStep, StepNote } from "../../src/model/ledger.ts";
import { type Failure, Refused } from "../../src/model/outcome.ts";
import type { Step } from "../../src/model/step.ts";
import type { Unclear } from "../../src/model/unclear.ts";
import { afterEmptyRead, askAgainAt, ensure, type StepOutcome } from "../../src/pipeline/ensure.ts";
import { LedgerFailed } from "../../src/pipeline/faults.ts";
import { VirtualTime } from "../simulation/clock.ts";
import {
  activity,
  facts,
  person,
  personKey,
  readBack,
  rowOf,
  type Script,
  scripted,
  searchOnly,
  unique,
} from "./fakes.ts";

const now = new VirtualTime().trueNow;
const clock = new VirtualTime().clock();
const deadlineMs = 120_000;
const contact: KnownRef = { kind: "person", id: "contact-1" };

const failures: Failure[] = [
  { kind: "retryable", reason: "busy" },
  { kind: "rate_limited", reason: "slow down", until: now + 5_000 },
  { kind: "ambiguous", reason: "no answer" },
  { kind: "permanent", reason: "never" },
  { kind: "blocked", reason: "bad token" },
];

interface Told {
  readonly outcome: StepOutcome;
  readonly calls: readonly string[];
  readonly committed: readonly StepNote[];
}

async function run(
  step: Step,
  script: Script,
  {
    row = {},
    carried = [],
    note,
    unclear = null,
    time = new VirtualTime(),
  }: {
    row?: Partial<ClaimedStep>;
    carried?: StepNote[];
    note?: () => Promise<boolean>;
    unclear?: Unclear | null;
    time?: VirtualTime;
  } = {},
): Promise<Told> {
  const session = scripted(script);
  const committed: StepNote[] = [];
  const outcome = await ensure(
    { step, row: rowOf(step, row), refs: new Map([[personKey, contact]]), carried },
    {
      session,
      facts,
      clock: time.clock(),
      unclear: async () => unclear,
      async note(steps) {
        session.calls.push("commit");
        committed.push(...steps);
        return (await note?.()) ?? true;
      },
    },
  );
  return { outcome, calls: session.calls, committed };
}

const refused = (failure: Failure): Refused => new Refused(failure);
const stateOf = (outcome: StepOutcome): string | undefined =>
  "notes" in outcome ? outcome.notes[0]?.state : undefined;

describe("ensuring a step that was never sent", () => {
  test("looks for a person first, and creates nobody who is there", async () => {
    const { outcome, calls } = await run(person, { find: [{ id: "contact-7" }] });
    expect(calls).toEqual(["find person"]);
    expect(outcome).toMatchObject({
      kind: "confirmed",
      ref: { id: "contact-7", adopted: true },
      note: { adopted: true, ref: "contact-7" },
    });
  });

  test("commits the intent, with all that was carried, before the call leaves", async () => {
    const carried: StepNote[] = [{ step: 9, state: "confirmed", at: now, ref: "r9", adopted: false }];
    const { outcome, calls, committed } = await run(person, {}, { carried });
    expect(calls).toEqual(["find person", "commit", "put person"]);
    expect(committed).toEqual([...carried, { step: 1, state: "sent", at: now, deadline: now + deadlineMs }]);
    expect(outcome.kind).toBe("confirmed");
  });

  test("sends an activity at once where a unique key makes a second one harmless, and looks first everywhere else", async () => {
    expect((await run(activity, { dedupe: unique })).calls).toEqual(["commit", "put activity"]);
    for (const dedupe of [readBack, searchOnly])
      expect((await run(activity, { dedupe })).calls).toEqual(["find activity", "commit", "put activity"]);
  });

  test("sends nothing once the lease is lost", async () => {
    const { outcome, calls } = await run(activity, {}, { note: async () => false });
    expect(outcome).toEqual({ kind: "lost" });
    expect(calls).toEqual(["commit"]);
  });

  test("lets a failing ledger through as such, and sends nothing", async () => {
    const failing = run(activity, {}, { note: () => Promise.reject(new LedgerFailed("gone")) });
    await expect(failing).rejects.toBeInstanceOf(LedgerFailed);
  });

  test("holds the mail where nobody is there and none may be made", async () => {
    const { outcome, calls } = await run({ ...person, create: false }, {});
    expect(calls).toEqual(["find person"]);
    expect(outcome).toMatchObject({ kind: "stop", settlement: { state: "held", rule: "trust.create_contact" } });
    expect(stateOf(outcome)).toBe("planned");
    const barred = await run({ ...person, create: false, gate: "people.disposable", why: "an hour's address" }, {});
    expect(barred.outcome).toMatchObject({
      settlement: { state: "held", rule: "people.disposable", detail: expect.stringContaining("an hour's address") },
    });
  });

  test.each(failures)("when the look-up ends $kind writes nothing of the step", async (failure) => {
    const { outcome, calls } = await run(person, { find: [refused(failure)] });
    expect(calls).toEqual(["find person"]);
    const read = failure.kind === "ambiguous" ? { kind: "retryable", reason: failure.reason } : failure;
    expect(outcome).toEqual({ kind: "failed", failure: read, notes: [] });
  });

  test.each([
    ["retryable", "planned"],
    ["rate_limited", "planned"],
    ["blocked", "planned"],
    ["ambiguous", "unknown"],
    ["permanent", "refused"],
  ] as const)("when the call ends %s notes the step as %s", async (kind, state) => {
    const failure = failures.find((candidate) => candidate.kind === kind) ?? failures[0];
    if (failure === undefined) throw new RangeError(kind);
    const { outcome } = await run(activity, { put: [refused(failure)] });
    expect(outcome).toMatchObject({ kind: "failed", failure });
    expect(stateOf(outcome)).toBe(state);
    expect(outcome).not.toHaveProperty("defect");
  });

  test("whose call ends after its deadline without a clear answer says when it was over", async () => {
    const time = new VirtualTime();
    const late = async (): Promise<never> => {
      await time.advance(deadlineMs + 60_000);
      throw refused({ kind: "ambiguous", reason: "no answer" });
    };
    const { outcome } = await run(activity, { put: [late] }, { time });
    expect(outcome).toHaveProperty("notes", [
      expect.objectContaining({ state: "unknown", over: now + deadlineMs + 60_000 }),
    ]);
  });

  test("takes an exception that nobody knows for an unclear outcome, and for a defect", async () => {
    const { outcome } = await run(activity, { put: [new TypeError("undefined is not a function")] });
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "ambiguous" }, defect: expect.any(TypeError) });
    expect(stateOf(outcome)).toBe("unknown");
    const lookup = await run(person, { find: [new TypeError("no")] });
    expect(lookup.outcome).toMatchObject({ failure: { kind: "retryable" }, defect: expect.any(TypeError), notes: [] });
  });

  test("carries the vendor's note into the ledger", async () => {
    const cut: Ref = { id: "x", note: "body cut" };
    expect((await run(activity, { put: [cut] })).outcome).toMatchObject({ note: { note: "body cut", adopted: false } });
  });
});

describe.each(["sent", "unknown"] as const)("ensuring a step whose state is %s", (state) => {
  const row = { state, sends: 1, deadline: now - 700_000 };

  test("looks before anything else, adopts what it finds and repeats its associations", async () => {
    const { outcome, calls } = await run(activity, { find: [{ id: "a-5" }] }, { row });
    expect(calls).toEqual(["find activity", "link a-5 contact-1"]);
    expect(outcome).toMatchObject({ kind: "confirmed", ref: { id: "a-5", adopted: true } });
  });

  test.each(failures)(
    "when the associations end $kind stays unsure of them, and never of the record",
    async (failure) => {
      const { outcome } = await run(activity, { find: [{ id: "a-5" }], link: [refused(failure)] }, { row });
      if (failure.kind === "permanent") {
        expect(outcome).toMatchObject({
          kind: "confirmed",
          ref: { id: "a-5" },
          note: { note: expect.stringContaining("never") },
        });
      } else {
        expect(outcome).toMatchObject({ kind: "failed", notes: [] });
      }
    },
  );

  test("sends again at once under a unique key", async () => {
    expect((await run(activity, { dedupe: unique }, { row })).calls).toEqual([
      "find activity",
      "commit",
      "put activity",
    ]);
  });

  test("repeats a change of the files until it is read: the destination looks at what is there by itself", async () => {
    const files: Step = {
      kind: "file",
      key: "f".repeat(64),
      why: "test",
      activity: activity.key,
      files: [],
      was: [],
      generation: 1,
    };
    const many = { ...row, sends: 7, emptyReads: 7 };
    expect((await run(files, { dedupe: unique }, { row: many })).calls).toEqual(["find file", "commit", "put file"]);
    const there = await run(files, { dedupe: unique, find: [{ id: "a-5" }] }, { row: many });
    expect(there.calls, "nothing is associated anew").toEqual(["find file"]);
    expect(there.outcome).toMatchObject({ kind: "confirmed", ref: { id: "a-5" } });
  });

  test("waits after the first empty read where only reads can tell", async () => {
    const { outcome, calls } = await run(activity, { dedupe: readBack }, { row });
    expect(calls).toEqual(["find activity"]);
    expect(outcome).toMatchObject({ kind: "stop", settlement: { state: "pending", counted: false } });
    expect(outcome).toHaveProperty("notes", [expect.objectContaining({ state: "unknown", emptyRead: true })]);
  });

  test("sends once more after two empty reads, the last one late enough", async () => {
    const late = { ...row, emptyReads: 1 };
    expect((await run(activity, { dedupe: readBack }, { row: late })).calls).toEqual([
      "find activity",
      "commit",
      "put activity",
    ]);
    const twice = await run(activity, { dedupe: readBack }, { row: { ...late, sends: 2 } });
    expect(twice.calls).toEqual(["find activity"]);
    expect(twice.outcome).toMatchObject({ kind: "stop", settlement: { state: "failed", reason: "outcome_unknown" } });
  });

  test("never sends again where no read proves absence, and tells a person what to do", async () => {
    const { outcome, calls } = await run(activity, { dedupe: searchOnly }, { row: { ...row, emptyReads: 5 } });
    expect(calls).toEqual(["find activity"]);
    expect(outcome).toMatchObject({
      settlement: { reason: "outcome_unknown", detail: expect.stringMatching(/confirm or replay/) },
    });
  });

  test.each(failures)("when the read-back ends $kind knows no more than before", async (failure) => {
    const { outcome, calls } = await run(activity, { dedupe: readBack, find: [refused(failure)] }, { row });
    expect(calls).toEqual(["find activity"]);
    expect(outcome).toMatchObject({ kind: "failed", notes: [] });
  });
});

describe("an empty read-back", () => {
  const at = (ms: number) => ({ facts, clock: { now: () => ms, sleep: clock.sleep } });
  const deadline = 10_000_000;
  const lastRead = deadline + facts.lateCommitMs;

  test.each([
    {
      what: "a unique key",
      dedupe: unique,
      row: { sends: 1, emptyReads: 0, deadline },
      when: deadline - 1,
      verdict: { kind: "send" },
    },
    {
      what: "an operator's replay",
      dedupe: readBack,
      row: { sends: 0, emptyReads: 0, deadline },
      when: deadline,
      verdict: { kind: "send" },
    },
    {
      what: "an operator's replay where nothing proves absence",
      dedupe: searchOnly,
      row: { sends: 0, emptyReads: 0, deadline },
      when: deadline,
      verdict: { kind: "send" },
    },
    {
      what: "a first read before the deadline",
      dedupe: readBack,
      row: { sends: 1, emptyReads: 0, deadline },
      when: deadline - 1,
      verdict: { kind: "wait", dueAt: deadline + 5_000 },
    },
    {
      what: "a second read",
      dedupe: readBack,
      row: { sends: 1, emptyReads: 1, deadline },
      when: deadline + 5_000,
      verdict: { kind: "wait", dueAt: deadline + 30_000 },
    },
    {
      what: "a fourth read",
      dedupe: readBack,
      row: { sends: 1, emptyReads: 3, deadline },
      when: deadline + 120_000,
      verdict: { kind: "wait", dueAt: lastRead + 1 },
    },
    {
      what: "a read at the very last moment of a late commit",
      dedupe: readBack,
      row: { sends: 1, emptyReads: 4, deadline },
      when: lastRead,
      verdict: { kind: "wait", dueAt: lastRead + 1_000 },
    },
    {
      what: "a read after it",
      dedupe: readBack,
      row: { sends: 1, emptyReads: 4, deadline },
      when: lastRead + 1,
      verdict: { kind: "send" },
    },
    {
      what: "a first read after it",
      dedupe: readBack,
      row: { sends: 1, emptyReads: 0, deadline },
      when: lastRead + 1,
      verdict: { kind: "wait", dueAt: lastRead + 1_001 },
    },
    {
      what: "a read after the second call",
      dedupe: readBack,
      row: { sends: 2, emptyReads: 4, deadline },
      when: lastRead + 1,
      verdict: { kind: "give_up" },
    },
    {
      what: "reads of a lagging search",
      dedupe: searchOnly,
      row: { sends: 1, emptyReads: 4, deadline },
      when: lastRead + 1,
      verdict: { kind: "give_up" },
    },
  ])("of $what: $verdict.kind", ({ dedupe, row, when, verdict }) => {
    expect(afterEmptyRead(row, dedupe, at(when))).toMatchObject(verdict);
  });

  test("never leads to a second call but by unique key, by replay, or by absence proven late and twice; and at most once so", () => {
    const row = fc.record({
      sends: fc.integer({ min: 0, max: 4 }),
      emptyReads: fc.integer({ min: 0, max: 8 }),
      deadline: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 3 * deadline })),
    });
    fc.assert(
      fc.property(
        row,
        fc.constantFrom(unique, readBack, searchOnly),
        fc.integer({ min: 0, max: 3 * deadline }),
        (given, dedupe, when) => {
          const verdict = afterEmptyRead(given, dedupe, at(when));
          if (verdict.kind === "wait") expect(verdict.dueAt).toBeGreaterThan(when);
          if (verdict.kind !== "send" || dedupe.tier === "unique-key" || given.sends === 0) return;
          expect(dedupe.absenceProvable).toBe(true);
          expect(given.sends).toBe(1);
          expect(given.emptyReads + 1).toBeGreaterThanOrEqual(2);
          const clockWasSetBack = when < (given.deadline ?? when) - deadlineMs;
          if (clockWasSetBack) expect(given.emptyReads + 1).toBeGreaterThanOrEqual(6);
          else expect(when).toBeGreaterThan((given.deadline ?? 0) + facts.lateCommitMs);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("comes to an end, whatever the clock says of the time of the call", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(readBack, searchOnly),
        fc.integer({ min: -864_000_000, max: 864_000_000 }),
        (dedupe, error) => {
          let when = deadline + error;
          const started = when;
          let verdict = afterEmptyRead({ sends: 1, emptyReads: 0, deadline }, dedupe, at(when));
          let emptyReads = 0;
          while (verdict.kind === "wait" && emptyReads < 20) {
            when = verdict.dueAt;
            verdict = afterEmptyRead({ sends: 1, emptyReads: ++emptyReads, deadline }, dedupe, at(when));
          }
          expect(verdict.kind).not.toBe("wait");
          expect(when - started).toBeLessThan(3 * 3_600_000);
        },
      ),
    );
  });
});

describe("a person whom another mail may have made already", () => {
  const { lateCommitMs, searchLagMs } = facts;
  const sentAt = (ago: number, pending = true): Unclear => ({ deadline: now - ago + deadlineMs, pending });
  const over = deadlineMs + lateCommitMs + searchLagMs;

  test("is waited for, and neither looked for nor made", async () => {
    const { outcome, calls } = await run(person, { dedupe: readBack }, { unclear: sentAt(30_000) });
    expect(outcome).toMatchObject({
      kind: "stop",
      settlement: {
        state: "pending",
        dueAt: now + 30_000,
        counted: false,
        detail: expect.stringContaining("another mail"),
      },
      notes: [{ state: "planned", reason: expect.stringContaining("same person") }],
    });
    expect(calls).toEqual([]);
  });

  test("is looked for when a late commit would be found, and made when it is not", async () => {
    const { calls } = await run(person, { dedupe: readBack }, { unclear: sentAt(over + 1) });
    expect(calls).toEqual(["find person", "commit", "put person"]);
  });

  test("is made at once where the vendor refuses a second one, and looked for where the own call is unclear", async () => {
    const refusing = await run(person, { dedupe: unique }, { unclear: sentAt(0) });
    expect(refusing.calls).toEqual(["find person", "commit", "put person"]);
    const own = await run(person, { dedupe: readBack }, { unclear: sentAt(0), row: { state: "unknown", sends: 1 } });
    expect(own.calls).toEqual(["find person"]);
    const mail = await run(activity, { dedupe: readBack }, { unclear: sentAt(0) });
    expect(mail.calls).toContain("put activity");
  });

  test("is not made again where the own call came to nothing, while a later one of another mail is unclear", async () => {
    const came = { state: "unknown", sends: 1, emptyReads: 4, deadline: now - lateCommitMs - 60_000 } as const;
    const { outcome, calls } = await run(person, { dedupe: readBack }, { unclear: sentAt(30_000), row: came });
    expect(outcome).toMatchObject({
      kind: "stop",
      settlement: { state: "pending", dueAt: now + 30_000, counted: false },
      notes: [{ state: "unknown", reason: expect.stringContaining("another mail") }],
    });
    expect(calls).toEqual(["find person"]);
    // The later one looks for itself alone: each waiting for the other would be for ever.
    const earlier: Unclear = { deadline: came.deadline, pending: true };
    const later = await run(person, { dedupe: readBack }, { unclear: earlier, row: came });
    expect(later.calls).toEqual(["find person", "commit", "put person"]);
  });

  test("is waited for as a deal is, which the first mail of a thread asked for in vain", async () => {
    const deal: Step = { kind: "deal", key: "d", why: "the mapping", person: personKey, title: "a deal" } as never;
    const { outcome, calls } = await run(deal, { dedupe: readBack }, { unclear: sentAt(30_000, false) });
    expect(outcome).toMatchObject({ kind: "stop", settlement: { detail: expect.stringContaining("same deal") } });
    expect(calls).toEqual([]);
  });

  test.each([
    ["at once, for an answer that is being written down", 0, true, 1_000],
    ["as long again as it has been", 8_000, true, 8_000],
    ["a minute at most", 500_000, true, 60_000],
    ["no longer than a late commit takes to be found", over - 5_000, true, 5_001],
    ["a minute, where the clock was set back and the other is still worked", -3_600_000, true, 60_000],
    ["not at all, where the clock was set back and nobody works the other", -3_600_000, false, undefined],
    ["just as long for a dead letter", 8_000, false, 8_000],
    ["not for ever", over + 1, true, undefined],
  ])("is asked for again %s", (_when, ago, pending, wait) => {
    expect(askAgainAt(sentAt(ago, pending), { clock, facts })).toBe(wait === undefined ? undefined : now + wait);
  });
});
