/** docs/encryption.md must be enough to write a decryptor from: this one follows the page and shares no code with the program. */
import { execFileSync, spawnSync } from "node:child_process";
import { createDecipheriv, createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openKeyRing } from "../../src/blobs/index.ts";
import { patterned } from "./streams.ts";

const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
const page = readFileSync(new URL("../../docs/encryption.md", import.meta.url), "utf8");

function decrypted(secret: Buffer, nonce: Buffer, sealed: Buffer, bound?: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", secret, nonce, { authTagLength: 16 });
  if (bound !== undefined) decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

test("the table of the page reads a sealed value of three chunks", () => {
  const plain = patterned(140_000);
  const sealed = Buffer.from(openKeyRing({ key }).seal(plain, "raw 42"));
  expect(sealed.toString("latin1", 0, 8)).toBe("MWSEAL\x00\x01");
  const id = createHash("sha256").update("mailwright master key id\0").update(key).digest().subarray(0, 8);
  expect(sealed.subarray(8, 16).equals(id)).toBe(true);
  const dataKey = decrypted(key, sealed.subarray(16, 28), sealed.subarray(28, 76), sealed.subarray(0, 16));

  const parts: Buffer[] = [];
  for (let at = 76, index = 0; at < sealed.length; at += 65_552, index += 1) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = at + 65_552 >= sealed.length ? 1 : 0;
    parts.push(decrypted(dataKey, nonce, sealed.subarray(at, at + 65_552)));
  }
  expect(parts).toHaveLength(3);
  const whole = Buffer.concat(parts);
  const labelEnd = 2 + whole.readUInt16BE(0);
  expect(whole.toString("utf8", 2, labelEnd)).toBe("raw 42");
  expect(whole.subarray(labelEnd).equals(plain)).toBe(true);
});

const python = spawnSync("python3", ["-c", "import cryptography"]).status === 0;

test.skipIf(!python)("the Python program of the page opens a sealed file, and refuses one that was cut", () => {
  const [, program] = /```python\n([\s\S]*?)```/.exec(page) ?? [];
  if (program === undefined) throw new Error("docs/encryption.md has no Python program");
  const dir = mkdtempSync(join(tmpdir(), "mailwright-encryption-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const files = { program: join(dir, "unseal.py"), key: join(dir, "master.key"), sealed: join(dir, "sealed") };
  const plain = patterned(140_000);
  const sealed = openKeyRing({ key }).seal(plain, "raw 42");
  writeFileSync(files.program, program);
  writeFileSync(files.key, `${key.toString("hex")}\n`);
  writeFileSync(files.sealed, sealed);
  const command = [files.program, files.key, files.sealed];
  expect(execFileSync("python3", command, { maxBuffer: 1 << 20 }).equals(plain)).toBe(true);
  writeFileSync(files.sealed, sealed.subarray(0, 76 + 2 * 65_552));
  expect(spawnSync("python3", command).status).not.toBe(0);
});
