/** Runs the real program with a command line, the way a shell does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { bin } from "./daemon.ts";

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  json<T = unknown>(): T;
}

export async function mailwright(
  args: readonly string[],
  { stdin = "", env = {}, cwd }: { stdin?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: "pipe",
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const [code] = (await once(child, "close")) as [number | null];
  return {
    code,
    out,
    err,
    json<T>() {
      try {
        return JSON.parse(out) as T;
      } catch {
        throw new Error(`not JSON on standard output (exit code ${code}):\n${out}\n${err}`);
      }
    },
  };
}
