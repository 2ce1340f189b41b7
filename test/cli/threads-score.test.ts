/** How mails that name their conversation are scored, by us and by plainer ways. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baselines, type Mail } from "../../src/cli/score/baselines.ts";
import { agreement } from "../../src/cli/score/pairs.ts";
import { baseSubject, rfc5256 } from "../../src/cli/score/rfc5256.ts";
import { scoreThreads } from "../../src/cli/score/threads.ts";
import { normalisedSubject } from "../../src/mail/subject.ts";
import { eventWith } from "../mapping/fakes.ts";

interface Written {
  readonly id: string | null;
  readonly references?: readonly string[];
  readonly inReplyTo?: string;
  readonly subject?: string;
  readonly date?: string;
}

const mailOf = ({ id, references = [], inReplyTo, subject, date }: Written, index: number): Mail => ({
  event_id: `e${index}`,
  message: {
    ...eventWith().message,
    message_id: id,
    references: [...references],
    in_reply_to: inReplyTo ?? null,
    subject: subject ?? null,
    subject_normalised: subject === undefined ? null : normalisedSubject(subject),
    date: date ?? null,
  },
});

/** Which are together, by their places. */
function together(groups: readonly string[]): number[][] {
  const found = new Map<string, number[]>();
  for (const [at, group] of groups.entries()) found.set(group, [...(found.get(group) ?? []), at]);
  return [...found.values()];
}
const byRfc = (...mails: Written[]): number[][] => together(rfc5256(mails.map(mailOf)));
const by = (name: string, ...mails: Written[]): number[][] =>
  together(baselines.find((each) => each.name === name)?.groups(mails.map(mailOf)) ?? []);

describe("agreement", () => {
  test("counts pairs", () => {
    expect(agreement(["a", "a", "b", "b"], ["x", "x", "x", "y"])).toEqual({ precision: 1 / 2, recall: 1 / 3, f1: 0.4 });
    expect(agreement(["a", "b"], ["x", "y"])).toEqual({ precision: 1, recall: 1, f1: 1 });
    expect(agreement(["a", "a"], ["x", "y"])).toEqual({ precision: 0, recall: 1, f1: 0 });
  });

  test("is what counting every pair by hand gives", () => {
    const groups = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("x", "y", "z")), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(groups, (all) => {
        let [both, put, belonging] = [0, 0, 0];
        for (const [at, [found, expected]] of all.entries()) {
          for (const [otherFound, otherExpected] of all.slice(0, at)) {
            if (found === otherFound) put++;
            if (expected === otherExpected) belonging++;
            if (found === otherFound && expected === otherExpected) both++;
          }
        }
        const { precision, recall } = agreement(
          all.map(([found]) => found),
          all.map(([, expected]) => expected),
        );
        expect(precision).toBe(put === 0 ? 1 : both / put);
        expect(recall).toBe(belonging === 0 ? 1 : both / belonging);
      }),
    );
  });
});

