/** `mailwright recover`: a sound ledger from a damaged one, from mail kept as files, and from a backup. */
import { resolve } from "node:path";
import { Command } from "commander";
import { dataPaths, type Ground, lockDataFolder, openCommandLog, openGround } from "../../main.ts";
import { secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed } from "../exit.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import { inTheAttic, leftOver, retakeFromBackup } from "../recover/kept.ts";
import { type Retaken, retakeAll } from "../recover/retake.ts";
import { type Salvaged, salvageLedger } from "../recover/salvage.ts";
import type { Recovered } from "../shapes.ts";

interface Options {
  readonly from?: string;
  readonly json?: true;
}

export function recover(cli: Cli): Command {
  return new Command("recover")
    .description(
      "Save what can be read of a damaged ledger, and take in again mail that is kept as files. Needs the daemon stopped. The damaged file is kept.",
    )
    .option("--from <backup>", "take in what this backup has and the data folder has not")
    .addOption(jsonOption())
    .action((options: Options) => recoverAll(cli, options));
}

async function recoverAll(cli: Cli, { from, json }: Options): Promise<void> {
  const settings = cli.settings();
  const lock = lockDataFolder(settings.data_dir);
  try {
    const salvaged = await salvageLedger(cli, settings, dataPaths(settings.data_dir).ledger);
    const ground = await openGround(settings, {
      thread: "calling",
      log: openCommandLog(settings, secretsOf(settings)),
    });
    try {
      const backup = from === undefined ? undefined : resolve(cli.cwd, from);
      await report(cli, await retakeEverything(cli, ground, salvaged, backup), json);
    } finally {
      await ground.close();
    }
  } finally {
    lock.release();
  }
}

async function retakeEverything(
  cli: Cli,
  ground: Ground,
  salvaged: Salvaged,
  backup: string | undefined,
): Promise<Recovered> {
  const retaken: Retaken = { taken: 0, alreadyThere: 0, unreadable: [] };
  await retakeAll(cli, ground, leftOver(salvaged.orphans), retaken);
  await retakeAll(
    cli,
    ground,
    inTheAttic(ground, () => retaken.alreadyThere++),
    retaken,
  );
  const fromBackup = backup === undefined ? 0 : await retakeFromBackup(ground, backup, retaken);
  return {
    damaged_kept_as: salvaged.keptAs ?? null,
    salvaged: { ...salvaged.saved },
    lost: [...salvaged.lost],
    taken_in_again: retaken.taken - fromBackup,
    already_there: retaken.alreadyThere,
    unreadable_files: retaken.unreadable,
    from_backup: fromBackup,
  };
}

async function report(cli: Cli, recovered: Recovered, json: true | undefined): Promise<void> {
  if (json === true) await cli.printJson("recover", recovered);
  else {
    const { damaged_kept_as, salvaged, lost, taken_in_again, already_there, from_backup } = recovered;
    const isSound = Object.keys(salvaged).length === 0 && lost.length === 0;
    await cli.print(
      isSound
        ? "the ledger is sound"
        : `saved from the ledger: ${salvaged.event ?? 0} messages, ${salvaged.delivery ?? 0} deliveries`,
      ...lost.map((each) => `lost: ${each}`),
      ...(damaged_kept_as === null ? [] : [`the damaged file is kept as ${damaged_kept_as}`]),
      `mail kept as files: ${taken_in_again} messages taken in again, ${already_there} were known`,
      ...(from_backup === 0 ? [] : [`from the backup: ${from_backup} messages taken in again`]),
    );
    await cli.say(
      "Start the daemon: it works what was taken in, and finds what the CRM has already under the same keys.",
    );
  }
  if (recovered.unreadable_files.length === 0) return;
  await cli.say(...recovered.unreadable_files.slice(0, 50).map((each) => plain(each, 500)));
  throw new Failed(`${recovered.unreadable_files.length} kept files could not be taken in`, exitCodes.partly);
}
