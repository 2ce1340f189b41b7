/** `mailwright purge`: deletes what is older than the retention allows, and says what. */
import { Command } from "commander";
import { archiveSettled } from "../../pipeline/archive.ts";
import { purgeByAge } from "../../pipeline/retain.ts";
import type { Cli } from "../cli.ts";
import { withGround } from "../open.ts";
import { jsonOption } from "../options.ts";

export function purge(cli: Cli): Command {
  return new Command("purge")
    .description(
      "Delete raw mails and event bodies older than `retention` allows. The daemon does this daily by itself.",
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
        if (!dryRun) await ledger.maintain();
        const { raws: raw_messages, rawBytes: raw_bytes, events: event_bodies } = report;
        if (options.json === true) {
          return await cli.printJson("purge", { dry_run: dryRun, raw_messages, raw_bytes, event_bodies });
        }
        await cli.print(
          `${dryRun ? "would delete" : "deleted"}: ${raw_messages} raw mails (${raw_bytes} bytes), ${event_bodies} event bodies`,
        );
      }),
    );
}
