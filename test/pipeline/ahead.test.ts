/** Plans at hand are the very plans that were sealed, once, and no more of them than there is room for. */
import { describe, expect, test } from "vitest";
import type { Step } from "../../src/model/step.ts";
import { openAhead } from "../../src/pipeline/ahead.ts";
import { activity } from "./fakes.ts";

const plan = (text: string): Step[] => [{ ...activity, text, html: null }];
const sealed = (name: string, rest = ""): Uint8Array => Buffer.from(name.padEnd(64, ".") + rest);

describe("plans at hand", () => {
  test("are taken once, by the bytes they were sealed to", () => {
    const ahead = openAhead();
    ahead.keep(sealed("a", "1"), plan("one"));
    expect(ahead.take(sealed("b", "1"))).toBeUndefined();
    expect(ahead.take(sealed("a", "2")), "damaged, or another plan").toBeUndefined();
    expect(ahead.take(sealed("a", "1"))).toEqual(plan("one"));
    expect(ahead.take(sealed("a", "1"))).toBeUndefined();
  });

  test("make room for newer ones, by number and by length", () => {
    const few = openAhead({ plans: 2, chars: 100 });
    for (const name of ["a", "b", "c"]) few.keep(sealed(name), plan("text"));
    expect(["a", "b", "c"].map((name) => few.take(sealed(name)) !== undefined)).toEqual([false, true, true]);
    const short = openAhead({ plans: 100, chars: 10 });
    for (const name of ["a", "a", "b", "c"]) short.keep(sealed(name), plan("12345"));
    expect(["a", "b", "c"].map((name) => short.take(sealed(name)) !== undefined)).toEqual([false, true, true]);
    short.keep(sealed("d"), plan("longer than there is room for"));
    expect(short.take(sealed("d"))).toBeUndefined();
  });
});
