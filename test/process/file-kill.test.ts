import { expect, test } from "vitest";
import { runFileKills } from "./file-kills.ts";

/** A kill at three kinds of writes here; `node scripts/file-kills.ts --kills 300` for all of them, in files and in a bucket. */
const points = [
  "attachment rename after#1",
  "row UPDATE content SET scan status engine after#1",
  "preview rename after#1",
];

test("killed at a write on the way of a file, the daemon leaves no file without a row, no row without its file, and serves nothing unscanned", async () => {
  const { reached, wrong, files, served } = await runFileKills({ points });
  expect({ reached, wrong }).toEqual({ reached: points, wrong: [] });
  expect(files).toBe(points.length * 7);
  expect(served).toBeGreaterThan(0);
});
