/** Files of a logged mail: whatever became of them between plans, and whatever got through, the CRM ends with the list of the last plan. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withFiles } from "../../src/mapping/filing.ts";
import { stepKey } from "../../src/mapping/keys.ts";
import type { Before } from "../../src/mapping/moves.ts";
import { plan } from "../../src/mapping/plan.ts";
import type { CanonicalEvent } from "../../src/model/event.ts";
import { type FileStatus, fileStatuses } from "../../src/model/files.ts";
import type { DeliveryState, StepState } from "../../src/model/ledger.ts";
import type { LinkOf } from "../../src/model/links.ts";
import {
  type ActivityStep,
  type Decision,
  type Filed,
  type FileStep,
  type Step,
  stepSchema,
} from "../../src/model/step.ts";
import { digest, eventWith, receivedAt } from "./fakes.ts";

const tenant = "acme";
const filed = (status: FileStatus, more: Partial<Filed> = {}): Filed => ({
  filename: "a.pdf",
  content_type: "application/pdf",
  size: 1,
  id: "a".repeat(32),
  status,
  reason: null,
  url: "https://m.example/a/1",
  ...more,
});
function activityOf(event: CanonicalEvent, linkOf?: LinkOf): ActivityStep {
  const mapping = { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const;
  const decision = plan(event, { ...mapping, ...(linkOf && { linkOf }) }, { digest });
  const step = decision.kind === "steps" ? decision.steps.find((each) => each.kind === "activity") : undefined;
  if (step?.kind !== "activity") throw new TypeError("there is an activity in every plan here");
  return step;
}
const mail = (attachments: readonly Filed[]): ActivityStep => ({
  ...activityOf(eventWith()),
  attachments: [...attachments],
});
const planOf = (...lists: readonly (readonly Filed[])[]): Decision => ({
  kind: "steps",
  rule: "test",
  steps: lists.map((list) => mail(list)),
});
const stepsIn = (decision: Decision): readonly Step[] => (decision.kind === "steps" ? decision.steps : []);
const filesIn = (decision: Decision): FileStep[] => stepsIn(decision).filter((step) => step.kind === "file");
const row = (step: Step, state: StepState, sends = state === "planned" ? 0 : 1): Before["rows"][number] => ({
  kind: step.kind,
  key: step.key,
  state,
  sends,
  ref: state === "confirmed" ? "r" : null,
});
const delivered = (decision: Decision, state: StepState = "confirmed", of: DeliveryState = "processed"): Before => ({
  state: of,
  steps: stepsIn(decision),
  rows: stepsIn(decision).map((step) => row(step, step.kind === "activity" ? "confirmed" : state)),
});
const checking = [filed("checking")];
const stored = [filed("stored")];
const quarantined = [filed("quarantined", { reason: "macros" })];

describe("a message that is planned again", () => {
  test("with the files as they were gets no step, whether or not a list was ever written in another order of keys", () => {
    expect(withFiles(planOf(stored), delivered(planOf(stored)), tenant)).toEqual(planOf(stored));
    const { url, ...rest } = filed("stored", { url: null });
    expect(url).toBeNull();
    expect(withFiles(planOf([{ ...rest }]), delivered(planOf([{ url: null, ...rest }])), tenant)).toEqual(
      planOf([rest]),
    );
  });

  test("with a file that was checked meanwhile gets one step, which knows what the CRM lists", () => {
    const decision = withFiles(planOf(stored), delivered(planOf(checking)), tenant);
    const [activity, step] = stepsIn(decision);
    expect(step).toEqual({
      kind: "file",
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
      why: expect.any(String),
      activity: activity?.key,
      files: stored,
      was: [checking],
      generation: 1,
    });
    expect(() => stepSchema.parse(step)).not.toThrow();
    expect(stepsIn(decision)).toHaveLength(2);
  });

  test("keeps its step while the list stays, and gets one under a new key when it changes or comes back", () => {
    const there = withFiles(planOf(stored), delivered(planOf(checking)), tenant);
    for (const state of ["planned", "unknown", "confirmed"] as const)
      expect(withFiles(planOf(stored), delivered(there, state), tenant)).toEqual(there);
    const away = withFiles(planOf(quarantined), delivered(there), tenant);
    const back = withFiles(planOf(stored), delivered(away), tenant);
    const keys = [there, away, back].flatMap((plan) => filesIn(plan).map(({ key }) => key));
    expect(new Set(keys).size).toBe(3);
    expect(filesIn(back)).toMatchObject([{ files: stored, was: [quarantined], generation: 3 }]);
  });

  test("names every list that may be there while an earlier step did not come to an end", () => {
    const there = withFiles(planOf(stored), delivered(planOf(checking)), tenant);
    for (const state of ["planned", "sent", "unknown", "refused"] as const) {
      const next = withFiles(planOf(quarantined), delivered(there, state), tenant);
      expect(filesIn(next)[0]?.was, state).toEqual([stored, checking]);
    }
  });

  test("after it was skipped for a while uses no key a second time", () => {
    const rows = [
      row({ ...mail(checking) }, "confirmed"),
      { kind: "file", key: "f".repeat(64), state: "confirmed", sends: 1, ref: "r" } as const,
    ];
    const before: Before = { state: "processed", steps: [mail(checking)], rows };
    expect(filesIn(withFiles(planOf(stored), before, tenant))[0]?.generation).toBe(2);
  });

  test("before the mail was ever sent simply sends the list of the new plan", () => {
    const before: Before = { state: "held", steps: [mail(checking)], rows: [row(mail(checking), "planned")] };
    expect(withFiles(planOf(stored), before, tenant)).toEqual(planOf(stored));
    expect(filesIn(withFiles(planOf(stored), { ...before, state: "pending" }, tenant))).toHaveLength(1);
  });

  test("gets nothing where it is new, skipped, or held", () => {
    expect(withFiles(planOf(stored), undefined, tenant)).toEqual(planOf(stored));
    const skip: Decision = { kind: "skip", rule: "r", reason: "x" };
    expect(withFiles(skip, delivered(planOf(stored)), tenant)).toBe(skip);
  });

  test("ends with the last plan's list at the CRM, whatever got through in between", () => {
    const turn = fc.record({
      status: fc.constantFrom(...fileStatuses),
      /** What became of the step before the next plan: nothing, done, done and not known, sent and not done. */
      fate: fc.constantFrom("waits", "done", "done_unknown", "lost"),
    });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 8 }), (turns) => {
        let atCrm: readonly Filed[] = checking;
        let before = delivered(planOf(checking));
        const confirmed = new Set<string>();
        const work = (step: FileStep): void => {
          const had = JSON.stringify(atCrm);
          if (had === JSON.stringify(step.files)) return;
          // Five changes in a row of which none got through are another's lines to us, and nothing is overwritten.
          if (step.was.some((list) => JSON.stringify(list) === had)) atCrm = step.files;
        };
        let waiting = 0;
        for (const { status, fate } of turns) {
          const plan = withFiles(planOf([filed(status)]), before, tenant);
          const [step] = filesIn(plan);
          const isDone = step !== undefined && confirmed.has(step.key);
          if (step !== undefined && !isDone && (fate === "done" || fate === "done_unknown")) work(step);
          if (step !== undefined && fate === "done") confirmed.add(step.key);
          const state =
            step !== undefined && confirmed.has(step.key) ? "confirmed" : fate === "waits" ? "planned" : "unknown";
          waiting = state === "confirmed" ? 0 : waiting + 1;
          if (waiting > 3) return;
          before = delivered(plan, state, state === "confirmed" ? "processed" : "pending");
        }
        const [last] = filesIn({ kind: "steps", rule: "r", steps: before.steps });
        if (last !== undefined && !confirmed.has(last.key)) work(last);
        const wanted = before.steps.filter((step) => step.kind === "activity")[0]?.attachments;
        expect(atCrm).toEqual(wanted);
      }),
    );
  });
});

