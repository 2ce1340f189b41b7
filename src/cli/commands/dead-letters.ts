/** `mailwright dead-letters`: deliveries that need a person, and what a person can do about them. */
import { Command } from "commander";
import type { Ground } from "../../main.ts";
import type { DeadLetter, Requeue } from "../../model/ledger.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, usage } from "../exit.ts";
import { findMessage, findMessages, isEventId } from "../find.ts";
import { getItDone, withGround } from "../open.ts";
import { jsonOption, limitOption } from "../options.ts";
import { plain } from "../plain.ts";
import { deadLetterOf, destinationOf } from "../rows.ts";
import type { DeadLettersChanged } from "../shapes.ts";
import { explainRow, printExplained } from "./explain.ts";

interface Which {
  readonly tenant?: string;
  readonly destination?: string;
}
interface Json {
  readonly json?: true;
}

const tenantFilter = ["--tenant <id>", "only of this tenant"] as const;
const destinationFilter = ["--destination <id>", "only at this destination"] as const;
const idsArgument = ["<id...>", "dead letter ids, event ids or Message-IDs"] as const;

export function deadLetters(cli: Cli): Command {
  const command = new Command("dead-letters").description("Deliveries that need a person.");
  command
    .command("list")
    .description("List dead letters, newest first.")
    .option(...tenantFilter)
    .option(...destinationFilter)
    .addOption(limitOption())
    .addOption(jsonOption())
    .action((options: Which & Json & { limit: number }) => withGround(cli, (ground) => list(cli, ground, options)));
  command
    .command("show")
    .description("Explain the message of a dead letter.")
    .argument("<id>", "dead letter id, event id or Message-ID")
    .addOption(jsonOption())
    .action((id: string, options: Json) => withGround(cli, (ground) => show(cli, ground, id, options)));
  command
    .command("replay")
    .description(
      "Deliver dead letters again. What is right at the CRM already stays as it is; an unclear step is looked up first.",
    )
    .argument("[id...]", idsArgument[1])
    .option("--all", "all of them (with --tenant and --destination: all of those)")
    .option(...tenantFilter)
    .option(...destinationFilter)
    .addOption(jsonOption())
    .action((ids: string[], options: Which & Json & { all?: true }) =>
      withGround(cli, (ground) => replay(cli, ground, ids, options)),
    );
  command
    .command("confirm")
    .description("Close an outcome_unknown: you looked, and the record is in the CRM under this id.")
    .argument("<id>", "dead letter id, or event id where it has one dead letter")
    .requiredOption("--ref <crm-id>", "the CRM's own id of the record")
    .addOption(jsonOption())
    .action((id: string, { ref, json }: Json & { ref: string }) =>
      withGround(cli, (ground) =>
        change(cli, ground, [id], (delivery, now) => ({ kind: "confirm", delivery, ref, now }), "confirm", json),
      ),
    );
  command
    .command("drop")
    .description("Give dead letters up: they stay failed, with reason dropped, and leave the list.")
    .argument(...idsArgument)
    .option("--because <text>", "kept with it", "dropped by the operator")
    .addOption(jsonOption())
    .action((ids: string[], { because, json }: Json & { because: string }) =>
      withGround(cli, (ground) =>
        change(cli, ground, ids, (delivery, now) => ({ kind: "drop", delivery, now, detail: because }), "drop", json),
      ),
    );
  return command;
}

async function selected({ ledger }: Ground, { tenant, destination }: Which, limit: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let before: number | undefined;
  while (found.length < limit) {
    const page = await ledger.deadLetters({
      limit: 500,
      ...(tenant === undefined ? {} : { tenant }),
      ...(before === undefined ? {} : { before }),
    });
    found.push(...page.filter(({ lane }) => destination === undefined || fits(lane, destination)));
    before = page.at(-1)?.id;
    if (page.length < 500 || before === undefined) break;
  }
  return found.slice(0, limit);
}

/** A destination may be named with its tenant, or alone. */
const fits = (lane: string, destination: string): boolean =>
  lane === destination || destinationOf(lane) === destination;

async function list(cli: Cli, ground: Ground, options: Which & Json & { limit: number }): Promise<void> {
  const rows = await selected(ground, options, options.limit);
  if (options.json === true) return await cli.printJson("dead-letters list", rows.map(deadLetterOf));
  if (rows.length === 0) return await cli.say("no dead letters");
  await cli.printTable(rows.map(deadLetterOf), [
    { title: "id", cell: ({ id }) => String(id) },
    { title: "since", cell: ({ at }) => at.slice(0, 19).replace("T", " ") },
    { title: "event", cell: ({ event_id }) => event_id },
    { title: "destination", cell: ({ tenant, destination }) => `${tenant}/${destination}`, most: 30 },
    { title: "reason", cell: ({ reason }) => reason, colour: () => "red" },
    { title: "detail", cell: ({ detail }) => detail, most: 100 },
  ]);
  if (rows.length === options.limit) await cli.say(`the newest ${options.limit} are shown; --limit shows more`);
}

