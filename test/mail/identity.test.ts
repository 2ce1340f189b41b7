import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdentity, nullSenderDigest } from "../../src/mail/identity.ts";

const identify = (...chunks: (string | Uint8Array)[]) => {
  const identity = createIdentity();
  for (const chunk of chunks) identity.update(typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk);
  return identity.finish();
};

const mail = [
  "Received: from relay.example by mx.example; Tue, 14 Jul 2026 09:15:02 +0200",
  "From: Ana <ana@shop.example>",
  "Subject: Order",
  " 17",
  "Date: Tue, 14 Jul 2026 09:15:00 +0200",
  "Message-ID: <17@shop.example>",
  "",
  "Where is it?",
  "",
  "Ana",
  "",
].join("\r\n");

/** Line-ish noise: what decides here is where CR, LF, blanks and colons stand. */
const noise = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "From:",
        "Subject: x",
        "Message-ID: <a@b>",
        "\r\n\r\n",
        "\n\n",
        ":",
        "body",
        ".",
      ),
      fc.string({ maxLength: 5, unit: "binary" }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.from(parts.join(""), "latin1"));

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  chunks.push(bytes.subarray(Math.min(at, bytes.length)));
  return chunks;
}

const facts = ({ messageId, digest, receivedCount, headerBytes, headers }: ReturnType<typeof identify>) => ({
  messageId,
  digest,
  receivedCount,
  headerBytes,
  subjects: headers("Subject"),
});

