/** Finds the package that this program came in: its version, its configuration and its corpus. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder with package.json above this file, whether it runs from the sources or from dist. */
export function packageFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) throw new Error(`mailwright's package.json is not above ${import.meta.dirname}`);
  }
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as { version: string };
  return version;
}
