/** What a person's word does to the plan of one message. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planDecided, releasedFlag } from "../../src/mapping/decided.ts";
import { type Mapping, plan } from "../../src/mapping/plan.ts";
import { automatedKinds, trustLevels } from "../../src/model/event.ts";
import type { Verdict } from "../../src/model/reviews.ts";
import type { ActivityStep, Decision, PersonStep } from "../../src/model/step.ts";
import { address, authOf, classOf, digest, eventWith } from "./fakes.ts";

const known = { digest };
const said = (kind: Verdict["kind"]): Verdict => ({ kind, by: "ada", at: 1 });
const anyEvent = fc
  .record({ kind: fc.constantFrom(...automatedKinds), trust: fc.constantFrom(...trustLevels) })
  .map(({ kind, trust }) => eventWith({ class: classOf(kind), auth: authOf(trust) }));
const rules = { internal: "skip", disposableContacts: "hold" } as const;
const anyMapping = fc
  .constantFrom("unverified" as const, "aligned-weak" as const, "verified" as const)
  .map((createContact): Mapping => ({ ...rules, createContact }));

function stepsIn(decision: Decision): { person: PersonStep; activity: ActivityStep } {
  const steps = decision.kind === "steps" ? decision.steps : [];
  const person = steps.find((step) => step.kind === "person");
  const activity = steps.find((step) => step.kind === "activity");
  if (person === undefined || activity === undefined) throw new Error(`not a person and an activity: ${decision.rule}`);
  return { person, activity };
}

describe("a verdict", () => {
  test("that is not there changes nothing", () => {
    fc.assert(
      fc.property(anyEvent, anyMapping, (event, mapping) => {
        expect(planDecided(event, mapping, known)).toEqual(plan(event, mapping, known));
      }),
    );
  });

  test("to reject skips whatever the rules say, under a rule of its own", () => {
    fc.assert(
      fc.property(anyEvent, anyMapping, (event, mapping) => {
        expect(planDecided(event, mapping, known, said("reject"))).toEqual({
          kind: "skip",
          rule: "review.rejected",
          reason: "rejected in review by ada",
        });
      }),
    );
  });

  test("to trust never skips or holds what would have gone, keeps every key, and says on the records that a person let it through", () => {
    fc.assert(
      fc.property(anyEvent, anyMapping, (event, mapping) => {
        const before = plan(event, mapping, known);
        const after = planDecided(event, mapping, known, said("trust"));
        if (before.kind === "skip") expect(after).toEqual(before);
        if (before.kind !== "steps" || after.kind !== "steps") return;
        expect(after.steps.map(({ kind, key }) => [kind, key])).toEqual(
          before.steps.map(({ kind, key }) => [kind, key]),
        );
        for (const step of after.steps) if ("flags" in step) expect(step.flags).toContain(releasedFlag);
      }),
    );
  });

  test("to trust lets a suspicious mail make its contact, and the flags still say what was found", () => {
    const event = eventWith({ auth: authOf("suspicious") });
    for (const createContact of ["unverified", "aligned-weak", "verified"] as const) {
      const mapping: Mapping = { ...rules, createContact };
      expect(plan(event, mapping, known)).toMatchObject({ kind: "hold", rule: "trust.suspicious" });
      const { person, activity } = stepsIn(planDecided(event, mapping, known, said("trust")));
      expect(person).toMatchObject({ create: true, flags: ["suspicious", releasedFlag] });
      expect(activity.flags).toEqual(["suspicious", releasedFlag]);
    }
  });

  test("to trust lets an unknown sender in where the mapping asks for more trust", () => {
    const event = eventWith({ auth: authOf("unverified") });
    const mapping: Mapping = { ...rules, createContact: "verified" };
    expect(stepsIn(plan(event, mapping, known)).person.create).toBe(false);
    expect(stepsIn(planDecided(event, mapping, known, said("trust"))).person.create).toBe(true);
  });

  test("to trust does not make up a sender that the mail does not name", () => {
    const event = eventWith({ auth: authOf("suspicious"), message: { from: address(null, "Nobody") } });
    expect(planDecided(event, { ...rules, createContact: "unverified" }, known, said("trust"))).toMatchObject({
      kind: "hold",
      rule: "sender.missing",
    });
  });
});
