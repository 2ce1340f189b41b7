/** `mailwright score`: how much of what is expected of the messages of a folder the parse gets right. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { type Preview, peopleFor, threadsOf } from "../../main.ts";
import type { Envelope } from "../../model/envelope.ts";
import type { CanonicalEvent } from "../../model/event.ts";
import type { Settings } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed } from "../exit.ts";
import { type Description, type Example, examplesOf } from "../score/examples.ts";
import { type Leaf, leaves } from "../score/leaves.ts";
import { openTally } from "../score/tally.ts";
import { type Conversing, scoreThreads } from "../score/threads.ts";
import type { ScoreShape } from "../score-shapes.ts";
import { openPreviewFor } from "./parse.ts";

export function score(cli: Cli): Command {
  return new Command("score")
    .description(
      "Parse the messages of a folder and say how many of the expected fields come out right. Each NAME.eml needs a NAME.json beside it: a part of its event, or {why, smtp, expect} as in the corpus. Stores nothing.",
    )
    .argument("<folder>", "folder of messages; its subfolders are counted as families")
    .option("--json", "print JSON")
    .action((folder: string, options: { json?: true }) => scoreFolder(cli, folder, options));
}

async function scoreFolder(cli: Cli, named: string, { json }: { json?: true }): Promise<void> {
  const settings = cli.settings();
  const folder = resolve(cli.cwd, named);
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    throw new Failed(`${named} cannot be read (${error.code ?? error.message})`, 1, { cause: error });
  });
  if (!found.isDirectory()) throw new Failed(`${named} is not a folder: score takes a folder of .eml and .json files`);
  const tenant = settings.tenants[0]?.id ?? "";
  const preview = await openPreviewFor(settings);
  const tally = openTally();
  const conversing: Conversing[] = [];
  try {
    const width = settings.limits.parse_children * 2;
    const ahead: Promise<Scored>[] = [];
    const count = async (next: Promise<Scored> | undefined): Promise<void> => {
      const scored = await next;
      if (scored?.kind === "refused") tally.refuse(scored.file, scored.reason);
      else if (scored !== undefined) {
        tally.add(scored.file, scored.family, scored.leaves);
        if (scored.conversing !== undefined) conversing.push(scored.conversing);
      }
    };
    for await (const example of examplesOf(folder)) {
      const envelope = { kind: "import" as const, tenant, routes: [], received_at: cli.clock.now() };
      ahead.push(scoreExample({ preview, settings, folder, envelope }, example));
      if (ahead.length >= width) await count(ahead.shift());
    }
    while (ahead.length > 0) await count(ahead.shift());
  } finally {
    await preview.close();
  }
  const report = { ...tally.report(), threads: scoreThreads(conversing, threadsOf) };
  if (json === true) await cli.printJson("score", report);
  else await printReport(cli, report);
  judge(report, named);
}

type Scored =
  | {
      readonly kind: "scored";
      readonly file: string;
      readonly family: string;
      readonly leaves: readonly Leaf[];
      readonly conversing: Conversing | undefined;
    }
  | Extract<Example, { kind: "refused" }>;

interface Scoring {
  readonly preview: Preview;
  readonly settings: Settings;
  readonly folder: string;
  readonly envelope: Envelope;
}

async function scoreExample({ preview, settings, folder, envelope }: Scoring, example: Example): Promise<Scored> {
  if (example.kind === "refused") return example;
  const { file, family, description, people } = example;
  const path = join(folder, file);
  try {
    const { size } = await stat(path);
    const mail = { size, read: () => createReadStream(path) };
    const who = people === undefined ? undefined : peopleFor(settings, people).get(envelope.tenant);
    const { event, digest } = await preview.event(mail, envelopeOf(description, envelope), {
      conflict: description.conflicts_with !== undefined,
      ...(who === undefined ? {} : { people: who }),
    });
    const found = [...leaves(description.expect, event)];
    return { kind: "scored", file, family, leaves: found, conversing: conversingOf(file, description, event, digest) };
  } catch (error) {
    return { kind: "refused", file, reason: `cannot be read (${error instanceof Error ? error.message : error})` };
  }
}

/** Under a name of its own: what a preview is called is of no account. */
function conversingOf(
  file: string,
  { conversation, trust }: Description,
  event: CanonicalEvent,
  digest: string,
): Conversing | undefined {
  if (conversation === undefined) return undefined;
  const auth = trust === undefined ? event.auth : { ...event.auth, trust };
  return { file, conversation, event: { ...event, event_id: file, auth }, digest };
}

