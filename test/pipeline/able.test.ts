/** What a CRM cannot do with a logged mail is done as far as it goes, said in a note, and nothing is asked of the CRM for it. */
import { expect, test } from "vitest";
import type { KnownRef, Session } from "../../src/model/destination.ts";
import type { Step } from "../../src/model/step.ts";
import { narrowed, unchangeable } from "../../src/pipeline/able.ts";
import { ensureStep } from "../../src/pipeline/moving.ts";
import { activity, fileStep, manualClock, person } from "../destinations/fixtures.ts";
import { facts, scripted } from "./fakes.ts";

const [ada, bo, cy] = ["ada", "bo", "cy"].map((name) => person(`${name}@example.test`));
const keys = [ada, bo, cy].map((step) => step?.key ?? "");
const mail = activity(keys);
const refs = new Map<string, KnownRef>([
  ...keys.map((key, at): [string, KnownRef] => [key, { kind: "person", id: `p${at}` }]),
  [mail.key, { kind: "activity", id: "a1" }],
]);
const one = { ...facts, can: { ...facts.can, severalPeople: false, changeActivity: false } };

async function ensured(step: Step, session: Session) {
  const row = { id: 1, state: "planned", sends: 0, emptyReads: 0, deadline: null, ref: null } as never;
  const ports = { session, facts: one, clock: manualClock(), note: async () => true, unclear: async () => null };
  return await ensureStep({ step, row, refs, carried: [] }, [step], ports);
}

test("a mail to several people is logged on the first, and the others are named by their ids", async () => {
  const session = scripted({ put: [{ id: "a1", note: "cut to 9" }] });
  const outcome = await ensured(mail, session);
  const note = "cut to 9; this CRM puts a logged mail on one contact: it is on p0, and not on p1, p2";
  expect(outcome).toMatchObject({ kind: "confirmed", ref: { id: "a1", note }, note: { note } });
  expect(narrowed(mail, refs, one).step.about).toEqual([keys[0]]);
});

test("two addresses of one contact are one, and where a CRM takes several nothing is left out", () => {
  const same = new Map(refs).set(keys[1] ?? "", { kind: "person", id: "p0" });
  expect(narrowed({ ...mail, about: keys.slice(0, 2) }, same, one)).toMatchObject({ note: undefined });
  expect(narrowed(mail, refs, facts)).toEqual({ step: mail, note: undefined });
});

test("a list of files is left as it was logged, without a call", async () => {
  const session = scripted({});
  const outcome = await ensured(fileStep(mail, []), session);
  expect(outcome).toMatchObject({ kind: "confirmed", ref: { id: "a1", adopted: true, note: unchangeable } });
  expect(session.calls).toEqual([]);
});
