/** Shapes of mail that have broken or stalled a parser somewhere, as long as is asked for. */
import { randomFillSync } from "node:crypto";

export interface Shape {
  readonly name: string;
  readonly make: (count: number) => Buffer;
  /** As a stranger may send it. */
  readonly full: number;
  /** What is doubled twice, to measure how the work grows: below the limits at which less is read. */
  readonly few: number;
  /** In the event all the same. */
  readonly subject?: string;
}

const mib = 1024 * 1024;
const head = (more: string): string => `From: a@b.example\r\nSubject: hostile\r\n${more}\r\n`;
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const text = (count: number, unit: string, type = "text/plain"): Buffer =>
  bytes(`${head(`Content-Type: ${type}\r\n`)}${unit.repeat(count)}`);
const mixed = (parts: string): string => `${head("Content-Type: multipart/mixed; boundary=b\r\n")}${parts}`;
const attached = (header: string, content: Buffer): Buffer =>
  Buffer.concat([bytes(mixed(`--b\r\n\r\nhi\r\n--b\r\n${header}\r\n\r\n`)), content, bytes("\r\n--b--\r\n")]);
const shape = (name: string, full: number, few: number, make: Shape["make"]): Shape => ({
  name,
  full,
  few,
  make,
  subject: "hostile",
});
/** Its subject is the flood, or stands behind it. */
const headless = (name: string, full: number, few: number, make: Shape["make"]): Shape => ({ name, full, few, make });

const nested = (count: number): Buffer =>
  bytes(
    head(
      `${Array.from({ length: count }, (_, i) => `Content-Type: multipart/mixed; boundary=n${i}\r\n\r\n--n${i}\r\n`).join("")}\r\ninmost`,
    ),
  );
const messages = (count: number): Buffer =>
  bytes(
    `${head("Content-Type: message/rfc822\r\n")}${"Content-Type: message/rfc822\r\n\r\n".repeat(count)}Subject: x\r\n\r\nx`,
  );

/** A stream of TNEF attributes, each claiming to be longer than the file (MS-OXTNEF 2.1). */
function tnef(count: number): Buffer {
  const attribute = Buffer.alloc(9);
  attribute[0] = 2;
  attribute.writeUInt32LE(0x0006800f, 1);
  attribute.writeUInt32LE(4, 5);
  return Buffer.concat([
    Buffer.from("789f3e220100", "hex"),
    ...Array<Buffer>(count).fill(Buffer.concat([attribute, Buffer.alloc(6)])),
  ]);
}

const structure: readonly Shape[] = [
  shape("parts", 100_000, 300, (count) => bytes(mixed("--b\r\n\r\nx\r\n".repeat(count)))),
  shape("parts with names", 990, 300, (count) =>
    bytes(
      mixed(
        Array.from({ length: count }, (_, i) => `--b\r\nContent-Type: image/png; name=${i}.png\r\n\r\nx\r\n`).join(""),
      ),
    ),
  ),
  shape("multiparts inside each other", 500, 200, nested),
  shape("lines that could end each of 500 multiparts", 90_000, 4_000, (count) =>
    Buffer.concat([nested(500), bytes("--x\r\n".repeat(count))]),
  ),
  shape("messages inside each other", 20_000, 5_000, messages),
  shape("a boundary that never comes", 25 * mib, mib / 4, (count) =>
    bytes(mixed("--c\r\n\r\nnot it\r\n".repeat(count / 15))),
  ),
  shape("a boundary of ten thousand characters", 2_000, 400, (count) => {
    const boundary = "b".repeat(10_000);
    return bytes(
      `${head(`Content-Type: multipart/mixed; boundary=${boundary}\r\n`)}${`--${boundary.slice(0, 5_000)}\r\n`.repeat(count)}`,
    );
  }),
  shape("parameters in pieces (RFC 2231)", 20_000, 2_000, (count) =>
    attached(
      `Content-Disposition: attachment;\r\n${Array.from({ length: count }, (_, i) => ` filename*${i}=x;\r\n`).join("")} x=y`,
      bytes("x"),
    ),
  ),
];

