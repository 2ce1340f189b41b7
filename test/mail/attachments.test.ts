import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detectType } from "../../src/mail/detect.ts";
import { labelsOf } from "../../src/mail/filename.ts";
import { splitHeader } from "../../src/mail/header.ts";
import { readOutlookItem } from "../../src/mail/outlook.ts";
import { decodedParameter, parameters } from "../../src/mail/parameters.ts";
import { parse } from "../../src/mail/parse.ts";
import { partHead } from "../../src/mail/part.ts";
import { readTnef } from "../../src/mail/tnef.ts";
import { type TnefFile, tnefOf } from "../support/tnef.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const lines = (text: string) => Buffer.from(text.replaceAll("\n", "\r\n"), "latin1");
async function* pieces(raw: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size);
}
const multipart = (boundary: string, ...parts: string[]) =>
  `Content-Type: multipart/mixed; boundary="${boundary}"\n\n${parts.map((part) => `--${boundary}\n${part}\n`).join("")}--${boundary}--`;
const nameOf = (disposition: string): string | undefined =>
  decodedParameter(parameters(disposition).params, "filename")?.text;

describe("names of files", () => {
  test.each([
    ['attachment filename="Offer 2026.pdf"', "attachment", "Offer 2026.pdf"],
    ["inline, filename*=UTF-8''a%20b.png", "inline", "a b.png"],
  ])("stand behind a semicolon that was forgotten: %j", (value, disposition, filename) => {
    expect(partHead(splitHeader(`Content-Disposition: ${value}\r\n`))).toMatchObject({ disposition, filename });
  });

  test.each([
    ["attachment; filename=a.pdf", "a.pdf"],
    ['attachment; filename = "a b.pdf" ; x=y', "a b.pdf"],
    ["attachment; filename=a b.pdf; x=y", "a b.pdf"],
    ['attachment; filename="a;b.pdf"', "a;b.pdf"],
    ['attachment; filename="a', "a"],
    ["attachment; filename*=UTF-8''%E2%82%AC.pdf", "€.pdf"],
    ["attachment; filename*=%E2%82%AC.pdf", "€.pdf"],
    // What encodeURIComponent leaves as it is, and what some leave unencoded altogether.
    ["attachment; filename*=UTF-8''Offer%202026%20(1).pdf", "Offer 2026 (1).pdf"],
    ["attachment; filename*0*=UTF-8''Offer%20(1; filename*1*=).pdf; size=5", "Offer (1).pdf"],
    ["attachment; filename*=UTF-8''Offer 2026.pdf", "Offer 2026.pdf"],
    ["attachment; filename*0*=utf-8''%E2%82; filename*1*=%AC; filename*2=.pdf", "€.pdf"],
    ['attachment; filename*0="long "; filename*1="name.pdf"', "long name.pdf"],
    ['attachment; filename*0="=?utf-8?Q?=E2=8"; filename*1="2=AC?=.pdf"', "€.pdf"],
    ["attachment; filename*0=first; filename*2=third", "first"],
    ["attachment; filename=a.pdf; filename=b.pdf", "a.pdf"],
    ["attachment; FileName=a.pdf", "a.pdf"],
    ["attachment; filename*=x-unknown''%41.pdf", "A.pdf"],
    ["attachment; __proto__=x; constructor=y; filename=z", "z"],
    ["attachment", undefined],
  ])("%j is %j", (disposition, name) => {
    expect(nameOf(disposition)).toBe(name);
  });

  test("in a hundred thousand pieces are read as far as 16 KiB go", () => {
    const flood = Array.from({ length: 100_000 }, (_, index) => `; filename*${index}*=a`).join("");
    const name = nameOf(`attachment${flood}`);
    expect(name).toMatch(/^a+$/);
    expect(name?.length).toBeLessThanOrEqual(1000);
  });

  test("are labels: no two of a message the same, no controls, no separators, whatever was sent", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom("a.pdf", "A.PDF", "a (2).pdf", "..", "con", "/", "\u202e", "a\0b", "__proto__", " "),
      fc.constant(null),
    );
    const part = fc.record({
      original: name,
      type: fc.constantFrom("image/png", "text/calendar", "application/octet-stream", "message/rfc822"),
      detected: fc.constant(null),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const labels = labelsOf(parts).labels.map(({ filename }) => filename);
        expect(new Set(labels.map((label) => label.toLowerCase())).size).toBe(parts.length);
        expect(labels.filter((label) => /^$|[\p{Cc}/\\:\u202a-\u202e\u2066-\u2069\u200e\u200f]/u.test(label))).toEqual(
          [],
        );
        expect(labels.filter((label) => Buffer.byteLength(label) >= 200)).toEqual([]);
      }),
    );
  });
});