/** The dead letters meant by an id: a number is one delivery, anything else a message and all its dead letters. */
async function meant(ground: Ground, id: string): Promise<number[]> {
  if (/^\d{1,15}$/.test(id)) return [Number(id)];
  const rows = await findMessages(ground, id);
  return rows.flatMap(({ deliveries }) => deliveries.filter(({ state }) => state === "failed").map((row) => row.id));
}

async function show(cli: Cli, ground: Ground, id: string, { json }: Json): Promise<void> {
  const row = await findMessage(ground, isEventId(id) || !/^\d+$/.test(id) ? id : await eventOf(ground, Number(id)));
  const explained = await explainRow(ground, row);
  if (json === true) await cli.printJson("dead-letters show", explained);
  else await printExplained(cli, row, explained);
}

async function eventOf(ground: Ground, delivery: number): Promise<string> {
  const found = (await selected(ground, {}, Number.POSITIVE_INFINITY)).find(({ id }) => id === delivery);
  if (found === undefined) throw new Failed(`there is no dead letter ${delivery}: \`mailwright dead-letters list\``);
  return found.eventId;
}

async function replay(cli: Cli, ground: Ground, ids: string[], options: Which & Json & { all?: true }): Promise<void> {
  const isFiltered = options.tenant !== undefined || options.destination !== undefined;
  if (ids.length > 0 && (options.all === true || isFiltered)) throw usage("give ids, or --all with filters, not both");
  if (ids.length === 0 && options.all !== true) throw usage("name dead letters by id, or say --all");
  const which =
    ids.length > 0 ? ids : (await selected(ground, options, Number.POSITIVE_INFINITY)).map(({ id }) => String(id));
  await change(cli, ground, which, (delivery, now) => ({ kind: "replay", delivery, now }), "replay", options.json);
}

async function change(
  cli: Cli,
  ground: Ground,
  ids: readonly string[],
  request: (delivery: number, now: number) => Requeue,
  kind: "replay" | "confirm" | "drop",
  json: true | undefined,
): Promise<void> {
  const done: number[] = [];
  const notDone: { id: string; why: string }[] = [];
  for (const id of ids) {
    const deliveries = await meant(ground, id);
    if (deliveries.length === 0) notDone.push({ id, why: "nothing with this id is a dead letter" });
    if (kind === "confirm" && deliveries.length > 1) {
      notDone.push({ id, why: `it has several dead letters: name one of ${deliveries.join(", ")}` });
      continue;
    }
    for (const delivery of deliveries) {
      if (await ground.ledger.requeue(request(delivery, ground.clock.now()))) done.push(delivery);
      else notDone.push({ id, why: refusals[kind] });
    }
  }
  const worked_by = done.length > 0 && kind !== "drop" ? await getItDone(cli, ground) : "command";
  await tell(cli, ground, kind, { done, not_done: notDone, worked_by }, json);
}

const refusals = {
  replay: "it is not a dead letter",
  confirm: "it is not a dead letter with a step whose outcome is unknown",
  drop: "it is not a dead letter, or was dropped before",
} as const;

async function tell(
  cli: Cli,
  ground: Ground,
  kind: "replay" | "confirm" | "drop",
  changed: DeadLettersChanged,
  json: true | undefined,
): Promise<void> {
  if (json === true) await cli.printJson(`dead-letters ${kind}`, changed);
  else {
    const became = await openBecame(ground, kind, changed);
    for (const delivery of changed.done) await cli.print(`${delivery}: ${became(delivery)}`);
  }
  for (const { id, why } of changed.not_done) await cli.say(`${plain(id)}: ${why}`);
  if (changed.not_done.length === 0) return;
  const exitCode = changed.done.length > 0 ? exitCodes.partly : exitCodes.failed;
  throw new Failed(
    `${changed.not_done.length} of ${changed.done.length + changed.not_done.length} could not be changed`,
    exitCode,
  );
}

/** They are read once: a CRM that is down for long leaves many thousands, and each replay of all of them asks about every one. */
async function openBecame(
  ground: Ground,
  kind: "replay" | "confirm" | "drop",
  { worked_by }: DeadLettersChanged,
): Promise<(delivery: number) => string> {
  if (kind === "drop") return () => "dropped";
  if (worked_by !== "command") return () => "queued; the daemon delivers it";
  const letters = await selected(ground, {}, Number.POSITIVE_INFINITY);
  const still = new Map(letters.map(({ id, detail }) => [id, detail]));
  return (delivery) => {
    const detail = still.get(delivery);
    return detail === undefined ? "worked; no longer a dead letter" : `a dead letter again: ${plain(detail)}`;
  };
}
