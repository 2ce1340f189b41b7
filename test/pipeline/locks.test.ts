import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openLocks } from "../../src/pipeline/locks.ts";
import { turn } from "../simulation/clock.ts";

describe("locks", () => {
  test("let one at a time in per key, in the order of asking, whoever fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), turns: fc.nat(3), fails: fc.boolean() }), {
          maxLength: 20,
        }),
        async (asked) => {
          const locks = openLocks();
          const inside = new Map<string, number>();
          const order = new Map<string, number[]>();
          let most = 0;
          const all = asked.map(({ key, turns, fails }, index) =>
            locks.with(key, async () => {
              inside.set(key, (inside.get(key) ?? 0) + 1);
              most = Math.max(most, inside.get(key) ?? 0);
              order.set(key, [...(order.get(key) ?? []), index]);
              for (let waited = 0; waited < turns; waited++) await Promise.resolve();
              inside.set(key, (inside.get(key) ?? 0) - 1);
              if (fails) throw new Error("as asked");
              return index;
            }),
          );
          const ends = await Promise.allSettled(all);
          expect(most).toBeLessThanOrEqual(1);
          for (const indexes of order.values()) expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
          expect(ends.map(({ status }) => status)).toEqual(
            asked.map(({ fails }) => (fails ? "rejected" : "fulfilled")),
          );
        },
      ),
    );
  });

  test("do not hold up one key for another", async () => {
    const locks = openLocks();
    const first = Promise.withResolvers<void>();
    const done: string[] = [];
    const held = locks.with("a", () => first.promise).then(() => done.push("a"));
    await locks.with("b", async () => undefined).then(() => done.push("b"));
    await turn();
    expect(done).toEqual(["b"]);
    first.resolve();
    await held;
    expect(done).toEqual(["b", "a"]);
  });
});