test("a thousand files of one message are all listed, beside its text", async () => {
  const files = Array.from({ length: 1_000 }, (_, n) => `Content-Disposition: attachment; filename=f${n}.txt\n\n${n}`);
  const raw = lines(`From: a@b.test\nSubject: many\n${multipart("b", "\nSee the files.", ...files)}`);
  const { message, anomalies, parse_status } = await parse(raw);
  expect([message.attachments.length, message.text?.trim(), parse_status]).toEqual([1_000, "See the files.", "ok"]);
  expect(message.attachments.at(-1)?.filename).toBe("f999.txt");
  expect(anomalies).toEqual([]);
});

describe("what a file is", () => {
  const zip = Buffer.concat([Buffer.from("504b0304140000000000", "hex"), Buffer.alloc(4000, 1)]);
  test.each([
    ["a PDF", Buffer.from("%PDF-1.7\n"), "application/pdf"],
    ["a JPEG", Buffer.from("ffd8ffe0", "hex"), "image/jpeg"],
    [
      "a picture in marks",
      Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      "image/svg+xml",
    ],
    ["an archive of which only the beginning is here", zip, "application/zip"],
    ["a table", Buffer.from("a;b\r\n1;2\r\n"), undefined],
    ["words in UTF-8 that are cut in a character", Buffer.from("äöü".repeat(400)).subarray(0, 511), undefined],
    ["a page", Buffer.from("<html><body>x</body></html>"), undefined],
    ["nothing", Buffer.alloc(0), undefined],
    ["bytes that nobody knows", Buffer.from([1, 2, 3, 4, 5]), undefined],
  ])("%s", async (_, head, mime) => {
    expect((await detectType(head))?.mime).toBe(mime);
  });
});

