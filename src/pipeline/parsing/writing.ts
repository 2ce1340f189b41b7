/** The right to write compiled code down, which a parser child is started with and gives up before it asks for mail. */
import { getCompileCacheDir } from "node:module";
import { dirname, join, sep } from "node:path";

/**
 * Where Node keeps compiled code for the children, if it does so for the daemon: a folder of their own, so that no child can change what the
 * daemon runs. Node keeps code only for a process that may write there. A child could give that up since some Node 24; 24.21 is the first that
 * was looked at.
 */
export function childrensCache(): string | undefined {
  const ours = getCompileCacheDir();
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (ours === undefined || (major === 24 && minor < 21)) return undefined;
  return join(dirname(ours), "parsers");
}

/** The folder need not be there yet. */
export function cacheFlags(cache: string): string[] {
  return [`--allow-fs-read=${cache}${sep}*`, `--allow-fs-write=${cache}${sep}*`];
}

/**
 * In the child, once all its code is there. Nothing that reads mail can write from then on: what is kept is Node's own doing, at the end of the
 * process. Where nothing could be written from the beginning, there is nothing to give up.
 */
export function giveUpWriting(): void {
  const cache = getCompileCacheDir();
  if (cache === undefined) return;
  // Not in the types yet.
  const permission = process.permission as typeof process.permission & { drop(scope: string): void };
  permission.drop("fs.write");
  if (permission.has("fs.write", cache)) throw new Error("a parser that can write must not read mail");
}
