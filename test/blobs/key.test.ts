import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { KeyRefused, loadOrCreateMasterKey } from "../../src/blobs/index.ts";
import { folder } from "./disk.ts";

const firstStart = { dataExists: false };
const known = Buffer.from("5a".repeat(32), "hex");

async function refusal(file: string, options = firstStart): Promise<string> {
  const error = await loadOrCreateMasterKey(file, options).then(
    () => new Error("it was not refused"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(KeyRefused);
  return error instanceof Error ? error.message : "";
}

describe("the master key file", () => {
  test("is made on the first start, for its owner alone, and is the same ever after", async () => {
    const dir = folder();
    const file = join(dir, "master.key");
    const key = await loadOrCreateMasterKey(file, firstStart);
    expect(key).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toBe(`${Buffer.from(key).toString("hex")}\n`);
    expect(readdirSync(dir)).toEqual(["master.key"]);
    expect(Buffer.from(await loadOrCreateMasterKey(file, { dataExists: true })).equals(key)).toBe(true);
  });

  test("holds the random bytes that were handed in, and others each time otherwise", async () => {
    const dir = folder();
    const options = { ...firstStart, random: () => known };
    expect(Buffer.from(await loadOrCreateMasterKey(join(dir, "a"), options)).equals(known)).toBe(true);
    const [b, c] = [
      await loadOrCreateMasterKey(join(dir, "b"), firstStart),
      await loadOrCreateMasterKey(join(dir, "c"), firstStart),
    ];
    expect(Buffer.from(b).equals(c)).toBe(false);
  });

  test("is one key when two start for the first time at once", async () => {
    const file = join(folder(), "master.key");
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateMasterKey(file, firstStart)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
    expect(readdirSync(join(file, ".."))).toEqual(["master.key"]);
  });

  test("is never made anew beside data that needs the old one", async () => {
    const dir = folder();
    const message = await refusal(join(dir, "master.key"), { dataExists: true });
    expect(message).toMatch(/is missing.*put the file back from its copy/);
    expect(readdirSync(dir)).toEqual([]);
  });

  test.each([0o640, 0o604, 0o660, 0o644, 0o620])("with mode %o is refused with the command to run", async (mode) => {
    const file = join(folder(), "master.key");
    writeFileSync(file, known.toString("hex"));
    chmodSync(file, mode);
    expect(await refusal(file)).toContain(`run: chmod 600 ${file}`);
    chmodSync(file, 0o600);
    expect(Buffer.from(await loadOrCreateMasterKey(file, firstStart)).equals(known)).toBe(true);
  });

  test("in a folder with blanks and quotes is named so that the command can be pasted", async () => {
    const dir = join(folder(), "it's mine");
    mkdirSync(dir);
    const file = join(dir, "master.key");
    writeFileSync(file, "x");
    chmodSync(file, 0o644);
    expect(await refusal(file)).toMatch(/chmod 600 '.*it'\\''s mine\/master\.key'$/);
  });

  test.each([
    ["nothing", ""],
    ["half a key", "5a".repeat(16)],
    ["a passphrase", "hunter2 hunter2"],
    ["another file", "x".repeat(5_000)],
  ])("with %s in it is refused, stays as it is and is not quoted", async (_, content) => {
    const file = join(folder(), "master.key");
    writeFileSync(file, content, { mode: 0o600 });
    const message = await refusal(file);
    if (content !== "") expect(message).not.toContain(content);
    expect(readFileSync(file, "utf8")).toBe(content);
  });

  test("may be written in base64 too", async () => {
    const file = join(folder(), "master.key");
    writeFileSync(file, `${known.toString("base64")}\n`, { mode: 0o400 });
    expect(Buffer.from(await loadOrCreateMasterKey(file, firstStart)).equals(known)).toBe(true);
  });

  test("cannot be a folder", async () => {
    const file = join(folder(), "master.key");
    mkdirSync(file, { mode: 0o700 });
    expect(await refusal(file)).toContain("is not a master key file");
  });
});
