/** Opens what a command works on, and sees to it that changed work gets done: by the daemon when one runs, else by this command. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  dataPaths,
  type Ground,
  isDaemonUp,
  lockDataFolder,
  openCommandLog,
  openGround,
  poke,
  startWorks,
  stopGraceMs,
  type Works,
} from "../main.ts";
import { type Settings, secretsOf } from "../settings/index.ts";
import type { Cli } from "./cli.ts";
import { Failed } from "./exit.ts";
import type { Worker } from "./shapes.ts";

export interface OpenOptions {
  /** `import` and the like may be the first to use a data folder; what only reads must not make one. */
  readonly create?: boolean;
  /** worker: for a command that writes for as long as it runs, so that it goes on reading while a commit is on its way to the disk. */
  readonly thread?: "calling" | "worker";
}

/** Runs `work` on the data folder of the configuration, beside a daemon if there is one. */
export async function withGround<T>(
  cli: Cli,
  work: (ground: Ground) => Promise<T>,
  { create = false, thread = "calling" }: OpenOptions = {},
): Promise<T> {
  const settings = cli.settings();
  if (!create) mustHaveLedger(settings, cli);
  const check = (await isDaemonUp(settings.data_dir)) ? "none" : "quick";
  const log = openCommandLog(settings, secretsOf(settings));
  const ground = await openGround(settings, { thread, check, log });
  try {
    return await work(ground);
  } finally {
    await ground.close();
  }
}

function mustHaveLedger(settings: Settings, cli: Cli): void {
  const { ledger } = dataPaths(settings.data_dir);
  if (existsSync(ledger)) return;
  throw new Failed(
    `there is no ledger at ${ledger}: nothing was received yet with ${cli.configFile()}, or it names another data_dir`,
  );
}

/**
 * Called after a change. A daemon is told; without one the work is done here and now, until nothing more is due. A daemon
 * that holds the folder without answering (starting, stopping, busy) finds the change by itself: `later`.
 */
export async function getItDone(cli: Cli, ground: Ground): Promise<Worker> {
  if (await poke(ground.settings.data_dir)) return "daemon";
  const lock = lockIfFree(ground.settings.data_dir);
  if (lock === undefined) {
    await cli.say("a daemon holds the data folder but did not answer; it will find the change by itself");
    return "later";
  }
  try {
    await workUntilSettled(cli, ground);
  } finally {
    lock.release();
  }
  return "command";
}

/** What only whoever works the folder may do: a daemon is told, and does it; without one it is done here. */
export async function asWorker(ground: Ground, work: () => Promise<void>): Promise<Worker> {
  if (await poke(ground.settings.data_dir)) return "daemon";
  const lock = lockIfFree(ground.settings.data_dir);
  if (lock === undefined) return "later";
  try {
    await work();
  } finally {
    lock.release();
  }
  return "command";
}

function lockIfFree(dataDir: string): ReturnType<typeof lockDataFolder> | undefined {
  try {
    return lockDataFolder(dataDir);
  } catch {
    return undefined;
  }
}

/** Whoever works the folder while something is handed out to them in portions. */
export interface Working {
  readonly by: Worker;
  /** Tells them that there is work; without a daemon, resolves when it is done as far as it can be now, or `stop` says so. */
  turn(stop: AbortSignal): Promise<void>;
}

/** A daemon that starts, stops or is busy holds the folder without answering: after that long it is said to hang. */
const silentMs = 30_000;
const askAgainMs = 250;

async function daemonOrLock(dir: string): Promise<"daemon" | ReturnType<typeof lockDataFolder>> {
  for (const until = performance.now() + silentMs; ; ) {
    if (await isDaemonUp(dir)) return "daemon";
    const lock = lockIfFree(dir);
    if (lock !== undefined) return lock;
    if (performance.now() > until) throw new Failed(`a daemon holds ${dir} but did not answer; try again`);
    await sleep(askAgainMs);
  }
}

export async function whileWorking<T>(ground: Ground, work: (working: Working) => Promise<T>): Promise<T> {
  const dir = ground.settings.data_dir;
  const lock = await daemonOrLock(dir);
  if (lock === "daemon") return await work({ by: "daemon", turn: async () => void (await poke(dir)) });
  try {
    const works = await startWorks(ground);
    try {
      return await work({
        by: "command",
        async turn(stop) {
          works.road.wake();
          const stopped = new Promise<void>((resolve) =>
            stop.addEventListener("abort", () => resolve(), { once: true }),
          );
          if (!stop.aborted) await Promise.race([works.road.settled(), stopped]);
        },
      });
    } finally {
      await stopWorks(works);
    }
  } finally {
    lock.release();
  }
}

/** Needs the folder's lock. */
async function workUntilSettled(cli: Cli, ground: Ground): Promise<void> {
  const works = await startWorks(ground);
  const progress = new AbortController();
  const shown = cli.stderr.isTerminal ? showProgress(cli, ground, progress.signal) : Promise.resolve();
  try {
    works.road.wake();
    await works.road.settled();
  } finally {
    progress.abort();
    await shown;
    await stopWorks(works);
  }
}

const stopWorks = (works: Works): Promise<void> => works.stop(stopGraceMs);

async function showProgress(cli: Cli, { ledger, clock }: Ground, ended: AbortSignal): Promise<void> {
  let wrote = false;
  for (;;) {
    await clock.sleep(300, ended);
    if (ended.aborted) break;
    const { backlog } = await ledger.stats(clock.now());
    await cli.stderr.write(`\r\u001b[Kworking: ${backlog} waiting`);
    wrote = true;
  }
  if (wrote) await cli.stderr.write("\r\u001b[K");
}
