/** `mailwright threads`: the conversations, and what a person does about them where they are wrong. */
import { Command } from "commander";
import type { Ground } from "../../main.ts";
import type { Decide } from "../../model/reviews.ts";
import type { ThreadRow } from "../../model/threads.ts";
import type { Cli } from "../cli.ts";
import { Failed, usage } from "../exit.ts";
import { findMessage } from "../find.ts";
import { getItDone, withGround } from "../open.ts";
import { jsonOption, limitOption, wholeNumber } from "../options.ts";
import { plain } from "../plain.ts";
import { isoTime } from "../rows.ts";
import { findThread, threadShapeOf } from "../thread.ts";
import type { ThreadShape } from "../thread-shapes.ts";
import { untilDecided } from "../wait.ts";
import { decideAll, type WhoOptions, whoSays } from "./review-resolve.ts";

interface ChangeOptions extends WhoOptions {
  readonly json?: true;
}

const threadWords = "thread id, or event id or Message-ID of a message of it";
const byOption = ["--by <name>", "who decides (default: the user who runs the command)"] as const;
const noteOption = ["--note <text>", "why; kept with the decision"] as const;

export function threads(cli: Cli): Command {
  const command = new Command("threads").description("Conversations: which message belongs to which, and why.");
  command
    .command("list")
    .description("List threads, the ones that were written to last first.")
    .option("--tenant <id>", "only of this tenant")
    .addOption(limitOption())
    .option("--before <place>", "the next page: only older than this place", (text) =>
      wholeNumber(text, 1, 999_999_999),
    )
    .addOption(jsonOption())
    .action((options: ListOptions) => withGround(cli, (ground) => list(cli, ground, options)));
  command
    .command("show")
    .description(
      "Show a thread: its messages, what joined each, and the address that lets answers join it with certainty.",
    )
    .argument("<thread>", threadWords)
    .addOption(jsonOption())
    .action((name: string, { json }: { json?: true }) =>
      withGround(cli, async (ground) => {
        const shown = await threadShapeOf(ground, await findThread(ground, name));
        if (json === true) await cli.printJson("threads show", shown);
        else await printThread(cli, shown);
      }),
    );
  command
    .command("merge")
    .description("Make two threads one. What is at the CRM already is moved. `threads split` takes it back.")
    .argument("<thread>", threadWords)
    .argument("<other>", threadWords)
    .option(...byOption)
    .option(...noteOption)
    .addOption(jsonOption())
    .action((one: string, other: string, options: ChangeOptions) =>
      withGround(cli, (ground) => merge(cli, ground, [one, other], options)),
    );
  command
    .command("split")
    .description(
      "Make a thread of its own out of messages of a thread; what answers them goes along. `threads merge` takes it back.",
    )
    .argument("<thread>", threadWords)
    .argument("<message...>", "event ids or Message-IDs of the messages that leave it")
    .option(...byOption)
    .option(...noteOption)
    .addOption(jsonOption())
    .action((name: string, messages: string[], options: ChangeOptions) =>
      withGround(cli, (ground) => split(cli, ground, name, messages, options)),
    );
  return command;
}

interface ListOptions {
  readonly tenant?: string;
  readonly limit: number;
  readonly before?: number;
  readonly json?: true;
}

async function list(cli: Cli, { ledger }: Ground, { tenant, limit, before, json }: ListOptions): Promise<void> {
  const rows = await ledger.threads({
    limit,
    ...(tenant === undefined ? {} : { tenant }),
    ...(before === undefined ? {} : { before }),
  });
  const shaped = rows.map((row) => ({
    thread_id: row.threadId,
    tenant: row.tenant,
    messages: row.messages,
    first_at: isoTime(row.firstAt),
    last_at: isoTime(row.lastAt),
    place: row.at,
  }));
  if (json === true) return await cli.printJson("threads list", shaped);
  if (rows.length === 0) return await cli.say("there are no threads");
  await cli.printTable(shaped, [
    { title: "thread", cell: (row) => row.thread_id },
    { title: "tenant", cell: (row) => row.tenant, most: 20 },
    { title: "messages", cell: ({ messages }) => String(messages) },
    { title: "first", cell: ({ first_at }) => first_at.slice(0, 19).replace("T", " ") },
    { title: "last", cell: ({ last_at }) => last_at.slice(0, 19).replace("T", " ") },
  ]);
  const last = shaped.at(-1);
  if (rows.length === limit && last !== undefined)
    await cli.say(`the newest ${limit} are shown; --before ${last.place} shows the next`);
}

