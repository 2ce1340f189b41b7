/** `mailwright purge`: deletes what is older than the retention allows, and what no row names, and says what. */
import { Command } from "commander";
import { deleteUnneeded, forgetTrail, removeOldFiles, sweepAll } from "../../main/file-room.ts";
import type { Ground } from "../../main.ts";
import { archiveSettled } from "../../pipeline/archive.ts";
import { purgeByAge } from "../../pipeline/retain.ts";
import type { Cli } from "../cli.ts";
import { asWorker, withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import type { Purged } from "../purge-shapes.ts";

export function purge(cli: Cli): Command {
  return new Command("purge")
    .description(
      "Delete raw mails, event bodies and files of mails older than `retention` allows, and what lies in a store and is named by no row. The daemon does this daily by itself.",
    )
    .option("--dry-run", "list what would be deleted, and delete nothing")
    .addOption(jsonOption())
    .action((options: { dryRun?: true; json?: true }) =>
      withGround(cli, async (ground) => {
        const told = await purgeAll(ground, options.dryRun === true);
        if (options.json === true) return await cli.printJson("purge", told);
        await print(cli, told);
      }),
    );
}

async function purgeAll(ground: Ground, dryRun: boolean): Promise<Purged> {
  const { settings, ledger } = ground;
  const ports = { ...ground, maintain: () => ledger.maintain() };
  if (!dryRun) await archiveSettled(ports);
  const ages = { rawMs: settings.retention.raw, eventMs: settings.retention.event };
  const mail = await purgeByAge(ages, dryRun, ports);
  const files = await removeOldFiles(ground, dryRun);
  const audit_entries = await forgetTrail(ground, dryRun);
  const strays = await sweepAll(ground, dryRun);
  if (!dryRun) {
    await asWorker(ground, () => deleteUnneeded(ground));
    await ledger.maintain();
  }
  return {
    dry_run: dryRun,
    raw_messages: mail.raws,
    raw_bytes: mail.rawBytes,
    raw_messages_left: mail.failed,
    event_bodies: mail.events,
    files: files.files,
    file_bytes: files.bytes,
    previews: files.previews,
    audit_entries,
    strays: strays.unneeded,
    stray_bytes: strays.bytes,
    stores_left: [...strays.leftAlone],
    unknown_raw_messages: strays.unknownMail,
    listed: [
      ...mail.listed.raws.map(({ eventId, bytes }) => line("raw", eventId, null, bytes)),
      ...mail.listed.events.map((event) => line("event", event, null, null)),
      ...files.contents.map(({ sha256, tenant, bytes }) => line("attachment", sha256, tenant, bytes)),
      ...files.small.map(({ sha256, tenant }) => line("preview", sha256, tenant, null)),
      ...strays.strays.map(({ ref, bytes }) => line("stray", ref, null, bytes)),
    ],
  };
}

type Line = Purged["listed"][number];
const line = (name: Line["class"], what: string, tenant: string | null, bytes: number | null): Line => ({
  class: name,
  what,
  tenant,
  bytes,
});

const words: Readonly<Record<Line["class"], string>> = {
  raw: "raw mail of event",
  event: "event body of event",
  attachment: "file of mails, SHA-256",
  preview: "preview, SHA-256",
  stray: "named by no row:",
};

async function print(cli: Cli, told: Purged): Promise<void> {
  const { raw_messages, raw_bytes, event_bodies, files, file_bytes, previews, audit_entries, strays, stray_bytes } =
    told;
  if (told.dry_run) {
    for (const { class: name, what, tenant, bytes } of told.listed) {
      const more = [...(tenant === null ? [] : [`tenant ${tenant}`]), ...(bytes === null ? [] : [`${bytes} bytes`])];
      await cli.print(`${words[name]} ${[plain(what, 300), ...more].join(", ")}`);
    }
  }
  await cli.print(
    `${told.dry_run ? "would delete" : "deleted"}: ${raw_messages} raw mails (${raw_bytes} bytes), ${event_bodies} event bodies, ` +
      `${files} files of mails (${file_bytes} bytes), ${previews} previews, ${audit_entries} audit entries, ` +
      `${strays} objects that no row names (${stray_bytes} bytes)`,
  );
  if (told.raw_messages_left > 0)
    await cli.say(`${told.raw_messages_left} raw mails are still there: their store did not delete them`);
  for (const why of told.stores_left) await cli.say(plain(why, 500));
  if (told.unknown_raw_messages > 0)
    await cli.say(
      `${told.unknown_raw_messages} raw mails lie in a store and the ledger knows nothing of them: mailwright recover takes them in again`,
    );
}
