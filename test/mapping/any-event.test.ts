/** Planning never throws, whatever an event holds and a mapping says; what comes out is a plan that can be carried out. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparePlans } from "../../src/mapping/compare.ts";
import { planDecided } from "../../src/mapping/decided.ts";
import { explainSteps } from "../../src/mapping/explain.ts";
import { withFiles } from "../../src/mapping/filing.ts";
import { type Before, withMoves } from "../../src/mapping/moves.ts";
import type { Mapping } from "../../src/mapping/plan.ts";
import { compileMapping } from "../../src/mapping/rules/compile.ts";
import { type CanonicalEvent, eventSchema } from "../../src/model/event.ts";
import { mappingSchema } from "../../src/model/mapping.ts";
import { type Decision, stepSchema } from "../../src/model/step.ts";
import { arbitraryOf } from "../support/arbitrary.ts";

/** Our own clock writes `received_at`; all else is what others wrote. Most are of people, or nothing would be filed. */
const events = fc
  .record({
    any: arbitraryOf(eventSchema),
    at: fc.date({ noInvalidDate: true, min: new Date("2020-01-01"), max: new Date("2099-01-01") }),
    under: arbitraryOf(eventSchema.shape.participants.shape.filed_under.element),
    isOrdinary: fc.boolean(),
  })
  .map(({ any, at, under, isOrdinary }): CanonicalEvent => {
    // The road names each of them once.
    const once = (all: typeof any.participants.filed_under) => [
      ...new Map(all.map((one) => [one.email.toLowerCase(), one])).values(),
    ];
    const participants = { ...any.participants, filed_under: once(any.participants.filed_under) };
    const event = { ...any, received_at: at.toISOString(), participants };
    if (!isOrdinary) return event;
    return {
      ...event,
      class: { ...event.class, kind: "person" },
      participants: {
        ...event.participants,
        direction: "inbound",
        basis: "sender",
        filed_under: once([under, ...event.participants.filed_under]),
      },
    };
  });
/** Few conditions, or no rule would ever apply. */
const files = arbitraryOf(mappingSchema, { there: 18 }).map((file) => mappingSchema.parse(file));
const mappings = fc.oneof(fc.constant(undefined), files).chain((file) =>
  fc
    .record({
      createContact: fc.constantFrom("verified", "aligned-weak", "unverified"),
      internal: fc.constantFrom("skip", "log"),
      disposableContacts: fc.constantFrom("hold", "create"),
    })
    .map((built): Mapping => (file === undefined ? built : { ...built, rules: compileMapping(file) })),
);
const knowns = fc.record({
  digest: fc.constant("d".repeat(64)),
  deal: fc.option(fc.constant({ key: "a".repeat(64), pipeline: null, stage: "contractsent" }), { nil: undefined }),
});
const verdicts = fc.option(
  fc.oneof(
    fc.record({ kind: fc.constant("trust" as const), by: fc.constant("kim"), at: fc.constant(1) }),
    fc.record({ kind: fc.constant("reject" as const), by: fc.constant("kim"), at: fc.constant(1) }),
  ),
  { nil: undefined },
);

/** Steps come after those that they name, each once, in the published shape. */
function expectPlan(decision: Decision): void {
  if (decision.kind !== "steps") {
    expect(typeof decision.reason).toBe("string");
    return;
  }
  const before = new Set<string>();
  for (const step of decision.steps) {
    expect(() => stepSchema.parse(step)).not.toThrow();
    const named = "about" in step ? step.about : step.kind === "link" ? [step.from, step.to] : [];
    for (const key of named) expect(before).toContain(key);
    expect(before).not.toContain(step.key);
    before.add(step.key);
  }
  expect(explainSteps(decision.steps)).toHaveLength(decision.steps.length);
}

describe("any event of the schema, under any mapping", () => {
  test("gives a plan, a skip or a hold, and the same again", () => {
    let filed = 0;
    fc.assert(
      fc.property(events, mappings, knowns, verdicts, (event, mapping, known, verdict) => {
        const decision = planDecided(event, mapping, known, verdict);
        expectPlan(decision);
        expect(planDecided(event, mapping, known, verdict)).toEqual(decision);
        if (decision.kind === "steps") filed++;
      }),
      { numRuns: 500 },
    );
    // Or nothing was tested but refusals. Some 20 of 500 are filed.
    expect(filed).toBeGreaterThan(0);
  });

  test("can be compared with any other, and laid over what it was planned as before", () => {
    const rows = fc.constantFrom("planned", "sent", "confirmed", "unknown", "refused");
    fc.assert(
      fc.property(
        events,
        mappings,
        mappings,
        knowns,
        rows,
        fc.boolean(),
        (event, one, other, known, state, canMove) => {
          const [old, fresh] = [planDecided(event, one, known), planDecided(event, other, known)];
          expect(comparePlans(old, old).kind).toBe("same");
          comparePlans(old, fresh);
          const steps = old.kind === "steps" ? old.steps : [];
          const before: Before = {
            state: "processed",
            steps,
            rows: steps.map(({ kind, key }) => ({
              kind,
              key,
              state,
              sends: 1,
              ref: state === "confirmed" ? "7" : null,
            })),
          };
          const moved = withMoves(fresh, before, event.tenant, canMove);
          expectPlan(withFiles(moved.decision, before, event.tenant));
        },
      ),
      { numRuns: 300 },
    );
  });
});
