/** Sampled mails for `review --sampled`: listed, shown beside what the CRM holds now, and answered. */
import { type Ground, openLanes } from "../main.ts";
import type { Session } from "../model/destination.ts";
import type { DeliveryRow, StepRow } from "../model/ledger.ts";
import { recordKinds } from "../model/runs.ts";
import { type SampleAnswer, type SampleRow, sampleAnswers } from "../model/samples.ts";
import type { Cli } from "./cli.ts";
import { type WhoOptions, whoSays } from "./commands/review-resolve.ts";
import { Failed, sentenceOf, usage } from "./exit.ts";
import { findMessage } from "./find.ts";
import { plain, plainLines } from "./plain.ts";
import { destinationOf, isoTime, storedEvent } from "./rows.ts";
import type { Compared, SampleShape } from "./sample-shapes.ts";

const mostText = 2_000;

const shapeOf = ({ eventId, messageId, tenant, at, resolved }: SampleRow): SampleShape => ({
  event_id: eventId,
  message_id: messageId,
  tenant,
  at: isoTime(at),
  resolved: resolved === null ? null : { ...resolved, at: isoTime(resolved.at) },
});

export async function listSampled(
  cli: Cli,
  { ledger }: Ground,
  { tenant, limit, resolved, json }: { tenant?: string; limit: number; resolved?: true; json?: true },
): Promise<void> {
  const which = resolved === true ? "resolved" : "open";
  const rows = (await ledger.samples({ which, limit, ...(tenant === undefined ? {} : { tenant }) })).map(shapeOf);
  if (json === true) return await cli.printJson("review list --sampled", rows);
  if (rows.length === 0) return await cli.say("no sampled mail waits to be compared with the CRM");
  await cli.printTable(rows, [
    { title: "since", cell: ({ at }) => at.slice(0, 19).replace("T", " ") },
    { title: "event", cell: ({ event_id }) => event_id },
    { title: "tenant", cell: (row) => row.tenant, most: 20 },
    {
      title: "answer",
      cell: ({ resolved: answer }) => (answer === null ? "" : `${answer.as} by ${answer.by}`),
      most: 40,
    },
  ]);
}

async function sampled(ground: Ground, id: string) {
  const row = await findMessage(ground, id);
  const [sample] = await ground.ledger.samples({ event: row.eventId, which: "all", limit: 1 });
  if (sample === undefined)
    throw new Failed(`event ${row.eventId} was not sampled: \`mailwright review list --sampled\``);
  return { row, sample };
}

export async function showSampled(cli: Cli, ground: Ground, id: string, json: true | undefined): Promise<void> {
  const { row, sample } = await sampled(ground, id);
  const event = storedEvent(row, ground.sealer);
  const name = (who: { email: string | null; name: string | null } | null) => who?.email ?? who?.name ?? "";
  const mail: Compared["mail"] =
    event === null
      ? null
      : {
          from: event.message.from === null ? null : name(event.message.from),
          to: event.message.to.map(name),
          subject: event.message.subject,
          date: event.message.date,
          trust: event.auth.trust,
          thread_id: event.thread.thread_id,
          attachments: event.message.attachments.map(({ filename }) => filename),
          text: (event.message.text ?? "").slice(0, mostText).toWellFormed(),
        };
  const compared = { ...shapeOf(sample), mail, crm: await held(ground, row.deliveries) };
  if (json === true) return await cli.printJson("review show --sampled", compared);
  await print(cli, compared);
}

/** What the CRMs hold now of what the ledger knows to have come about. A CRM that does not answer is said, and stops nothing. */
async function held(ground: Ground, deliveries: readonly DeliveryRow[]): Promise<Compared["crm"]> {
  const lanes = await openLanes(ground);
  try {
    const found: Compared["crm"] = [];
    for (const { lane, steps } of deliveries) {
      const session = lanes.find(({ settings }) => settings.lane === lane)?.session;
      for (const step of steps) {
        if (step.state !== "confirmed" || step.ref === null || !recordKinds.has(step.kind)) continue;
        found.push({
          destination: destinationOf(lane),
          kind: step.kind,
          ref: step.ref,
          why: step.why,
          ...(await now(session, step, step.ref)),
        });
      }
    }
    return found;
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

type Now = Pick<Compared["crm"][number], "there" | "problem" | "fields">;

async function now(session: Session | undefined, { kind }: StepRow, ref: string): Promise<Now> {
  if (session === undefined) return { there: "unread", problem: "it is not in the configuration", fields: {} };
  try {
    const snapshot = await session.read(kind, ref);
    if (snapshot === undefined) return { there: "gone", problem: null, fields: {} };
    return { there: snapshot.archived ? "archived" : "yes", problem: null, fields: { ...snapshot.fields } };
  } catch (error) {
    return { there: "unread", problem: sentenceOf(error), fields: {} };
  }
}

async function print(cli: Cli, { event_id, mail, crm, resolved }: Compared): Promise<void> {
  const answer =
    resolved === null ? "nobody has compared it yet" : `${resolved.as} by ${resolved.by} at ${resolved.at}`;
  await cli.print(
    `${cli.paint("bold", `Sampled event ${event_id}`)}: ${plain(answer)}`,
    "",
    cli.paint("bold", "The mail"),
  );
  if (mail === null) await cli.print("  retention has removed it");
  else {
    await cli.print(`  From: ${plain(mail.from ?? "")}`, `  To: ${plain(mail.to.join(", "), 300)}`);
    await cli.print(`  Date: ${plain(mail.date ?? "")}`, `  Subject: ${plain(mail.subject ?? "", 300)}`);
    await cli.print(`  Trust: ${mail.trust}; thread ${mail.thread_id}`);
    if (mail.attachments.length > 0) await cli.print(`  Files: ${plain(mail.attachments.join(", "), 300)}`);
    await cli.print("", plainLines(mail.text));
  }
  for (const { destination, kind, ref, why, there, problem, fields } of crm) {
    await cli.print(
      "",
      `${cli.paint("bold", `${destination}: ${kind} ${plain(ref)}`)} ${cli.paint("dim", plain(why, 200))}`,
    );
    if (there !== "yes") await cli.print(`  ${there}${problem === null ? "" : `: ${plain(problem, 300)}`}`);
    for (const [field, value] of Object.entries(fields))
      if (value !== null) await cli.print(`  ${plain(field, 60)}: ${plain(value, 300)}`);
  }
  await cli.print("", `  mailwright review resolve --sampled ${event_id} --right | --wrong --note TEXT`);
}

export interface SampleAnswerOptions extends WhoOptions {
  readonly right?: true;
  readonly wrong?: true;
  readonly json?: true;
}

export async function resolveSampled(
  cli: Cli,
  ground: Ground,
  id: string,
  options: SampleAnswerOptions,
): Promise<void> {
  const given = sampleAnswers.filter((each) => options[each] === true);
  const as: SampleAnswer | undefined = given[0];
  if (as === undefined || given.length > 1) throw usage("give one answer: --right or --wrong");
  const { row } = await sampled(ground, id);
  const who = whoSays(cli, options);
  await ground.ledger.answerSample({ eventId: row.eventId, as, ...who, now: ground.clock.now() });
  const { sample } = await sampled(ground, row.eventId);
  if (options.json === true) return await cli.printJson("review resolve --sampled", shapeOf(sample));
  await cli.print(`${row.eventId}: ${as} by ${plain(who.by)}`);
  if (as === "wrong")
    await cli.say("what decided: `mailwright explain`; a mapping that was mended: `mailwright mapping apply`");
}
