import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BadConfiguration, loadCases } from "../../src/settings/index.ts";
import { eventWith } from "../mapping/fakes.ts";

const folder = mkdtempSync(join(tmpdir(), "mailwright-cases-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const path = join(folder, "a.cases.yaml");
  writeFileSync(path, text);
  return path;
}

/** Each problem as `line:column: words`. */
function problemsOf(text: string, work: (path: string) => unknown = loadCases): string[] {
  try {
    work(write(text));
  } catch (error) {
    if (error instanceof BadConfiguration) return error.message.replaceAll(`${folder}/a.cases.yaml:`, "").split("\n");
    throw error;
  }
  return [];
}

describe("a file of cases", () => {
  test("is read with its paths beside itself, and each case knows its line", () => {
    const cases = loadCases(
      write(
        "mapping: ./sales.yaml\ncases:\n  - { name: a, file: mails/a.eml, expect: { outcome: skip } }\n  - name: b\n    mail: {}\n    expect: { rule: x }\n",
      ),
    );
    expect(cases.file.mapping).toBe(join(folder, "sales.yaml"));
    expect(cases.file.cases[0]?.file).toBe(join(folder, "mails", "a.eml"));
    expect([cases.lineOf(0), cases.lineOf(1)]).toEqual([3, 4]);
  });

  test.each([
    [
      "a key",
      "cases:\n  - name: a\n    mail: { subjct: x }\n    expect: { rule: x }\n",
      '3:13: cases[0].mail: found the unknown key "subjct"',
      "`subject`",
    ],
    [
      "a kind of step",
      "cases:\n  - name: a\n    mail: {}\n    expect:\n      steps: [{ kind: persn }]\n",
      '5:23: cases[0].expect.steps[0].kind: found the text "persn"',
      "`person`",
    ],
    [
      "a field of a step",
      "cases:\n  - name: a\n    mail: {}\n    expect:\n      steps: [{ kind: deal, stge: x }]\n",
      '5:29: cases[0].expect.steps[0]: found the unknown key "stge"',
      "`stage`",
    ],
    [
      "a level of trust",
      "cases:\n  - name: a\n    mail: {}\n    known: { trust: verfied }\n    expect: { rule: x }\n",
      '4:21: cases[0].known.trust: found the text "verfied"',
      "`verified`",
    ],
    [
      "a field of the event",
      "cases:\n  - name: a\n    event: { auth: { trst: verified } }\n    expect: { rule: x }\n",
      '3:22: cases[0].event.auth: found the unknown key "trst"',
      "`trust`",
    ],
  ])("tells %s that is mistyped at its line, with the nearest word", (_, text, at, word) => {
    const [problem, ...others] = problemsOf(text);
    expect(problem).toContain(at);
    expect(problem).toContain(`did you mean ${word}?`);
    expect(others).toEqual([]);
  });

  test.each([
    ["no mail at all", "{ name: a, expect: { rule: x } }", "file, mail or event"],
    ["two mails", "{ name: a, file: a.eml, mail: {}, expect: { rule: x } }", "one of file and mail"],
    ["nothing expected", "{ name: a, mail: {}, expect: {} }", "outcome, rule, reason, steps or no"],
    [
      "a header that would be two",
      '{ name: a, mail: { subject: "a\\nBcc: b" }, expect: { rule: x } }',
      "one line of text",
    ],
  ])("refuses a case with %s", (_, one, words) => {
    expect(problemsOf(`cases:\n  - ${one}\n`)).toEqual([expect.stringContaining(words)]);
  });

  test("a file that is not there is told as one", () => {
    expect(() => loadCases(join(folder, "none.yaml"))).toThrow(
      /none\.yaml:1:1: found a file that cannot be read \(ENOENT\)/,
    );
  });
});

describe("an event that a case lays over the mail's own", () => {
  test("changes what it says and nothing else", () => {
    const cases = loadCases(
      write(
        "cases:\n  - name: a\n    event: { class: { kind: notification }, thread: { thread_id: t9 } }\n    expect: { rule: x }\n",
      ),
    );
    const event = eventWith();
    expect(cases.eventOf(0, event)).toEqual({
      ...event,
      class: { ...event.class, kind: "notification" },
      thread: { ...event.thread, thread_id: "t9" },
    });
  });

  test("is refused at its line where it is no event any more", () => {
    const text = "cases:\n  - name: a\n    event:\n      class: { kind: notificaton }\n    expect: { rule: x }\n";
    expect(problemsOf(text, (path) => loadCases(path).eventOf(0, eventWith()))).toEqual([
      expect.stringMatching(
        /^4:22: cases\[0\]\.event\.class\.kind: found the text "notificaton".*did you mean `notification`\?$/,
      ),
    ]);
  });
});
