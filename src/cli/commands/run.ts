/** `mailwright run`: the daemon, until a signal ends it. */
import { Command } from "commander";
import {
  type Daemon,
  type Ground,
  hideSecrets,
  openGround,
  openSettingsLog,
  startDaemon,
  stopGraceMs,
} from "../../main.ts";
import type { Log } from "../../model/ports.ts";
import { reresolve, type Settings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { sentenceOf } from "../exit.ts";

export function run(cli: Cli): Command {
  return new Command("run")
    .description(
      "Run the daemon: take mail, work the ledger, answer health checks. Logs JSON lines to standard output.",
    )
    .addHelpText(
      "after",
      "\nSIGTERM and SIGINT drain for at most 10 s (a second one ends at once); SIGHUP reads certificates, secrets and mapping files again.",
    )
    .action(() => runDaemon(cli));
}

interface Running {
  readonly daemon: Daemon;
  readonly metrics: Ground["metrics"];
}

/** What is left of the ten seconds for closing the ledger after the daemon has stopped. */
const closeMs = 1_000;

async function runDaemon(cli: Cli): Promise<void> {
  const settings = cli.settings();
  const log = openSettingsLog(settings, secretsOf(settings));
  cli.onUncaught((error) => {
    log.error(
      { err: error instanceof Error ? error : new Error(String(error)) },
      "defect: nobody caught this error, so the daemon ends; what was acknowledged is in the ledger",
    );
    cli.exit(1);
  });
  const stopping = listenForStop(cli, log);
  // From the beginning: SIGHUP without a listener would end the process. One that comes early is answered once the daemon is up.
  const started = Promise.withResolvers<Running>();
  listenForReload(cli, started.promise, settings, log);
  const ground = await openGround(settings, { thread: "worker", log, exclusive: true });
  try {
    const daemon = await startDaemon(ground);
    started.resolve({ daemon, metrics: ground.metrics });
    await stopping;
    await Promise.race([endDaemon(daemon, ground), cli.clock.sleep(stopGraceMs)]);
    log.info({}, "stopped");
  } catch (error) {
    await ground.close();
    throw error;
  }
}

async function endDaemon(daemon: Daemon, ground: Ground): Promise<void> {
  await daemon.stop(stopGraceMs - closeMs);
  await ground.close();
}

/** Resolves at the first signal; the second ends the process, and the ledger takes that as it takes any crash. */
function listenForStop(cli: Cli, log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let heard = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    cli.onSignal(signal, () => {
      heard++;
      if (heard > 1) cli.exit(1);
      log.info({ signal }, "stopping: what is in flight is written down, the rest stays in the ledger");
      resolve();
    });
  }
  return promise;
}

function listenForReload(cli: Cli, started: Promise<Running>, first: Settings, log: Log): void {
  let running = first;
  let turn: Promise<unknown> = started;
  cli.onSignal("SIGHUP", () => {
    turn = turn.then(async () => {
      const { daemon, metrics } = await started;
      try {
        const { settings, rotated, remapped, needRestart } = reresolve(running, cli.settingsEnv);
        hideSecrets(secretsOf(settings));
        if (needRestart.length > 0) {
          log.warn(
            { keys: needRestart.join(", ") },
            "the configuration has changed; these keys are taken at a restart",
          );
        }
        await daemon.reload(settings, remapped);
        running = settings;
        log.info({ rotated: rotated.join(", "), mapping: remapped.join(", ") }, "reloaded");
        metrics.count("reload_total", { outcome: "done" });
      } catch (error) {
        log.error({ reason: sentenceOf(error) }, "the reload was refused; everything stays as it was");
        metrics.count("reload_total", { outcome: "refused" });
      }
    });
  });
}
