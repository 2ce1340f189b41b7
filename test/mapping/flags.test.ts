/** Feature flags, over any rules and any mail: at 0 % all is as it was without, at 100 % as with, and in between each thread is on one of these sides. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Mapping, plan } from "../../src/mapping/plan.ts";
import { compileMapping } from "../../src/mapping/rules/compile.ts";
import { automatedKinds, type CanonicalEvent, trustLevels } from "../../src/model/event.ts";
import { mappingSchema } from "../../src/model/mapping.ts";
import { address, authOf, classOf, digest, eventWith } from "./fakes.ts";

const builtIn: Mapping = { createContact: "unverified", internal: "skip", disposableContacts: "hold" };
const by = (file: object | undefined, event: CanonicalEvent) =>
  plan(event, file === undefined ? builtIn : { ...builtIn, rules: compileMapping(mappingSchema.parse(file)) }, {
    digest,
  });

const condition = fc.oneof(
  fc.constant({}),
  fc.record({ class: fc.uniqueArray(fc.constantFrom(...automatedKinds), { minLength: 1, maxLength: 3 }) }),
  fc.record({ trust: fc.uniqueArray(fc.constantFrom(...trustLevels), { minLength: 1, maxLength: 3 }) }),
  fc.record({ thread: fc.constantFrom("new", "known") }),
  fc.record({ subject: fc.constantFrom("order", "quote *", "nothing of it") }),
  fc.record({ sender: fc.constantFrom("*@example.test", "ada@*", "nobody@else.test") }),
  fc.record({ not: fc.record({ direction: fc.constantFrom("inbound", "outbound") }) }),
);
const outcome = fc.constantFrom(
  { skip: "s" },
  { review: "r" },
  { contact: { create: false } },
  { contact: { as: "lead", create: "unverified" } },
  { company: { create: "aligned-weak" }, deal: { create: { name: "{{subject}}" } } },
  { deal: { else: "newest" } },
  { deal: { else: "review" } },
  { activity: { body: "reply", owner: "kim@acme.test" } },
);
const rules = fc
  .array(fc.record({ when: condition, do: outcome, stop: fc.boolean() }), { minLength: 1, maxLength: 6 })
  .map((all) => all.map((one, n) => ({ name: `r${n}`, ...one })));
const event = fc
  .record({
    kind: fc.constantFrom(...automatedKinds),
    trust: fc.constantFrom(...trustLevels),
    from: fc.constantFrom("ada@example.test", "bob@other.test", "kim@acme.test", null),
    subject: fc.constantFrom("An order", "A quote for you", "Hello", null),
    thread: fc.uuid(),
    parent: fc.option(fc.uuid(), { nil: null }),
  })
  .map(({ kind, trust, from, subject, thread, parent }) =>
    eventWith({
      class: classOf(kind),
      auth: authOf(trust),
      message: { from: address(from), subject, subject_normalised: subject },
      thread: {
        thread_id: thread,
        parent_event_id: parent,
        confidence: 1,
        method: parent === null ? "new" : "header",
        review: false,
        candidates: [],
      },
    }),
  );
const percent = fc.integer({ min: 1, max: 99 });

test("of a whole file", () => {
  fc.assert(
    fc.property(rules, event, percent, (all, mail, some) => {
      const [without, whole] = [by(undefined, mail), by({ rules: all }, mail)];
      const flagged = (share: number) => by({ rules: all, only: { percent: share } }, mail);
      expect(flagged(0)).toEqual(without);
      expect(flagged(100)).toEqual(whole);
      expect([JSON.stringify(without), JSON.stringify(whole)]).toContain(JSON.stringify(flagged(some)));
      expect(flagged(some)).toEqual(flagged(some));
    }),
    { numRuns: 300 },
  );
});

test("of a whole file over the version of before: at 0 % that one decides, whatever else the new one says", () => {
  const groups = [["ada@example.test", "ada@home.test"]];
  const compiled = (fresh: object, old: object) =>
    compileMapping({ ...mappingSchema.parse(fresh), otherwise: mappingSchema.parse(old) });
  fc.assert(
    fc.property(rules, rules, fc.boolean(), event, percent, (before, after, isNew, mail, some) => {
      const old = { rules: before, same_person: isNew ? [] : groups };
      const fresh = { rules: after, same_person: isNew ? groups : [] };
      const [was, will] = [by(old, mail), by(fresh, mail)];
      const flagged = (share: number) =>
        plan(mail, { ...builtIn, rules: compiled({ ...fresh, only: { percent: share } }, old) }, { digest });
      expect(flagged(0)).toEqual(was);
      expect(flagged(100)).toEqual(will);
      expect([JSON.stringify(was), JSON.stringify(will)]).toContain(JSON.stringify(flagged(some)));
    }),
    { numRuns: 300 },
  );
});

test("of one rule among others", () => {
  fc.assert(
    fc.property(rules, fc.nat(), event, percent, (all, which, mail, some) => {
      const at = which % all.length;
      const flagged = (share: number) =>
        by({ rules: all.map((rule, n) => (n === at ? { ...rule, only: { percent: share } } : rule)) }, mail);
      const [without, whole] = [by({ rules: all.filter((_, n) => n !== at) }, mail), by({ rules: all }, mail)];
      expect(flagged(0)).toEqual(without);
      expect(flagged(100)).toEqual(whole);
      expect([JSON.stringify(without), JSON.stringify(whole)]).toContain(JSON.stringify(flagged(some)));
    }),
    { numRuns: 300 },
  );
});

test("never take a thread back that a lower percentage had", () => {
  fc.assert(
    fc.property(event, percent, percent, (mail, one, other) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      const isIn = (share: number) =>
        by({ rules: [{ name: "r", do: { skip: "in" } }], only: { percent: share } }, mail);
      const decided = isIn(low);
      if (decided.rule === "mapping.r") expect(isIn(high)).toEqual(decided);
    }),
    { numRuns: 300 },
  );
});
