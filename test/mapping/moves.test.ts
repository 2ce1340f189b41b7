/** Moves: whatever a message is planned to belong to, one after the other, and whatever was done in between, it ends where the last plan says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stepKey } from "../../src/mapping/keys.ts";
import { type Before, isMove, withMoves } from "../../src/mapping/moves.ts";
import type { DeliveryState, StepState } from "../../src/model/ledger.ts";
import { type Decision, type Step, stepSchema } from "../../src/model/step.ts";

const tenant = "acme";
const keyOf = (name: string): string => stepKey(tenant, "person", [name]);
const person = (name: string): Step => ({
  kind: "person",
  key: keyOf(name),
  why: "test",
  email: `${name}@customer.test`,
  name: null,
  source: "email",
  create: true,
  flags: [],
});
const mail = (names: readonly string[]): Step => ({
  kind: "activity",
  key: stepKey(tenant, "activity", ["m"]),
  why: "test",
  direction: "inbound",
  at: 0,
  subject: "s",
  text: "t",
  html: null,
  from: null,
  to: [],
  cc: [],
  headers: [],
  message_id: null,
  event_id: "e",
  attachments: [],
  flags: [],
  about: names.map(keyOf),
});
const activityKey = mail([]).key;
const planOf = (names: readonly string[]): Decision => ({
  kind: "steps",
  rule: "test",
  steps: [...names.map(person), mail(names)],
});
type Row = Before["rows"][number];
const rowOf = (step: Step, state: StepState, sends = state === "planned" ? 0 : 1): Row => ({
  kind: step.kind,
  key: step.key,
  state,
  sends,
  ref: state === "confirmed" ? `ref-${step.key.slice(0, 4)}` : null,
});
const stepsIn = (decision: Decision): readonly Step[] => (decision.kind === "steps" ? decision.steps : []);
const movesIn = (decision: Decision) => stepsIn(decision).filter(isMove);
const told = (decision: Decision, names: readonly string[]) =>
  movesIn(decision).map(({ kind, to }) => `${kind} ${names.find((name) => keyOf(name) === to)}`);
const delivered = (decision: Decision, state: DeliveryState = "processed"): Before => ({
  state,
  steps: stepsIn(decision),
  rows: stepsIn(decision).map((step) => rowOf(step, "confirmed")),
});
const names = ["ann", "ben", "cay", "dan"] as const;

describe("a message that is planned again", () => {
  test("and belongs where it did gets no move, in whatever order its records are named", () => {
    const before = delivered(planOf(["ann", "ben"]));
    expect(withMoves(planOf(["ben", "ann"]), before, tenant, true)).toEqual({
      decision: planOf(["ben", "ann"]),
      byHand: null,
    });
  });

  test("and belongs to somebody else is linked first and unlinked then, after its own steps", () => {
    const { decision, byHand } = withMoves(planOf(["ben"]), delivered(planOf(["ann"])), tenant, true);
    expect(stepsIn(decision).map(({ kind }) => kind)).toEqual(["person", "activity", "link", "unlink"]);
    expect(told(decision, names)).toEqual(["link ben", "unlink ann"]);
    expect(byHand).toBeNull();
    for (const step of stepsIn(decision)) expect(() => stepSchema.parse(step)).not.toThrow();
  });

  test("and gains or loses one of several is moved by that one alone", () => {
    const before = delivered(planOf(["ann", "ben"]));
    expect(told(withMoves(planOf(["ann", "ben", "cay"]), before, tenant, true).decision, names)).toEqual(["link cay"]);
    expect(told(withMoves(planOf(["ann"]), before, tenant, true).decision, names)).toEqual(["unlink ben"]);
  });

  test("keeps its moves as they are for as long as it belongs there, so that nothing is done twice", () => {
    const moved = withMoves(planOf(["ben"]), delivered(planOf(["ann"])), tenant, true).decision;
    for (const state of ["processed", "pending"] as const)
      expect(withMoves(planOf(["ben"]), delivered(moved, state), tenant, true).decision).toEqual(moved);
  });

  test("and goes back gets moves under keys that were never used", () => {
    const there = withMoves(planOf(["ben"]), delivered(planOf(["ann"])), tenant, true).decision;
    const back = withMoves(planOf(["ann"]), delivered(there), tenant, true).decision;
    const again = withMoves(planOf(["ben"]), delivered(back), tenant, true).decision;
    expect(told(back, names)).toEqual(["link ann", "unlink ben"]);
    expect(told(again, names)).toEqual(["link ben", "unlink ann"]);
    const keys = [there, back, again].flatMap((decision) => movesIn(decision).map(({ key }) => key));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("before anything of it was sent simply goes where the new plan says", () => {
    const before: Before = {
      ...delivered(planOf(["ann"]), "held"),
      rows: stepsIn(planOf(["ann"])).map((step) => rowOf(step, "planned")),
    };
    expect(movesIn(withMoves(planOf(["ben"]), before, tenant, true).decision)).toEqual([]);
    // But one that waits may be sent while this is planned.
    for (const state of ["pending", "failed"] as const)
      expect(told(withMoves(planOf(["ben"]), { ...before, state }, tenant, true).decision, names)).toEqual([
        "link ben",
        "unlink ann",
      ]);
  });

  test("is left to a person where the CRM cannot move it, named by the CRM's ids and no address", () => {
    const before = delivered(planOf(["ann"]));
    const { decision, byHand } = withMoves(planOf(["ben"]), before, tenant, false);
    expect(decision).toEqual(planOf(["ben"]));
    expect(byHand).toMatch(
      /^activity ref-\w+ belongs to a record that .* now and no longer to contact ref-\w+; .*by hand$/,
    );
    expect(byHand).not.toContain("@");
    expect(withMoves(planOf(["ann"]), before, tenant, false).byHand).toBeNull();
  });

  test("is not touched where it is skipped, held, new, or planned before without steps", () => {
    const skip: Decision = { kind: "skip", rule: "r", reason: "x" };
    expect(withMoves(skip, delivered(planOf(["ann"])), tenant, true)).toEqual({ decision: skip, byHand: null });
    expect(withMoves(planOf(["ann"]), undefined, tenant, true).decision).toEqual(planOf(["ann"]));
    const empty: Before = { state: "processed", steps: [], rows: [] };
    expect(withMoves(planOf(["ann"]), empty, tenant, true).decision).toEqual(planOf(["ann"]));
  });
});

/** A CRM and a ledger, as far as moves go. */
class Course {
  readonly crm = new Set<string>();
  readonly rows = new Map<string, Row>();
  steps: readonly Step[] = [];
  planned = false;
  pending = true;

