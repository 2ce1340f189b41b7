/** `mailwright mapping apply`, `undo` and `runs`: a mapping over messages that are stored, gone on with, told of, and taken back. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { compileMapping, type Ground, registerMapping } from "../../main.ts";
import { loadMapping } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { cohortOf } from "../cohort-words.ts";
import { exitCodes, Failed, usage } from "../exit.ts";
import { namedOrOnly, tenantOption } from "../mail-file.ts";
import { withGround } from "../open.ts";
import { collected, jsonOption, limitOption, wholeNumber } from "../options.ts";
import { plain } from "../plain.ts";
import { drive, runOf } from "../run-driver.ts";
import { rehearse } from "../run-dry.ts";
import { printReport, reportOf, runShapeOf } from "../run-report.ts";
import { type WhoOptions, whoSays } from "./review-resolve.ts";

interface Common extends WhoOptions {
  readonly limit: number;
  readonly json?: true;
}
interface ApplyOptions extends Common {
  readonly tenant?: string;
  readonly cohort?: readonly string[];
  readonly dryRun?: true;
  readonly status?: number;
  readonly continue?: number;
}

const runNumber = (text: string) => wholeNumber(text, 1, 999_999_999);

export function addRuns(command: Command, cli: Cli): void {
  command
    .command("apply")
    .description(
      "Plan stored messages again under a mapping file and bring the CRM in line, once each. SIGINT stops it, --continue goes on; live mail goes first.",
    )
    .argument("[file]", "the mapping file")
    .option(
      "--cohort <words...>",
      "which messages: all, or domain=, sender=, recipient=, mailbox=, thread=, since=, until=, percent=",
      many,
    )
    .addOption(tenantOption())
    .option("--dry-run", "count what it would do; write nothing")
    .option("--status <run>", "tell of a run", runNumber)
    .option("--continue <run>", "go on with a run that was stopped or killed", runNumber)
    .option("--by <name>", "who does it (default: the user who runs the command)")
    .option("--note <text>", "why; kept with the run")
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((file: string | undefined, options: ApplyOptions) =>
      withGround(cli, (ground) => apply(cli, ground, file, options)),
    );
  command
    .command("undo")
    .description(
      "Take back what a run made: archive it, and put associations back. What a person changed since is left alone and listed.",
    )
    .argument("[run]", "the run of mapping apply", runNumber)
    .option("--continue <run>", "go on with an undo that was stopped or killed", runNumber)
    .option("--status <run>", "tell of an undo", runNumber)
    .option("--by <name>", "who does it (default: the user who runs the command)")
    .option("--note <text>", "why; kept with the run")
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((of: number | undefined, options: ApplyOptions) =>
      withGround(cli, (ground) => undo(cli, ground, of, options)),
    );
  command
    .command("runs")
    .description("List the runs of mappings over stored messages, newest first.")
    .option("--tenant <id>", "only of this tenant")
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((options: Common & { tenant?: string }) => withGround(cli, (ground) => list(cli, ground, options)));
}

const many = (value: string, before: readonly string[] | undefined): string[] => collected(value, before);

async function apply(cli: Cli, ground: Ground, file: string | undefined, options: ApplyOptions): Promise<void> {
  const known = options.status ?? options.continue;
  if (known !== undefined) {
    if (file !== undefined || options.cohort !== undefined) throw usage("a run has its file and its cohort already");
    if (options.continue !== undefined) return await onceMore(cli, ground, known, "mapping apply", options);
    await tell(cli, ground, known, "mapping apply", options);
    return;
  }
  if (file === undefined) throw usage("name the mapping file: mailwright mapping apply FILE --cohort …");
  const loaded = loadMapping(resolve(cli.cwd, file));
  const tenant = namedOrOnly(ground.settings, options.tenant);
  const now = ground.clock.now();
  const asked = cohortOf(options.cohort ?? []);
  // What comes in from now on is planned by the mapping in force.
  const cohort = { ...asked, until: Math.min(asked.until ?? now, now + 1) };
  if (options.dryRun === true) {
    const dry = await rehearse(ground, tenant, compileMapping(loaded.file), cohort);
    if (options.json === true) return await cli.printJson("mapping apply --dry-run", dry);
    await cli.print(`${dry.messages} messages, ${dry.unable} of them without content; nothing was written`);
    const words = (counts: readonly { kind: string; n: number }[]) =>
      counts.map(({ kind, n }) => `${n} ${kind}`).join(", ") || "nothing";
    for (const { destination, unchanged, asked: more, unwanted, skipped } of dry.lanes) {
      await cli.print(
        `${destination}: would ask for ${words(more)}; would no longer want ${words(unwanted)}, which would stay; ${skipped} messages there would be skipped; ${unchanged} messages as they are`,
      );
    }
    return;
  }
  const [version] = await registerMapping(ground.ledger, { tenant, text: loaded.text, now });
  const { by, note } = whoSays(cli, options);
  const run = await begin(ground, { tenant, kind: "apply", of: null, mappingVersion: version, cohort, by, note, now });
  await cli.say(`run ${run}: mapping version ${version}`);
  await goOn(cli, ground, run, "mapping apply", options);
}

async function undo(cli: Cli, ground: Ground, of: number | undefined, options: ApplyOptions): Promise<void> {
  if (options.continue !== undefined) return await onceMore(cli, ground, options.continue, "mapping undo", options);
  if (options.status !== undefined) {
    await tell(cli, ground, options.status, "mapping undo", options);
    return;
  }
  if (of === undefined) throw usage("name the run to take back: `mailwright mapping runs`");
  const { tenant, kind, mappingVersion, cohort } = await runOf(ground, of);
  if (kind === "undo") throw usage(`run ${of} took another back; apply its mapping again instead`);
  const others = await ground.ledger.runs({ tenant, limit: 1_000 });
  const done = others.find((other) => other.of === of);
  if (done !== undefined)
    throw new Failed(`run ${done.id} takes run ${of} back already: \`mailwright mapping undo --continue ${done.id}\``);
  const { by, note } = whoSays(cli, options);
  const now = ground.clock.now();
  const run = await begin(ground, { tenant, kind: "undo", of, mappingVersion, cohort, by, note, now });
  await cli.say(`run ${run}: takes back run ${of}`);
  await goOn(cli, ground, run, "mapping undo", options);
}

async function begin({ ledger }: Ground, run: Parameters<Ground["ledger"]["beginRun"]>[0]): Promise<number> {
  const id = await ledger.beginRun(run);
  if (id !== undefined) {
    const { kind, now: at, by: who } = run;
    await ledger.audit({ at, what: `mapping.${kind}`, about: `run ${id}`, who, outcome: "begun", from: null });
    return id;
  }
  const open = (await ledger.runs({ tenant: run.tenant, limit: 100 })).find(({ state }) => state !== "done");
  if (open === undefined)
    throw new Failed(
      `a later run planned some of the same messages: take that one back first (\`mailwright mapping runs\` lists them)`,
    );
  const back = open.kind === "undo" ? "" : `, or take it back: \`mailwright mapping undo ${open.id}\``;
  throw new Failed(
    `run ${open.id} has not come to its end: \`mailwright mapping ${open.kind} --continue ${open.id}\`${back}`,
  );
}

type Name = "mapping apply" | "mapping undo";

/** What could not be planned may be able to be by now: a key that was missing is there, or what Mailwright choked on is mended. */
async function onceMore(cli: Cli, ground: Ground, id: number, name: Name, options: Common): Promise<void> {
  const { kind, of } = await runOf(ground, id);
  // Whoever means to take a run back must not apply the rest of it by the same words.
  if (name === "mapping undo" && kind === "apply")
    throw usage(`run ${id} is one of mapping apply: \`mailwright mapping undo ${id}\` takes it back`);
  if (name === "mapping apply" && kind === "undo")
    throw usage(`run ${id} takes run ${of} back: \`mailwright mapping undo --continue ${id}\` goes on with that`);
  const again = await ground.ledger.retryRun(id);
  if (again > 0) await cli.say(`run ${id}: ${again} messages that could not be planned are tried again`);
  await goOn(cli, ground, id, name, options);
}

