/** The splitter for whole messages, against mailparser, which splits what comes in more than one piece. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "../../src/mail/parse.ts";
import { splitWhole } from "../../src/mail/split.ts";

async function* inTwo(raw: Uint8Array): AsyncGenerator<Uint8Array> {
  yield raw.subarray(0, -1);
  yield raw.subarray(-1);
}

const lines = (...written: string[]): Buffer => Buffer.from(written.join("\r\n"), "latin1");
const plain = "Content-Type: text/plain";

/** Names that are the beginning of another, that end in dashes, or that readers take in more than one way. */
const boundary = fc.constantFrom("b", "b1", "=_b1", "----b", "a:b/c?d", "b--", "b 1", "b=?x", "abc'd");
const line = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("hello", "", "<p>hi</p>", "aGVsbG8=", "a=20b", "-- ", "---", " --b") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("--", "--b", "--b--", "--b x", "--b-", "\r--b", "--b \t", "--b1--", "--b  1"),
  },
);
const header = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      plain,
      "Content-Type: text/html; charset=utf-8",
      "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64",
      "Content-Type: message/rfc822",
      "content-type: text/plain;\r\n\tcharset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable",
      "Content-ID: <a@b>",
      "",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "Content-Type: text",
      "Content-Type: text/plain (x); name=boundary",
      "Content-Disposition: attachment; filename=x.mht",
      "no field",
      "--b",
      " folded",
      `${plain}\r\n${plain}`,
      `${plain}; boundary=b`,
    ),
  },
);
const leaf = fc
  .tuple(header, fc.array(line, { maxLength: 4 }))
  .map(([head, body]) => `${head === "" ? "" : `${head}\r\n`}\r\n${body.join("\r\n")}`);
const declared = fc.oneof(
  { weight: 8, arbitrary: fc.constant((b: string) => `Content-Type: multipart/mixed; boundary="${b}"`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      (b: string) => `Content-Type: multipart/alternative; boundary=${b}`,
      (b: string) => `Content-Type: Multipart/Related; type="text/html";\r\n\tBOUNDARY="${b}"; start=x;`,
      (b: string) => `Content-Type: multipart/mixed (c); boundary="${b}"`,
      (b: string) => `Content-Type: multipart/mixed; boundary="${b}"; boundary=z`,
      (b: string) => `Content-Type: multipart/mixed; boundary*0="${b}"; boundary*1=""`,
      () => "Content-Type: multipart/digest",
    ),
  },
);
const { multipart } = fc.letrec<{ multipart: string; part: string }>((tie) => ({
  part: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("multipart")),
  multipart: fc
    .record({
      boundary,
      declared,
      before: fc.array(line, { maxLength: 2 }),
      parts: fc.array(tie("part"), { maxLength: 3 }),
      words: fc.oneof({ weight: 9, arbitrary: fc.constant("") }, fc.constantFrom(" ", "\t", " x", "x", "-", "\r")),
      end: fc.oneof({ weight: 5, arbitrary: fc.constant("--") }, fc.constantFrom("", "-- ", "--x", " --", "-- x")),
      after: fc.array(line, { maxLength: 2 }),
    })
    .map(({ boundary, declared, before, parts, words, end, after }) =>
      [
        `${declared(boundary)}\r\n`,
        ...before,
        ...parts.map((part) => `--${boundary}${words}\r\n${part}`),
        `--${boundary}${end}`,
        ...after,
      ].join("\r\n"),
    ),
}));
const message = fc
  .tuple(multipart, fc.constantFrom("\r\n", "\n"), fc.boolean())
  .map(([text, end, ended]) => `From: a@b.example\r\n${text}${ended ? "\r\n" : ""}`.replaceAll("\r\n", end));

describe("a message in one piece", () => {
  test("gives the event that mailparser's parts give, plain or odd", async () => {
    await fc.assert(
      fc.asyncProperty(message, async (text) => {
        const raw = Buffer.from(text, "latin1");
        expect(JSON.stringify(await parse(raw))).toBe(JSON.stringify(await parse(inTwo(raw))));
      }),
      { numRuns: 400 },
    );
  });

  test("gives that event for every message of the corpus", async () => {
    const corpus = new URL("../../corpus/", import.meta.url);
    const files = readdirSync(corpus, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".eml"));
    expect(files.length).toBeGreaterThan(300);
    const different: string[] = [];
    for (const name of files) {
      const raw = readFileSync(new URL(name.replaceAll("\\", "/"), corpus));
      if (JSON.stringify(await parse(raw)) !== JSON.stringify(await parse(inTwo(raw)))) different.push(name);
    }
    expect(different).toEqual([]);
  });
});

describe("splitting a body that is in memory as a whole", () => {
  const parts = (body: Buffer): unknown =>
    splitWhole(body, "b")?.parts.map(({ parent, from, to }) => [parent, body.toString("latin1", from, to)]);

  test("finds nested parts, and leaves out what stands behind the end of a multipart", () => {
    const body = lines(
      ...[
        "before",
        "--b",
        plain,
        "",
        "one",
        "",
        "--b \t",
        'Content-Type: multipart/related; boundary="b/2"',
        "",
        "inner",
      ],
      ...[
        "--b/2",
        "",
        "two",
        "--bb is text",
        "--b/2--",
        "behind",
        "--b",
        plain,
        "",
        "three",
        "--b--",
        "--b",
        "",
        "no part",
      ],
    );
    expect(splitWhole(body, "b")?.preamble).toBe("before\r\n".length);
    expect(parts(body)).toEqual([
      [undefined, "one\r\n"],
      [undefined, "inner\r\n"],
      [1, "two\r\n--bb is text"],
      [undefined, "three"],
    ]);
  });

  test("takes what was cut off as far as it came", () => {
    expect(parts(lines("--b", plain, "", "one", "two", ""))).toEqual([[undefined, "one\r\ntwo\r\n"]]);
  });

  test.each([
    ["words behind the boundary", lines("--b x", plain, "", "one", "--b--")],
    ["a delimiter without a line end", lines("--b", plain, "", "one", "--b")],
    ["a delimiter in the header of a part", lines("--b", plain, "--b", "", "one", "--b--")],
    ["a header that does not end", lines("--b", plain)],
    ["an end before the first part", lines("--b--", "--b", plain, "", "one")],
    ["a CR before a delimiter", lines("--b", plain, "", "one", "\r--b--")],
    ["two types", lines("--b", plain, plain, "", "one", "--b--")],
    [
      "a boundary with a blank",
      lines("--b", 'Content-Type: multipart/mixed; boundary="c d"', "", "--c d", "", "--b--"),
    ],
    ["a multipart without a boundary", lines("--b", "Content-Type: multipart/mixed", "", "one", "--b--")],
    ["a comment in the type", lines("--b", "Content-Type: text/plain (x)", "", "one", "--b--")],
    ["text where a header should be", lines("--b", "words", "", "one", "--b--")],
    ["901 parts", lines(...Array<string>(901).fill("--b\r\n"), "--b--")],
    [
      "twenty multiparts, one inside the other",
      lines(
        "--b",
        ...Array.from({ length: 20 }, (_, i) => `Content-Type: multipart/mixed; boundary=c${i}\r\n\r\n--c${i}`),
      ),
    ],
  ])("leaves %s to mailparser", (_, body) => {
    expect(splitWhole(body, "b")).toBeUndefined();
  });
});
