/** Tells of a run: what it planned, what came of it, and what it left alone. */
import type { Ground } from "../main.ts";
import type { RunEvent, RunRow } from "../model/runs.ts";
import type { Cli } from "./cli.ts";
import { cohortShape } from "./cohort-words.ts";
import { plain } from "./plain.ts";
import { destinationOf, isoTime, isoTimeOrNull } from "./rows.ts";
import type { Left, RunReport, RunShape } from "./run-shapes.ts";

const page = 500;

export const runShapeOf = ({
  id,
  mappingVersion,
  cohort,
  at,
  endedAt,
  kind,
  of,
  tenant,
  by,
  note,
  state,
}: RunRow): RunShape => ({
  run: id,
  kind,
  of,
  tenant,
  mapping_version: mappingVersion,
  cohort: cohortShape(cohort),
  by,
  note,
  at: isoTime(at),
  state,
  ended_at: isoTimeOrNull(endedAt),
});

export async function reportOf({ ledger }: Ground, run: RunRow, most: number): Promise<RunReport> {
  const { waiting, given, planned, unable, deliveries, made } = await ledger.runTally(run.id);
  const [left, gone]: [Left[], RunReport["unable"]] = [[], []];
  let [found, after] = [0, 0];
  for (;;) {
    const events = await ledger.runEvents({ run: run.id, after, limit: page });
    for (const event of events) {
      if (event.state === "unable" && gone.length < most) {
        const { eventId, messageId, reason } = event;
        gone.push({ event_id: eventId, message_id: messageId, why: reason ?? "it could not be planned" });
      }
      for (const one of leftOf(event, run.kind)) {
        found++;
        if (left.length < most) left.push(one);
      }
    }
    const last = events.at(-1);
    if (last === undefined || events.length < page) break;
    after = last.seq;
  }
  return {
    ...runShapeOf(run),
    messages: { chosen: waiting + given + planned + unable, planned, waiting: waiting + given, unable },
    deliveries: { ...deliveries },
    made: made.map((row) => ({ ...row })),
    unable: gone,
    left,
    left_out: found - left.length,
  };
}

function leftOf({ eventId, messageId, deliveries }: RunEvent, kind: RunRow["kind"]): Left[] {
  return deliveries.flatMap(({ lane, state, outcome, alone }): Left[] => {
    if (alone.length > 0) {
      const records: Left["records"] = [];
      return [
        {
          event_id: eventId,
          message_id: messageId,
          destination: destinationOf(lane),
          state,
          why: alone.join("; "),
          records,
        },
      ];
    }
    const { decision, reason, was, taken, kept = [] } = outcome;
    // What an undo does not want any more it takes away.
    const unwanted = kind === "undo" ? [] : outcome.unwanted;
    const stays = was === "failed" && state === "failed";
    if (taken && unwanted.length === 0 && kept.length === 0 && !stays) return [];
    const records = [
      ...unwanted.map(({ kind, ref }) => ({ kind, ref, why: null })),
      ...kept.map(({ kind, ref, why }) => ({ kind, ref, why })),
    ];
    const why = stays
      ? "it is a dead letter and waits for a person"
      : !taken
        ? `no longer wanted (${decision}: ${reason ?? "no reason"}); what is at the CRM stays`
        : kept.length > 0
          ? "left alone"
          : "no longer asked for; it stays at the CRM";
    return [{ event_id: eventId, message_id: messageId, destination: destinationOf(lane), state, why, records }];
  });
}

export async function printReport(cli: Cli, report: RunReport): Promise<void> {
  const { messages, deliveries, made, left, left_out, unable } = report;
  const what = report.kind === "undo" ? `takes back run ${report.of}` : `mapping version ${report.mapping_version}`;
  await cli.print(
    `${cli.paint("bold", `Run ${report.run}`)} (${what}), tenant ${report.tenant}, by ${plain(report.by)}: ${report.state}`,
  );
  await cli.print(
    `  messages: ${messages.planned} of ${messages.chosen} planned, ${messages.waiting} waiting, ${messages.unable} not to be planned`,
  );
  const states = Object.entries(deliveries).flatMap(([state, n]) => (n > 0 ? [`${n} ${state}`] : []));
  await cli.print(`  deliveries: ${states.join(", ") || "none"}`);
  const words = made.map(
    ({ kind, n, adopted, undone }) => `${n} ${kind}${adopted ? " found" : " made"}${undone ? ", taken back" : ""}`,
  );
  await cli.print(`  came about by it: ${words.join("; ") || "nothing"}`);
  for (const { event_id, why } of unable) await cli.print(`  ${event_id} was not planned: ${plain(why, 300)}`);
  for (const { event_id, destination, why, records } of left) {
    const refs = records.map(
      ({ kind, ref, why: because }) => `${kind} ${ref ?? "unknown"}${because === null ? "" : ` (${because})`}`,
    );
    await cli.print(
      `  ${event_id} at ${destination}: ${plain(why, 300)}${refs.length === 0 ? "" : `: ${plain(refs.join(", "), 600)}`}`,
    );
  }
  if (left_out > 0) await cli.say(`${left_out} more are not listed; --limit lists more`);
}
