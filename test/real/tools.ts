/** What the suites of test/real need of the machine, and how they say that it is not there. */
import { execFileSync } from "node:child_process";

export const isRoot = process.getuid?.() === 0;

export function hasTool(name: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** ptrace may be forbidden in a container even to root. */
export function canTrace(): boolean {
  if (!hasTool("strace")) return false;
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Mounting a tmpfs takes root and a kernel that lets us. */
export function canMount(): boolean {
  if (!isRoot) return false;
  try {
    execFileSync("sh", ["-c", "d=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs $d && umount $d && rmdir $d"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}

export function libfaketime(): string | undefined {
  try {
    const found = execFileSync(
      "sh",
      ["-c", "ls /usr/lib/*/faketime/libfaketime.so.1 /usr/lib/faketime/libfaketime.so.1 2>/dev/null | head -n 1"],
      {
        encoding: "utf8",
      },
    ).trim();
    return found === "" ? undefined : found;
  } catch {
    return undefined;
  }
}
