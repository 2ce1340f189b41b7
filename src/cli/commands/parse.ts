/** `mailwright parse`: mail files as canonical events, without storing anything. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { Command } from "commander";
import { openCommandLog, openPreview, type Preview, peopleFor } from "../../main.ts";
import type { Envelope } from "../../model/envelope.ts";
import type { CanonicalEvent } from "../../model/event.ts";
import { type Settings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, sentenceOf, usage } from "../exit.ts";
import {
  importEnvelope,
  type MailFile,
  openMailFile,
  tenantOption,
  toOption,
  type WhoseOptions,
} from "../mail-file.ts";

interface ParseOptions extends WhoseOptions {
  readonly batch?: true;
}

export function parse(cli: Cli): Command {
  return new Command("parse")
    .description("Print the canonical event of a mail file as JSON. Stores nothing.")
    .argument("[file]", "mail file (RFC 5322), or - for standard input")
    .option("--batch", "read file paths from standard input, one a line; print one line of JSON each, in that order")
    .option("--json", "accepted for uniformity: the output is always JSON")
    .addOption(tenantOption())
    .addOption(toOption())
    .action((file: string | undefined, options: ParseOptions) => parseFiles(cli, file, options));
}

async function parseFiles(cli: Cli, file: string | undefined, options: ParseOptions): Promise<void> {
  if (options.batch === true && file !== undefined) throw usage("--batch takes its file paths from standard input");
  if (options.batch !== true && file === undefined && cli.stdin.isTerminal) {
    throw usage("name a mail file, or - for standard input");
  }
  const settings = cli.settings();
  const envelope = importEnvelope(settings, options, cli.clock.now());
  const preview = await openPreviewFor(settings);
  try {
    if (options.batch === true) await parseBatch(cli, preview, envelope, settings.limits.parse_children * 2);
    else {
      const { event } = await preview.event(await openMailFile(file ?? "-", cli), envelope);
      await cli.printJson("parse", event);
    }
  } finally {
    await preview.close();
  }
}

/** `verify`: ask DNS who sent the mail, where the configuration wants that. */
export function openPreviewFor(settings: Settings, { verify = false } = {}): Promise<Preview> {
  const log = openCommandLog(settings, secretsOf(settings));
  const people = peopleFor(settings);
  return openPreview({
    children: settings.limits.parse_children,
    log,
    people,
    ...(verify ? { verify: settings } : {}),
  });
}

interface BatchLine {
  readonly event: CanonicalEvent;
  readonly unreadable: boolean;
}

/**
 * A window of parses runs ahead of the line that is printed next, so that order costs no idling children. Each line is printed as soon as
 * it and those before it are there: whoever writes one path and waits for its answer gets it.
 */
async function parseBatch(cli: Cli, preview: Preview, envelope: Envelope, width: number): Promise<void> {
  const ahead: Promise<void>[] = [];
  let printed = Promise.resolve();
  let lines = 0;
  let unreadable = 0;
  const input = createInterface({ input: Readable.from(cli.stdin), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const path of input) {
    if (path === "") continue;
    const before = printed;
    const line = parseLine(cli, preview, { ...envelope, received_at: cli.clock.now() }, path);
    printed = Promise.all([line, before]).then(async ([{ event, unreadable: unread }]) => {
      lines++;
      if (unread) unreadable++;
      await cli.printJson("parse", event, true);
    });
    ahead.push(printed);
    if (ahead.length >= width) await ahead.shift();
  }
  await printed;
  if (unreadable > 0) {
    throw new Failed(`${unreadable} of ${lines} files could not be read; their lines say why`, exitCodes.partly);
  }
}

async function parseLine(cli: Cli, preview: Preview, envelope: Envelope, path: string): Promise<BatchLine> {
  try {
    const { event } = await preview.event(await openMailFile(path, cli), envelope);
    return { event, unreadable: false };
  } catch (error) {
    // One line for every path, whatever happens: the reader counts on it.
    const { event } = await preview.event(noMail, envelope);
    const anomaly = { code: "raw_unreadable", detail: sentenceOf(error).slice(0, 300) };
    return { event: { ...event, parse_status: "failed", anomalies: [...event.anomalies, anomaly] }, unreadable: true };
  }
}

const noMail: MailFile = { name: "", size: 0, async *read() {} };
