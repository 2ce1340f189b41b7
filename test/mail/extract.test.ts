import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extract } from "../../src/mail/extract.ts";
import { parse } from "../../src/mail/parse.ts";
import type { ExtractedFile } from "../../src/model/checking.ts";
import { elf, letter, pe } from "../support/dangerous/bytes.ts";
import { tnefOf } from "../support/tnef.ts";
import { uuencoded } from "../support/uuencode.ts";

const corpus = join(import.meta.dirname, "..", "..", "corpus");

interface Handed extends ExtractedFile {
  /** What was handed over, hashed here. */
  readonly seen: string;
}

async function extracted(raw: Uint8Array | AsyncIterable<Uint8Array>, wanted: readonly string[]): Promise<Handed[]> {
  const files: Handed[] = [];
  let open: { partId: string; hash: ReturnType<typeof createHash> } | undefined;
  await extract(raw, wanted, {
    async begin(partId) {
      expect(open).toBeUndefined();
      open = { partId, hash: createHash("sha256") };
    },
    async take(bytes) {
      // Slower than the parser.
      await new Promise((resolve) => setImmediate(resolve));
      open?.hash.update(bytes);
    },
    async end(file) {
      expect(open?.partId).toBe(file.partId);
      files.push({ ...file, seen: open?.hash.digest("hex") ?? "" });
      open = undefined;
    },
  });
  expect(open).toBeUndefined();
  return files;
}

async function* inPieces(raw: Uint8Array, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < raw.length; at += bytes) yield raw.subarray(at, at + bytes);
}

/** What parse lists, extraction gives: the same parts, bytes and hashes, whatever the pieces are that the message comes in. */
async function expectSame(raw: Uint8Array, pieceBytes: number | undefined): Promise<number> {
  const { message } = await parse(raw);
  const listed = message.attachments.map(({ part_id: partId, size, sha256 }) => ({ partId, size, sha256 }));
  const given = await extracted(
    pieceBytes === undefined ? raw : inPieces(raw, pieceBytes),
    listed.map(({ partId }) => partId),
  );
  expect(given.map(({ partId, size, sha256 }) => ({ partId, size, sha256 }))).toEqual(listed);
  for (const { sha256, seen } of given) expect(seen).toBe(sha256);
  return listed.length;
}

/** A mail with these parts, each base64 of its bytes. */
function mail(parts: readonly { readonly type: string; readonly name: string; readonly bytes: Uint8Array }[]): Buffer {
  const lines = ["From: a@example.org", "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', ""];
  lines.push("--b", "", "Hello", uuencoded("inside.txt", letter).trimEnd(), "Bye");
  for (const { type, name, bytes } of parts) {
    lines.push("--b", `Content-Type: ${type}; name="${name}"`, "Content-Transfer-Encoding: base64", "");
    lines.push(
      ...(Buffer.from(bytes)
        .toString("base64")
        .match(/.{1,76}/g) ?? [""]),
    );
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n--b--\r\n`);
}

const tnef = tnefOf({
  text: "hello",
  files: [
    { name: "A.EXE", longName: "a program.exe", data: pe(), nameLast: true },
    { name: "EMPTY.TXT", data: Buffer.alloc(0) },
    { name: "B.TXT", data: letter },
  ],
});
const octets = "application/octet-stream";

describe("extraction", () => {
  test("gives of every message in the corpus what parse lists", async () => {
    let files = 0;
    for (const name of globSync("**/*.eml", { cwd: corpus })) {
      files += await expectSame(readFileSync(join(corpus, name)), undefined);
    }
    expect(files).toBeGreaterThan(100);
  });

  test("gives the same in pieces of any size", async () => {
    const raws: Uint8Array[] = globSync("{attachments,forwards,hostile}/*.eml", { cwd: corpus }).map((name) =>
      readFileSync(join(corpus, name)),
    );
    raws.push(
      mail([
        { type: "application/ms-tnef", name: "winmail.dat", bytes: tnef },
        { type: octets, name: "x", bytes: elf },
      ]),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...raws), fc.integer({ min: 200, max: 70_000 }), async (raw, pieceBytes) => {
        await expectSame(raw, pieceBytes);
      }),
      { numRuns: 40 },
    );
  });

  test("opens winmail.dat and uuencoded text, in the order of the list, and knows what their files are called", async () => {
    const raw = mail([
      { type: octets, name: "first.bin", bytes: Buffer.from([0, 1, 2]) },
      { type: "application/ms-tnef", name: "winmail.dat", bytes: tnef },
    ]);
    const { message } = await parse(raw);
    const ids = message.attachments.map(({ part_id }) => part_id);
    expect(ids).toEqual(["2", "3/1", "3/2", "3/3", "1/1"]);
    const given = await extracted(raw, ids);
    expect(given.map(({ partId }) => partId)).toEqual(ids);
    const codes = given.find(({ partId }) => partId === "3/1")?.inspection.findings.map(({ code }) => code);
    expect(codes).toEqual(["executable_name", "executable"]);
  });

  test("hands over what is asked for and nothing else", async () => {
    const raw = mail([
      { type: octets, name: "first.bin", bytes: elf },
      { type: "application/ms-tnef", name: "winmail.dat", bytes: tnef },
    ]);
    expect((await extracted(raw, ["3/3", "9"])).map(({ partId }) => partId)).toEqual(["3/3"]);
    expect(await extracted(raw, [])).toEqual([]);
  });

  test("of several contents of one file in a winmail.dat takes the first, as parse does", async () => {
    const title = tnefOf({ files: [{ name: "A.TXT", data: letter }] });
    const other = tnefOf({ files: [{ name: "A.TXT", data: pe() }] });
    // The second file's attributes without the one that would begin it.
    const data = Buffer.from("020f800600", "hex");
    const bytes = Buffer.concat([title, other.subarray(other.indexOf(data))]);
    await expectSame(mail([{ type: "application/ms-tnef", name: "winmail.dat", bytes }]), undefined);
    const given = await extracted(mail([{ type: "application/ms-tnef", name: "winmail.dat", bytes }]), ["2/1"]);
    expect(given[0]?.size).toBe(letter.length);
  });

  test("does not reject for what the bytes are", async () => {
    const raw = mail([{ type: "application/ms-tnef", name: "winmail.dat", bytes: tnef }]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: raw.length }), fc.uint8Array({ maxLength: 40 }), async (at, noise) => {
        const mutated = Buffer.from(raw);
        mutated.set(noise.subarray(0, mutated.length - at), at);
        await expectSame(mutated, undefined);
      }),
      { numRuns: 100 },
    );
  });
});
