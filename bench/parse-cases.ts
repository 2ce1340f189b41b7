/** The messages and the parsers of bench/parse.ts: every message made from nothing but its size, every parser given the same bytes. */
import { Readable } from "node:stream";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";
import { parse } from "../src/mail/parse.ts";
import { benchMails } from "./mail.ts";

export interface Case {
  readonly name: string;
  /** Messages to parse for one figure. */
  readonly count: number;
  /** Chunks of 64 KiB at most, as the daemon reads a spooled file; called anew for each parse, so that no big message is kept. */
  readonly chunks: (index: number) => Iterable<Buffer>;
  /** Too long to be held: parsed from its chunks, by whoever can. */
  readonly streamed: boolean;
  /** Of the CPU comparison; the largest are there for their memory. */
  readonly timed: boolean;
}

const head = (type: string): string =>
  [
    "Received: from relay.example (relay.example [192.0.2.7])\r\n\tby mx.example with ESMTPS id 4F1; Tue, 14 Jul 2026 09:15:02 +0200",
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example; s=s1;\r\n\th=from:to:subject:date; bh=Zm9v; b=YmFy",
    "From: =?utf-8?q?J=C3=BCrgen?= <j@shop.example>",
    'To: deals@inbound.example.com, "C, D" <c@d.example>',
    "Subject: =?utf-8?b?R3LDvMOfZQ==?= from the shop",
    "Date: Tue, 14 Jul 2026 09:15:00 +0200",
    "Message-ID: <1@shop.example>",
    "References: <a@b.example> <0@b.example>",
    "MIME-Version: 1.0",
    `Content-Type: ${type}`,
    "",
    "",
  ].join("\r\n");
const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\r\n");
const words = (i: number): string =>
  `Line ${i} of a mail that a customer wrote about https://example.com/x/${i} today.`;
const markup = (i: number): string =>
  `<p>Line <b>${i}</b> of a mail about <a href="https://example.com/${i}">this</a></p>`;
const part = (header: string, body: string): string => `--bb\r\n${header}\r\n\r\n${body}\r\n`;

const alternative = `${head('multipart/alternative; boundary="bb"')}${part("Content-Type: text/plain", lines(255, words))}${part("Content-Type: text/html", lines(370, markup))}--bb--\r\n`;
const htmlOnly = `${head("text/html; charset=utf-8")}${lines(600, markup)}\r\n`;
const fiveHundred = `${head('multipart/mixed; boundary="bb"')}${part("Content-Type: text/plain", "see the 499 files")}${Array.from(
  { length: 499 },
  (_, i) =>
    part(
      `Content-Type: application/octet-stream; name="file-${i}.bin"\r\nContent-Disposition: attachment; filename="file-${i}.bin"\r\nContent-Transfer-Encoding: base64`,
      Buffer.alloc(120, `content ${i} `).toString("base64"),
    ),
).join("")}--bb--\r\n`;

const base64Lines = Buffer.from(
  `${Buffer.alloc(57, "what a scanner made of a contract, page after page ").toString("base64")}\r\n`.repeat(840),
);

/** A text of one line and one attachment, so many MiB on the wire. */
function* attachment(mib: number): Generator<Buffer> {
  yield Buffer.from(
    `${head('multipart/mixed; boundary="bb"')}${part("Content-Type: text/plain", "the scan is attached")}--bb\r\nContent-Type: application/pdf; name="scan.pdf"\r\nContent-Disposition: attachment; filename="scan.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
  );
  for (let sent = 0; sent < mib * 1024 * 1024; sent += base64Lines.length) yield base64Lines;
  yield Buffer.from("--bb--\r\n");
}

const held = (name: string, count: number, messages: readonly (string | Buffer)[]): Case => {
  const bytes = messages.map((message) => Buffer.from(message));
  const chunks = (index: number): Iterable<Buffer> => [bytes[index % bytes.length] ?? Buffer.alloc(0)];
  return { name, count, chunks, streamed: false, timed: true };
};

export const cases: readonly Case[] = [
  held(
    "small, 1 KiB of text",
    400,
    [...benchMails(50, 10, "bench", "small")].map(({ data }) => data),
  ),
  held("alternative, 50 KiB", 40, [alternative]),
  held("html only, 50 KiB", 12, [htmlOnly]),
  held(
    "an ordinary inbox",
    100,
    [...benchMails(50, 10, "bench")].map(({ data }) => data),
  ),
  held("500 parts", 6, [fiveHundred]),
  { name: "attachment, 25 MiB", count: 1, chunks: () => attachment(25), streamed: true, timed: true },
  { name: "attachment, 150 MiB", count: 1, chunks: () => attachment(150), streamed: true, timed: false },
];

export const parsers = ["mailwright", "simpleParser", "postal-mime"] as const;
export type ParserName = (typeof parsers)[number];

/** simpleParser and postal-mime with their defaults: simpleParser then turns html to text, as ours does. */
export async function parseOne(who: ParserName, { chunks, streamed }: Case, index: number): Promise<unknown> {
  const bytes = chunks(index);
  switch (who) {
    case "mailwright":
      return streamed ? parse(Readable.from(bytes)) : parse(whole(bytes));
    case "simpleParser":
      return streamed ? simpleParser(Readable.from(bytes)) : simpleParser(whole(bytes));
    case "postal-mime":
      return PostalMime.parse(whole(bytes));
    default:
      return who satisfies never;
  }
}

function whole(chunks: Iterable<Buffer>): Buffer {
  const all = [...chunks];
  return all.length === 1 && all[0] !== undefined ? all[0] : Buffer.concat(all);
}
