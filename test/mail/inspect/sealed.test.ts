/** What is encrypted is told by its content, by its place in a message, or by a name that only such files have; keys and signatures are not. */
import { describe, expect, test } from "vitest";
import { extract } from "../../../src/mail/extract.ts";
import { contentOf } from "../../../src/mail/inspect/contents.ts";
import { type InspectedFile, inspector } from "../../../src/mail/inspect.ts";
import { parse } from "../../../src/mail/parse.ts";
import type { ExtractedFile } from "../../../src/model/checking.ts";
import * as sealed from "../../support/dangerous/sealed.ts";

async function codes(bytes: Buffer, file: Partial<InspectedFile> = {}): Promise<string[]> {
  const look = inspector();
  look.push(Buffer.from(bytes));
  const { findings } = await look.end({ name: "offer.dat", type: "application/octet-stream", ...file });
  return findings.map(({ code, detail }) => `${code}: ${detail}`);
}

describe("a file, whatever it is called,", () => {
  test.each([
    ["for a PGP key", sealed.pgpToKey, "OpenPGP"],
    ["with a PGP password", sealed.pgpPassword, "OpenPGP"],
    ["in PGP's armour", sealed.pgpArmour, "OpenPGP"],
    ["in an S/MIME envelope", sealed.cmsEnveloped, "S/MIME"],
    ["in an S/MIME envelope of unknown length", sealed.cmsEnvelopedBer, "S/MIME"],
    ["in an authenticated S/MIME envelope as text", sealed.cmsPem, "S/MIME"],
    ["encrypted by OpenSSL", Buffer.from("Salted__\x01\x02\x03\x04\x05\x06\x07\x08"), "OpenSSL"],
    ["encrypted by age", Buffer.from("age-encryption.org/v1\n-> X25519 abc\n"), "age"],
  ])("%s is encrypted", async (_what, bytes, by) => {
    expect(await codes(bytes)).toEqual([`encrypted_file: ${by}`]);
  });

  test.each([
    ["that is a PGP key", sealed.pgpKey],
    ["that is a PGP key as text", sealed.pgpKeyArmour],
    ["that is a PGP signature", sealed.pgpSignature],
    ["that is an S/MIME signature beside its text", sealed.cmsDetached],
    ["that is a certificate", sealed.cmsCertificates],
    ["that speaks of PGP", Buffer.from("It begins with -----BEGIN PGP MESSAGE----- and so on.")],
    ["that is nearly nothing", Buffer.from([0x85])],
    ["that begins as an envelope and breaks off", sealed.cmsEnveloped.subarray(0, 8)],
  ])("%s is not", async (_what, bytes) => {
    expect(await codes(bytes)).toEqual([]);
  });

  test.each([
    ["of known length", sealed.cmsOpaque],
    ["of unknown length", sealed.cmsOpaqueBer],
  ])("with its content inside a signature %s cannot be listed", async (_what, bytes) => {
    expect(await codes(bytes)).toEqual(["archive_unlisted: S/MIME, signed"]);
  });
});

test("no length in a beginning leads out of it", () => {
  for (const whole of [sealed.cmsOpaque, sealed.cmsDetached, sealed.cmsEnvelopedBer, sealed.pgpToKey]) {
    for (let at = 0; at < whole.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0x84, 0xff]) {
        const bent = Buffer.from(whole);
        bent[at] = byte;
        expect(() => contentOf(bent)).not.toThrow();
      }
      expect(() => contentOf(whole.subarray(0, at))).not.toThrow();
    }
  }
});

test("a name that only encrypted files have is believed, unless it is a key or a signature", async () => {
  const signedAndPacked = sealed.pgpSigned;
  expect(await codes(signedAndPacked, { name: "offer.pdf.gpg" })).toEqual(["encrypted_file: by its name"]);
  expect(await codes(signedAndPacked, { name: "offer.dat" })).toEqual([]);
  expect(await codes(sealed.pgpKey, { name: "ada.gpg" })).toEqual([]);
  expect(await codes(sealed.pgpSignature, { name: "offer.pgp" })).toEqual([]);
  expect(await codes(sealed.pgpKeyArmour, { name: "ada.pgp" })).toEqual([]);
});

/** RFC 3156 §4, with a second part that shows nothing of what it is. */
const encryptedMail = (type: string, body: string): Buffer =>
  Buffer.from(
    [
      "From: Ada <ada@customer.test>",
      "To: deals@in.test",
      "Message-ID: <pgp@customer.test>",
      "Subject: closed",
      "MIME-Version: 1.0",
      `Content-Type: ${type}; boundary="b"${type === "multipart/encrypted" ? '; protocol="application/pgp-encrypted"' : ""}`,
      "",
      "--b",
      "Content-Type: application/pgp-encrypted",
      "Content-Disposition: attachment; filename=version.txt",
      "",
      "Version: 1",
      "--b",
      "Content-Type: application/octet-stream; name=encrypted.dat",
      "Content-Disposition: attachment; filename=encrypted.dat",
      "",
      body,
      "--b--",
      "",
    ].join("\r\n"),
  );

async function found(raw: Buffer): Promise<Map<string, readonly string[]>> {
  const { message } = await parse(raw);
  const files: ExtractedFile[] = [];
  const ids = message.attachments.map(({ part_id }) => part_id);
  await extract(raw, ids, {
    begin: () => undefined,
    take: () => undefined,
    end: async (file) => void files.push(file),
  });
  const nameOf = new Map(message.attachments.map(({ part_id, filename }) => [part_id, filename]));
  return new Map(
    files.map(({ partId, inspection }) => [nameOf.get(partId) ?? "", inspection.findings.map(({ code }) => code)]),
  );
}

test("a part of an encrypted message is, whatever its bytes look like; the one that says the version is not", async () => {
  const body = "no armour at all";
  expect(await found(encryptedMail("multipart/encrypted", body))).toEqual(
    new Map([
      ["version.txt", []],
      ["encrypted.dat", ["encrypted_file"]],
    ]),
  );
  expect((await found(encryptedMail("multipart/mixed", body))).get("encrypted.dat")).toEqual([]);
});

test("a part that is declared as an S/MIME envelope is encrypted, whatever its bytes look like", async () => {
  const mail = encryptedMail("multipart/mixed", "nothing of the kind")
    .toString()
    .replace("application/octet-stream; name=encrypted.dat", "application/pkcs7-mime; smime-type=enveloped-data");
  expect((await found(Buffer.from(mail))).get("encrypted.dat")).toEqual(["encrypted_file"]);
});
