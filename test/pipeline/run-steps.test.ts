/** Steps of a run: what is taken back is held against what the CRM held after the run, and nothing that changed since is touched. */
import { describe, expect, it } from "vitest";
import type { Ref, Session, Snapshot } from "../../src/model/destination.ts";
import type { ClaimedStep, StepNote } from "../../src/model/ledger.ts";
import { Refused } from "../../src/model/outcome.ts";
import type { ActivityStep, Step } from "../../src/model/step.ts";
import { ensureOfRun, heldOf } from "../../src/pipeline/run-steps.ts";
import { activity, facts, openSealer, person, personKey, rowOf, scripted } from "./fakes.ts";

const made: Snapshot = {
  id: "7",
  archived: false,
  fields: { email: "ada@people.test", phone: null },
  links: ["company:1"],
};
const archive: Step = {
  kind: "archive",
  key: "c".repeat(64),
  why: "takes back run 1",
  target: person.key,
  expect: heldOf(made),
};

async function work(
  step: Step,
  row: Partial<ClaimedStep>,
  reads: (Snapshot | undefined)[],
  archived: () => Promise<void>,
) {
  const notes: StepNote[] = [];
  const script = scripted({ read: reads, put: [() => archived().then(() => ({ id: "7" }))] });
  const session: Session = script;
  const outcome = await ensureOfRun(
    {
      step,
      row: rowOf(step, { run: 2, ...row }),
      refs: new Map([[person.key, { kind: "person", id: "7" }]]),
      carried: [],
    },
    [step],
    {
      session,
      facts,
      clock: { now: () => 5_000, sleep: async () => undefined } as never,
      sealer: openSealer,
      unclear: async () => null,
      note: async (given) => {
        notes.push(...given);
        return true;
      },
    },
  );
  return { outcome, notes, calls: script.calls };
}
const fine = async () => undefined;

describe("taking back a record", () => {
  it("archives it where it is as the run left it, and says that its key is used up", async () => {
    const { outcome, notes } = await work(archive, {}, [{ ...made, links: [] }], fine);
    expect(notes.map(({ state }) => state)).toEqual(["sent"]);
    expect(outcome).toMatchObject({
      kind: "confirmed",
      note: { adopted: false, tookBack: { kind: "person", key: person.key, ref: "7", ours: true } },
    });
  });

  it.each([
    [
      "a field was changed",
      { ...made, fields: { ...made.fields, email: "other@people.test" } },
      "changed since: email",
    ],
    ["a field was filled", { ...made, fields: { ...made.fields, phone: "1" } }, "changed since: phone"],
    ["a field came", { ...made, fields: { ...made.fields, amount: "1" } }, "changed since: amount"],
    ["something else belongs to it", { ...made, links: ["activity:9", "company:1"] }, "has activity 9 since"],
  ])("leaves it alone where %s", async (_, now, why) => {
    const { outcome, calls } = await work(archive, {}, [now], fine);
    expect(outcome).toMatchObject({ kind: "confirmed", note: { adopted: true, note: expect.stringContaining(why) } });
    expect(outcome.kind === "confirmed" && "tookBack" in outcome.note).toBe(false);
    expect(calls).toEqual(["read person 7"]);
  });

  it("knows its own lost answer from a person who was before it", async () => {
    const own = await work(archive, { state: "unknown", sends: 1 }, [{ ...made, archived: true }], fine);
    expect(own.outcome).toMatchObject({ note: { adopted: false, tookBack: { ours: true } } });
    const persons = await work(archive, {}, [undefined], fine);
    expect(persons.outcome).toMatchObject({ note: { adopted: true, tookBack: { ours: false } } });
  });

  it("sends once more after a lost answer where the record is still there", async () => {
    const lost = async () => {
      throw new Refused({ kind: "ambiguous", reason: "the connection broke" });
    };
    expect((await work(archive, {}, [made], lost)).outcome).toMatchObject({
      kind: "failed",
      failure: { kind: "ambiguous" },
    });
    const { outcome } = await work(archive, { state: "unknown", sends: 1 }, [made], fine);
    expect(outcome).toMatchObject({ kind: "confirmed", note: { tookBack: { ours: true } } });
  });
});

