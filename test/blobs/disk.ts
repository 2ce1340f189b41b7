/** A folder for a test, and the failing disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export { type Call, FailingDisk } from "./failing.ts";

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "mailwright-blobs-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}