describe("what an activity lists", () => {
  const attachment = { filename: "a.pdf", content_type: "application/pdf", size: 7 };
  const kept = { ...attachment, file_id: "b".repeat(32), status: "quarantined", status_reason: "macros" };
  const eventOf = (one: object) => eventWith({ message: { attachments: [one as never] } });

  test("is each file with its state and its link, which is the same at every planning", () => {
    const asked: unknown[] = [];
    const linkOf = (id: string, at: number) => {
      asked.push([id, at]);
      return `https://m.example/a/${id}`;
    };
    expect(activityOf(eventOf(kept), linkOf).attachments).toEqual([
      {
        ...attachment,
        id: kept.file_id,
        status: "quarantined",
        reason: "macros",
        url: `https://m.example/a/${kept.file_id}`,
      },
    ]);
    expect(asked).toEqual([[kept.file_id, receivedAt]]);
  });

  test("has no link where nobody can reach us, and no state where the mail was only read", () => {
    expect(activityOf(eventOf(kept)).attachments).toMatchObject([{ id: kept.file_id, url: null }]);
    expect(activityOf(eventOf(attachment), () => "x").attachments).toEqual([attachment]);
  });

  test("has a key that a file's step does not share", () => {
    expect(stepKey(tenant, "file", ["a"])).not.toBe(stepKey(tenant, "activity", ["a"]));
  });
});
