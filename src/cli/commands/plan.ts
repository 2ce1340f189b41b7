/** `mailwright plan`: the steps that a message asks for and the look-ups they need, without writing anything. */
import { Command } from "commander";
import {
  explainSteps,
  type Ground,
  knownVersions,
  openCommandLog,
  openLanes,
  openLookingLanes,
  type Preview,
  peopleFor,
  rememberedBy,
  rulesRead,
  tenantPlans,
  type Versions,
  versionFor,
} from "../../main.ts";
import type { CanonicalEvent } from "../../model/event.ts";
import type { EventRow } from "../../model/ledger.ts";
import type { LinkOf } from "../../model/links.ts";
import type { ThreadDeal } from "../../model/mappings.ts";
import type { DecisionRow, Verdict } from "../../model/reviews.ts";
import type { Step } from "../../model/step.ts";
import { inLine, plannedBefore } from "../../pipeline/before.ts";
import { decide, participantsOf } from "../../pipeline/enrich.ts";
import { mostFiles, withFiles } from "../../pipeline/filed.ts";
import { openRaw } from "../../pipeline/raw.ts";
import { type Settings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { Failed } from "../exit.ts";
import { findMessage } from "../find.ts";
import { type AskLive, askLive } from "../live.ts";
import { importEnvelope, isMailFile, openMailFile, tenantOption, toOption, type WhoseOptions } from "../mail-file.ts";
import { withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import { destinationOf, storedEvent } from "../rows.ts";
import type { Planned } from "../shapes.ts";
import { openPreviewFor } from "./parse.ts";

interface Options extends WhoseOptions {
  readonly live?: true;
  readonly json?: true;
}

/** What the ledger knows beside the message itself. */
interface Memory {
  /** The ids that it remembers of a lane, for these steps in their order. */
  remembered(lane: string, steps: readonly Step[]): Promise<readonly (string | null)[]>;
  readonly deal?: ThreadDeal | undefined;
  readonly versions?: ReadonlyMap<string, Versions>;
  /** Left out where no CRM is to be asked. */
  readonly live?: AskLive;
}
const noMemory: Memory = { remembered: async (_lane, steps) => steps.map(() => null) };

export function plan(cli: Cli): Command {
  return new Command("plan")
    .description(
      "Print the steps that a message asks for, and the look-ups they need. Writes nothing, and calls nobody but with --live.",
    )
    .argument("<message>", "event id, Message-ID, mail file, or - for standard input")
    .addOption(tenantOption())
    .addOption(toOption())
    .option("--live", "ask the CRMs what they hold already of it (reads only)")
    .addOption(jsonOption())
    .action(async (id: string, options: Options) => {
      const planned = isMailFile(cli, id)
        ? await planFile(cli, id, options)
        : await withGround(cli, (ground) => asking(ground, options, (live) => planStored(ground, id, live)));
      if (options.json === true) await cli.printJson("plan", planned);
      else await printPlan(cli, planned);
    });
}

async function asking(
  ground: Ground,
  { live }: Options,
  use: (live: AskLive | undefined) => Promise<Planned>,
): Promise<Planned> {
  if (live !== true) return await use(undefined);
  const lanes = await openLanes(ground);
  try {
    return await use(askLive(lanes));
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

async function planFile(cli: Cli, name: string, options: Options): Promise<Planned> {
  const settings = cli.settings();
  const envelope = importEnvelope(settings, options, cli.clock.now());
  const file = await openMailFile(name, cli);
  const preview = await openPreviewFor(settings, { verify: true });
  try {
    const { event, digest } = await preview.event(file, envelope);
    return {
      ...(await withMemory(settings, event, options, (memory) => plannedOf(event, digest, settings, memory))),
      event_id: null,
    };
  } finally {
    await preview.close();
  }
}

/** Of a mail that is not stored: nothing is made for it, and nothing brought up to date. */
async function withMemory(
  settings: Settings,
  { thread }: CanonicalEvent,
  { live }: Options,
  use: (memory: Memory) => Promise<Planned>,
): Promise<Planned> {
  const remembered = await rememberedBy(settings);
  let looking: Awaited<ReturnType<typeof openLookingLanes>> | undefined;
  try {
    if (live === true)
      looking = await openLookingLanes(settings, remembered, openCommandLog(settings, secretsOf(settings)));
    const asked = looking === undefined ? {} : { live: askLive(looking.lanes) };
    if (remembered === undefined) return await use({ ...noMemory, ...asked });
    return await use({
      remembered: async (lane, steps) => remembered.refs(lane, steps),
      deal: remembered.dealOf(thread.thread_id) ?? undefined,
      versions: await knownVersions(settings, { mappings: async (tenant) => remembered.mappings(tenant) }),
      ...asked,
    });
  } finally {
    await looking?.close();
    remembered?.close();
  }
}

async function memoryOf(
  { ledger, settings }: Ground,
  { thread }: CanonicalEvent,
  live: AskLive | undefined,
): Promise<Memory> {
  const [deal] = await ledger.dealsOf([thread.thread_id]);
  return {
    remembered: (lane, steps) =>
      ledger.remembered(
        lane,
        steps.map(({ kind, key }) => ({ kind, key })),
      ),
    deal: deal ?? undefined,
    versions: await knownVersions(settings, ledger),
    ...(live === undefined ? {} : { live }),
  };
}

async function planStored(ground: Ground, id: string, live: AskLive | undefined): Promise<Planned> {
  const row = await findMessage(ground, id);
  const stored = storedEvent(row, ground.sealer);
  const found = stored === null ? await parsedAgain(ground, row) : withPeople(stored, row, ground.settings);
  const event = withFiles(found, row.digest, await ground.ledger.files({ event: row.eventId, limit: mostFiles }));
  const verdict = (await ground.ledger.decisions(row.eventId)).find(isVerdict);
  const before = await plannedBefore(row.eventId, ground);
  const linkOf = ground.links?.of;
  const history = { before, ...(verdict && { verdict }), ...(linkOf && { linkOf }) };
  return await plannedOf(event, row.digest, ground.settings, await memoryOf(ground, event, live), history);
}

const isVerdict = (row: DecisionRow): row is DecisionRow & Verdict =>
  row.stands && (row.kind === "trust" || row.kind === "reject");

/** What is known of a message that the ledger holds: how it was planned before, and what a person said of it. */
interface History {
  readonly before: Awaited<ReturnType<typeof plannedBefore>>;
  readonly verdict?: Verdict;
  /** Signs links as the daemon would; with others, every list of files would seem to have changed. */
  readonly linkOf?: LinkOf;
}

/** By the lists of today: reprocess would go by them too. */
function withPeople(event: CanonicalEvent, { envelope, routes }: EventRow, settings: Settings): CanonicalEvent {
  const people = peopleFor(settings).get(event.tenant);
  if (people === undefined) return event;
  return { ...event, participants: participantsOf(event, { envelope, routes }, people) };
}

/** Not parsed yet, or the event body was removed while the raw bytes are still there. */
async function parsedAgain(ground: Ground, row: EventRow): Promise<CanonicalEvent> {
  const { eventId, raw, rawSize: size } = row;
  if (raw.kind === "gone")
    throw new Failed(`retention has removed the content of event ${eventId}: nothing is left to plan from`);
  const sealed = await ground.ledger.raw(eventId);
  const preview: Preview = await openPreviewFor(ground.settings, { verify: true });
  try {
    const read = async function* () {
      yield* await openRaw(row, raw, sealed, ground);
    };
    const envelope = { ...row.envelope, routes: [...row.routes] };
    return (await preview.event({ size, read }, envelope, { eventId })).event;
  } finally {
    await preview.close();
  }
}

async function plannedOf(
  event: CanonicalEvent,
  digest: string,
  settings: Settings,
  { remembered, deal, versions, live }: Memory,
  { before, verdict, linkOf }: History = { before: new Map() },
): Promise<Planned> {
  const tenant = tenantPlans(settings, { linkOf, ...(versions && { versions }) }).find(
    (each) => each.tenant === event.tenant,
  );
  if (tenant === undefined) throw new Failed(`tenant ${plain(event.tenant)} is not in the configuration`);
  const { decisions } = inLine(event.event_id, decide(event, digest, tenant, { verdict, deal }), before, tenant);
  const lanes = decisions.map(async ({ lane, decision }) => {
    const destination = destinationOf(lane);
    if (decision.kind !== "steps") {
      return { destination, decision: decision.kind, rule: decision.rule, reason: decision.reason, steps: [] };
    }
    const refs = await remembered(lane, decision.steps);
    const answers = (await live?.(lane, decision.steps, refs)) ?? [];
    const words = explainSteps(decision.steps);
    const steps = decision.steps.map(({ kind, key, why }, index) => {
      const remembers = refs[index] ?? null;
      const { does = "", lookup = null } = words[index] ?? {};
      const answer = answers[index];
      const found = answer?.live === "found" ? answer.ref : null;
      return {
        ...{ kind, key, why, does, lookup: remembers === null ? lookup : null, known_ref: remembers ?? found },
        known_from: remembers !== null ? ("ledger" as const) : found !== null ? ("live" as const) : null,
        live: answer?.live ?? null,
        live_problem: answer?.live === "failed" ? answer.problem : null,
      };
    });
    return { destination, decision: decision.kind, rule: decision.rule, reason: null, steps };
  });
  return {
    event_id: event.event_id,
    message_id: event.message.message_id,
    tenant: event.tenant,
    mapping_version: versionFor(event, tenant.mapping) ?? null,
    rules: rulesRead(event, tenant.mapping, { digest, deal }).map(({ rule, failed, took }) => ({
      rule,
      applies: failed === null,
      failed,
      took: [...took],
    })),
    lanes: await Promise.all(lanes),
  };
}

async function printPlan(cli: Cli, planned: Planned): Promise<void> {
  const { paint } = cli;
  await cli.print(
    `${paint("bold", planned.event_id === null ? "Not stored" : `Event ${planned.event_id}`)} ${plain(planned.message_id ?? "(no Message-ID)")}, tenant ${planned.tenant}, mapping ${planned.mapping_version === null ? "file that was never in force" : `version ${planned.mapping_version}`}`,
  );
  for (const { rule, failed, took } of planned.rules) {
    const words =
      failed === null
        ? `applies${took.length === 0 ? ", and decides nothing" : `: ${took.join(", ")}`}`
        : `does not apply: ${failed}`;
    await cli.print(`  rule ${rule} ${paint("dim", plain(words, 200))}`);
  }
  for (const { destination, decision, rule, reason, steps } of planned.lanes) {
    await cli.print("", `${paint("bold", `Destination ${destination}`)}: ${decision} (rule ${rule})`);
    if (reason !== null) await cli.print(`  ${plain(reason, 500)}`);
    for (const [index, step] of steps.entries()) {
      await cli.print(`  ${index + 1}. ${plain(step.does, 500)}`, `     ${paint("dim", plain(step.why, 300))}`);
      for (const line of knownLines(step)) await cli.print(`     ${line}`);
    }
  }
}

/** Where an id comes from, or what would be asked for it. */
function knownLines({
  known_ref,
  known_from,
  lookup,
  live,
  live_problem,
}: Planned["lanes"][number]["steps"][number]): string[] {
  if (known_from === "ledger")
    return [`known: the ledger remembers CRM id ${plain(known_ref ?? "")}; nothing is asked`];
  const asks = lookup === null ? [] : [`looks up: ${plain(lookup, 300)}`];
  switch (live) {
    case null:
      return asks;
    case "found":
      return [...asks, `live: it is there now, as CRM id ${plain(known_ref ?? "")}`];
    case "absent":
      return [...asks, "live: it is not there now"];
    case "failed":
      return [...asks, `live: the CRM could not be asked: ${plain(live_problem ?? "", 300)}`];
    default:
      return live satisfies never;
  }
}