async function printThread(
  cli: Cli,
  { thread_id, tenant, aliases, reply_to, messages, messages_left_out }: ThreadShape,
) {
  await cli.print(
    `${cli.paint("bold", "Thread")} ${thread_id}, tenant ${tenant}`,
    ...(aliases.length === 0 ? [] : [`  also known as  ${aliases.join(", ")}`]),
    `  reply to       ${reply_to ?? "no inbound address has room for its token"}`,
  );
  if (messages_left_out > 0) await cli.say(`${messages_left_out} older messages are left out`);
  for (const message of messages) {
    const { event_id, written_at, from, subject, state, method, confidence, parent_event_id } = message;
    const joined =
      method === null ? "its event was removed" : `${method}, ${Math.round((confidence ?? 0) * 100)} % sure`;
    await cli.print(
      "",
      `  ${written_at}  ${event_id}  ${plain(state)}`,
      `    ${plain(from ?? "nobody", 100)}: ${plain(subject ?? "(none)", 200)}`,
      cli.paint("dim", `    joined by ${joined}${parent_event_id === null ? "" : `, answers ${parent_event_id}`}`),
      ...message.candidates.map(
        ({ thread_id: other, score, reasons }) =>
          `    may belong to ${other} (${score}: ${plain(reasons.join(", "), 300)})`,
      ),
      ...message.decisions
        .filter(({ stands }) => stands)
        .map(
          ({ kind, by, at, note }) =>
            `    ${kind} by ${plain(by)} at ${at}${note === null ? "" : `: ${plain(note, 300)}`}`,
        ),
      ...message.reviews.map(({ id, kind, detail }) => `    review ${id} (${kind}): ${plain(detail, 300)}`),
    );
  }
}

const hasDecision = async ({ ledger }: Ground, eventId: string): Promise<boolean> =>
  (await ledger.decisions(eventId)).some(({ kind, stands }) => stands && (kind === "join" || kind === "new"));

async function merge(
  cli: Cli,
  ground: Ground,
  names: readonly [string, string],
  options: ChangeOptions,
): Promise<void> {
  const who = whoSays(cli, options);
  const [one, other] = [await findThread(ground, names[0]), await findThread(ground, names[1])];
  if (one.threadId === other.threadId) throw new Failed(`both names are of thread ${plain(one.threadId)} already`);
  if (one.tenant !== other.tenant) throw new Failed("they are threads of two tenants, whose mail never meets");
  const [first, second] = [rootOf(one), rootOf(other)];
  // A message that was set apart stays so, with all that answers it: then the other one is joined to it.
  const isTaken = (await hasDecision(ground, second)) && !(await hasDecision(ground, first));
  const [from, to] = isTaken ? [first, second] : [second, first];
  const now = ground.clock.now();
  const decisions: Decide[] = [{ eventId: from, answer: { kind: "join", withEventId: to }, ...who, now }];
  await change(cli, ground, decisions, [one, other], [from], "merge", options);
}

/** The first that was written: what all others answer in the end. */
function rootOf({ threadId, messages }: ThreadRow): string {
  const [first] = messages;
  if (first === undefined) throw new Failed(`thread ${plain(threadId)} is empty`);
  return first.eventId;
}

async function split(
  cli: Cli,
  ground: Ground,
  name: string,
  messages: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  const who = whoSays(cli, options);
  const thread = await findThread(ground, name);
  const leaving = new Set<string>();
  for (const id of messages) leaving.add((await findMessage(ground, id)).eventId);
  const inside = thread.messages.filter(({ eventId }) => leaving.has(eventId)).map(({ eventId }) => eventId);
  const strange = [...leaving].filter((eventId) => !inside.includes(eventId));
  if (strange.length > 0) throw new Failed(`not in thread ${plain(thread.threadId)}: ${strange.join(", ")}`);
  if (leaving.has(rootOf(thread)))
    throw usage("the first message of a thread stays, with what answers it; name the others that leave it");
  const now = ground.clock.now();
  const [first, ...others] = inside;
  if (first === undefined) throw usage("name the messages that leave it");
  const decisions: Decide[] = [
    { eventId: first, answer: { kind: "new" }, ...who, now },
    ...others.map((eventId): Decide => ({ eventId, answer: { kind: "join", withEventId: first }, ...who, now })),
  ];
  await change(cli, ground, decisions, [thread], [rootOf(thread), first], "split", options);
}

async function change(
  cli: Cli,
  ground: Ground,
  decisions: readonly Decide[],
  before: readonly ThreadRow[],
  shown: readonly string[],
  kind: "merge" | "split",
  { json }: ChangeOptions,
): Promise<void> {
  await decideAll(ground, decisions);
  const worked_by = await getItDone(cli, ground);
  if (worked_by === "daemon") {
    await untilDecided(
      ground,
      decisions.map(({ eventId }) => eventId),
    );
    // What stands elsewhere because of them is planned again too.
    await untilDecided(
      ground,
      before.flatMap(({ messages }) => messages.map(({ eventId }) => eventId)),
    );
  }
  const now: ThreadShape[] = [];
  for (const eventId of shown) now.push(await threadShapeOf(ground, await findThread(ground, eventId)));
  const { by, note } = decisions[0] ?? { by: "", note: null };
  const decided = decisions.map(({ eventId, answer }) => ({
    event_id: eventId,
    kind: answer.kind === "join" ? ("join" as const) : ("new" as const),
    with_event_id: answer.kind === "join" ? answer.withEventId : null,
  }));
  if (json === true) return await cli.printJson(`threads ${kind}`, { decided, by, note, worked_by, threads: now });
  for (const { thread_id, messages } of now)
    await cli.print(`${thread_id}: ${messages.map(({ event_id, state }) => `${event_id} ${state}`).join(", ")}`);
}
