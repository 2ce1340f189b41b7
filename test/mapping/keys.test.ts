import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activityKey, personKey, stepKey } from "../../src/mapping/keys.ts";

const part = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom("", ":", "1:", "1:a", "0:", "person", "\0", "é", "e\u0301"),
);
const kind = fc.constantFrom("person" as const, "activity" as const, "deal" as const);
const triple = fc.record({ tenant: part, kind, natural: fc.array(part, { maxLength: 3 }) });

describe("a step key", () => {
  test("is the same for the same tenant, kind and natural key, and for no others however they are cut up", () => {
    fc.assert(
      fc.property(triple, triple, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(stepKey(a.tenant, a.kind, a.natural) === stepKey(b.tenant, b.kind, b.natural)).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });

  test("does not change when the same text is cut into parts at another place", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12 }), fc.nat(12), fc.nat(12), (text, first, second) => {
        const cut = (at: number) => [text.slice(0, at % (text.length + 1)), text.slice(at % (text.length + 1))];
        const [a, b] = [cut(first), cut(second)];
        expect(stepKey("t", "deal", a) === stepKey("t", "deal", b)).toBe(a[0] === b[0]);
      }),
    );
  });

  test("is 64 hex characters whatever goes in: no quoting, no case, no wildcard at any vendor", () => {
    fc.assert(
      fc.property(triple, (a) => {
        expect(stepKey(a.tenant, a.kind, a.natural)).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });

  test("is pinned: another value would double every record that was ever made", () => {
    expect(personKey("acme", "ada@example.test")).toBe(
      "9c7d1e68f86feb824d233824cfc3ab99fc1087f059c32840a05cf445ea07d239",
    );
    expect(activityKey("acme", "<m1@example.test>", "d".repeat(64))).toBe(
      "df83e88462a7a101e8926447f3eb50ecb8ed4be4c5fb5f36ef1f4bc3af2425ec",
    );
    expect(activityKey("acme", null, "d".repeat(64))).toBe(
      "ac65e990c8878174caa2e1943ea9bbf87002cb5fb5cf04286072b80d5cfb06f1",
    );
  });

  test("takes an address in any case for one person", () => {
    expect(personKey("acme", "Ada@Example.TEST")).toBe(personKey("acme", "ada@example.test"));
    expect(personKey("acme", "ada@example.test")).not.toBe(personKey("globex", "ada@example.test"));
  });

  test("tells a forged mail under a known Message-ID from the real one", () => {
    expect(activityKey("acme", "<m@x>", "a".repeat(64))).not.toBe(activityKey("acme", "<m@x>", "b".repeat(64)));
    expect(activityKey("acme", null, "a".repeat(64))).not.toBe(activityKey("acme", "<m@x>", "a".repeat(64)));
  });
});
