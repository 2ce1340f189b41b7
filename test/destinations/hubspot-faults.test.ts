import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ref, Refs, Session } from "../../src/model/destination.ts";
import { Refused } from "../../src/model/outcome.ts";
import type { Step } from "../../src/model/step.ts";
import {
  createHubspotSandbox,
  type FaultPlan,
  type HubspotSandbox,
  type HubspotSandboxOptions,
} from "../../src/sandbox/hubspot.ts";
import { activity, deal, filed, fileStep, type ManualClock, manualClock, person, refsOf } from "./fixtures.ts";
import { openHubspot } from "./hubspot-rig.ts";

/** Longer than any slow commit below: what the real pipeline waits for through facts.lateCommitMs. */
const lateMs = 60_000;
const faults: FaultPlan["fault"][] = [
  { kind: "drop" },
  { kind: "commit_then_drop" },
  { kind: "commit_then_status", status: 504 },
  { kind: "commit_then_truncate" },
  { kind: "slow_commit", ms: 45_000 },
  { kind: "slow_answer", ms: 45_000 },
  { kind: "status", status: 500 },
  { kind: "status", status: 423 },
  { kind: "status", status: 429, body: { policyName: "SECONDLY" } },
];

/** The pipeline's rules in small: look first where nothing is enforced, look after an unclear answer, and write again only when that is proven empty. */
async function settle(session: Session, clock: ManualClock, step: Step, refs: Refs): Promise<Ref> {
  const turn = async (look: boolean): Promise<Ref> =>
    (look ? await session.find(step, refs) : undefined) ?? (await session.put(step, refs));
  let look = step.kind === "person";
  for (let attempt = 0; attempt < 200; attempt++) {
    const work = Promise.resolve().then(async () => {
      const unenforced = (await session.dedupe(step.kind)).tier !== "unique-key";
      return await turn(look || unenforced);
    });
    const outcome = await ended(work, clock);
    if (!(outcome instanceof Refused)) return outcome;
    if (outcome.failure.kind === "permanent" || outcome.failure.kind === "blocked") throw outcome;
    if (outcome.failure.kind === "ambiguous") look = true;
    await clock.advance(lateMs);
  }
  throw new Error("it never came to an end");
}

/** Runs time on until the work is done. */
async function ended(work: Promise<Ref>, clock: ManualClock): Promise<Ref | Refused> {
  let outcome: Ref | Refused | undefined;
  let defect: unknown;
  work.then(
    (ref) => {
      outcome = ref;
    },
    (error: unknown) => {
      if (error instanceof Refused) outcome = error;
      else defect = error;
    },
  );
  for (let n = 0; n < 1_000 && outcome === undefined && defect === undefined; n++) await clock.advance(1_000);
  if (defect !== undefined) throw defect;
  if (outcome === undefined) throw new Error("a call outlived its deadline");
  return outcome;
}

function randomOf(seed: number): { unit(): number } {
  let state = seed >>> 0;
  return {
    unit() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
  };
}

function misfortune(sandbox: HubspotSandbox, probability: number): void {
  for (const fault of faults) sandbox.faults.plan({ route: "*", probability: probability / faults.length, fault });
}

describe("whatever goes wrong on whichever call, one contact, one deal and one mail come about, with its files as they are", () => {
  const accounts: [string, Partial<HubspotSandboxOptions>][] = [
    ["tier 1", { emailsUnique: "yes" }],
    ["tier 2", { emailsUnique: "no" }],
    ["tier 3", { emailsUnique: "propertiesForbidden" }],
  ];
  test.each(accounts)("%s", async (_tier, options) => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.double({ min: 0.05, max: 0.6, noNaN: true }), async (seed, probability) => {
        const clock = manualClock();
        const sandbox = createHubspotSandbox({
          clock,
          random: randomOf(seed),
          options: { prepared: true, autoCompany: true, ...options },
        });
        const session = openHubspot(sandbox, clock);
        misfortune(sandbox, probability);
        const who = person();
        const ref = await settle(session, clock, who, new Map());
        const chance = deal([who.key]);
        const chanceRef = await settle(session, clock, chance, refsOf([who, ref]));
        const mail = activity([who.key, chance.key], { attachments: [filed("checking")] });
        const mailRef = await settle(session, clock, mail, refsOf([who, ref], [chance, chanceRef]));
        await clock.advance(lateMs);
        const logged = sandbox.state().emails[0]?.properties ?? {};
        const list = fileStep(mail, [filed("stored")]);
        const listRef = await settle(session, clock, list, refsOf([who, ref], [chance, chanceRef], [mail, mailRef]));
        await clock.advance(lateMs);
        expect(listRef).toMatchObject({ id: mailRef.id });
        expect(listRef.note).toBeUndefined();
        const text = logged.hs_email_text?.replace("being checked: ", "");
        expect(sandbox.state().emails[0]?.properties).toEqual({ ...logged, hs_email_text: text });
        expect(text).not.toBe(logged.hs_email_text);
        const { counts, emails } = sandbox.state();
        expect(counts).toMatchObject({ contacts: 1, deals: 1, emails: 1 });
        expect(emails[0]).toMatchObject({
          id: mailRef.id,
          associations: { contacts: [ref.id], deals: [chanceRef.id] },
        });
      }),
      { numRuns: 40 },
    );
  });
});
