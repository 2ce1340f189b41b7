/** CPU time by thread and process, in microseconds, from /proc: what a bench may compare on a machine that has other work too. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second for user space. */
const usPerTick = 10_000;

/** Of each thread of a process by the thread's name, those of one name together. Empty where the system has no /proc. */
export function threadCpu(pid: number): Map<string, number> {
  const used = new Map<string, number>();
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const name = Number(tid) === pid ? "main" : stat.slice(stat.indexOf("(") + 1, end);
      const fields = stat.slice(end + 2).split(" ");
      // utime and stime: fields 14 and 15 of proc(5), counted from 1.
      used.set(name, (used.get(name) ?? 0) + (Number(fields[11]) + Number(fields[12])) * usPerTick);
    }
  } catch {
    // A thread, or the process, that has just ended; or no /proc.
  }
  return used;
}

export const processCpu = (pid: number): number => [...threadCpu(pid).values()].reduce((sum, us) => sum + us, 0);

/** The processes that a process started and that still run. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Busy and idle time of all processors since the start, in microseconds; zeros where the system has no /proc. */
export function machineCpu(): { readonly busy: number; readonly idle: number } {
  try {
    const ticks = /^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]?.split(" ").map(Number) ?? [];
    const sum = (of: readonly number[]): number => of.reduce((all, one) => all + one, 0) * usPerTick;
    // user nice system idle iowait irq softirq steal (proc(5)); guests are counted in the first two.
    return { busy: sum([...ticks.slice(0, 3), ...ticks.slice(5, 8)]), idle: sum(ticks.slice(3, 5)) };
  } catch {
    return { busy: 0, idle: 0 };
  }
}
