import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openStandIns, scrubMessage } from "../../../src/mail/scrub.ts";

const standIns = openStandIns(Buffer.alloc(32, 7));

function scrubbed(raw: Buffer): Buffer {
  const message = scrubMessage(standIns);
  return Buffer.concat([message.push(raw), message.end()]);
}

/** Words that nobody's program writes. */
const secrets = [
  "whitfield",
  "marigold",
  "caledonia",
  "Szczepański",
  "Müller-Ravensburg",
  "квитанция",
  "見積書番号",
  "turquoise",
  "Babingley",
];
const secret = fc.constantFrom(...secrets);
const phrase = fc.array(secret, { minLength: 1, maxLength: 6 }).map((words) => words.join(" "));
const ascii = fc.constantFrom("whitfield", "marigold", "caledonia", "turquoise", "babingley");
const file = fc.uint8Array({ minLength: 40, maxLength: 400 }).map((bytes) => Buffer.from(bytes));

const wrap = (text: string): string => text.replace(/.{76}(?=.)/g, "$&\r\n");
const base64 = (bytes: Buffer): string => wrap(bytes.toString("base64"));
const quoted = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte, at) =>
      byte > 0x7e || byte === 0x3d || at % 11 === 10
        ? `=${byte.toString(16).toUpperCase().padStart(2, "0")}`
        : String.fromCharCode(byte),
    )
    .join("")
    .replace(/(?:=..|[^=]){60}(?=.)/g, "$&=\r\n");
const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString("base64")}?=`;

const part = fc.oneof(
  phrase.map((text) => `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`),
  phrase.map(
    (text) =>
      `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(Buffer.from(text))}\r\n`,
  ),
  phrase.map(
    (text) =>
      `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quoted(text)}\r\n`,
  ),
  phrase.map(
    (text) =>
      `Content-Type: text/html; charset=utf-8\r\n\r\n<p class="${text}" data-x='${text}'><!-- ${text} --><a href="https://${text}.example/?q=${text}">${text}</a>\r\n`,
  ),
  fc
    .tuple(ascii, file)
    .map(
      ([name, bytes]) =>
        `Content-Type: application/pdf; name="${name}.pdf"\r\nContent-Disposition: attachment; filename*=utf-8''${name}%20${name}.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(bytes)}\r\n`,
    ),
  fc
    .tuple(phrase, ascii)
    .map(
      ([text, name]) =>
        `Content-Type: message/rfc822\r\n\r\nFrom: ${word(text)} <${name}@${name}.example>\r\nSubject: ${word(text)}\r\nX-${name}: ${name}\r\n\r\n${text}\r\n`,
    ),
  fc
    .tuple(phrase, ascii)
    .map(
      ([text, name]) =>
        `Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:${text}\r\nATTENDEE;CN="${name}":mailto:${name}@${name}.example\r\nDTSTART;TZID=${name}:20260105T100000\r\nX-${name}:${name}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
    ),
  fc
    .tuple(phrase, ascii)
    .map(
      ([text, name]) =>
        `Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; ${name}.example\r\n\r\nFinal-Recipient: rfc822; ${name}@${name}.example\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 ${text}\r\n`,
    ),
);

const mail = fc
  .record({
    name: phrase,
    local: ascii,
    subject: phrase,
    boundary: ascii,
    parts: fc.array(part, { minLength: 1, maxLength: 4 }),
  })
  .map(({ name, local, subject, boundary, parts }) =>
    Buffer.from(
      `Received: from ${local}.example (${local} [203.0.113.77]) by mx.${local}.example with ESMTPS id ${local}; Mon, 5 Jan 2026 10:00:00 +0100\r\n` +
        `DKIM-Signature: v=1; a=rsa-sha256; d=${local}.example; s=${local}; b=${Buffer.from(local).toString("base64")}\r\n` +
        `From: ${word(name)} <${local}@${local}.example>\r\nTo: "${local}" <${local}+${local}@acme.example>\r\nSubject: ${word(subject)}\r\n` +
        `Message-ID: <${local}.${local}@${local}.example>\r\nX-Customer: ${local}\r\nList-Id: ${local} <${local}.lists.example>\r\n` +
        `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=_${boundary}"\r\n\r\n` +
        `${parts.map((each) => `--=_${boundary}\r\n${each}`).join("")}--=_${boundary}--\r\n`,
    ),
  );