  plan(wanted: readonly string[]): void {
    const before: Before | undefined = this.planned
      ? { state: this.pending ? "pending" : "processed", steps: this.steps, rows: [...this.rows.values()] }
      : undefined;
    this.steps = stepsIn(withMoves(planOf(wanted), before, tenant, true).decision);
    this.planned = true;
    this.pending = true;
    const kept = new Set(this.steps.map(({ key }) => key));
    for (const step of this.steps) if (!this.rows.has(step.key)) this.rows.set(step.key, rowOf(step, "planned"));
    // As the store does: what is no longer planned goes if it was never sent.
    for (const [key, row] of this.rows)
      if (!kept.has(key) && row.sends === 0 && row.state === "planned") this.rows.delete(key);
  }

  /** Works the first `most` steps that are not confirmed; answers of some get lost, with the deed done or not. */
  work(most: number, fates: readonly ("done" | "lost after" | "lost before")[]): void {
    let worked = 0;
    for (const step of this.steps) {
      if (this.rows.get(step.key)?.state === "confirmed") continue;
      if (worked++ === most) return;
      const fate = fates[worked % Math.max(1, fates.length)] ?? "done";
      if (fate !== "lost before") this.carryOut(step);
      this.rows.set(step.key, rowOf(step, fate === "done" ? "confirmed" : "unknown"));
      if (fate !== "done") return;
    }
    this.pending = false;
  }

  carryOut(step: Step): void {
    if (step.kind === "activity") for (const key of step.about) this.crm.add(key);
    if (step.kind === "link") this.crm.add(step.to);
    if (step.kind === "unlink") this.crm.delete(step.to);
  }
}

test("after any course of plans, works, lost answers and crashes, the message belongs to what the last plan says and to what others gave it", () => {
  const anyNames = fc.subarray([...names], { minLength: 1 });
  const fate = fc.constantFrom("done" as const, "lost after" as const, "lost before" as const);
  const happening = fc.record({ wanted: anyNames, most: fc.nat(8), fates: fc.array(fate, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(happening, { minLength: 1, maxLength: 8 }), (course) => {
      const life = new Course();
      // Somebody at the CRM gave it to a record of their own.
      life.crm.add("theirs");
      for (const { wanted, most, fates } of course) {
        life.plan(wanted);
        life.work(most, fates);
      }
      for (let turn = 0; turn < 20 && life.pending; turn++) life.work(100, ["done"]);
      const last = course.at(-1)?.wanted ?? [];
      expect(life.pending).toBe(false);
      expect([...life.crm].sort()).toEqual(["theirs", ...last.map(keyOf)].sort());
      expect(movesIn({ kind: "steps", rule: "", steps: life.steps }).every(({ from }) => from === activityKey)).toBe(
        true,
      );
      // And planning the same once more has nothing left to do.
      const before = life.steps;
      life.plan(last);
      expect(life.steps).toEqual(before);
    }),
    { numRuns: 2_000 },
  );
});
