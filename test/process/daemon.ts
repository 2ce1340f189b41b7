/** Runs the real daemon in a process of its own, the way an operator does, and can kill it at any moment. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";

export const bin = fileURLToPath(new URL("../../bin/mailwright.ts", import.meta.url));

export interface Home {
  readonly dir: string;
  readonly config: string;
  readonly dataDir: string;
  remove(): Promise<void>;
}

/** A folder with a configuration file. `destinations` are the tenant's; the rest has small, test-like defaults. */
export async function makeHome(
  destinations: readonly Record<string, unknown>[],
  more: Record<string, unknown> = {},
): Promise<Home> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-home-"));
  const config = join(dir, "mailwright.yaml");
  const settings = {
    data_dir: "./data",
    smtp: {
      host: "127.0.0.1",
      port: 0,
      name: "mx.test",
      limits: { connections_per_ip: 0, connection_rate_per_minute: 0 },
    },
    http: { host: "127.0.0.1", port: 0 },
    dns: { verify: false },
    limits: { disk_reserve_bytes: 0, disk_reserve_percent: 0 },
    retry: { first_delay: "200ms" },
    tenants: [{ id: "acme", recipients: ["*@in.test"], destinations }],
    ...more,
  };
  await writeFile(config, stringify(settings));
  return { dir, config, dataDir: join(dir, "data"), remove: () => rm(dir, { recursive: true, force: true }) };
}

export interface RunningDaemon {
  readonly process: ChildProcess;
  readonly smtpPort: number;
  readonly httpPort: number;
  /** Every line it logged, parsed. */
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves when it has parsers too, which it does not wait for before it takes mail; or when it has ended. */
  readonly parsing: Promise<void>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Runs node under this: `["prlimit", "--fsize=3000000"]`. */
  readonly under?: readonly string[];
}

/** Resolves once SMTP and HTTP listen; rejects with what the daemon wrote when it ends before. */
export async function startDaemon(home: Home, { env = {}, under = [] }: StartOptions = {}): Promise<RunningDaemon> {
  const command = [...under, process.execPath, bin, "run", "--config", home.config];
  const child = spawn(command[0] ?? process.execPath, command.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    // A wrapper such as strace does not die for the daemon it runs: its whole group is signalled then.
    detached: under.length > 0,
  });
  const signalled = (signal: NodeJS.Signals): void => {
    if (under.length > 0 && child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    else child.kill(signal);
  };
  const leaveNothing = () => signalled("SIGKILL");
  process.once("exit", leaveNothing);
  child.once("exit", () => process.off("exit", leaveNothing));
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const lines: Record<string, unknown>[] = [];
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr = (stderr + chunk).slice(-10_000);
  });
  const listening = Promise.withResolvers<{ smtpPort: number; httpPort: number }>();
  const parsing = Promise.withResolvers<void>();
  let smtpPort = 0;
  let httpPort = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const parsed = parseLine(line);
    lines.push(parsed);
    if (parsed.msg === "SMTP is listening") smtpPort = Number(parsed.port);
    if (parsed.msg === "HTTP is listening") httpPort = Number(parsed.port);
    if (parsed.msg === "parsing") parsing.resolve();
    if (smtpPort > 0 && httpPort > 0) listening.resolve({ smtpPort, httpPort });
  });
  void exited.then(() => parsing.resolve());
  void exited.then((code) =>
    listening.reject(
      new Error(`the daemon ended with ${code} before it listened:\n${stderr}\n${JSON.stringify(lines.slice(-5))}`),
    ),
  );
  const ports = await listening.promise;
  return {
    process: child,
    ...ports,
    lines,
    parsing: parsing.promise,
    async kill(signal) {
      signalled(signal);
      return await exited;
    },
  };
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { raw: line };
  }
}
