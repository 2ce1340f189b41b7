/** What `mailwright score` counts, refuses and answers. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { descriptionOf } from "../../src/cli/score/examples.ts";
import { leaves } from "../../src/cli/score/leaves.ts";
import { openTally } from "../../src/cli/score/tally.ts";
import { shapes } from "../../src/cli/shapes.ts";
import { command } from "./stage.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folderOf(files: Readonly<Record<string, string | object>>): string {
  const folder = mkdtempSync(join(tmpdir(), "mailwright-score-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const mail = (subject: string): string => `From: Ana <ana@client.example>\r\nSubject: ${subject}\r\n\r\nHello\r\n`;
const expecting = (subject: string) => ({ message: { subject, from: { email: "ana@client.example" } } });

async function score(folder: string) {
  const ended = await command(["score", folder, "--json"]);
  return { ...ended, report: shapes.score.parse(ended.json()) as z.infer<typeof shapes.score> };
}

describe("leaves", () => {
  const json = fc.jsonValue({ maxDepth: 3 });

  // What JSON.parse gives: no negative zero.
  const read = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const allRight = (expected: unknown, got: unknown): boolean =>
    [...leaves(read(expected), read(got))].every(({ right }) => right);

  test("of a value against itself are all right; where all are right, the value holds what is expected", () => {
    fc.assert(fc.property(json, (value) => allRight(value, value)));
    fc.assert(
      fc.property(json, json, (expected, got) => {
        if (allRight(expected, got)) expect({ it: read(got) }).toMatchObject({ it: read(expected) });
      }),
    );
  });

  test.each([
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [{ a: null }, {}],
    [{ a: [] }, { a: [1] }],
    [{ a: {} }, { a: 0 }],
    [{ a: ["x", "y"] }, { a: ["y", "x"] }],
    [{ a: [{ b: 1 }] }, { a: [{ b: 1 }, {}] }],
    [{ a: [["n", "v"]] }, { a: [["n", "w"]] }],
  ])("%j is not in %j", (expected, got) => {
    expect(allRight(expected, got)).toBe(false);
  });

  test("entries of a list count under one field, how many there are is a leaf, and a miss says which", () => {
    const got = { bounce: { recipients: [{ status: "5.1.1" }, { status: "4.2.2", action: "failed" }] } };
    expect([...leaves({ bounce: { recipients: [{ status: "5.1.1" }, { status: "5.2.2" }] } }, got)]).toEqual([
      {
        field: "bounce.recipients[]",
        path: "bounce.recipients[]",
        expected: "2 entries",
        got: "2 entries",
        right: true,
      },
      {
        field: "bounce.recipients[].status",
        path: "bounce.recipients[0].status",
        expected: "5.1.1",
        got: "5.1.1",
        right: true,
      },
      {
        field: "bounce.recipients[].status",
        path: "bounce.recipients[1].status",
        expected: "5.2.2",
        got: "4.2.2",
        right: false,
      },
    ]);
  });

  test("what every object inherits is no field of the event", () => {
    expect([...leaves(JSON.parse('{"constructor":null,"__proto__":{"x":1}}'), {})].map(({ got }) => got)).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("a description", () => {
  test.each([
    ["{", /^is not JSON: /],
    ["[]", /^is not a JSON object$/],
    ['{"expect":{}}', /^expects nothing$/],
    ['{"expect":{"subject":"x"}}', /^expects "subject", and an event has schema_version, /],
    ['{"subject":"x"}', /^expects "subject"/],
    ['{"expect":{"message":{}},"wy":"x"}', /^does not describe a message: .*wy/],
    ['{"expect":{"message":{}},"smtp":{"mail_from":null,"rcpt_to":[]}}', /smtp\.rcpt_to/],
    [`{"message":${'{"a":'.repeat(32)}1${"}".repeat(32)}}`, /^nests deeper than 32 levels$/],
  ])("is refused, and the reason said: %s", (text, reason) => {
    expect(() => descriptionOf(text)).toThrow(reason);
  });

  test("may be a part of an event by itself", () => {
    expect(descriptionOf('{"class":{"kind":"person"}}')).toEqual({ expect: { class: { kind: "person" } } });
  });
});

describe("the report", () => {
  test("shows at most a thousand misses, bounded and without controls, and counts the others", () => {
    const tally = openTally();
    const leaf = { field: "f", path: "p", right: false, expected: "\u001b[2J\u202e".repeat(1000), got: undefined };
    tally.add("a.eml", ".", [{ ...leaf, got: "a  b" }, ...Array(1199).fill(leaf)]);
    const { misses, misses_left_out, fields } = tally.report();
    expect([misses.length, misses_left_out]).toEqual([1000, 200]);
    expect(misses[0]?.expected.length).toBeLessThanOrEqual(300);
    expect(misses[0]?.expected).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(misses.slice(0, 2).map(({ got }) => got)).toEqual(['"a\u2423\u2423b"', "(no such field)"]);
    expect(fields).toEqual([{ field: "f", right: 0, of: 1200, accuracy: 0 }]);
  });
});

describe("mailwright score", () => {
  test("all right: counts by field and family, and ends with 0", async () => {
    const folder = folderOf({
      "top.eml": mail("one"),
      "top.json": expecting("one"),
      "replies/deep/two.eml": mail("two"),
      "replies/deep/two.json": { why: "described", expect: expecting("two") },
    });
    const { code, report } = await score(folder);
    expect(code).toBe(0);
    expect(report).toMatchObject({
      messages: 2,
      right_messages: 2,
      right: 4,
      of: 4,
      accuracy: 1,
      misses: [],
      refused: [],
    });
    expect(report.families.map(({ family, of }) => [family, of])).toEqual([
      [".", 2],
      ["replies", 2],
    ]);
    expect(report.fields.map(({ field, right }) => [field, right])).toEqual([
      ["message.from.email", 2],
      ["message.subject", 2],
    ]);
  });

  test("a miss and a refused file: says which and why, and ends with 4", async () => {
    const folder = folderOf({
      "a.eml": mail("one"),
      "a.json": expecting("another"),
      "b.eml": mail("two"),
      "c.eml": mail("three"),
      "c.json": "{",
      "d.json": expecting("four"),
    });
    const { code, report, err } = await score(folder);
    expect(code).toBe(4);
    expect(report.misses).toEqual([{ file: "a.eml", field: "message.subject", expected: '"another"', got: '"one"' }]);
    expect(report.refused).toEqual([
      { file: "b.eml", reason: "has no .json with the expected event beside it" },
      { file: "c.json", reason: expect.stringMatching(/^is not JSON: /) },
      { file: "d.json", reason: "has no d.eml beside it" },
    ]);
    expect(err).toContain("1 of 1 messages are not as expected, 3 files were refused");
  });

  test("nothing right ends with 1, and so do a folder without mail and one that is not there", async () => {
    const nothing = await score(folderOf({ "a.eml": mail("one"), "a.json": { message: { subject: "other" } } }));
    expect([nothing.code, nothing.report.accuracy]).toEqual([1, 0]);
    const empty = await command(["score", folderOf({})]);
    expect([empty.code, empty.err]).toEqual([1, expect.stringContaining("holds no .eml file")]);
    const gone = await command(["score", join(folderOf({}), "gone")]);
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining("cannot be read (ENOENT)")]);
  });

  test("the envelope is the one described: without a return path it is a bounce's", async () => {
    const bounce =
      "From: MAILER-DAEMON@mx.example\r\nX-Failed-Recipients: a@b.example\r\n\r\n550 5.1.1 no such user\r\n";
    const smtp = { mail_from: null, rcpt_to: ["deals@inbound.example.com"] };
    const expected = { source: { kind: "smtp", smtp: { mail_from: null } }, routes: smtp.rcpt_to };
    const { code } = await score(folderOf({ "a.eml": bounce, "a.json": { smtp, expect: expected } }));
    expect(code).toBe(0);
  });

  test("people.json of a folder says who is a colleague for its messages, and for no others", async () => {
    const sent = "From: kim@acme.example\r\nTo: ada@client.example\r\n\r\nhi\r\n";
    const going = (direction: string) => ({ participants: { direction } });
    const { code, report } = await score(
      folderOf({
        "ours/people.json": { own_domains: ["acme.example"] },
        "ours/a.eml": sent,
        "ours/a.json": going("outbound"),
        "theirs/a.eml": sent,
        "theirs/a.json": going("inbound"),
        "wrong/people.json": { own_domain: ["acme.example"] },
        "wrong/a.eml": sent,
        "wrong/a.json": going("outbound"),
      }),
    );
    expect({ code, right: report.right, of: report.of }).toEqual({ code: 4, right: 2, of: 2 });
    expect(report.refused).toMatchObject([{ file: "wrong/a.json", reason: expect.stringContaining("own_domain") }]);
  });

  test("for people it prints the fields, the families, the misses and one line for all", async () => {
    const folder = folderOf({ "a.eml": mail("one"), "a.json": expecting("another") });
    const { code, out } = await command(["score", folder]);
    expect(code).toBe(4);
    expect(out).toMatch(/message\.from\.email +1 +1 +100\.0 %/);
    expect(out).toMatch(/message\.subject +0 +1 +0\.0 %/);
    expect(out).toMatch(/a\.eml +message\.subject +"another" +"one"/);
    expect(out.trimEnd().split("\n").at(-1)).toBe(
      "total: 1 of 2 fields (50.0 %); 0 of 1 messages all right; 0 refused",
    );
  });
});
