/** Keeps what Node makes of the code (types stripped, compiled) for the next start, beside the packages of this installation. */
import { constants, enableCompileCache } from "node:module";
import { join } from "node:path";
import { packageFolder } from "../cli/package.ts";

/**
 * Half of a start is reading code. Written by Node when a process ends by itself, and so by the first clean stop. In `node_modules`, since whoever may write there may change the code itself; a folder that others can write to
 * would let them. Where this user may not write either, or NODE_DISABLE_COMPILE_CACHE is set, every start does all of it. NODE_COMPILE_CACHE,
 * where it is set, names another folder.
 */
export function openCodeCache(): void {
  const folder = join(packageFolder(), "node_modules", ".cache", "mailwright");
  const { status } = enableCompileCache(folder);
  // For the threads of this process.
  if (status === constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder;
}
