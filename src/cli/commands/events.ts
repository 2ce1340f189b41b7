/** `mailwright events`: what was received and what became of it. */
import { Command, Option } from "commander";
import type { Ground } from "../../main.ts";
import { type DeliveryState, deliveryStates, type EventRow, type FindQuery } from "../../model/ledger.ts";
import type { Cli } from "../cli.ts";
import { fileLine, filesOf } from "../file-shapes.ts";
import { findMessage } from "../find.ts";
import { withGround } from "../open.ts";
import { jsonOption, limitOption, sinceOption } from "../options.ts";
import { plain, plainLines } from "../plain.ts";
import { eventSummaryOf, skipCountOf, stateOf, storedEvent } from "../rows.ts";
import { storyLines } from "../story.ts";
import { stateColour } from "../table.ts";

export function events(cli: Cli): Command {
  const command = new Command("events").description("What was received, and what became of it.");
  command
    .command("list")
    .description("List received messages, newest first.")
    .addOption(new Option("--state <state>", "only in this state").choices(["received", ...deliveryStates]))
    .addOption(
      new Option("--skipped", "only what was skipped, and how many for which reason").conflicts(["state", "message"]),
    )
    .addOption(
      new Option("--reason <text>", "what was skipped by this rule, or with this text in its reason")
        .conflicts(["state", "message"])
        .implies({ skipped: true }),
    )
    .option("--tenant <id>", "only of this tenant")
    .option("--destination <lane>", "only with a delivery to this destination, as tenant/destination")
    .option("--message <id>", "only with this Message-ID")
    .addOption(sinceOption())
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((options: ListOptions) => withGround(cli, (ground) => list(cli, ground, options)));
  command
    .command("show")
    .description("Show one message: the canonical event, and every step at every destination.")
    .argument("<event>", "event id or Message-ID")
    .option("--headers", "show all headers")
    .addOption(jsonOption())
    .action((id: string, options: ShowOptions) => withGround(cli, (ground) => show(cli, ground, id, options)));
  return command;
}

interface ListOptions {
  readonly state?: DeliveryState | "received";
  readonly skipped?: true;
  readonly reason?: string;
  readonly tenant?: string;
  readonly destination?: string;
  readonly message?: string;
  readonly since?: number;
  readonly limit: number;
  readonly json?: true;
}

async function list(cli: Cli, { ledger, sealer }: Ground, options: ListOptions): Promise<void> {
  const state = options.skipped === true ? "skipped" : options.state;
  const query: FindQuery = {
    limit: options.limit,
    ...(state === undefined ? {} : { state }),
    ...(options.reason === undefined ? {} : { because: options.reason }),
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    ...(options.destination === undefined ? {} : { lane: options.destination }),
    ...(options.message === undefined ? {} : { message: options.message }),
    ...(options.since === undefined ? {} : { since: options.since }),
  };
  const rows = await ledger.find(query);
  if (options.skipped === true) {
    const counts = (await ledger.skips(query)).map(skipCountOf);
    if (options.json === true) {
      return await cli.printJson("events list --skipped", { counts, events: rows.map(eventSummaryOf) });
    }
    if (counts.length > 0) await cli.printTable(counts, skipColumns);
    if (rows.length > 0) await cli.print("");
  }
  if (options.json === true) return await cli.printJson("events list", rows.map(eventSummaryOf));
  if (rows.length === 0) return await cli.say("nothing was received that fits");
  await cli.printTable(rows.map(lineOf), [
    { title: "received", cell: ({ summary }) => summary.received_at.slice(0, 19).replace("T", " ") },
    { title: "event", cell: ({ summary }) => summary.event_id },
    { title: "tenant", cell: ({ summary }) => summary.tenant, most: 20 },
    { title: "state", cell: ({ summary }) => stateOf(summary), colour: ({ summary }) => stateColour(stateOf(summary)) },
    { title: "from", cell: ({ from }) => from, most: 40 },
    { title: "subject", cell: ({ subject }) => subject, most: 60 },
  ]);
  if (rows.length === options.limit) await cli.say(`the newest ${options.limit} are shown; --limit shows more`);

  function lineOf(row: EventRow) {
    const event = storedEvent(row, sealer);
    return {
      summary: eventSummaryOf(row),
      from: event?.message.from?.email ?? row.envelope.smtp?.mail_from ?? "",
      subject: event?.message.subject ?? "",
    };
  }
}

const skipColumns = [
  { title: "messages", cell: ({ messages }: Skipped) => String(messages) },
  { title: "tenant", cell: ({ tenant }: Skipped) => tenant, most: 20 },
  { title: "destination", cell: ({ destination }: Skipped) => destination, most: 20 },
  { title: "rule", cell: ({ rule }: Skipped) => rule ?? "", most: 40 },
  { title: "reason", cell: ({ reason }: Skipped) => reason, most: 80 },
];
type Skipped = ReturnType<typeof skipCountOf>;

interface ShowOptions {
  readonly headers?: true;
  readonly json?: true;
}

async function show(cli: Cli, ground: Ground, id: string, options: ShowOptions): Promise<void> {
  const row = await findMessage(ground, id);
  const event = storedEvent(row, ground.sealer);
  const summary = eventSummaryOf(row);
  const files = await filesOf(ground, row);
  if (options.json === true) return await cli.printJson("events show", { ...summary, event, files });
  await cli.print(...storyLines(row, summary, event, cli.paint));
  if (event === null) return;
  if (options.headers === true) {
    await cli.print("", cli.paint("bold", "Headers"));
    await cli.print(...event.message.headers.map(([name, value]) => `  ${plain(name, 80)}: ${plain(value, 2_000)}`));
  }
  const { text, attachments } = event.message;
  if (files.length > 0) await cli.print("", cli.paint("bold", "Files"), ...files.map(fileLine));
  else
    for (const one of attachments)
      await cli.print(`  ${plain(one.filename)}, ${plain(one.content_type, 80)}, ${one.size} bytes`);
  await cli.print("", cli.paint("bold", "Text"), plainLines(text ?? "(none)"));
}
