import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createIdentity } from "../../src/mail/identity.ts";
import { parse } from "../../src/mail/parse.ts";

const corpus = join(import.meta.dirname, "..", "..", "corpus");

async function* pieces(raw: Buffer, size: number) {
  for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size);
}

function digestOf(raw: Buffer, size: number): string {
  const identity = createIdentity();
  for (let at = 0; at < raw.length; at += size) identity.update(raw.subarray(at, at + size));
  return identity.finish().digest;
}

describe("a message whose header or parts end in odd ways is read the same however its bytes are cut", () => {
  test.each([
    "headers/separator-of-one-blank",
    "headers/blank-fold-before-a-field",
    "headers/no-line-before-the-first-part",
    "bodies/boundary-ends-in-blanks",
    "bodies/boundary-with-blanks-inside",
    "bodies/words-behind-the-boundary",
    "bodies/boundary-in-prose",
    "bodies/outer-delimiter-ends-the-inner",
    "bodies/outer-end-ends-the-inner",
    "bodies/prose-declared-base64",
    "bodies/part-without-a-header",
  ])("%s", async (name) => {
    const written = readFileSync(join(corpus, `${name}.eml`));
    const onTheWire = Buffer.from(written.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
    for (const raw of [written, onTheWire]) {
      const whole = await parse(raw);
      for (const size of [1, 2, 3, 7, 61, 200]) {
        expect(await parse(pieces(raw, size))).toEqual(whole);
        expect(digestOf(raw, size)).toBe(digestOf(raw, raw.length));
      }
    }
  });
});
