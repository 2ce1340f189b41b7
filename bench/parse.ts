/**
 * What a parse costs: ours beside bare simpleParser in this process, and the pool of children beside both, interleaved in one run.
 * `node bench/parse.ts [rounds]`. Ratios above 1 are in our favour; absolute figures are this machine's.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { createIdentity } from "../src/mail/identity.ts";
import { parse } from "../src/mail/parse.ts";
import type { Log } from "../src/model/ports.ts";
import { openParsePool } from "../src/pipeline/parsing.ts";

const rounds = Number(process.argv[2] ?? 7);
const children = 2;
/** As many as the daemon has in hand: enough to keep each child's pipe filled. */
const inFlight = children * 4;

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
  ].join("\r\n");
const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\r\n");
const words = (i: number): string =>
  `Line ${i} of a mail that a customer wrote about https://example.com/x/${i} today.`;
const markup = (i: number): string =>
  `<p>Line <b>${i}</b> of a mail about <a href="https://example.com/${i}">this</a></p>`;
const alternative = (text: string, html: string): string =>
  `${head('multipart/alternative; boundary="bb"')}\r\n--bb\r\nContent-Type: text/plain\r\n\r\n${text}\r\n--bb\r\nContent-Type: text/html\r\n\r\n${html}\r\n--bb--\r\n`;
const base64 = Buffer.alloc(45_000, "mailwright").toString("base64").replace(/.{76}/g, "$&\r\n");

const corpusFolder = join(import.meta.dirname, "..", "corpus");
const corpus = readdirSync(corpusFolder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".eml"))
  .map((name) => readFileSync(join(corpusFolder, name)));

const sets: Readonly<Record<string, readonly Buffer[]>> = {
  corpus,
  "plain 1 KiB": [Buffer.from(`${head("text/plain")}\r\n${lines(4, words)}`)],
  "plain 4 KiB": [Buffer.from(`${head("text/plain")}\r\n${lines(40, words)}`)],
  "alternative 3 KiB": [Buffer.from(alternative(lines(10, words), lines(10, markup)))],
  "alternative 57 KiB": [Buffer.from(alternative(lines(300, words), lines(400, markup)))],
  "html only 3 KiB": [Buffer.from(`${head("text/html")}\r\n${lines(25, markup)}`)],
  "attachment 60 KiB": [
    Buffer.from(
      `${head('multipart/mixed; boundary="bb"')}\r\n--bb\r\n\r\nhi\r\n--bb\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--bb--\r\n`,
    ),
  ],
};

const silent = (): void => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, with: () => log };
const pool = await openParsePool({ children, log });

async function* once(raw: Uint8Array): AsyncGenerator<Uint8Array> {
  yield raw;
}

type Contestant = (raws: readonly Buffer[], count: number) => Promise<void>;
const oneByOne =
  (work: (raw: Buffer) => unknown): Contestant =>
  async (raws, count) => {
    for (let i = 0; i < count; i++) await work(raws[i % raws.length] ?? Buffer.alloc(0));
  };
const contestants: Readonly<Record<string, Contestant>> = {
  simpleParser: oneByOne((raw) => simpleParser(raw)),
  parse: oneByOne((raw) => parse(raw)),
  pool: async (raws, count) => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const raw = raws[next++ % raws.length] ?? Buffer.alloc(0);
        await pool.parse(once(raw), raw.length);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
  },
  identity: oneByOne((raw) => {
    const identity = createIdentity();
    identity.update(raw);
    return identity.finish();
  }),
};

async function microsecondsEach(work: Contestant, raws: readonly Buffer[], count: number): Promise<number> {
  const started = process.hrtime.bigint();
  await work(raws, count);
  return Number(process.hrtime.bigint() - started) / 1000 / count;
}
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const print = (...columns: string[]): void => {
  const [first = "", ...others] = columns;
  process.stdout.write(`${first.padEnd(20)}${others.map((column) => column.padStart(14)).join("")}\n`);
};

process.stdout.write(
  `node ${process.version}, ${children} children, ${rounds} interleaved rounds, medians; microseconds per message\n`,
);
print("set", "bytes", ...Object.keys(contestants), "simple/parse", "simple/pool");
for (const [name, raws] of Object.entries(sets)) {
  const bytes = raws.reduce((sum, raw) => sum + raw.length, 0) / raws.length;
  const count = bytes > 20_000 ? 100 : 400;
  const taken: Record<string, number[]> = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [who, work] of Object.entries(contestants)) {
      const us = await microsecondsEach(work, raws, count);
      // The first round warms up.
      if (round > 0) taken[who] = [...(taken[who] ?? []), us];
    }
  }
  const ratio = (who: string): string =>
    `${median((taken.simpleParser ?? []).map((us, i) => us / (taken[who]?.[i] ?? Number.NaN))).toFixed(2)}x`;
  const us = Object.keys(contestants).map((who) => median([...(taken[who] ?? [])]).toFixed(0));
  print(name, bytes.toFixed(0), ...us, ratio("parse"), ratio("pool"));
}
await pool.close();
