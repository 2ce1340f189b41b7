/** Where mail is copied to a memory stick or a share: file systems without hard links. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { command } from "./stage.ts";

const broken = vi.hoisted(() => ({ rename: false }));
vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const refused = (call: string) =>
    Object.assign(new Error(`EPERM: operation not permitted, ${call}`), { code: "EPERM" });
  return {
    ...fs,
    link: async () => {
      throw refused("link");
    },
    rename: async (from: string, to: string) => {
      if (broken.rename) throw refused("rename");
      await fs.rename(from, to);
    },
  };
});

async function inFolder(does: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "mailwright-scrub-"));
  try {
    writeFileSync(join(folder, "a.eml"), "From: ana@whitfield.example\r\n\r\nx\r\n");
    await does(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const run = (cwd: string) => command(["scrub", "a.eml", "--out", "out"], { cwd });

test("scrubbed mail is written where there are no hard links, and over nothing that is there", () =>
  inFolder(async (folder) => {
    expect(await run(folder)).toMatchObject({ code: 0 });
    const copy = readFileSync(join(folder, "out", "00001.eml"), "utf8");
    expect(copy).toMatch(/^From: .*@\w+\.example\r\n/);
    expect(await run(folder)).toMatchObject({ code: 1, err: expect.stringMatching(/is there already/) });
    expect(readFileSync(join(folder, "out", "00001.eml"), "utf8")).toBe(copy);
    expect(readdirSync(join(folder, "out"))).toEqual(["00001.eml"]);
  }));

test("a file that does not get its name leaves none behind, and stands in nobody's way", () =>
  inFolder(async (folder) => {
    broken.rename = true;
    try {
      expect(await run(folder)).toMatchObject({ code: 1, err: expect.stringMatching(/not permitted|EPERM/) });
    } finally {
      broken.rename = false;
    }
    expect(readdirSync(join(folder, "out"))).toEqual([]);
    expect(await run(folder)).toMatchObject({ code: 0 });
  }));

test("an empty file that a killed run left is written over, an empty folder or link is not", () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, "out"));
    const to = join(folder, "out", "00001.eml");
    writeFileSync(to, "");
    expect(await run(folder)).toMatchObject({ code: 0 });
    expect(readFileSync(to, "utf8")).toMatch(/^From: /);
    rmSync(to);
    writeFileSync(join(folder, "empty"), "");
    symlinkSync(join(folder, "empty"), to);
    expect(await run(folder)).toMatchObject({ code: 1, err: expect.stringMatching(/is there already/) });
    rmSync(to);
    mkdirSync(to);
    expect(await run(folder)).toMatchObject({ code: 1, err: expect.stringMatching(/is there already/) });
  }));
