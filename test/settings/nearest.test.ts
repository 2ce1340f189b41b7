/** Finding the word that was meant. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "../../src/settings/nearest.ts";

test.each([
  ["prot", ["host", "port"], "port"],
  ["recipient", ["recipients", "destinations"], "recipients"],
  ["DATA_DIR", ["data_dir"], "data_dir"],
  ["max_mesage_bytes", ["max_message_bytes", "inline_bytes"], "max_message_bytes"],
  ["colour", ["id", "type"], undefined],
  ["xy", ["id"], undefined],
  ["x".repeat(5_000), ["x".repeat(4_999)], undefined],
])("%s among %j: %s", (word, known, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

test("the distance is symmetric, zero only for equal words, and never more than the longer word", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test("any single slip is one edit: a letter left out, put in, mistyped, or two swapped", () => {
  expect(["prt", "porrt", "pprt", "prot"].map((slip) => editDistance(slip, "port"))).toEqual([1, 1, 1, 1]);
});