/** What broken programs and broken lines make of a mail. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(4_000) }),
  fc.record({ kind: fc.constant("drop" as const), at: fc.nat(4_000), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    kind: fc.constant("put" as const),
    at: fc.nat(4_000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
  fc.record({
    kind: fc.constant("put" as const),
    at: fc.nat(4_000),
    bytes: fc
      .constantFrom(
        "\r\n\r\n",
        "\n",
        "--",
        "=?",
        "?=",
        '"',
        ";",
        "\0",
        "=\r\n",
        "begin 644 x\n",
        "=ybegin line=128 size=3 name=x\r\n",
        "\x1b$B",
        "~{",
        "<",
      )
      .map((text) => Buffer.from(text)),
  }),
);

function damaged(raw: Buffer, damages: readonly (typeof damage extends fc.Arbitrary<infer D> ? D : never)[]): Buffer {
  let made = raw;
  for (const each of damages) {
    const at = each.at % (made.length + 1);
    if (each.kind === "cut") made = made.subarray(0, at);
    else if (each.kind === "drop") made = Buffer.concat([made.subarray(0, at), made.subarray(at + each.length)]);
    else made = Buffer.concat([made.subarray(0, at), each.bytes, made.subarray(at)]);
  }
  return made;
}

/** The bytes as they stand, and everything in them that could be decoded. */
function readings(bytes: Buffer): string[] {
  const text = bytes.toString("latin1");
  const runs = text.match(/[A-Za-z0-9+/]{8,}(?:\r?\n[A-Za-z0-9+/]{4,})*/g) ?? [];
  const decoded = runs.flatMap((run) => [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), "base64")));
  const soft = Buffer.from(
    text
      .replace(/=\r?\n/g, "")
      .replace(/[=%]([0-9A-F]{2})/gi, (_, pair: string) => String.fromCharCode(Number.parseInt(pair, 16))),
    "latin1",
  );
  return [bytes, soft, ...decoded].flatMap((each) =>
    [each.toString("latin1"), each.toString("utf8")].map((one) => one.toLowerCase()),
  );
}

const wanted = secrets.flatMap((text) => text.toLowerCase().match(/\p{L}{4,}/gu) ?? []);

describe("no word, name or address of a mail stands in what is made of it, nor in what can be decoded of that", () => {
  test("of whole mail", () => {
    fc.assert(
      fc.property(mail, (raw) => {
        const out = scrubbed(raw);
        expect(out.length).toBe(raw.length);
        const read = readings(out);
        for (const each of wanted) for (const text of read) expect(text).not.toContain(each);
        expect(out.toString("latin1")).not.toContain("203.0.113.77");
      }),
      { numRuns: 30, seed: 7 },
    );
  }, 120_000);

  test("of mail that is damaged", () => {
    fc.assert(
      fc.property(mail, fc.array(damage, { minLength: 1, maxLength: 6 }), (raw, damages) => {
        const bad = damaged(raw, damages);
        const out = scrubbed(bad);
        expect(out.length).toBe(bad.length);
        const read = readings(out);
        for (const each of wanted) for (const text of read) expect(text).not.toContain(each);
      }),
      { numRuns: 60, seed: 7 },
    );
  }, 120_000);

  test("of files eight bytes in a row, however they are written", () => {
    fc.assert(
      fc.property(file, fc.constantFrom("base64", "8bit", "x-uuencode"), (bytes, encoding) => {
        const body = encoding === "base64" ? base64(bytes) : bytes.toString("latin1");
        const raw = Buffer.from(
          `From: a@b.example\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: ${encoding === "x-uuencode" ? "8bit" : encoding}\r\n\r\n${body}`,
          "latin1",
        );
        const out = scrubbed(raw);
        const text = out.toString("latin1");
        const content = text.slice(text.indexOf("\r\n\r\n") + 4);
        const made = encoding === "base64" ? Buffer.from(content, "base64") : Buffer.from(content, "latin1");
        for (let at = 0; at + 8 <= bytes.length; at++) {
          const run = bytes.subarray(at, at + 8);
          // Line ends stay where a file is not encoded: they are the mail's.
          if (run.filter((byte) => byte !== 10 && byte !== 13).length === 8) expect(made.includes(run)).toBe(false);
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  }, 120_000);

  test("of a header, a line and a part that never end, in bounded memory", () => {
    const mib = 1024 * 1024;
    const head =
      "From: Whitfield <whitfield@b.example>\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    const endless = [
      { begins: "", unit: Buffer.from(`X-Whitfield: ${"marigold ".repeat(100)}\r\n`.repeat(20)) },
      { begins: "From: x\r\n\r\n", unit: Buffer.from("marigold ".repeat(4_000)) },
      { begins: head, unit: Buffer.from(`${"bWFyaWdvbGQg".repeat(6)}\r\n`.repeat(500)) },
    ];
    for (const { begins, unit } of endless) {
      const message = scrubMessage(standIns);
      let behind = message.push(Buffer.from(begins)).length - begins.length;
      let out = "";
      for (let size = 0; size < 1.3 * mib; size += unit.length) {
        out = message.push(unit).toString("latin1");
        behind += out.length - unit.length;
        expect(-behind).toBeLessThan(2 * mib);
        expect(out).not.toMatch(/marigold|whitfield|bWFyaWdvbGQg/i);
      }
      behind += message.end().length;
      expect(behind).toBe(0);
    }
  }, 120_000);
});
