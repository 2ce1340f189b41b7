/** `mailwright attachments`: the files of messages, what became of each, and a person's word on those that are held back. */
import { Command, Option } from "commander";
import type { Ground } from "../../main.ts";
import { type FileRow, type FileStatus, fileStatuses } from "../../model/files.ts";
import type { Cli } from "../cli.ts";
import { Failed, usage } from "../exit.ts";
import { auditShapeOf, type FileShape, fileShapeOf } from "../file-shapes.ts";
import { findMessage } from "../find.ts";
import { getItDone, withGround } from "../open.ts";
import { jsonOption, limitOption } from "../options.ts";
import { plain } from "../plain.ts";
import { deliveryShapeOf } from "../rows.ts";
import { field } from "../story/field.ts";
import type { Colour } from "../table.ts";
import { untilDecided } from "../wait.ts";
import { type WhoOptions, whoSays } from "./review-resolve.ts";

interface ListOptions {
  readonly tenant?: string;
  readonly status?: FileStatus;
  readonly event?: string;
  readonly limit: number;
  readonly before?: string;
  readonly json?: true;
}

interface DecideOptions extends WhoOptions {
  readonly json?: true;
}

const idArgument = ["<id>", "the file's id, as list shows it"] as const;
const mostAudited = 100;

export function attachments(cli: Cli): Command {
  const command = new Command("attachments").description(
    "The files of messages: what became of each, and a person's word on those that are held back.",
  );
  command
    .command("list")
    .description("List files, newest first.")
    .option("--tenant <id>", "only of this tenant")
    .addOption(new Option("--status <status>", "only in this state").choices(fileStatuses))
    .option("--event <event>", "only of this message: event id or Message-ID")
    .addOption(limitOption())
    .option("--before <id>", "the next page: only older than this file")
    .addOption(jsonOption())
    .action((options: ListOptions) => withGround(cli, (ground) => list(cli, ground, options)));
  command
    .command("show")
    .description("Show a file: what was found in it, who decided what, its link, and who opened it.")
    .argument(...idArgument)
    .addOption(jsonOption())
    .action((id: string, { json }: { json?: true }) => withGround(cli, (ground) => show(cli, ground, id, json)));
  for (const answer of ["release", "drop"] as const) {
    command
      .command(answer)
      .description(words[answer])
      .argument(...idArgument)
      .option("--note <text>", "why; kept with the decision")
      .option("--by <name>", "who decides (default: the user who runs the command)")
      .addOption(jsonOption())
      .action((id: string, options: DecideOptions) =>
        withGround(cli, (ground) => decide(cli, ground, id, answer, options)),
      );
  }
  return command;
}

const words = {
  release: "Serve a file that is held back, whatever the checks say of it. The CRM is told.",
  drop: "Delete the bytes of a file that nobody wants. The raw mail keeps them until its own time is over. The CRM is told.",
} as const;

const statusColours: Readonly<Record<FileStatus, Colour | undefined>> = {
  stored: "green",
  checking: "yellow",
  quarantined: "red",
  stripped: "red",
  refused: "red",
  dropped: "dim",
  removed: "dim",
};

async function list(cli: Cli, ground: Ground, options: ListOptions): Promise<void> {
  const { tenant, status, before, limit } = options;
  const event = options.event === undefined ? undefined : (await findMessage(ground, options.event)).eventId;
  const rows = await ground.ledger.files({
    limit,
    ...(tenant === undefined ? {} : { tenant }),
    ...(status === undefined ? {} : { status }),
    ...(event === undefined ? {} : { event }),
    // One that nobody knows would begin the list anew, and a script would read it for ever.
    ...(before === undefined ? {} : { before: (await findFile(ground, before)).id }),
  });
  if (options.json === true)
    return await cli.printJson(
      "attachments list",
      rows.map((row) => fileShapeOf(row, ground)),
    );
  if (rows.length === 0) return await cli.say("there is no file that fits");
  await cli.printTable(rows, [
    { title: "id", cell: ({ id }) => id },
    { title: "received", cell: ({ receivedAt }) => new Date(receivedAt).toISOString().slice(0, 16).replace("T", " ") },
    { title: "tenant", cell: (row) => row.tenant, most: 20 },
    { title: "status", cell: (row) => row.status, colour: (row) => statusColours[row.status] },
    { title: "bytes", cell: ({ size }) => String(size) },
    { title: "name", cell: ({ filename }) => filename, most: 40 },
    { title: "reason", cell: ({ reason }) => reason ?? "", most: 80 },
  ]);
  const last = rows.at(-1);
  if (rows.length === limit && last !== undefined && event === undefined)
    await cli.say(`the newest ${limit} are shown; --before ${last.id} shows the next`);
}