describe("RFC 5256", () => {
  test("links by References, also through messages that nobody has, and drops lone dummies", () => {
    expect(byRfc({ id: "<a>" }, { id: "<b>", references: ["<a>"] }, { id: "<c>", references: ["<a>", "<b>"] })).toEqual(
      [[0, 1, 2]],
    );
    expect(byRfc({ id: "<b>", references: ["<lost>"] }, { id: "<c>", references: ["<lost>"] })).toEqual([[0, 1]]);
    expect(byRfc({ id: "<b>", references: ["<lost>"] }, { id: "<c>" })).toEqual([[0], [1]]);
  });

  test("takes the first id of In-Reply-To where there are no References, and only there", () => {
    expect(byRfc({ id: "<a>" }, { id: "<b>", inReplyTo: "<a>" })).toEqual([[0, 1]]);
    expect(byRfc({ id: "<a>" }, { id: "<b>", inReplyTo: "<a>", references: ["<x>"] })).toEqual([[0], [1]]);
  });

  test("never makes a loop, and believes a message about its own parent", () => {
    expect(byRfc({ id: "<a>", references: ["<b>"] }, { id: "<b>", references: ["<a>"] })).toEqual([[0, 1]]);
    expect(
      byRfc(
        { id: "<z>", references: ["<a>", "<b>"] },
        { id: "<b>", references: ["<other>"] },
        { id: "<other>" },
        { id: "<a>" },
      ),
    ).toEqual([[0, 1, 2], [3]]);
  });

  test("gives a second message with the same id a place of its own", () => {
    expect(byRfc({ id: "<a>" }, { id: "<a>" }, { id: "<b>", references: ["<a>"] })).toEqual([[0, 2], [1]]);
  });

  test("gathers roots with the same base subject, by the first child where the root is missing", () => {
    expect(byRfc({ id: "<a>", subject: "Offer" }, { id: "<b>", subject: "Re: [x] Offer (fwd)" })).toEqual([[0, 1]]);
    expect(
      byRfc(
        { id: "<a>", references: ["<lost>"], subject: "Re: Later", date: "2025-01-02T00:00:00Z" },
        { id: "<b>", references: ["<lost>"], subject: "Re: Offer", date: "2025-01-01T00:00:00Z" },
        { id: "<c>", subject: "offer" },
      ),
    ).toEqual([[0, 1, 2]]);
    expect(byRfc({ id: "<a>", subject: "Re:" }, { id: "<b>", subject: "Re:" })).toEqual([[0], [1]]);
  });

  test.each([
    ["Re: Fwd: [list] Offer  17 (fwd)", "OFFER 17"],
    ["[Fwd: Re: Offer]", "OFFER"],
    ["[only a tag]", "[ONLY A TAG]"],
    ["Re[2]: Offer", "OFFER"],
    ["AW: Offer", "AW: OFFER"],
  ])("takes %s down to %s", (subject, base) => {
    expect(baseSubject(subject)).toBe(base);
  });

  test("puts every message somewhere, whatever it names", () => {
    const id = fc.constantFrom("<a>", "<b>", "<c>", "<d>", "<e>");
    const written = fc.record({
      id,
      references: fc.array(id, { maxLength: 4 }),
      subject: fc.constantFrom("x", "Re: x", ""),
    });
    fc.assert(
      fc.property(fc.array(written, { maxLength: 8 }), (mails) => {
        const groups = rfc5256(mails.map(mailOf));
        expect(groups).toHaveLength(mails.length);
        expect(groups.every((group) => group !== "")).toBe(true);
      }),
    );
  });
});

describe("plainer ways", () => {
  test("go by the root, the last known id, or the subject", () => {
    const mails: Written[] = [
      { id: "<a>", subject: "Offer" },
      { id: "<b>", references: ["<a>", "<lost>"], subject: "AW: offer" },
      { id: "<c>", inReplyTo: "<b>", subject: "Other" },
      { id: null },
    ];
    expect(by("root id", ...mails)).toEqual([[0, 1], [2], [3]]);
    expect(by("last known reference", ...mails)).toEqual([[0, 1, 2], [3]]);
    expect(by("subject only", ...mails)).toEqual([[0, 1], [2], [3]]);
  });
});

test("says which conversations were torn, and which threads are mixed", () => {
  const mails = ["a", "a", "b"].map((conversation, index) => ({
    file: `${index}.eml`,
    conversation,
    event: eventWith(),
    digest: String(index),
  }));
  expect(scoreThreads([], () => [])).toBeNull();
  const report = scoreThreads(mails, () => ["t1", "t2", "t2"]);
  expect(report).toMatchObject({ messages: 3, conversations: 2 });
  expect(report?.threaders[0]).toMatchObject({ name: "mailwright", precision: 0, recall: 0, f1: 0 });
  expect(report?.misses).toEqual([
    { kind: "torn", parts: ["0.eml", "1.eml"] },
    { kind: "mixed", parts: ["1.eml", "2.eml"] },
  ]);
});
