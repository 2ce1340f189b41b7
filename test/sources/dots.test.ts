/** The end of a message and its stuffed dots, held to what smtp-server's own parser makes of the same bytes. */
import fc from "fast-check";
import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import { expect, test } from "vitest";
import { Unstuffing } from "../../src/sources/smtp/dots.ts";

interface Read {
  readonly content: string;
  /** What follows the end; undefined when the end did not come. */
  readonly rest: string | undefined;
}

function ours(chunks: readonly Buffer[]): Read {
  const dots = new Unstuffing();
  const content: Buffer[] = [];
  for (const [index, chunk] of chunks.entries()) {
    // A copy, since what is fed is written over.
    const { content: piece, rest } = dots.feed(Buffer.from(chunk));
    content.push(Buffer.from(piece));
    if (rest !== undefined) {
      const behind = Buffer.concat([rest, ...chunks.slice(index + 1)]);
      return { content: Buffer.concat(content).toString("latin1"), rest: behind.toString("latin1") };
    }
  }
  return { content: Buffer.concat(content).toString("latin1"), rest: undefined };
}

/** What smtp-server makes of bytes that hold an end of data. */
async function theirs(bytes: Buffer): Promise<Read> {
  const parser = new SMTPStream();
  const content: Buffer[] = [];
  const stream = parser.startDataMode();
  stream.on("data", (piece: Buffer) => content.push(piece));
  const ended = new Promise((resolve) => stream.once("end", resolve));
  parser._write(bytes, "buffer", () => undefined);
  await ended;
  let rest: string | undefined;
  parser._write = (behind) => {
    rest = behind.toString("latin1");
  };
  parser.continue();
  return { content: Buffer.concat(content).toString("latin1"), rest };
}

function cut(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const edges = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((to, index) => bytes.subarray(edges[index], to));
}

const piece = fc.constantFrom("\r\n", "\r\n.", "\r\n.\r\n", ".", "..", "\r", "\n", "\n.", "a", "body");

test("any bytes, cut anywhere, are read as smtp-server reads them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 20 }),
      fc.array(fc.nat(40), { maxLength: 8 }),
      async (pieces, cuts) => {
        // smtp-server does not look at a dot that is the second byte of all; what is at stake is one dot of content.
        fc.pre(!pieces.join("").startsWith("\n."));
        const text = `${pieces.join("")}\r\n.\r\nQUIT\r\n`;
        expect(ours(cut(text, cuts))).toEqual(await theirs(Buffer.from(text, "latin1")));
        expect(ours(cut(text, cuts))).toEqual(ours([Buffer.from(text, "latin1")]));
      },
    ),
    { numRuns: 1000 },
  );
});

test.each([
  [".\r\n", "", ""],
  ["\r\n.\r\n", "\r\n", ""],
  ["..\r\n.\r\n", ".\r\n", ""],
  [".a\r\n.\r\nNOOP", ".a\r\n", "NOOP"],
  ["a\n.\r\nb\r\n.\r\n.\r\n", "a\n.\r\nb\r\n", ".\r\n"],
  ["a\r\r\n.\r\n", "a\r\r\n", ""],
  ["\n..\r\n.\r\n", "\n.\r\n", ""],
])("%j is %j and then %j, in one piece and byte by byte", (text, content, rest) => {
  expect(ours([Buffer.from(text)])).toEqual({ content, rest });
  expect(ours(Array.from(text, (byte) => Buffer.from(byte)))).toEqual({ content, rest });
});

test.each(["a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\n.\r\n", ".", ".\r", ""])("%j has not ended", (text) => {
  expect(ours([Buffer.from(text)]).rest).toBeUndefined();
});
