/** `mailwright mapping diff`: what another version of a mapping would create, change or no longer do, over the stored messages. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { dataPaths, diffMappings, type Version } from "../../main.ts";
import type { ComparisonReport, Differing } from "../../pipeline/comparing.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, usage } from "../exit.ts";
import { namedOrOnly, tenantOption } from "../mail-file.ts";
import type { MappingDiff } from "../mapping-shapes.ts";
import { jsonOption, limitOption, sinceOption } from "../options.ts";
import { plain } from "../plain.ts";
import { isoTime } from "../rows.ts";

interface Options {
  readonly tenant?: string;
  readonly since?: number;
  readonly limit: number;
  readonly json?: true;
}

export function mappingDiff(cli: Cli): Command {
  const which = "a mapping file, a stored version's number, `current` (the configured file as it is now) or `none`";
  return new Command("diff")
    .description(
      "Say what another version of a mapping would create, change or no longer do, over the stored messages: counts, then the newest of them. Writes nothing, and works beside a running daemon. Ctrl-C ends it with what was counted so far (exit code 4).",
    )
    .argument("<old>", which)
    .argument("<new>", which)
    .addOption(tenantOption())
    .addOption(sinceOption())
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((before: string, after: string, options: Options) => diff(cli, before, after, options));
}

async function diff(cli: Cli, before: string, after: string, options: Options): Promise<void> {
  const settings = cli.settings();
  const tenant = namedOrOnly(settings, options.tenant);
  const { ledger } = dataPaths(settings.data_dir);
  if (!existsSync(ledger)) throw new Failed(`there is no ledger at ${ledger}: nothing was received yet`);
  const versions = { before: versionOf(cli, before), after: versionOf(cli, after) };
  const progress = openProgress(cli);
  const report = await diffMappings(settings, {
    tenant,
    ...versions,
    since: options.since,
    most: options.limit,
    pause: progress.pause,
  }).finally(() => progress.end());
  const shape = shapeOf({ before, after, tenant }, report);
  if (options.json === true) await cli.printJson("mapping diff", shape);
  else await printDiff(cli, shape);
  if (!report.finished) {
    const compared = Object.values(report.messages).reduce((sum, count) => sum + count, 0);
    throw new Failed(`interrupted after ${compared} of ${report.total} messages`, exitCodes.partly);
  }
}

function versionOf(cli: Cli, text: string): Version {
  if (text === "current" || text === "none") return { kind: text };
  const path = resolve(cli.cwd, text);
  if (existsSync(path)) return { kind: "file", path };
  if (/^\d{1,9}$/.test(text)) return { kind: "stored", version: Number(text) };
  throw usage(`${text} is no file, no number of a stored version, and neither \`current\` nor \`none\``);
}

const showEveryMs = 200;

/** A counter where somebody looks, and an ear for Ctrl-C between two pages. */
function openProgress(cli: Cli) {
  let stopped = false;
  let shownAt = Number.NEGATIVE_INFINITY;
  for (const name of ["SIGINT", "SIGTERM"] as const) cli.onSignal(name, () => (stopped = true));
  const write = async (text: string) => {
    if (cli.stderr.isTerminal) await cli.stderr.write(`\r\u001b[K${text}`);
  };
  return {
    async pause(done: number, total: number): Promise<boolean> {
      if (cli.clock.now() - shownAt >= showEveryMs) {
        shownAt = cli.clock.now();
        await write(`${bar(done, total)} ${done} of ${total} messages`);
      }
      // A timer's turn: signals are heard in it.
      await cli.clock.sleep(0);
      return stopped;
    },
    end: () => write(""),
  };
}

const barWidth = 24;
function bar(done: number, total: number): string {
  const full = total === 0 ? barWidth : Math.floor((barWidth * Math.min(done, total)) / total);
  return `[${"#".repeat(full)}${".".repeat(barWidth - full)}]`;
}

type Named = Pick<MappingDiff, "tenant"> & { readonly before: string; readonly after: string };

function shapeOf({ before, after, tenant }: Named, report: ComparisonReport): MappingDiff {
  return {
    old: before,
    new: after,
    tenant,
    finished: report.finished,
    total: report.total,
    messages: { ...report.messages },
    steps: [...report.steps].map(([kind, counts]) => ({ kind, ...counts })),
    differences: report.newest.map(differingShape),
  };
}

function differingShape({ eventId, messageId, receivedAt, compared, before, after }: Differing) {
  const side = (decision: Differing["before"]) => ({
    outcome: decision.kind,
    rule: decision.rule,
    reason: decision.kind === "steps" ? null : decision.reason,
  });
  return {
    event_id: eventId,
    message_id: messageId,
    received_at: isoTime(receivedAt),
    kind: compared.kind as "create" | "change" | "no_longer",
    old: side(before),
    new: side(after),
    steps: compared.steps.map(({ what, kind, key, does, fields }) => ({ what, kind, key, does, fields: [...fields] })),
  };
}

async function printDiff(cli: Cli, shape: MappingDiff): Promise<void> {
  const { paint } = cli;
  const { messages: count } = shape;
  await cli.print(
    `${paint("bold", `${shape.old} -> ${shape.new}`)}, tenant ${shape.tenant}, ${shape.total} stored messages`,
    `  create     ${count.create}`,
    `  change     ${count.change}`,
    `  no longer  ${count.no_longer}`,
    `  same       ${count.same}${count.rule === 0 ? "" : `, and ${count.rule} for which another rule decides the same`}`,
  );
  const out = [
    count.waiting === 0 ? [] : [`${count.waiting} not parsed yet`],
    count.purged === 0 ? [] : [`${count.purged} whose event retention has removed`],
    count.copies === 0 ? [] : [`${count.copies} copies of another message, which stay what they are`],
    count.unreadable === 0 ? [] : [`${count.unreadable} that cannot be opened with the key of this folder`],
  ].flat();
  if (out.length > 0) await cli.print(`  left out   ${out.join(", ")}`);
  if (shape.steps.length > 0) {
    await cli.print("");
    await cli.printTable(shape.steps, [
      { title: "step", cell: ({ kind }) => kind },
      { title: "create", cell: ({ create }) => String(create) },
      { title: "change", cell: ({ change }) => String(change) },
      { title: "no longer", cell: ({ no_longer }) => String(no_longer) },
    ]);
  }
  const different = count.create + count.change + count.no_longer;
  if (different === 0) return;
  const shown = shape.differences.length;
  await cli.print("", paint("bold", shown < different ? `The newest ${shown} of ${different}` : "Messages"));
  for (const one of shape.differences) await printOne(cli, one);
}

const signs = { create: "+", change: "~", no_longer: "-" } as const;
const colours = { create: "green", change: "yellow", no_longer: "red" } as const;

async function printOne({ paint, print }: Cli, one: MappingDiff["differences"][number]): Promise<void> {
  const words = ({ outcome, rule, reason }: typeof one.old) =>
    plain(`${outcome} by ${rule}${reason === null ? "" : ` (${reason})`}`, 200);
  await print(`${one.event_id}  ${one.received_at}  ${plain(one.message_id ?? "(no Message-ID)", 100)}`);
  const [was, is] = [words(one.old), words(one.new)];
  await print(`  ${paint("dim", was === is ? is : `${was} -> ${is}`)}`);
  for (const { what, does, fields } of one.steps) {
    const which = fields.length === 0 ? "" : ` (${fields.join(", ")})`;
    await print(`  ${paint(colours[what], `${signs[what]} ${plain(does, 300)}${which}`)}`);
  }
}
