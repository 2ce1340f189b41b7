/** A folder for one test's files, gone afterwards. In memory where the system offers that: these tests are about logic, not about the disk. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export interface Folder {
  readonly path: string;
  file(name: string): string;
  remove(): void;
}

export function makeFolder(): Folder {
  const path = mkdtempSync(join(base, "mailwright-store-"));
  return { path, file: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Removed when the test that asks for it ends. */
export function testFolder(): Folder {
  const folder = makeFolder();
  onTestFinished(() => folder.remove());
  return folder;
}
