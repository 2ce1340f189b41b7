import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFiles } from "../../src/blobs/index.ts";
import { blobsContract } from "./contract.ts";
import { type Call, FailingDisk, folder } from "./disk.ts";
import { collected } from "./streams.ts";

blobsContract("a local directory", async () => await openFiles(folder()));

const some = () => ReadableStream.from([Buffer.from("some "), Buffer.from("bytes")]);
const mode = (path: string) => statSync(path).mode & 0o777;

describe("blobs as local files", () => {
  test("lie at the path of their key, readable by their owner alone", async () => {
    const dir = join(folder(), "blobs");
    const blobs = await openFiles(dir);
    await blobs.put("raw/ab/cd/one", some());
    expect(mode(join(dir, "raw/ab/cd/one"))).toBe(0o600);
    for (const path of ["", "raw", "raw/ab", "raw/ab/cd"]) expect(mode(join(dir, path))).toBe(0o700);
  });

  test("are on disk with every folder above them when put resolves", async () => {
    const failing = new FailingDisk();
    const blobs = await openFiles(folder(), { disk: failing.disk });
    failing.mend();
    await blobs.put("raw/ab/one", some());
    const steps = failing.calls.filter((call) => call !== "write");
    const folders: Call[] = ["mkdir", "syncDirectory", "mkdir", "syncDirectory"];
    expect(steps).toEqual(["open", ...folders, "sync", "close", "rename", "syncDirectory"]);
    failing.mend();
    await blobs.put("raw/ab/two", some());
    expect(failing.calls.filter((call) => call !== "write")).toEqual([
      "open",
      "sync",
      "close",
      "rename",
      "syncDirectory",
    ]);
  });

  test("sync the folders above on first use, also where another process made them", async () => {
    const dir = folder();
    await (await openFiles(dir)).put("raw/ab/one", some());
    const failing = new FailingDisk();
    const blobs = await openFiles(dir, { disk: failing.disk });
    failing.mend();
    await blobs.put("raw/ab/two", some());
    expect(failing.calls.filter((call) => call === "syncDirectory")).toHaveLength(3);
  });

  const faults = (["open", "write", "sync", "close", "rename", "syncDirectory", "mkdir"] as const).flatMap((call) =>
    (["ENOSPC", "EIO"] as const).map((code): [Call, "ENOSPC" | "EIO"] => [call, code]),
  );
  test.each(faults)("reject when %s fails with %s, leave no draft, and can be put again", async (call, code) => {
    const dir = folder();
    const failing = new FailingDisk();
    const blobs = await openFiles(dir, { disk: failing.disk });
    failing.failAt(call, code);
    await expect(blobs.put("raw/one", some())).rejects.toMatchObject({ code });
    expect(readdirSync(join(dir, ".drafts"))).toEqual([]);
    failing.mend();
    await blobs.put("raw/one", some());
    const found = await blobs.get("raw/one");
    expect((await collected(found ?? new ReadableStream())).toString()).toBe("some bytes");
  });

  test("are found again after somebody removed a folder under a running process", async () => {
    const dir = folder();
    const blobs = await openFiles(dir);
    await blobs.put("raw/ab/one", some());
    rmSync(join(dir, "raw"), { recursive: true });
    await expect(blobs.put("raw/ab/two", some())).rejects.toMatchObject({ code: "ENOENT" });
    await blobs.put("raw/ab/two", some());
    expect(existsSync(join(dir, "raw/ab/two"))).toBe(true);
  });

  test("have drafts that no key can name, and that a sweep takes when they are old", async () => {
    const dir = folder();
    const blobs = await openFiles(dir);
    for (const name of ["old", "young"]) writeFileSync(join(dir, ".drafts", name), "x");
    utimesSync(join(dir, ".drafts", "old"), 1_000, 1_000);
    utimesSync(join(dir, ".drafts", "young"), 3_000, 3_000);
    const keys: string[] = [];
    for await (const { key } of blobs.list("")) keys.push(key);
    expect(keys).toEqual([]);
    expect(await blobs.sweepDrafts(2_000_000)).toBe(1);
    expect(readdirSync(join(dir, ".drafts"))).toEqual(["young"]);
  });
});
