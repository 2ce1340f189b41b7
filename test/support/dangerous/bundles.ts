/** Archives and messages that hold something dangerous, hide it, or cannot be looked into; and files that are two at once. */
import { gzipSync } from "node:zlib";
import * as made from "./bytes.ts";
import { type Dangerous, quarantined, sample } from "./rows.ts";
import * as sealedFile from "./sealed.ts";
import { overlappingZip, tar, type ZipFile, zip } from "./zip.ts";

const zipType = "application/zip";
const note: ZipFile = { name: "note.txt", bytes: made.letter };
const good = sample("files.zip", zip([note, { name: "photo.jpg", bytes: made.jpeg }]), zipType);

export const bundles = (): Dangerous[] => [
  ...holding(),
  ...nested(),
  ...hiding(),
  ...bombs(),
  ...closed(),
  ...twoAtOnce(),
];

const inZip = (what: string, code: string, files: readonly ZipFile[], twin = good): Dangerous =>
  quarantined(what, code, sample("files.zip", zip(files), zipType), twin);

function holding(): Dangerous[] {
  return [
    inZip("EICAR in a zip", "archive_executable", [note, { name: "eicar.txt", bytes: made.eicar }]),
    inZip("a program in a zip by its name", "archive_executable", [{ name: "a/setup.exe", bytes: made.letter }]),
    inZip("a program in a zip by its content", "archive_executable", [{ name: "a/photo.jpg", bytes: made.pe() }]),
    inZip("a script in a zip", "archive_executable", [{ name: "run.js", bytes: made.letter }]),
    inZip("a program stored in a zip as it is", "archive_executable", [
      { name: "readme", bytes: made.elf, stored: true },
    ]),
    inZip("a name in a zip that leads away", "archive_path", [{ name: "../../.bashrc", bytes: made.letter }]),
    inZip("a name in a zip from the root", "archive_path", [{ name: "/etc/passwd", bytes: made.letter }]),
    inZip("a name in a zip that is turned around", "archive_name_direction", [
      { name: "a\u202Efdp.doc", bytes: made.letter },
    ]),
    quarantined(
      "a program in a gzip",
      "archive_executable",
      sample("tool.gz", gzipSync(made.elf)),
      sample("note.gz", gzipSync(made.letter)),
    ),
    quarantined(
      "a program in a tar",
      "archive_executable",
      sample("a.tar", tar([{ name: "x", bytes: made.pe() }])),
      sample("a.tar", tar([{ name: "x.txt", bytes: made.letter }])),
    ),
    quarantined(
      "a program in a tar in a gzip",
      "archive_executable",
      sample("a.tgz", gzipSync(tar([{ name: "setup.exe", bytes: made.pe() }]))),
      sample("a.tgz", gzipSync(tar([{ name: "x.txt", bytes: made.letter }]))),
    ),
    quarantined(
      "a program in a letter in a letter",
      "archive_executable",
      sample("fwd.eml", made.mail("setup.exe", made.pe()), "message/rfc822"),
      sample("fwd.eml", made.mail("note.txt", made.letter), "message/rfc822"),
    ),
    quarantined(
      "EICAR in a zip in a letter",
      "archive_executable",
      sample("fwd.eml", made.mail("a.zip", zip([{ name: "e", bytes: made.eicar }])), "message/rfc822"),
      sample("fwd.eml", made.mail("a.zip", zip([note])), "message/rfc822"),
    ),
  ];
}

/** `levels` zips around one file. */
function within(bytes: Uint8Array, name: string, levels: number): Buffer {
  let inner = zip([{ name, bytes }]);
  for (let level = 1; level < levels; level++) inner = zip([{ name: "inner.zip", bytes: inner }]);
  return inner;
}

function nested(): Dangerous[] {
  const twin = sample("files.zip", within(made.letter, "note.txt", 3), zipType);
  return [
    quarantined(
      "EICAR 30 zips deep",
      "archive_too_deep",
      sample("files.zip", within(made.eicar, "eicar.com", 30), zipType),
      twin,
    ),
    quarantined(
      "EICAR three zips deep",
      "archive_executable",
      sample("files.zip", within(made.eicar, "e", 3), zipType),
      twin,
    ),
    quarantined(
      "a letter four zips deep",
      "archive_too_deep",
      sample("files.zip", within(made.letter, "note.txt", 4), zipType),
      twin,
    ),
    quarantined(
      "a macro document in a zip",
      "macros",
      sample("files.zip", within(made.ooxml({ "word/vbaProject.bin": "x" }), "a.docm", 1), zipType),
      sample("files.zip", within(made.ooxml(), "a.docx", 1), zipType),
    ),
  ];
}