/** Where nothing is unclear, and every note is taken. */
const portsWith = (session: Session) => ({
  session,
  facts,
  clock: { now: () => 5_000 } as never,
  sealer: openSealer,
  note: async () => true,
  unclear: async () => null,
});

describe("a step of a run", () => {
  it("leaves a snapshot of what it made, none of what it found, and uses a new key after it was taken back", async () => {
    const keys: string[] = [];
    const asked = async (row: Partial<ClaimedStep>, found: boolean) => {
      const script = scripted({ read: [made], find: [found ? { id: "7" } : undefined] });
      const put: Session["put"] = async (step) => {
        keys.push(step.key);
        return { id: "7" };
      };
      const session: Session = { ...script, put };
      return await ensureOfRun(
        { step: person, row: rowOf(person, { run: 2, ...row }), refs: new Map(), carried: [] },
        [person],
        {
          session,
          facts,
          clock: { now: () => 5_000, sleep: async () => undefined } as never,
          sealer: openSealer,
          note: async () => true,
          unclear: async () => null,
        },
      );
    };
    const first = await asked({}, false);
    expect(first.kind === "confirmed" && "snapshot" in first.note).toBe(true);
    const there = await asked({}, true);
    expect(there.kind === "confirmed" && "snapshot" in there.note).toBe(false);
    await asked({ generation: 1 }, false);
    expect(keys[0]).toBe(person.key);
    expect(keys[1]).not.toBe(person.key);
    expect(keys[1]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("takes for its own what it finds under its key after a lost answer, as it was made: not what was written or hung on it by then", async () => {
    const late = { ...made, fields: { ...made.fields, phone: "1" }, links: ["activity:9", "company:1"] };
    const found = async (ref: Ref, asMade: Session["asMade"] = async () => ({ email: "ada@people.test" })) => {
      const session: Session = { ...scripted({ read: [late], find: [ref] }), asMade };
      const outcome = await ensureOfRun(
        {
          step: person,
          row: rowOf(person, { run: 2, state: "unknown", sends: 1 }),
          refs: new Map([["c", { kind: "company", id: "1" }]]),
          carried: [],
        },
        [person],
        portsWith(session),
      );
      if (outcome.kind !== "confirmed" || outcome.note.state !== "confirmed") throw new Error(outcome.kind);
      const { snapshot } = outcome.note;
      return snapshot === undefined ? undefined : JSON.parse(Buffer.from(openSealer.open(snapshot).plain).toString());
    };
    expect(await found({ id: "7", ours: true })).toEqual({
      fields: { email: heldOf(made).fields.email },
      links: ["company:1"],
    });
    // Nobody can say what it was at first: then it is nobody's to delete unseen.
    expect(await found({ id: "7", ours: true }, async () => undefined)).toBeUndefined();
    expect(await found({ id: "7", ours: false })).toBeUndefined();
    expect(await found({ id: "7" })).toBeUndefined();
  });

  it("does not take for its own the deals that a mail is on when it is found after a lost answer: a person may have put it there", async () => {
    const mail: ActivityStep = { ...activity, deals: "recent_five" };
    const late = { id: "9", archived: false, fields: { subject: "An order" }, links: ["deal:5", "person:1"] };
    const session: Session = {
      ...scripted({ read: [late], find: [{ id: "9", ours: true }] }),
      asMade: async () => late.fields,
    };
    const outcome = await ensureOfRun(
      {
        step: mail,
        row: rowOf(mail, { run: 2, state: "unknown", sends: 1 }),
        refs: new Map([[personKey, { kind: "person", id: "1" }]]),
        carried: [],
      },
      [mail],
      portsWith(session),
    );
    const { snapshot } = outcome.kind === "confirmed" ? (outcome.note as { snapshot?: Uint8Array }) : {};
    if (snapshot === undefined) throw new Error(outcome.kind);
    const held = JSON.parse(Buffer.from(openSealer.open(snapshot).plain).toString());
    expect(held.links).toEqual(["person:1"]);
  });
});
