/** `mailwright storage`: what can be asked of the buckets that mails and files are kept in. */
import { Command } from "commander";
import { type Ground, LifecycleUnsupported, lifecycleRules } from "../../main.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, usage } from "../exit.ts";
import { withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import type { LifecycleApplied } from "../upkeep-shapes.ts";

interface Options {
  readonly dryRun?: true;
  readonly tenant?: string;
  readonly json?: true;
}

export function storage(cli: Cli): Command {
  const command = new Command("storage").description("The buckets that mails and files are kept in.");
  command
    .command("apply-lifecycle")
    .description(
      "Write rules by age into the buckets, a second broom behind the daemon's own: `retention` plus a margin. Rules of others stay as they are. Exit code 4 where a service knows no such rules.",
    )
    .option("--dry-run", "say what would change, and change nothing")
    .option("--tenant <id>", "only the bucket of this tenant")
    .addOption(jsonOption())
    .action((options: Options) => withGround(cli, (ground) => applyAll(cli, ground, options), { create: true }));
  return command;
}

type Applied = LifecycleApplied["buckets"][number];

async function applyAll(cli: Cli, ground: Ground, options: Options): Promise<void> {
  const { settings, stores } = ground;
  const { tenant, json } = options;
  const dryRun = options.dryRun === true;
  if (tenant !== undefined && !settings.tenants.some(({ id }) => id === tenant))
    throw usage(`there is no tenant ${plain(tenant, 60)} in ${cli.configFile()}`);
  const used = stores.used().filter(({ tenants }) => tenant === undefined || tenants.includes(tenant));
  const buckets: Applied[] = [];
  for (const { storage: entry, bucket, tenants } of used) {
    const rules = lifecycleRules(settings.retention, entry.prefix);
    const about = { bucket: bucket.title, prefix: entry.prefix, tenants: [...tenants] };
    try {
      const { before, after, others } = await bucket.applyLifecycle(entry.prefix, rules, dryRun);
      buckets.push({ ...about, before: [...before], after: [...after], others, unsupported: null });
    } catch (error) {
      if (!(error instanceof LifecycleUnsupported)) throw error;
      buckets.push({ ...about, before: [], after: [], others: 0, unsupported: error.message });
    }
  }
  if (json === true) await cli.printJson("storage apply-lifecycle", { dry_run: dryRun, buckets });
  else await print(cli, buckets, dryRun);
  const unsupported = buckets.flatMap(({ unsupported: why }) => why ?? []);
  if (unsupported.length > 0) throw new Failed(unsupported.join("\n"), exitCodes.partly);
}

async function print(cli: Cli, buckets: readonly Applied[], dryRun: boolean): Promise<void> {
  if (buckets.length === 0) await cli.print("nothing is kept in a bucket: the daemon sweeps the local files by itself");
  for (const { bucket, before, after, others, unsupported } of buckets) {
    if (unsupported !== null) continue;
    const same = before.toSorted().join() === after.toSorted().join();
    const said = same ? "has these rules already" : dryRun ? "would get these rules" : "has these rules now";
    await cli.print(`${plain(bucket, 300)} ${said}${others > 0 ? `, beside ${others} of others` : ""}:`);
    for (const rule of after) await cli.print(`  ${plain(rule, 300)}`);
    for (const rule of before.filter((each) => !after.includes(each)))
      await cli.print(`  ${dryRun ? "in place of" : "no more"}: ${plain(rule, 300)}`);
  }
}