describe("winmail.dat", () => {
  const found = async (bytes: Buffer, size = 1000) => {
    const tnef = readTnef();
    for (let at = 0; at < bytes.length; at += size) await tnef.push(bytes.subarray(at, at + size));
    return tnef.end();
  };
  const file: fc.Arbitrary<TnefFile> = fc.record({
    name: fc.stringMatching(/^[a-z]{1,8}\.dat$/),
    data: fc.uint8Array({ maxLength: 300 }),
    longName: fc.option(fc.stringMatching(/^[a-zäöü ]{1,30}\.data$/), { nil: undefined }),
    nameLast: fc.boolean(),
  }) as fc.Arbitrary<TnefFile>;

  test("gives back the files that were put into it, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 4 }), fc.integer({ min: 1, max: 64 }), async (files, size) => {
        const { files: read, anomalies } = await found(tnefOf({ files }), size);
        expect(anomalies).toEqual([]);
        expect(read?.map(({ name, size: bytes, sha256: hash }) => [name, bytes, hash])).toEqual(
          files.map(({ name, longName, data }) => [longName ?? name, data.length, sha256(data)]),
        );
      }),
    );
  });

  test("that is damaged anywhere ends, with what could be read", async () => {
    const whole = tnefOf({
      text: "words",
      files: [{ name: "a.dat", longName: "long.dat", data: Buffer.alloc(50, 1) }],
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 }),
        fc.nat(whole.length),
        async (changes, length) => {
          const damaged = Buffer.from(whole);
          for (const [at, byte] of changes) damaged[at] = byte;
          const { files = [] } = await found(damaged.subarray(0, length));
          expect(files.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("whose file is a hundred megabytes long is streamed past", async () => {
    const tnef = readTnef();
    const data = Buffer.alloc(1024 * 1024, 7);
    const empty = tnefOf({ files: [{ name: "big.dat", data: Buffer.alloc(0) }] });
    // The empty file's data attribute is the last: level, identifier, length, checksum.
    const header = empty.subarray(0, empty.length - 11);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(100 * data.length);
    await tnef.push(Buffer.concat([header, Uint8Array.of(2), Buffer.from("0f800600", "hex"), length]));
    for (let count = 0; count < 100; count++) await tnef.push(data);
    await tnef.push(Buffer.alloc(2));
    expect((await tnef.end()).files).toMatchObject([{ name: "big.dat", size: 100 * data.length }]);
  });
});

describe("an Outlook item", () => {
  const corpus = readFileSync(new URL("../../corpus/attachments/outlook-item.eml", import.meta.url), "latin1");
  const item = Buffer.from(/base64\r?\n\r?\n([A-Za-z0-9+/=\s]+)/.exec(corpus)?.[1] ?? "", "base64");
  const found = async (bytes: Buffer) => {
    const outlook = readOutlookItem();
    await outlook.push(bytes);
    return outlook.end();
  };

  test("is told", async () => {
    expect((await found(item)).nested).toMatchObject({ subject: "Berth twelve", from: { email: "ida@holm.example" } });
  });

  test("whose tables were changed anywhere ends, and is a message or is said to be damaged", async () => {
    const place = fc.oneof(fc.nat(1023), fc.nat(item.length - 1));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, fc.oneof(fc.nat(8), fc.nat(255))), { maxLength: 20 }),
        async (changes) => {
          const damaged = Buffer.from(item);
          for (const [at, byte] of changes) damaged[at] = byte;
          const { nested, anomalies } = await found(damaged);
          expect(nested === undefined).toBe(anomalies !== undefined);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("over 16 MiB is not opened", async () => {
    const outlook = readOutlookItem();
    for (let count = 0; count < 17; count++) await outlook.push(Buffer.alloc(1024 * 1024));
    expect(await outlook.end()).toEqual({ anomalies: [{ code: "msg_too_large" }] });
  });
});

describe("messages inside", () => {
  const inner = `From: a@b.example\nSubject: inner\nMessage-ID: <i@b.example>\n${multipart("in", "\nwords", "Content-Type: application/x; name=big.bin\nContent-Transfer-Encoding: base64\n\n@@@")}`;

  test("are read to their end while they stream: sizes inside are true, whatever they are", async () => {
    const big = Buffer.alloc(3 * 1024 * 1024, "0123456789")
      .toString("base64")
      .replace(/.{76}/g, "$&\n");
    const raw = lines(
      `From: x@y.example\n${multipart("out", "\nouter", `Content-Type: message/rfc822\n\n${inner.replace("@@@", big)}`)}`,
    );
    for (const input of [raw, pieces(raw, 65_536)]) {
      const [attachment] = (await parse(input)).message.attachments;
      expect(attachment?.nested).toMatchObject({
        subject: "inner",
        text: "words",
        attachments: [{ filename: "big.bin", size: 3 * 1024 * 1024 }],
      });
    }
  });

  test("hold 64 Ki characters of text at most, cut between characters", async () => {
    const text = "😀".repeat(40_000);
    const raw = Buffer.from(`From: x@y.example\r\nContent-Type: message/rfc822\r\n\r\nSubject: i\r\n\r\nx${text}`);
    const nested = (await parse(raw)).message.attachments[0]?.nested;
    expect(nested?.text?.length).toBe(65_535);
    expect(nested?.text?.isWellFormed()).toBe(true);
  });

  test("are not read within each other, however deep they are", async () => {
    let raw = "Subject: bottom\n\nwords";
    for (let depth = 0; depth < 300; depth++) raw = `Subject: ${depth}\nContent-Type: message/rfc822\n\n${raw}`;
    const [attachment] = (await parse(lines(raw))).message.attachments;
    expect(attachment?.nested).toMatchObject({ subject: "298", attachments: [{ content_type: "message/rfc822" }] });
    expect(JSON.stringify(attachment)).not.toContain("297");
  });
});

describe("the tree", () => {
  interface Node {
    readonly children?: readonly Node[];
    readonly bytes?: Uint8Array;
  }
  const { node } = fc.letrec<{ node: Node }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.record({ bytes: fc.uint8Array({ maxLength: 60 }) }),
      fc.record({ children: fc.array(tie("node"), { minLength: 1, maxLength: 4 }) }),
    ),
  }));
  const written = ({ children, bytes }: Node, path: string): string =>
    children === undefined
      ? `Content-Type: application/x\nContent-Transfer-Encoding: base64\n\n${Buffer.from(bytes ?? []).toString("base64")}`
      : multipart(`b${path}`, ...children.map((child, index) => written(child, `${path}_${index + 1}`)));
  const leaves = ({ children, bytes }: Node, path: string): [string, number, string][] =>
    children === undefined
      ? [[path === "" ? "1" : path, bytes?.length ?? 0, sha256(bytes ?? new Uint8Array())]]
      : children.flatMap((child, index) => leaves(child, path === "" ? `${index + 1}` : `${path}.${index + 1}`));

  test("of any shape gives its leaves with their bytes, numbered as IMAP does, by any chunking", async () => {
    await fc.assert(
      fc.asyncProperty(node, fc.integer({ min: 20, max: 500 }), async (root, size) => {
        const raw = lines(`From: a@b.example\n${written(root, "")}\n`);
        const parsed = await parse(raw);
        expect(parsed.message.attachments.map((one) => [one.part_id, one.size, one.sha256])).toEqual(leaves(root, ""));
        expect(parsed.parse_status).toBe("ok");
        expect(await parse(pieces(raw, size))).toEqual(parsed);
      }),
      { numRuns: 80 },
    );
  });
});
