/** What `mapping check` finds: rules that can never decide anything, and only those. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRules, covers } from "../../src/mapping/check.ts";
import { compileConditions } from "../../src/mapping/rules/conditions.ts";
import { factsOf } from "../../src/mapping/rules/facts.ts";
import { type Conditions, mappingSchema } from "../../src/model/mapping.ts";
import { address, authOf, eventWith } from "./fakes.ts";

const found = (...rules: object[]) =>
  checkRules(
    mappingSchema.parse({ rules: rules.map((rule, n) => ({ name: `r${n}`, do: { contact: {} }, ...rule })) }),
  ).map(({ rule, what }) => `${rule}: ${what}`);
const skip = { do: { skip: "x" } };

describe("rules that can never fire", () => {
  test.each([
    ["after one for all that ends the reading", [{ ...skip }, { when: { subject: "a" } }], /^r1: never read: r0/],
    ["after one that stops", [{ stop: true }, { when: { domain: "a.test" } }], /^r1: never read/],
    [
      "a narrower sender",
      [{ when: { sender: "*@a.test" }, ...skip }, { when: { sender: ["x@a.test", "*y@a.test"] } }],
      /^r1: never read/,
    ],
    [
      "a subdomain",
      [{ when: { domain: "a.test" }, ...skip }, { when: { domain: "b.a.test", thread: "new" } }],
      /^r1: never read/,
    ],
    [
      "a longer subject",
      [{ when: { subject: "order" }, ...skip }, { when: { subject: "your order *" } }],
      /^r1: never read/,
    ],
    [
      "a higher trust",
      [{ when: { trust: { at_least: "aligned-weak" } }, ...skip }, { when: { trust: "verified" } }],
      /^r1: never read/,
    ],
    [
      "a narrower size",
      [{ when: { size: { at_least: 10 } }, ...skip }, { when: { size: { at_least: 20, below: 30 } } }],
      /^r1: never read/,
    ],
    [
      "all it speaks of is spoken of",
      [{ do: { contact: {} } }, { do: { deal: false } }, { do: { contact: {}, deal: false } }],
      /^r2: decides nothing: r0, r1/,
    ],
  ])("%s", (_, rules, words) => {
    expect(found(...rules)).toEqual([expect.stringMatching(words)]);
  });

  test.each([
    ["a wider sender", [{ when: { sender: "x@a.test" }, ...skip }, { when: { sender: "*@a.test" } }]],
    ["a rule under a flag", [{ ...skip, only: { percent: 50 } }, {}]],
    ["mail that the first does not name", [{ ...skip }, { when: { class: "bounce" }, do: { review: "y" } }]],
    ["one with an exception", [{ ...skip, when: { not: { subject: "a" } } }, { when: { subject: "a" } }]],
  ])("not %s", (_, rules) => {
    expect(found(...rules)).toEqual([]);
  });
});

describe("conditions that contradict", () => {
  test.each([
    [{ when: { size: { at_least: 5, below: 5 } } }, /size/],
    [{ when: { subject: "order", not: { subject: "o" } } }, /not: takes away/],
    [{ when: { sender: "a@x.test", domain: ["y.test", "z.test"] } }, /sender and domain/],
    [{ only: { percent: 0 } }, /no thread/],
    [{ when: { trust: "suspicious" } }, /nothing is ever made/],
  ])("%j", (rule, words) => {
    expect(found(rule)).toEqual([expect.stringMatching(words)]);
  });
});

test("what covers lets through all that what is covered lets through", () => {
  const piece = fc.string({ unit: fc.constantFrom("a", "*", "."), minLength: 1, maxLength: 3 });
  const some = fc.oneof(piece, fc.array(piece, { minLength: 1, maxLength: 2 }));
  const conditions: fc.Arbitrary<Conditions> = fc.record(
    {
      sender: some.map((one) => (typeof one === "string" ? `${one}@*` : one.map((each) => `${each}@*`))),
      subject: some,
      domain: some,
      trust: fc.oneof(
        fc.constantFrom("verified" as const, "unverified" as const),
        fc.constant({ at_least: "aligned-weak" as const }),
      ),
      thread: fc.constantFrom("new" as const, "known" as const),
      size: fc.record({ at_least: fc.nat(200), below: fc.nat(200) }, { requiredKeys: [] }),
      attachments: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  /** One or two of a record, so that many records are covered by it. */
  const wide = fc
    .tuple(conditions, fc.nat(6), fc.nat(6))
    .map(([all, one, other]) => Object.fromEntries(Object.entries(all).filter((_, at) => at === one || at === other)));
  let compared = 0;
  const letters = fc.string({ unit: fc.constantFrom("a", "."), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(wide, conditions, letters, letters, letters, (wider, narrower, local, domain, subject) => {
      if (!covers(wider, narrower)) return;
      compared++;
      const event = eventWith({
        auth: authOf("verified"),
        message: { from: address(`${local}@${domain}`), subject },
      });
      const facts = factsOf(event);
      if (compileConditions(narrower)(facts) === undefined) expect(compileConditions(wider)(facts)).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
  expect(compared).toBeGreaterThan(50);
});
