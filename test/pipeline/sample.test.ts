/** Which delivered mails a person is asked to compare with the CRM. */
import { describe, expect, it } from "vitest";
import { isSampled } from "../../src/pipeline/sample.ts";
import { activity, rowOf } from "./fakes.ts";

const claim = (n: number) => ({ eventId: "e", steps: [rowOf({ ...activity, key: `key-${n}` })] });
const drawn = (every: number) => Array.from({ length: 20_000 }, (_, n) => n).filter((n) => isSampled(claim(n), every));

describe("drawing mails for review", () => {
  it("draws one in so many, always the same ones, and none where it is 0", () => {
    const found = drawn(100);
    expect(found.length).toBeGreaterThan(140);
    expect(found.length).toBeLessThan(260);
    expect(drawn(100)).toEqual(found);
    expect(drawn(1)).toHaveLength(20_000);
    expect(drawn(0)).toEqual([]);
    expect(drawn(50)).toEqual(expect.arrayContaining(found));
  });
});
