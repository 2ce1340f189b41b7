import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unflowed } from "../../src/mail/flowed.ts";
import { withoutUuBlocks } from "../../src/mail/transfer/uuencode.ts";
import { type TransferEncoding, transferDecoder, transferEncoding } from "../../src/mail/transfer.ts";
import { uuencoded } from "../support/uuencode.ts";

function decode(encoding: TransferEncoding, bytes: Uint8Array, size = 65_536) {
  const decoder = transferDecoder(encoding);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(Buffer.from(decoder.push(bytes.subarray(at, at + size))));
  pieces.push(Buffer.from(decoder.end()));
  return { bytes: Buffer.concat(pieces), trailer: decoder.trailer };
}
const text = (encoding: TransferEncoding, encoded: string) =>
  decode(encoding, Buffer.from(encoded, "latin1")).bytes.toString();

describe("the name of a transfer encoding", () => {
  test.each([
    ["base64", "base64"],
    ['"base64"', "base64"],
    ["quoted-printable", "quoted-printable"],
    ["x-uuencode", "uuencode"],
    ["uuencode", "uuencode"],
    ["x-uue", "uuencode"],
    ["8-bit", "identity"],
    ["", "identity"],
    ["x-yenc", "identity"],
  ])("%j is %s", (written, encoding) => {
    expect(transferEncoding(written)).toBe(encoding);
  });
});

describe("base64", () => {
  test("gives back any bytes, however they are cut", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 1, max: 90 }),
        fc.boolean(),
        (raw, size, padded) => {
          const encoded = Buffer.from(raw).toString("base64").replace(/.{76}/g, "$&\r\n");
          const written = Buffer.from(padded ? encoded : encoded.replace(/=+$/, ""));
          expect(decode("base64", written, size)).toEqual({ bytes: Buffer.from(raw), trailer: false });
        },
      ),
    );
  });

  test.each([
    ["a stray character is skipped", "T3Jk*ZXIg\r\n !b2s=", "Order ok", false],
    ["a footer after the padding is left out", "T3JkZXIgb2s=\r\n\r\n-- \r\nlist footer\r\n", "Order ok", true],
    ["a short last piece with padding of its own is taken", "T3JkZXIgb2s=\r\nZXI=\r\n", "Order oker", false],
    [
      "a short last piece without padding is taken behind another",
      "T3JkZXIgb2s=\r\nLCBhbmQgdGVuIG1vcmUuLg==\r\nZXIh\r\n",
      "Order ok, and ten more..er!",
      false,
    ],
    ["a footer of one word after the padding is left out", "T3JkZXIgb2s=\r\nRegards\r\n", "Order ok", true],
    [
      "a footer of dashes is left out where there is no padding",
      "T3JkZXIgb2tv\r\n--\r\nlist footer",
      "Order oko",
      true,
    ],
    [
      "a footer of underscores is left out where there is no padding",
      "T3JkZXIgb2tv\r\n_____________\r\nx",
      "Order oko",
      true,
    ],
    [
      "several encoded pieces in a row are one content",
      "T3JkZXI=\r\nT3JkZXIgT3JkZXIgT3JkZXIg\r\nb2s=",
      "OrderOrder Order Order ok",
      false,
    ],
    ["blank lines and a lone padding line are nothing", "T3Jk\r\n\r\nZXI\r\n=\r\n\r\n", "Order", false],
    ["a quantum of one character is nothing", "T3JkZXIgb2tvA", "Order oko", false],
  ])("%s", (_, encoded, decoded, trailer) => {
    for (const size of [1, 3, 1000]) {
      const found = decode("base64", Buffer.from(encoded), size);
      expect(found.bytes.toString()).toBe(decoded);
      expect(found.trailer).toBe(trailer);
    }
  });
});

describe("what only claims to be base64", () => {
  test.each([
    ["prose of nothing but letters", "please call back\r\nbefore noon\r\n"],
    ["prose with punctuation", "Grüße, bis morgen.\nAna"],
    ["prose on one line that does not end", "Good luck"],
  ])("%s stays as it stands, however it is cut", (_, written) => {
    const bytes = Buffer.from(`\r\n${written}`);
    for (const size of [1, 3, 1000]) {
      const decoder = transferDecoder("base64");
      const pieces: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size)
        pieces.push(Buffer.from(decoder.push(bytes.subarray(at, at + size))));
      pieces.push(Buffer.from(decoder.end()));
      expect(Buffer.concat(pieces).toString()).toBe(written);
      expect(decoder.unencoded).toBe(true);
    }
  });

  test.each([
    ["T3Jk ZXIg b2s=", "Order ok"],
    ["T3JkZXIgT3JkZXIgT3JkZXIg T3JkZXIgb2tv", "Order Order Order Order oko"],
    ["\r\n\r\n T3JkZXIgb2s=", "Order ok"],
  ])("%j is base64 with blanks in it", (encoded, decoded) => {
    for (const size of [1, 5, 1000])
      expect(decode("base64", Buffer.from(encoded), size).bytes.toString()).toBe(decoded);
  });
});