/** One entry, which each list calls by its own name: the first in the record of long numbers, the last in that of short ones. */
function twoLists(names: readonly [string, ...string[]]): Buffer {
  const listOf = (name: string): Buffer => {
    const whole = zip([{ ...note, says: { name } }]);
    return whole.subarray(whole.readUInt32LE(whole.length - 6), whole.length - 22);
  };
  const whole = zip([{ ...note, name: names[0] }]);
  const local = whole.subarray(0, whole.readUInt32LE(whole.length - 6));
  const lists = [...names].reverse().map(listOf);
  const [last = Buffer.alloc(0)] = lists;
  const own = lists.at(-1) ?? last;
  const body = Buffer.concat([local, ...lists]);
  const long = Buffer.alloc(56 + 20);
  long.writeUInt32LE(0x06064b50, 0);
  long.writeBigUInt64LE(44n, 4);
  for (const at of [24, 32]) long.writeBigUInt64LE(1n, at);
  long.writeBigUInt64LE(BigInt(own.length), 40);
  long.writeBigUInt64LE(BigInt(body.length - own.length), 48);
  long.writeUInt32LE(0x07064b50, 56);
  long.writeBigUInt64LE(BigInt(body.length), 64);
  const end = Buffer.from(whole.subarray(whole.length - 22));
  end.writeUInt32LE(last.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([body, long, end]);
}

function hiding(): Dangerous[] {
  const plain = zip([note]);
  const other = zip([{ name: "evil.exe", bytes: made.pe() }]);
  // The first archive's list is of no account to a reader that looks from the end; to one that looks from the start the second's is.
  const two = Buffer.concat([other, plain]);
  // Between what is listed and the list stands an entry that is in no list.
  const directoryAt = plain.readUInt32LE(plain.length - 6);
  const hidden = other.subarray(0, other.readUInt32LE(other.length - 6));
  const end = Buffer.from(plain.subarray(directoryAt));
  end.writeUInt32LE(directoryAt + hidden.length, end.length - 6);
  const unlisted = Buffer.concat([plain.subarray(0, directoryAt), hidden, end]);
  // A reader that takes the last end there is finds the second archive, which is the comment of the first.
  const second = Buffer.from(other);
  const first = Buffer.from(plain);
  const otherAt = second.readUInt32LE(second.length - 6);
  second.writeUInt32LE(otherAt + first.length, second.length - 6);
  second.writeUInt32LE(first.length, otherAt + 42);
  // Says that it has a comment, and has none: it is no end to whoever counts.
  second.writeUInt16LE(5, second.length - 2);
  first.writeUInt16LE(second.length, first.length - 2);
  const commented = Buffer.concat([first, second]);
  const alias = Buffer.concat([Buffer.from([0x75, 0x70, 13, 0, 1, 0, 0, 0, 0]), Buffer.from("evil.exe")]);
  return [
    quarantined("two zips one behind the other", "archive_damaged", sample("files.zip", two, zipType), good),
    quarantined("a zip as the comment of another", "archive_damaged", sample("files.zip", commented, zipType), good),
    quarantined(
      "a zip with one list for readers of long numbers and one for others",
      "archive_damaged",
      sample("files.zip", twoLists(["note.txt", "run.jse"]), zipType),
      sample("files.zip", twoLists(["note.txt"]), zipType),
    ),
    quarantined("an entry that is in no list", "archive_damaged", sample("files.zip", unlisted, zipType), good),
    inZip("an entry with two names", "archive_damaged", [
      { name: "evil.exe", bytes: made.letter, says: { name: "note.txt" } },
    ]),
    inZip("an entry with another name in Unicode", "archive_executable", [{ ...note, extra: alias }]),
    inZip("an entry that is packed in another way than listed", "archive_damaged", [{ ...note, says: { method: 0 } }]),
    quarantined(
      "a zip that is cut off",
      "archive_damaged",
      sample("files.zip", plain.subarray(0, plain.length - 30), zipType),
      good,
    ),
  ];
}

function bombs(): Dangerous[] {
  const zeroes = Buffer.alloc(24 * 1024 * 1024);
  const some = sample("zeroes.zip", zip([{ name: "zeroes", bytes: zeroes.subarray(0, 1024 * 1024) }]), zipType);
  const many = (count: number): Buffer =>
    zip(Array.from({ length: count }, (_, at) => ({ name: `${at}.txt`, stored: true })));
  return [
    inZip("a bomb by its own words", "archive_bomb", [{ name: "zeroes", bytes: zeroes }], some),
    inZip(
      "a bomb that lies about its size",
      "archive_bomb",
      [{ name: "zeroes", bytes: zeroes, says: { size: 1000 } }],
      some,
    ),
    quarantined(
      "a bomb in a gzip",
      "archive_bomb",
      sample("zeroes.gz", gzipSync(zeroes)),
      sample("zeroes.gz", gzipSync(zeroes.subarray(0, 1024 * 1024))),
    ),
    quarantined(
      "entries that share their bytes",
      "archive_bomb",
      sample("files.zip", overlappingZip(500), zipType),
      sample("files.zip", overlappingZip(1), zipType),
    ),
    quarantined(
      "more entries than are looked at",
      "archive_too_many",
      sample("files.zip", many(10_001), zipType),
      sample("files.zip", many(50), zipType),
    ),
  ];
}

function closed(): Dangerous[] {
  const opaque = (what: string, magic: string, name: string): Dangerous =>
    quarantined(
      what,
      "archive_unlisted",
      sample(name, Buffer.concat([Buffer.from(magic, "hex"), Buffer.alloc(64)])),
      good,
    );
  const sealed = (what: string, name: string, bytes: Buffer, twin: Buffer): Dangerous =>
    quarantined(what, "encrypted_file", sample(name, bytes), sample(name.replace(/\.(?:pdf\.)?gpg$/, ".sig"), twin));
  return [
    inZip("a zip with a password", "encrypted_archive", [{ name: "note.txt", bytes: made.letter, encrypted: true }]),
    inZip("EICAR in a zip with a password", "encrypted_archive", [{ name: "e", bytes: made.eicar, encrypted: true }]),
    sealed("a file for a PGP key", "offer.pdf.gpg", sealedFile.pgpToKey, sealedFile.pgpSignature),
    sealed("a file with a PGP password, under another name", "offer.dat", sealedFile.pgpPassword, sealedFile.pgpKey),
    sealed("a PGP message as text", "encrypted.asc", sealedFile.pgpArmour, sealedFile.pgpKeyArmour),
    sealed("an S/MIME envelope", "smime.p7m", sealedFile.cmsEnveloped, sealedFile.cmsCertificates),
    sealed("an S/MIME envelope as text", "offer.txt", sealedFile.cmsPem, made.letter),
    quarantined(
      "a mail inside its S/MIME signature",
      "archive_unlisted",
      sample("smime.p7m", sealedFile.cmsOpaque),
      sample("smime.p7s", sealedFile.cmsDetached),
    ),
    inZip("a PGP file in a zip", "encrypted_file", [{ name: "offer.pgp", bytes: sealedFile.pgpToKey }]),
    opaque("7-Zip", "377abcaf271c0004", "files.7z"),
    opaque("RAR", "526172211a070100", "files.rar"),
    opaque("CAB", "4d53434600000000", "files"),
    opaque("ACE", "000000000000002a2a4143452a2a", "files"),
    opaque("bzip2", "425a683931415926", "files.bz2"),
    opaque("xz", "fd377a585a000004", "files.xz"),
    inZip("a 7-Zip in a zip", "archive_unlisted", [{ name: "a.7z", bytes: Buffer.from("377abcaf271c0004", "hex") }]),
  ];
}

function twoAtOnce(): Dangerous[] {
  const bundle = zip([{ name: "evil.exe", bytes: made.pe() }]);
  const both = (what: string, name: string, first: Buffer, second: Uint8Array, type: string): Dangerous =>
    quarantined(what, "polyglot", sample(name, Buffer.concat([first, second]), type), sample(name, first, type));
  return [
    both("a picture with a zip behind it", "photo.gif", made.gif, bundle, "image/gif"),
    both("another picture with a zip behind it", "photo.jpg", made.jpeg, bundle, "image/jpeg"),
    both("a PDF with a zip behind it", "paper.pdf", made.pdf(), bundle, "application/pdf"),
    both("a picture with a page behind it", "photo.png", made.png, made.scriptedHtml, "image/png"),
    both("a picture that is a PDF too", "photo.jpg", made.jpeg, made.pdf(), "image/jpeg"),
    quarantined(
      "a picture that is a script too",
      "polyglot",
      sample(
        "photo.gif",
        Buffer.concat([Buffer.from("GIF89a/*"), Buffer.alloc(40), Buffer.from("*/=1;alert(1)")]),
        "image/gif",
      ),
      sample("photo.gif", made.gif, "image/gif"),
    ),
    quarantined(
      "a page that is a PDF too",
      "polyglot",
      sample("paper.pdf", Buffer.concat([Buffer.from("<html><script>x</script>\n"), made.pdf()]), "application/pdf"),
      sample("paper.pdf", Buffer.concat([Buffer.from("\r\n"), made.pdf()]), "application/pdf"),
    ),
  ];
}