/** The class of a message can hang on who handed it over: a bounce comes from nobody (RFC 5321 §4.5.5). */
function envelopeOf({ smtp }: Description, imported: Envelope): Envelope {
  if (smtp === undefined) return imported;
  const session = { remote_ip: "192.0.2.1", helo: "client.example", tls: null, ...smtp };
  return { ...imported, kind: "smtp", routes: smtp.rcpt_to, smtp: session };
}

/** Never rounded up: 100 % is all of it. */
const percent = (value: number): string => `${(Math.floor(value * 1000) / 10).toFixed(1)} %`;

async function printReport(cli: Cli, report: ScoreShape): Promise<void> {
  const { messages, right_messages, right, of, misses, misses_left_out, refused } = report;
  const counts = [
    { title: "right", cell: (row: { right: number }) => String(row.right) },
    { title: "of", cell: (row: { of: number }) => String(row.of) },
    {
      title: "accuracy",
      cell: (row: { accuracy: number }) => percent(row.accuracy),
      colour: ({ accuracy }: { accuracy: number }) => (accuracy === 1 ? ("green" as const) : ("red" as const)),
    },
  ];
  await cli.printTable(report.fields, [{ title: "field", cell: ({ field }) => field }, ...counts]);
  await cli.print("");
  await cli.printTable(report.families, [
    { title: "family", cell: ({ family }) => family },
    { title: "messages", cell: (row) => String(row.messages) },
    { title: "all right", cell: (row) => String(row.right_messages) },
    ...counts,
  ]);
  if (misses.length > 0) {
    await cli.print("");
    await cli.printTable(misses, [
      { title: "missed in", cell: ({ file }) => file, most: 60 },
      { title: "field", cell: ({ field }) => field, most: 60 },
      { title: "expected", cell: ({ expected }) => expected, most: 70 },
      { title: "got", cell: ({ got }) => got, most: 70 },
    ]);
  }
  if (misses_left_out > 0) await cli.print(`and ${misses_left_out} more misses`);
  if (report.threads !== null) {
    await cli.print("", `${report.threads.messages} messages of ${report.threads.conversations} conversations:`);
    await cli.printTable(report.threads.threaders, [
      { title: "threads by", cell: ({ name }) => name },
      { title: "precision", cell: (row) => percent(row.precision) },
      { title: "recall", cell: (row) => percent(row.recall) },
      { title: "F1", cell: (row) => percent(row.f1) },
      { title: "which is", cell: ({ how }) => how, most: 130 },
    ]);
    for (const { kind, parts } of report.threads.misses) await cli.print(`${kind}: ${parts.join(" | ")}`);
  }
  if (refused.length > 0) {
    await cli.print("");
    await cli.printTable(refused, [
      { title: "refused", cell: ({ file }) => file },
      { title: "reason", cell: ({ reason }) => reason },
    ]);
  }
  await cli.print(
    "",
    `total: ${right} of ${of} fields (${percent(report.accuracy)}); ${right_messages} of ${messages} messages all right; ${refused.length} refused`,
  );
}

function judge({ messages, right_messages, right, of, refused }: ScoreShape, named: string): void {
  if (messages + refused.length === 0) throw new Failed(`${named} holds no .eml file`);
  if (right === of && refused.length === 0) return;
  const wrong = `${messages - right_messages} of ${messages} messages are not as expected, ${refused.length} files were refused`;
  throw new Failed(wrong, right === 0 ? exitCodes.failed : exitCodes.partly);
}
