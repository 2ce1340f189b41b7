import { describe, expect, test } from "vitest";
import { addressList } from "../../src/mail/address.ts";
import { decodeBody } from "../../src/mail/charset.ts";
import { mailDate } from "../../src/mail/date.ts";
import { splitHeader } from "../../src/mail/header.ts";
import { listFacts } from "../../src/mail/list.ts";
import { headerFacts } from "../../src/mail/message.ts";
import { messageIds } from "../../src/mail/message-id.ts";
import { normalisedSubject } from "../../src/mail/subject.ts";
import { decodeWords } from "../../src/mail/words.ts";

const mib = 1024 * 1024;
const facts = (section: string) => headerFacts(splitHeader(section));
const list = (fields: { unsubscribe: string }) =>
  listFacts({ id: undefined, unsubscribePost: undefined, post: undefined, ...fields });

/**
 * Floods of header text, each read at an eighth of its size and whole. Linear work grows by eight, the square of it by sixty-four: what
 * is in between tells the two apart on the busiest machine. Processor time of this process; what costs less than four milliseconds is
 * not told from noise.
 */
const floods: readonly [string, (size: number) => unknown][] = [
  ["16,000 header fields", (n) => facts("X-Filler: some text\r\n".repeat(16_000 * n))],
  ["fields without a value", (n) => facts("X:\n".repeat(150_000 * n))],
  ["one field of folds", (n) => facts(`Subject: x${"\r\n y".repeat(120_000 * n)}`)],
  ["8,000 addresses in Cc", (n) => facts(`Cc: ${"Ana Lopes <ana@lopes-bau.example>, ".repeat(8_000 * n)}`)],
  ["8,000 Cc fields", (n) => facts("Cc: ana@lopes-bau.example\r\n".repeat(8_000 * n))],
  ["groups", (n) => facts(`To: ${"g:a@b.example;,".repeat(30_000 * n)}`)],
  ["encoded-words", (n) => decodeWords("=?utf-8?Q?=C3=BC?= ".repeat((n * mib) / 38))],
  ["encoded-words that nobody closes", (n) => decodeWords("=?utf-8?Q?x ".repeat((n * mib) / 24))],
  ["encoded-words within encoded-words", (n) => decodeWords("=?utf-8?B?=?utf-8?Q?".repeat((n * mib) / 40))],
  ["beginnings of encoded-words", (n) => decodeWords("=?".repeat((n * mib) / 2))],
  ["ends of encoded-words", (n) => decodeWords(`=?utf-8?Q?${"?=20".repeat((n * mib) / 4)}`)],
  ["charsets that nobody knows", (n) => decodeWords(words(20_000 * n))],
  ["words in ISO-2022-JP", (n) => decodeWords("=?iso-2022-jp?B?GyRCOCsbKEI=?= ".repeat(15_000 * n))],
  ["raw bytes that are no UTF-8", (n) => decodeWords("\xfc\xdf \xe4".repeat((n * mib) / 4), "utf-8")],
  ["a Message-ID without an end", (n) => messageIds(`<${"x".repeat(900_000 * n)}@b.example`)],
  ["a Message-ID of a hundred thousand brackets", (n) => messageIds("<".repeat(450_000 * n))],
  ["references", (n) => messageIds("<a@b.example> ".repeat(20_000 * n))],
  ["comments nested a hundred thousand deep", (n) => addressList(["(".repeat(100_000 * n) + ")".repeat(100_000 * n)])],
  ["comments nested without an end", (n) => addressList([`a@b.example ${"(".repeat(400_000 * n)}`])],
  ["angle brackets", (n) => addressList(["<a".repeat(200_000 * n)])],
  ["words in one mailbox", (n) => addressList([`${"a.".repeat(200_000 * n)}@b.example`])],
  ["words before an address", (n) => addressList([`${"a ".repeat(200_000 * n)}<a@b.example>`])],
  ["pieces of an address", (n) => addressList([`<${"a . ".repeat(100_000 * n)}@b.example>`])],
  ["escaped characters", (n) => addressList([`"${"\\a".repeat(300_000 * n)}" <a@b.example>`])],
  [
    "a name of combining marks",
    (n) =>
      addressList([`=?utf-8?B?${Buffer.from("a\u0315\u0300".repeat(60_000 * n)).toString("base64")}?= <a@b.example>`]),
  ],
  ["prefixes of a subject", (n) => normalisedSubject("Re: ".repeat(250_000 * n))],
  ["tags of a subject", (n) => normalisedSubject("[a] ".repeat(250_000 * n))],
  ["brackets of a subject", (n) => normalisedSubject("[".repeat(500_000 * n))],
  ["forwards in a subject", (n) => normalisedSubject("[Fwd: ".repeat(100_000 * n) + "]".repeat(100_000 * n))],
  ["Received fields", (n) => facts(`Received: from a (b [192.0.2.1]) by c with d; x\r\n`.repeat(16_000 * n))],
  ["a Received field of comments", (n) => facts(`Received: ${"(a) ".repeat(200_000 * n)}`)],
  ["Resent fields", (n) => facts("Resent-To: a@b.example\r\n".repeat(30_000 * n))],
  ["ways to leave a list", (n) => list({ unsubscribe: "<https://l.example/>,".repeat(50_000 * n) })],
  ["brackets of a list field", (n) => list({ unsubscribe: "<".repeat(500_000 * n) })],
  ["a date of comments", (n) => mailDate("(".repeat(500_000 * n))],
  ["parameters of Content-Type continued", (n) => facts(`Content-Type: text/plain;${continued(30_000 * n)}`)],
  ["escapes of ISO-2022-JP", (n) => decodeBody(Buffer.from("\x1b$B".repeat(100_000 * n), "latin1"), null)],
  ["bytes that fit nothing", (n) => decodeBody(Buffer.alloc(mib * n, Uint8Array.of(0xff, 0x41, 0x80)), "utf-8")],
];

function words(count: number): string {
  return Array.from({ length: count }, (_, i) => `=?x-${i % 5000}?Q?=FC?=`).join(" ");
}
function continued(count: number): string {
  return Array.from({ length: count }, (_, i) => ` charset*${i}*=utf-8''x;`).join("");
}

function workOf(read: () => unknown): number {
  const before = process.cpuUsage();
  read();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe("eight times the header text is not sixty-four times the work", () => {
  test.each(floods)("%s", (_, read) => {
    read(1 / 64);
    // A compilation or a collection of garbage may fall into either measurement, never into the least of several: the square would.
    const least = (size: number) => Math.min(...[1, 2, 3].map(() => workOf(() => read(size))));
    const eighth = least(1 / 8);
    expect(least(1)).toBeLessThan(24 * Math.max(eighth, 4));
  });
});
