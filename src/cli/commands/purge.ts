/** `mailwright purge`: deletes what is older than the retention allows, and says what. */
import { Command } from "commander";
import { deleteUnneeded, removeOldFiles } from "../../main/file-room.ts";
import { archiveSettled } from "../../pipeline/archive.ts";
import { purgeByAge } from "../../pipeline/retain.ts";
import type { Cli } from "../cli.ts";
import { asWorker, withGround } from "../open.ts";
import { jsonOption } from "../options.ts";

export function purge(cli: Cli): Command {
  return new Command("purge")
    .description(
      "Delete raw mails, event bodies and files of mails older than `retention` allows. The daemon does this daily by itself.",
    )
    .option("--dry-run", "say what would be deleted, and delete nothing")
    .addOption(jsonOption())
    .action((options: { dryRun?: true; json?: true }) =>
      withGround(cli, async (ground) => {
        const { settings, ledger } = ground;
        const dryRun = options.dryRun === true;
        const ports = { ...ground, maintain: () => ledger.maintain() };
        if (!dryRun) await archiveSettled(ports);
        const report = await purgeByAge(
          { rawMs: settings.retention.raw, eventMs: settings.retention.event },
          dryRun,
          ports,
        );
        const { files, bytes: file_bytes } = await removeOldFiles(ground, dryRun);
        if (!dryRun) {
          await asWorker(ground, () => deleteUnneeded(ground));
          await ledger.maintain();
        }
        const { raws: raw_messages, rawBytes: raw_bytes, events: event_bodies } = report;
        const told = { dry_run: dryRun, raw_messages, raw_bytes, event_bodies, files, file_bytes };
        if (options.json === true) return await cli.printJson("purge", told);
        await cli.print(
          `${dryRun ? "would delete" : "deleted"}: ${raw_messages} raw mails (${raw_bytes} bytes), ${event_bodies} event bodies, ` +
            `${files} files of mails (${file_bytes} bytes)`,
        );
      }),
    );
}
