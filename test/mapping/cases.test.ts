import { describe, expect, test } from "vitest";
import { atKnownRecords, differencesOf } from "../../src/mapping/cases.ts";
import { plan } from "../../src/mapping/plan.ts";
import { compileMapping } from "../../src/mapping/rules/compile.ts";
import { mappingSchema } from "../../src/model/mapping.ts";
import { type Expectation, expectation } from "../../src/model/mapping-cases.ts";
import type { Decision } from "../../src/model/step.ts";
import { authOf, digest, eventWith } from "./fakes.ts";

const rules = compileMapping(
  mappingSchema.parse({
    rules: [
      {
        name: "request",
        do: {
          contact: { owner: "kim@acme.test", fields: { status: "NEW" } },
          company: {},
          deal: { create: { stage: "qualification", name: "{{subject}}" } },
        },
      },
    ],
  }),
);
const mapping = { createContact: "unverified", internal: "skip", disposableContacts: "hold", rules } as const;
const decision = plan(eventWith({ auth: authOf("verified") }), mapping, { digest });
const held: Decision = { kind: "hold", rule: "trust.suspicious", reason: "a stranger under a colleague's name" };

const expected = (words: unknown): Expectation => expectation.parse(words);
const differences = (words: unknown, of: Decision = decision) => differencesOf(expected(words), of);

describe("what a case expects", () => {
  test("is met where everything that it says is so, in any order, and the rest is not looked at", () => {
    expect(
      differences({
        outcome: "steps",
        rule: "request",
        no: ["archive"],
        steps: [
          { kind: "activity", about: ["deal", "person", "company"], owner: null },
          {
            kind: "person",
            email: "ada@example.test",
            owner: "kim@acme.test",
            as: "contact",
            fields: { status: "NEW" },
          },
          { kind: "deal", name: "An order", pipeline: null },
        ],
      }),
    ).toEqual([]);
    expect(differences({ rule: "mapping.request" })).toEqual([]);
    expect(differences({ rule: "trust.suspicious", reason: "Colleague*name" }, held)).toEqual([]);
  });

  test("is told field by field where one is not so", () => {
    expect(
      differences({ steps: [{ kind: "deal", stage: "closedwon", name: "An order", owner: "kim@acme.test" }] }),
    ).toEqual([
      { where: "steps[0].stage", expected: "closedwon", found: "qualification" },
      { where: "steps[0].owner", expected: "kim@acme.test", found: "null" },
    ]);
    expect(differences({ steps: [{ kind: "person", fields: { status: "OLD", size: "1" } }] })).toEqual([
      { where: "steps[0].fields.status", expected: "OLD", found: "NEW" },
      { where: "steps[0].fields.size", expected: "1", found: "nothing" },
    ]);
  });

  test("is told with what was planned instead where the outcome is another", () => {
    expect(differences({ outcome: "skip", reason: "private" })).toEqual([
      { where: "outcome", expected: "skip", found: expect.stringContaining("steps by mapping.request: person ada@") },
      { where: "reason", expected: "private", found: "no reason: there are steps" },
    ]);
    expect(differences({ steps: [{ kind: "activity" }] }, held)).toEqual([
      { where: "steps[0]", expected: "a step of kind activity", found: expect.stringContaining("hold by trust.susp") },
    ]);
    expect(differences({ no: ["deal"] })).toEqual([{ where: "no", expected: "no deal", found: 'deal "An order"' }]);
  });

  test("takes each planned step for one expected one, and gives the fitting ones away first", () => {
    const twice = { steps: [{ kind: "person" }, { kind: "person", email: "ada@example.test" }] };
    expect(differences(twice)).toEqual([
      { where: "steps[1]", expected: "a step of kind person", found: expect.any(String) },
    ]);
    if (decision.kind !== "steps") throw new TypeError("the mail was planned");
    const [person] = decision.steps;
    if (person?.kind !== "person") throw new TypeError("its person comes first");
    const two: Decision = { ...decision, steps: [{ ...person, email: "bob@example.test" }, person] };
    const wanted = {
      steps: [
        { kind: "person", email: "ada@example.test" },
        { kind: "person", email: "eve@x.test" },
      ],
    };
    expect(differences(wanted, two)).toEqual([
      { where: "steps[1].email", expected: "eve@x.test", found: "bob@example.test" },
    ]);
  });
});

describe("at a CRM that knows some records", () => {
  const records = (contacts: string[], companies: string[] = []) => ({ contacts, companies });
  const asked = {
    steps: [
      { kind: "person", comes: "found" },
      { kind: "company", comes: "created" },
    ],
  };

  test("what is there is found, and what is not is created", () => {
    const known = records(["ADA@example.test"]);
    expect(differencesOf(expected(asked), atKnownRecords(decision, known), known)).toEqual([]);
    expect(differencesOf(expected(asked), decision, records([], ["example.test"]))).toEqual([
      { where: "steps[0].comes", expected: "found", found: "created" },
      { where: "steps[1].comes", expected: "created", found: "found" },
    ]);
    // Without saying what is there, nothing can be said of what comes of it.
    expect(differencesOf(expected(asked), decision)).toHaveLength(2);
  });

  test("a person who is not there and may not be made holds the mail, as it would on the road", () => {
    const only = plan(eventWith(), { ...mapping, rules: undefined, createContact: "verified" }, { digest });
    expect(atKnownRecords(only, records([]))).toMatchObject({ kind: "hold", rule: "trust.create_contact" });
    expect(atKnownRecords(only, records(["ada@example.test"]))).toBe(only);
    expect(atKnownRecords(only, undefined)).toBe(only);
    expect(atKnownRecords(held, records([]))).toBe(held);
  });
});
