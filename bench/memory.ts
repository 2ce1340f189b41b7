/** Memory of a process with all that it started, as the system accounts for it: pages that several share are counted once. */
import { readFileSync } from "node:fs";
import { childrenOf } from "./cpu.ts";

export interface Held {
  readonly daemon: number;
  readonly children: number;
}

/** Proportional set size (smaps_rollup of proc(5)), in bytes. Resident size would count what children share with their parent again for each. */
export function heldBy(pid: number): Held {
  const below = (one: number): number =>
    childrenOf(one).reduce((sum, child) => sum + proportional(child) + below(child), 0);
  return { daemon: proportional(pid), children: below(pid) };
}

/** 0 of a process that has just ended. */
function proportional(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Looks again and again; answers how much it was at most: of both together, and each for itself. */
export function watchHeld(pid: number): { readonly most: Held & { readonly all: number }; stop(): void } {
  const most = { daemon: 0, children: 0, all: 0 };
  const watch = setInterval(() => {
    const { daemon, children } = heldBy(pid);
    most.daemon = Math.max(most.daemon, daemon);
    most.children = Math.max(most.children, children);
    most.all = Math.max(most.all, daemon + children);
  }, 50);
  return { most, stop: () => clearInterval(watch) };
}
