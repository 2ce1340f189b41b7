/** `mailwright review`: what waits for a person, and a person's answer to it. */
import { Command, Option } from "commander";
import type { Ground } from "../../main.ts";
import { type ReviewKind, type ReviewRow, reviewKinds } from "../../model/reviews.ts";
import type { Cli } from "../cli.ts";
import { Failed } from "../exit.ts";
import { findMessage } from "../find.ts";
import { withGround } from "../open.ts";
import { jsonOption, limitOption, wholeNumber } from "../options.ts";
import { plain } from "../plain.ts";
import { isoTime, reviewShapeOf } from "../rows.ts";
import { listSampled, resolveSampled, type SampleAnswerOptions, showSampled } from "../samples.ts";
import { explainRow, printExplained } from "./explain.ts";
import { type ResolveOptions, resolve } from "./review-resolve.ts";

interface ListOptions {
  readonly tenant?: string;
  readonly kind?: ReviewKind;
  readonly resolved?: true;
  readonly sampled?: true;
  readonly limit: number;
  readonly before?: number;
  readonly json?: true;
}

const idArgument = ["<id>", "review id; or event id or Message-ID where the message has one review"] as const;

export function review(cli: Cli): Command {
  const command = new Command("review").description("What waits for a person, and a person's answer to it.");
  command
    .command("list")
    .description("List what waits for a person, newest first.")
    .option("--tenant <id>", "only of this tenant")
    .addOption(new Option("--kind <kind>", "only of this kind").choices(reviewKinds))
    .option("--resolved", "what was resolved instead, for a second thought")
    .addOption(
      new Option("--sampled", "delivered mails that were drawn for comparing with the CRM").conflicts([
        "kind",
        "before",
      ]),
    )
    .addOption(limitOption())
    .addOption(
      new Option("--before <id>", "only older than this review: the next page").argParser((text) =>
        wholeNumber(text, 1, 999_999_999),
      ),
    )
    .addOption(jsonOption())
    .action((options: ListOptions) =>
      withGround(cli, (ground) =>
        options.sampled === true ? listSampled(cli, ground, options) : list(cli, ground, options),
      ),
    );
  command
    .command("show")
    .description("Explain the message of a review: why it waits, the evidence, and what can be answered.")
    .argument(...idArgument)
    .option("--sampled", "a sampled mail (event id or Message-ID), beside what the CRM holds now")
    .addOption(jsonOption())
    .action((id: string, options: { sampled?: true; json?: true }) =>
      withGround(cli, (ground) =>
        options.sampled === true ? showSampled(cli, ground, id, options.json) : show(cli, ground, id, options),
      ),
    );
  command
    .command("resolve")
    .description(
      "Answer a review. The message is planned again, and what is allowed now is delivered once. Another answer later takes this one back.",
    )
    .argument(...idArgument)
    .option("--join <thread>", "thread: it belongs to this one (thread id, or a message of it)")
    .option("--new", "thread: it belongs to none of them")
    .option("--trust", "held: let it through")
    .option("--reject", "held: it is not wanted at any CRM")
    .option("--done", "move: it was moved by hand at the CRM")
    .option("--sampled", "a sampled mail (event id or Message-ID)")
    .option("--right", "sampled: the CRM shows what it should")
    .option("--wrong", "sampled: it does not")
    .option("--by <name>", "who decides (default: the user who runs the command)")
    .option("--note <text>", "why; kept with the decision")
    .addOption(jsonOption())
    .action((id: string, options: ResolveOptions & SampleAnswerOptions & { sampled?: true }) =>
      withGround(cli, async (ground) =>
        options.sampled === true
          ? await resolveSampled(cli, ground, id, options)
          : await resolve(cli, ground, await findReview(ground, id), options),
      ),
    );
  return command;
}

async function list(cli: Cli, { ledger }: Ground, options: ListOptions): Promise<void> {
  const { tenant, kind, before, limit, resolved } = options;
  const rows = await ledger.reviews({
    limit,
    which: resolved === true ? "resolved" : "open",
    ...(tenant === undefined ? {} : { tenant }),
    ...(kind === undefined ? {} : { kind }),
    ...(before === undefined ? {} : { before }),
  });
  if (options.json === true) return await cli.printJson("review list", rows.map(reviewShapeOf));
  if (rows.length === 0)
    return await cli.say(resolved === true ? "nothing was resolved that fits" : "nothing waits for a person");
  await cli.printTable(rows, [
    { title: "id", cell: ({ id }) => String(id) },
    { title: "since", cell: ({ at }) => isoTime(at).slice(0, 19).replace("T", " ") },
    { title: "event", cell: ({ eventId }) => eventId },
    { title: "tenant", cell: (row) => row.tenant, most: 20 },
    { title: "kind", cell: (row) => row.kind, colour: () => "yellow" },
    { title: "detail", cell: ({ detail, resolved: answer }) => `${answerWords(answer)}${detail}`, most: 100 },
  ]);
  const last = rows.at(-1);
  if (rows.length === limit && last !== undefined)
    await cli.say(`the newest ${limit} are shown; --before ${last.id} shows the next`);
}

const answerWords = (answer: ReviewRow["resolved"]): string =>
  answer === null ? "" : `${answer.as} by ${answer.by}: `;

async function show(cli: Cli, ground: Ground, id: string, { json }: { json?: true }): Promise<void> {
  const found = await findReview(ground, id);
  const row = await findMessage(ground, found.eventId);
  const explained = await explainRow(ground, row);
  if (json === true) return await cli.printJson("review show", { ...explained, review: reviewShapeOf(found) });
  await cli.print(`${cli.paint("bold", `Review ${found.id}`)} (${found.kind}): ${plain(found.detail, 600)}`, "");
  await printExplained(cli, row, explained);
}

/** Rejects with a sentence when there is none, or when an event has several and none of them is the only open one. */
async function findReview(ground: Ground, id: string): Promise<ReviewRow> {
  if (/^\d{1,9}$/.test(id)) {
    const [found] = await ground.ledger.reviews({ id: Number(id), which: "all", limit: 1 });
    if (found === undefined) throw new Failed(`there is no review ${id}: \`mailwright review list\``);
    return found;
  }
  const { eventId } = await findMessage(ground, id);
  const all = await ground.ledger.reviews({ event: eventId, which: "all", limit: 100 });
  const open = all.filter(({ resolved }) => resolved === null);
  const [found, ...others] = open.length > 0 ? open : all;
  if (found === undefined) throw new Failed(`event ${eventId} has no review: \`mailwright review list\``);
  if (others.length === 0) return found;
  const each = [found, ...others].map((row) => `${row.id} (${row.kind}${row.resolved === null ? "" : ", resolved"})`);
  throw new Failed(`event ${eventId} has ${each.length} reviews; name one by its id: ${each.join(", ")}`);
}