async function show(cli: Cli, ground: Ground, id: string, json: true | undefined): Promise<void> {
  const file = fileShapeOf(await findFile(ground, id), ground);
  const audit = (await ground.ledger.auditTrail({ about: file.id, limit: mostAudited })).map(auditShapeOf);
  if (json === true) return await cli.printJson("attachments show", { ...file, audit });
  await cli.print(...fileStory(cli, file), "", cli.paint("bold", "Audit"));
  if (audit.length === 0) await cli.print("  nobody has opened it or decided about it");
  for (const { at, what, who, outcome, from } of audit)
    await cli.print(
      `  ${at}  ${plain(what, 40)} by ${plain(who, 100)}: ${plain(outcome, 200)}${from === null ? "" : `, from ${plain(from, 60)}`}`,
    );
  const next = nextFor(file);
  if (next !== undefined) await cli.print("", cli.paint("bold", "What to do next"), `  ${next}`);
}

function fileStory({ paint }: Cli, file: FileShape): string[] {
  const { scan } = file;
  const by =
    scan.engine === null
      ? ""
      : ` by ${scan.engine}${scan.signatures === null ? "" : `, signatures ${scan.signatures}`}`;
  const colour = statusColours[file.status];
  const status = colour === undefined ? file.status : paint(colour, file.status);
  return [
    `${paint("bold", "File")} ${file.id}: ${status}`,
    field("name", file.filename),
    field("type", `${file.content_type}${file.detected_type === null ? "" : `; its content is ${file.detected_type}`}`),
    field("size", `${file.size} bytes, SHA-256 ${file.sha256}${file.inline ? "; a picture of the text" : ""}`),
    field("message", `event ${file.event_id}, tenant ${file.tenant}, received ${file.received_at}`),
    ...(file.reason === null ? [] : [field("reason", file.reason)]),
    ...file.findings.map(({ code, detail }) => field("found", detail === null ? code : `${code}: ${detail}`)),
    field(
      "scan",
      `${scan.status}${by}${scan.detail === null ? "" : `: ${scan.detail}`}${scan.at === null ? "" : ` at ${scan.at}`}`,
    ),
    field("decided", `by ${file.by} at ${file.at}${file.note === null ? "" : `: ${file.note}`}`),
    field("bytes", file.kept ? "in the store" : "not in the store"),
    ...(file.url === null ? [] : [field("link", file.url)]),
    ...(file.preview_url === null ? [] : [field("preview", file.preview_url)]),
  ];
}

/** Undefined where there is nothing that a person could do. */
export function nextFor({ id, status }: Pick<FileShape, "id" | "status">): string | undefined {
  if (status !== "quarantined") return undefined;
  return `It is held back. Once you know what it is: mailwright attachments release ${id} --note "..." (or drop)`;
}

async function decide(
  cli: Cli,
  ground: Ground,
  id: string,
  answer: "release" | "drop",
  options: DecideOptions,
): Promise<void> {
  const { by, note } = whoSays(cli, options);
  if (note === null) throw usage(`say why: --note "..."; it stays with the decision`);
  const { id: file, eventId } = await findFile(ground, id);
  const done = await ground.ledger.decideFile({ id: file, answer, by, note, now: ground.clock.now() });
  if (done === "unknown") throw unknownFile(id);
  if (done === "unfit") throw await unfit(ground, file, answer);
  const worked_by = await getItDone(cli, ground);
  if (worked_by === "daemon") await untilDecided(ground, [eventId]);
  const row = await findFile(ground, file);
  const { deliveries } = await findMessage(ground, eventId);
  if (options.json === true) {
    const shape = fileShapeOf(row, ground);
    return await cli.printJson(`attachments ${answer}`, {
      ...shape,
      worked_by,
      deliveries: deliveries.map(deliveryShapeOf),
    });
  }
  await cli.print(`${file}: ${row.status} (${answer} by ${plain(by)})`);
}

async function unfit(ground: Ground, id: string, answer: string): Promise<Failed> {
  const { status } = await findFile(ground, id);
  const why: Partial<Record<FileStatus, string>> = {
    checking: "it is being checked still; wait for the verdict",
    stripped: "it was taken out, and is kept in the raw mail alone",
    refused: "its bytes could not be kept",
    dropped: "it was dropped already",
    removed: "it was removed after its time",
  };
  return new Failed(
    `file ${id} cannot be ${answer === "drop" ? "dropped" : "released"}: ${why[status] ?? `it is ${status}`}; nothing was changed`,
  );
}

function fileIdOf(text: string): string {
  const id = text.toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(id))
    throw usage(`${plain(text, 80)} is no file's id: 32 hexadecimal digits, as \`mailwright attachments list\` shows`);
  return id;
}

async function findFile({ ledger }: Ground, id: string): Promise<FileRow> {
  const [row] = await ledger.files({ id: fileIdOf(id), limit: 1 });
  if (row === undefined) throw unknownFile(id);
  return row;
}

const unknownFile = (id: string): Failed => new Failed(`there is no file ${id}: \`mailwright attachments list\``);