describe("the identity of a message", () => {
  test("is its Message-ID and a digest over the author's headers and the body", () => {
    const text =
      "from:Ana <ana@shop.example>\r\ndate:Tue, 14 Jul 2026 09:15:00 +0200\r\nsubject:Order 17\r\nmessage-id:<17@shop.example>\r\n\r\nWhere is it?\r\n\r\nAna";
    expect(identify(mail)).toMatchObject({
      messageId: "<17@shop.example>",
      digest: createHash("sha256").update(text).digest("hex"),
      receivedCount: 1,
    });
  });

  test("does not depend on how the bytes are cut into chunks", () => {
    fc.assert(
      fc.property(noise, fc.array(fc.nat({ max: 9 }), { maxLength: 60 }), (bytes, sizes) => {
        expect(facts(identify(...cut(bytes, sizes)))).toEqual(facts(identify(bytes)));
      }),
      { numRuns: 2000 },
    );
  });

  test("does not depend on CRLF or LF as the line end", () => {
    const lines = fc.array(
      fc.string({ maxLength: 12 }).filter((line) => !/[\r\n]/.test(line)),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(lines, lines, (header, body) => {
        const text = [...header, "", ...body].join("\n");
        const one = facts(identify(text));
        const other = facts(identify(text.replaceAll("\n", "\r\n")));
        expect({ ...one, headerBytes: 0 }).toEqual({ ...other, headerBytes: 0 });
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["another Received line", mail.replace("relay.example", "other.example")],
    ["a tracing header on top", `Return-Path: <ana@shop.example>\r\nX-Spam: no\r\n${mail}`],
    ["a subject folded elsewhere", mail.replace("Order\r\n 17", "Order 17")],
    ["a tab as the fold", mail.replace("Order\r\n 17", "Order\r\n\t17")],
    ["header names in other letters", mail.replace("Subject", "SUBJECT")],
    ["more blank lines at the end", `${mail}\r\n\r\n\r\n`],
    ["no line end at the end", mail.trimEnd()],
    ["header fields in another order", mail.replace(/(From: .*\r\n)([\s\S]*?)(Date: .*\r\n)/, "$3$1$2")],
  ])("is the same with %s", (_, changed) => {
    expect(changed).not.toBe(mail);
    expect(identify(changed).digest).toBe(identify(mail).digest);
  });

  test.each([
    ["another sender", mail.replace("ana@", "eva@")],
    ["another subject", mail.replace(" 17\r\n", " 18\r\n")],
    ["another date", mail.replace("09:15:00", "09:15:01")],
    ["another id", mail.replace("<17@", "<18@")],
    ["another word in the body", mail.replace("Where", "When")],
    ["a blank line more in the middle of the body", mail.replace("it?\r\n", "it?\r\n\r\n")],
    ["a blank line more before the body", mail.replace("\r\nWhere", "\r\n\r\nWhere")],
    ["a second From", mail.replace("Subject", "From: eva@shop.example\r\nSubject")],
    [
      "a header moved into the body",
      mail.replace("Message-ID: <17@shop.example>\r\n\r\n", "\r\nMessage-ID: <17@shop.example>\r\n\r\n"),
    ],
    ["a value that spills into the next field", mail.replace("Order\r\n 17\r\nDate: ", "Order 17 date:")],
    ["a bare CR in the body", mail.replace("Where", "Where\r")],
  ])("is another one with %s", (_, changed) => {
    expect(changed).not.toBe(mail);
    expect(identify(changed).digest).not.toBe(identify(mail).digest);
  });

  test("counts relays and reports raw header values, unfolded, all of them", () => {
    const looped = `${"Received: by mx.example; now\r\n".repeat(51)}X-Mailwright-Instance: a\r\n\tb\r\nx-mailwright-instance: c\r\n${mail}`;
    const identity = identify(looped);
    expect(identity.receivedCount).toBe(52);
    expect(identity.headers("X-Mailwright-Instance")).toEqual(["a b", "c"]);
    expect(identity.headers("X-None")).toEqual([]);
  });

  test("reads the fields below blank lines that stand before the header section", () => {
    expect(identify(`\r\n\n${mail}`)).toMatchObject({ messageId: "<17@shop.example>" });
    expect(identify("\r\nJust a line without any field\r\n")).toMatchObject({ messageId: null, headerBytes: 0 });
  });

  test("keeps 1 MiB of a header section that does not end, and takes the rest into the digest as body", () => {
    const endless = Buffer.alloc(3 * 1024 * 1024, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
    const one = identify(Buffer.concat([Buffer.from("Message-ID: <1@a.example>\r\n"), endless]));
    expect(one).toMatchObject({ messageId: "<1@a.example>", headerBytes: 1024 * 1024 });
    endless[endless.length - 40] = 0x62;
    const other = createIdentity();
    const whole = Buffer.concat([Buffer.from("Message-ID: <1@a.example>\r\n"), endless]);
    for (let at = 0; at < whole.length; at += 1000) other.update(whole.subarray(at, at + 1000));
    expect(other.finish().digest).not.toBe(one.digest);
  });

  test("holds blank lines back without keeping them, however many", () => {
    const blank = Buffer.alloc(1024 * 1024, "\r\n");
    const many = createIdentity();
    many.update(Buffer.from("Subject: x\r\n\r\nbody"));
    for (let i = 0; i < 4; i++) many.update(blank);
    expect(many.finish().digest).toBe(identify("Subject: x\r\n\r\nbody").digest);
  });

  test("of no bytes at all is an identity too", () => {
    expect(identify()).toMatchObject({ messageId: null, receivedCount: 0, headerBytes: 0 });
  });

  test.each([
    "Auto-Submitted: auto-replied",
    "Content-Type: application/octet-stream",
    "Content-Transfer-Encoding: base64",
    "Precedence: bulk",
    "List-Id: <l.example>",
    "List-Unsubscribe: <mailto:u@l.example>",
    "X-Failed-Recipients: a@b.example",
  ])(
    "a copy with %s is another mail: nobody can have the real one taken for a duplicate of a skipped one",
    (header) => {
      expect(identify(`${header}\r\n${mail}`).digest).not.toBe(identify(mail).digest);
    },
  );

  test("a copy that came with the null reverse-path is another mail", () => {
    const { digest } = identify(mail);
    expect(nullSenderDigest(digest)).toMatch(/^[0-9a-f]{64}$/);
    expect(nullSenderDigest(digest)).not.toBe(digest);
  });
});