describe("quoted-printable", () => {
  test.each([
    ["an escape", "a=3Db =c3=A4", "a=b ä"],
    ["a soft line break, with blanks that were added on the way", "a=\r\nb= \t\r\nc=\nd", "abcd"],
    ["blanks at the end of a line go", "a  \r\nb\t\n c  ", "a\r\nb\n c"],
    ["an encoded blank at the end of a line stays", "a=20\r\n", "a \r\n"],
    ["what is no escape stays as it was written", "50 =ZZ =4 x=4g a==41", "50 =ZZ =4 x=4g a=A"],
    ["a CR that ends no line stays", "a \rb", "a \rb"],
    ["a last equals sign is a soft line break", "a=", "a"],
    ["a cut escape stays", "a=4", "a=4"],
  ])("%s: %j", (_, encoded, decoded) => {
    for (const size of [1, 2, 1000]) {
      expect(decode("quoted-printable", Buffer.from(encoded), size).bytes.toString()).toBe(decoded);
    }
  });

  test("gives back any bytes that were encoded, however they are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (raw, size) => {
        const encoded = [...raw].map(
          (byte, index) => `=${byte.toString(16).padStart(2, "0").toUpperCase()}${index % 20 === 19 ? "=\r\n" : ""}`,
        );
        expect(decode("quoted-printable", Buffer.from(encoded.join("")), size).bytes).toEqual(Buffer.from(raw));
      }),
    );
  });
});

describe("uuencode", () => {
  test("gives back any bytes, as a transfer encoding and as a block in a text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 70 }), (raw, size) => {
        const encoded = uuencoded("d.bin", raw);
        expect(decode("uuencode", Buffer.from(encoded.replaceAll("\n", "\r\n")), size).bytes).toEqual(Buffer.from(raw));
        const found = withoutUuBlocks(`before\n${encoded}after\n`);
        expect(found.text).toBe("before\nafter\n");
        expect(found.files).toEqual([{ name: "d.bin", bytes: Buffer.from(raw) }]);
      }),
    );
  });

  test("text around the block, as a transfer encoding, is left out", () => {
    expect(text("uuencode", `see below\n${uuencoded("d.txt", Buffer.from("hello"))}`)).toBe("hello");
  });

  test("blanks that a relay cut off at the end of a line were zeroes", () => {
    const cut = uuencoded("z", Buffer.alloc(12)).replaceAll("`", " ").replace(/ +$/gm, "");
    expect(withoutUuBlocks(cut).files[0]?.bytes).toEqual(Buffer.alloc(12));
  });

  test.each([
    ["prose that begins so", "begin 644 men to work\non the wall\nend\n"],
    ["a block without an end", uuencoded("d", Buffer.from("hello")).replace("end\n", "")],
    ["a block with a line that is none", uuencoded("d", Buffer.from("hello")).replace("`\nend", "hello there\n`\nend")],
    ["a block within a line", `x ${uuencoded("d", Buffer.from("hello"))}`],
  ])("%s stays text", (_, prose) => {
    expect(withoutUuBlocks(prose)).toEqual({ text: prose, files: [] });
  });
});

describe("format=flowed", () => {
  test.each([
    ["a paragraph is one line", "one \ntwo \nthree\nfour\n", false, "one two three\nfour\n"],
    ["delsp takes the space", "Ver \nbin \nden\n", true, "Verbinden\n"],
    ["a stuffed space goes", " From here\n >not a quote\n", false, "From here\n>not a quote\n"],
    ["a quote flows by itself", "> one \n> two\n>> deep \n> out\n", false, "> one two\n>> deep \n> out\n"],
    [
      "a signature line ends what flows, and does not flow",
      "text \n-- \nAna \nLisbon\n",
      false,
      "text \n-- \nAna Lisbon\n",
    ],
    ["a quoted signature line neither", "> -- \n> Ana\n", false, "> -- \n> Ana\n"],
    ["a flowing last line is kept", "one \ntwo ", false, "one two "],
    ["nothing is nothing", "", false, ""],
  ])("%s", (_, flowed, delSp, plain) => {
    expect(unflowed(flowed, delSp)).toBe(plain);
  });
});