const heads: readonly Shape[] = [
  shape("headers of a mebibyte", 16_000, 4_000, (count) =>
    bytes(head(`X-Filler: ${"y".repeat(50)}\r\n`.repeat(count))),
  ),
  shape("a header line of 8 MB", 8 * mib, mib / 4, (count) => bytes(head(`X-Long: ${"z".repeat(count)}\r\n`))),
  shape("folded header lines", 200_000, 20_000, (count) => bytes(head(`X-Folded: a\r\n${" b\r\n".repeat(count)}`))),
  shape("headers that are properties of objects", 20_000, 8_000, (count) =>
    bytes(head("__proto__: x\r\nconstructor: y\r\n".repeat(count))),
  ),
  shape("recipients", 70_000, 5_000, (count) => bytes(head(`To: ${"a@b.example, ".repeat(count)}\r\n`))),
  shape("groups of recipients", 60_000, 5_000, (count) => bytes(head(`To: ${"g:a@b.example;, ".repeat(count)}\r\n`))),
  shape("comments inside each other", 200_000, 40_000, (count) =>
    bytes(head(`To: ${"(".repeat(count)}a@b.example\r\n`)),
  ),
  shape("addresses with comments", 50_000, 32_000, (count) => bytes(head(`Cc: a${"(b)".repeat(count)}@c.example\r\n`))),
  shape("quoted strings that do not end", 200_000, 40_000, (count) => bytes(head(`Cc: "${'\\"'.repeat(count)}\r\n`))),
  shape("references", 70_000, 5_000, (count) => bytes(head(`References: ${"<a@b.example> ".repeat(count)}\r\n`))),
  shape("hops", 10_000, 2_000, (count) =>
    bytes(head(`Received: from a by b with SMTP id 1; Thu, 16 Jul 2026 10:00:00 +0000\r\n`.repeat(count))),
  ),
  headless("encoded-words", 60_000, 5_000, (count) => bytes(`Subject:${" =?utf-8?q?a?=\r\n".repeat(count)}\r\n`)),
  headless("combining marks in a subject", 250_000, 50_000, (count) =>
    Buffer.from(`Subject: a${"\u0315\u0300".repeat(count)}\r\n\r\n`),
  ),
  headless("line ends before the first header", 25 * mib, 2 * mib, (count) =>
    bytes(`${"\r\n".repeat(count / 2)}Subject: x\r\n\r\n`),
  ),
];

const bodies: readonly Shape[] = [
  shape("line ends", 25 * mib, mib / 4, (count) => text(count / 2, "\r\n")),
  shape("line ends without CR", 25 * mib, mib / 4, (count) => text(count, "\n")),
  shape("dashes", 25 * mib, mib / 4, (count) => bytes(mixed("--\r\n".repeat(count / 4)))),
  shape("a line of dashes", 25 * mib, mib / 4, (count) => text(count, "-")),
  shape("blanks", 25 * mib, mib / 4, (count) => text(count, " ")),
  shape("lines of blanks", 25 * mib, mib / 4, (count) => text(count / 8, "      \r\n")),
  shape("a line of 8 MB", 8 * mib, mib / 4, (count) => text(count / 5, "word ")),
  shape("NUL and control bytes", 8 * mib, mib / 4, (count) => text(count / 4, "\0\x01\x1b\x7f")),
  shape("combining marks", 2 * mib, mib / 4, (count) =>
    Buffer.concat([
      bytes(head("Content-Type: text/plain; charset=utf-8\r\n")),
      Buffer.from(`a${"\u0315\u0300".repeat(count)}`),
    ]),
  ),
  shape("flowed lines", 8 * mib, mib / 4, (count) =>
    text(count / 8, "a word \r\n", "text/plain; format=flowed; delsp=yes"),
  ),
  shape("soft line ends", 8 * mib, mib / 4, (count) =>
    bytes(`${head("Content-Transfer-Encoding: quoted-printable\r\n")}${"=\r\n".repeat(count / 3)}`),
  ),
  shape("base64 of nothing but zeros", 25 * mib, mib / 4, (count) =>
    attached(
      "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64",
      Buffer.alloc(count, `${"A".repeat(76)}\r\n`),
    ),
  ),
  shape("base64 that is none", 8 * mib, mib / 4, (count) =>
    bytes(`${head("Content-Transfer-Encoding: base64\r\n")}${"=*A\r\n".repeat(count / 5)}`),
  ),
  shape("random bytes", 8 * mib, mib / 4, (count) =>
    Buffer.concat([bytes(head("")), randomFillSync(Buffer.alloc(count))]),
  ),
];

