import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { scoreThreads } from "../../../src/cli/score/threads.ts";
import { threadsOf } from "../../../src/main/threader.ts";
import type { ThreadFacts } from "../../../src/model/threads.ts";
import { corpusMails, factsOf } from "./corpus.ts";
import { arrival, inBatches } from "./generated.ts";
import { clustersIn, Memory } from "./mails.ts";

let mails: Awaited<ReturnType<typeof corpusMails>>;
let facts: ThreadFacts[];
beforeAll(async () => {
  mails = await corpusMails();
  facts = factsOf(mails);
});

describe("the conversations of the corpus", () => {
  test("are 25 at least, of two to forty mails", () => {
    const sizes = new Map<string, number>();
    for (const { conversation } of mails) sizes.set(conversation, (sizes.get(conversation) ?? 0) + 1);
    const several = [...sizes.values()].filter((size) => size > 1);
    expect(several.length).toBeGreaterThanOrEqual(25);
    expect(Math.max(...several)).toBe(40);
  });

  test("are found with precision 0.99 and F1 0.97 at least, and better than by any plainer way", () => {
    const report = scoreThreads(mails, threadsOf);
    const [ours, ...plainer] = report?.threaders ?? [];
    expect(ours?.precision).toBeGreaterThanOrEqual(0.99);
    expect(ours?.f1).toBeGreaterThanOrEqual(0.97);
    expect(plainer).toHaveLength(4);
    for (const { f1, precision } of plainer) {
      expect(ours?.f1).toBeGreaterThan(f1);
      expect(ours?.precision).toBeGreaterThan(precision);
    }
  });

  test("are found as well without the longest one, which has most of the pairs", () => {
    const report = scoreThreads(
      mails.filter(({ conversation }) => conversation !== "forty-mails"),
      threadsOf,
    );
    const [ours, ...plainer] = report?.threaders ?? [];
    expect(ours?.precision).toBeGreaterThanOrEqual(0.99);
    expect(ours?.f1).toBeGreaterThanOrEqual(0.97);
    for (const { f1 } of plainer) expect(ours?.f1).toBeGreaterThan(f1);
  });

  test("are the same in every order of arrival, one by one or many at once", () => {
    const expected = clustersIn(facts);
    fc.assert(
      fc.property(arrival, fc.integer({ min: 1, max: 40 }), ({ keys }, batch) => {
        const memory = new Memory();
        // The keys are fewer than the mails: every mail gets one of its own.
        const ordered = facts.map((_, index) => (keys[index % keys.length] ?? 0) * 31 + ((index * 7919) % 1009) * 13);
        for (const those of inBatches(facts, { keys: ordered, batch })) memory.place(those);
        expect(memory.clusters()).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  test("let no stranger in", () => {
    const threads = threadsOf(mails);
    const threadOf = new Map(mails.map(({ file }, at) => [file, threads[at]]));
    const strangers = mails.filter(({ conversation }) => conversation.endsWith("-stranger"));
    expect(strangers.length).toBeGreaterThanOrEqual(6);
    for (const { file, conversation } of strangers) {
      const beside = mails.filter((other) => other.conversation === conversation.slice(0, -"-stranger".length));
      expect(beside.length).toBeGreaterThan(0);
      for (const other of beside) expect(threadOf.get(file)).not.toBe(threadOf.get(other.file));
    }
  });
});
