/** Where mail is copied to a memory stick or a share: file systems without hard links. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { command } from "./stage.ts";

vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  link: async () => {
    throw Object.assign(new Error("EPERM: operation not permitted, link"), { code: "EPERM" });
  },
}));

test("scrubbed mail is written where there are no hard links, and over nothing that is there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mailwright-scrub-"));
  try {
    writeFileSync(join(folder, "a.eml"), "From: ana@whitfield.example\r\n\r\nx\r\n");
    const run = () => command(["scrub", "a.eml", "--out", "out"], { cwd: folder });
    expect(await run()).toMatchObject({ code: 0 });
    const copy = readFileSync(join(folder, "out", "00001.eml"), "utf8");
    expect(copy).toMatch(/^From: .*@\w+\.example\r\n/);
    expect(await run()).toMatchObject({ code: 1, err: expect.stringMatching(/is there already/) });
    expect(readFileSync(join(folder, "out", "00001.eml"), "utf8")).toBe(copy);
    expect(readdirSync(join(folder, "out"))).toEqual(["00001.eml"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