const readings: readonly Shape[] = [
  shape("html of 50,000 levels", 50_000, 5_000, (count) => text(count, "<div>", "text/html")),
  shape("html of tables in tables", 20_000, 2_000, (count) => text(count, "<table><tr><td>", "text/html")),
  shape("html of angle brackets", 2 * mib, mib / 8, (count) => text(count, "<", "text/html")),
  shape("html of quotes in quotes", 20_000, 2_000, (count) => text(count, '<blockquote type="cite">x', "text/html")),
  shape("html of entities", 500_000, 50_000, (count) => text(count, "&#x41;&lt;", "text/html")),
  shape("html of images", 100_000, 5_000, (count) => text(count, '<img src="cid:x">', "text/html")),
  shape("quote marks", 4 * mib, mib / 4, (count) => text(count, ">")),
  shape("lines of quote marks", 200_000, 20_000, (count) => text(count, "> > >\r\n")),
  shape("lines that introduce a quote", 50_000, 5_000, (count) =>
    text(count, "On Monday, Ana <a@b.example> wrote:\r\n"),
  ),
  shape("a line that introduces a quote and never ends", mib, mib / 8, (count) => text(count / 3, "On ")),
  shape("original messages", 50_000, 5_000, (count) =>
    text(count, "-----Original Message-----\r\nFrom: a\r\nSent: b\r\nTo: c\r\nSubject: d\r\n"),
  ),
  shape("forwarded messages", 50_000, 5_000, (count) =>
    text(count, "---------- Forwarded message ---------\r\nFrom: A <a@b.example>\r\nDate: x\r\n\r\n"),
  ),
  shape("signatures", 200_000, 20_000, (count) => text(count, "-- \r\nAna\r\n")),
];

const containers: readonly Shape[] = [
  shape("uuencoded files", 100_000, 5_000, (count) => text(count, "begin 644 x\r\n#0V%T\r\n`\r\nend\r\n")),
  shape("uuencode that does not end", 500_000, 20_000, (count) => text(count, "begin 644 x\r\n")),
  shape("a long uuencoded file", 200_000, 20_000, (count) =>
    bytes(`${head("")}begin 644 x\r\n${`M${"A".repeat(60)}\r\n`.repeat(count)}\`\r\nend\r\n`),
  ),
  shape("TNEF attributes", 200_000, 20_000, (count) =>
    attached(
      "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64",
      bytes(tnef(count).toString("base64").replace(/.{76}/g, "$&\r\n")),
    ),
  ),
  shape("TNEF of random bytes", 2 * mib, mib / 4, (count) =>
    attached(
      "Content-Type: application/ms-tnef; name=winmail.dat",
      Buffer.concat([Buffer.from("789f3e220100", "hex"), randomFillSync(Buffer.alloc(count))]),
    ),
  ),
  shape("calendar events", 50_000, 2_000, (count) =>
    attached(
      "Content-Type: text/calendar; method=REQUEST",
      bytes(
        `BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n${"BEGIN:VEVENT\r\nUID:x\r\nDTSTART:20260716T100000Z\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\n".repeat(count)}END:VCALENDAR`,
      ),
    ),
  ),
  shape("attendees", 50_000, 8_000, (count) =>
    attached(
      "Content-Type: text/calendar; method=REQUEST",
      bytes(
        `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\n${"ATTENDEE;CN=a:mailto:a@b.example\r\n".repeat(count)}END:VEVENT\r\nEND:VCALENDAR`,
      ),
    ),
  ),
  shape("calendar components inside each other", 50_000, 4_000, (count) =>
    attached("Content-Type: text/calendar", bytes(`BEGIN:VCALENDAR\r\n${"BEGIN:VEVENT\r\n".repeat(count)}`)),
  ),
  shape("recipients of a delivery report", 200_000, 5_000, (count) =>
    bytes(
      `${head("Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n")}--b\r\n\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n${"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n".repeat(count)}--b--\r\n`,
    ),
  ),
  shape("words of bounces", 50_000, 5_000, (count) => {
    const bounce = "Return-Path: <>\r\nX-Failed-Recipients: a@b.example\r\n";
    return bytes(
      `${head(bounce)}${"<a@b.example>: 550 5.1.1 user unknown\r\nHi. This is the qmail-send program\r\n".repeat(count)}`,
    );
  }),
];

export const shapes: readonly Shape[] = [...structure, ...heads, ...bodies, ...readings, ...containers];