async function goOn(cli: Cli, ground: Ground, id: number, name: Name, options: Common): Promise<void> {
  const { stopped } = await drive(cli, ground, id);
  const report = await tell(cli, ground, id, name, options);
  if (stopped)
    throw new Failed(`run ${id} was stopped: \`mailwright ${name} --continue ${id}\` goes on`, exitCodes.partly);
  const { failed, held } = report.deliveries;
  const open = report.messages.unable > 0 || report.left.length > 0 || (failed ?? 0) > 0 || (held ?? 0) > 0;
  if (open)
    await cli.say("some of it was left alone or needs a person: see above, `dead-letters list` and `review list`");
}

async function tell(cli: Cli, ground: Ground, id: number, name: Name, options: Common) {
  const report = await reportOf(ground, await runOf(ground, id), options.limit);
  if (options.json === true) await cli.printJson(name, report);
  else await printReport(cli, report);
  return report;
}

async function list(
  cli: Cli,
  { ledger }: Ground,
  { tenant, limit, json }: Common & { tenant?: string },
): Promise<void> {
  const rows = (await ledger.runs({ limit, ...(tenant === undefined ? {} : { tenant }) })).map(runShapeOf);
  if (json === true) return await cli.printJson("mapping runs", rows);
  if (rows.length === 0) return await cli.say("no mapping was applied to stored messages yet");
  await cli.printTable(rows, [
    { title: "run", cell: ({ run }) => String(run) },
    { title: "at", cell: ({ at }) => at.slice(0, 19).replace("T", " ") },
    { title: "tenant", cell: (row) => row.tenant, most: 20 },
    {
      title: "what",
      cell: ({ kind, of, mapping_version }) =>
        kind === "undo" ? `takes back ${of}` : `mapping version ${mapping_version}`,
    },
    { title: "state", cell: ({ state }) => state },
    { title: "by", cell: ({ by }) => plain(by, 30), most: 30 },
    { title: "cohort", cell: ({ cohort }) => plain(JSON.stringify(cohort), 100), most: 100 },
  ]);
}
