/** `mailwright explain`: the whole story of one message, and what to do next. */
import { Command } from "commander";
import type { Ground } from "../../main.ts";
import type { EventRow } from "../../model/ledger.ts";
import { adviceFor, adviceForFiles } from "../advice.ts";
import type { Cli } from "../cli.ts";
import { fileLine, filesOf } from "../file-shapes.ts";
import { findMessage } from "../find.ts";
import { withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import { decisionShapeOf, eventSummaryOf, isoTime, reviewShapeOf, storedEvent } from "../rows.ts";
import { runShapeOf } from "../run-report.ts";
import type { Explained } from "../shapes.ts";
import { storyLines } from "../story.ts";

export function explain(cli: Cli): Command {
  return new Command("explain")
    .description("Tell the whole story of a message: received, identity, parse, decision, every step, what to do next.")
    .argument("<event>", "event id or Message-ID")
    .addOption(jsonOption())
    .action((id: string, options: { json?: true }) =>
      withGround(cli, async (ground) => {
        const row = await findMessage(ground, id);
        const explained = await explainRow(ground, row);
        if (options.json === true) await cli.printJson("explain", explained);
        else await printExplained(cli, row, explained);
      }),
    );
}

const mostReviews = 100;

export async function explainRow(ground: Ground, row: EventRow): Promise<Explained> {
  const summary = eventSummaryOf(row);
  const event = storedEvent(row, ground.sealer);
  const story = await ground.ledger.story(row.eventId);
  const { tenants } = ground.settings;
  const standing = { lanes: await ground.ledger.lanes(), tenants, now: ground.clock.now() };
  const reviews = await ground.ledger.reviews({ event: row.eventId, which: "all", limit: mostReviews });
  const decisions = await ground.ledger.decisions(row.eventId);
  const files = await filesOf(ground, row);
  const runs = await ground.ledger.runsOf(row.eventId);
  return {
    ...summary,
    event,
    files,
    identity: {
      message_id: row.messageId,
      digest: row.digest,
      idempotency_key: event?.idempotency_key ?? row.messageId ?? row.digest,
    },
    reviews: reviews.map(reviewShapeOf),
    decisions: decisions.map(decisionShapeOf),
    runs: runs.map(({ run, state }) => ({ ...runShapeOf(run), message: state })),
    story: story.map(({ at, what, detail }) => ({ at: isoTime(at), what, detail })),
    next: [...adviceFor(summary, standing), ...adviceForFiles(files)],
  };
}

export async function printExplained(cli: Cli, row: EventRow, explained: Explained): Promise<void> {
  await cli.print(...storyLines(row, explained, explained.event, cli.paint));
  await printSection(cli, "Files", explained.files.map(fileLine));
  await printSection(cli, "Reviews", explained.reviews.map(reviewLine));
  await printSection(cli, "Decisions", explained.decisions.map(decisionLine));
  await printSection(cli, "Runs", explained.runs.map(runLine));
  await cli.print("", cli.paint("bold", "Story"));
  for (const { at, what, detail } of explained.story) {
    await cli.print(
      `  ${at}  ${plain(what, 300)}${detail === null ? "" : cli.paint("dim", ` (${plain(detail, 300)})`)}`,
    );
  }
  await cli.print("", cli.paint("bold", "What to do next"));
  for (const { what, command } of explained.next) {
    await cli.print(`  ${plain(what, 600)}${command === null ? "" : `\n    ${command}`}`);
  }
}

async function printSection(cli: Cli, title: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await cli.print("", cli.paint("bold", title), ...lines.map((line) => `  ${plain(line, 800)}`));
}

function reviewLine({ id, kind, detail, at, resolved }: Explained["reviews"][number]): string {
  const became = resolved === null ? "open" : `${resolved.as} by ${resolved.by} at ${resolved.at}`;
  return `${at}  ${id} (${kind}), ${became}: ${detail}`;
}

function decisionLine({ kind, with_event_id, by, at, note, stands }: Explained["decisions"][number]): string {
  const other = with_event_id === null ? "" : ` with event ${with_event_id}`;
  return `${at}  ${kind}${other} by ${by}${note === null ? "" : `: ${note}`}${stands ? "" : " (replaced since)"}`;
}

function runLine({ run, kind, of, mapping_version, by, at, note, message }: Explained["runs"][number]): string {
  const what = kind === "undo" ? `takes back run ${of}` : `mapping version ${mapping_version}`;
  return `${at}  run ${run} (${what}) by ${by}${note === null ? "" : `: ${note}`}; this message: ${message}`;
}
