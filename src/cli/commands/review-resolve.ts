/** `mailwright review resolve`: a person's answer is written down, the message planned again, and what came of it told. */
import { type Ground, senderDecisions } from "../../main.ts";
import type { SenderDecision } from "../../model/acquaintance.ts";
import { answersTo, type ReviewAnswer, type ReviewRow } from "../../model/reviews.ts";
import type { Cli } from "../cli.ts";
import { Failed, usage } from "../exit.ts";
import { findMessage } from "../find.ts";
import { getItDone } from "../open.ts";
import { plain } from "../plain.ts";
import { deliveryShapeOf, isoTime, storedEvent } from "../rows.ts";
import { messageToJoin } from "../thread.ts";
import { untilDecided } from "../wait.ts";

export interface WhoOptions {
  readonly by?: string;
  readonly note?: string;
}

export interface ResolveOptions extends WhoOptions {
  readonly join?: string;
  readonly new?: true;
  readonly trust?: true;
  readonly reject?: true;
  readonly done?: true;
  readonly json?: true;
}

const longestName = 100;
const longestNote = 2_000;

/** Who decides, and why. Exits as wrong usage for what is no name. */
export function whoSays(cli: Cli, { by, note }: WhoOptions): { by: string; note: string | null } {
  const name = (by ?? cli.user).trim();
  if (name === "") throw usage("say who decides: --by NAME");
  if (name.length > longestName || /\p{Cc}/u.test(name)) throw usage("--by is a name of one line");
  if (note !== undefined && note.length > longestNote) throw usage(`--note has at most ${longestNote} characters`);
  return { by: name, note: note === undefined || note.trim() === "" ? null : note };
}

const answerKinds = ["join", "new", "trust", "reject", "done"] as const;

export async function resolve(cli: Cli, ground: Ground, review: ReviewRow, options: ResolveOptions): Promise<void> {
  const who = whoSays(cli, options);
  const answer = await answerOf(ground, review, options);
  await refuseRepeated(ground, review, answer);
  const now = ground.clock.now();
  const teaches = await lessonOf(ground, review.eventId, answer, { by: who.by, at: now });
  await decideAll(ground, [{ eventId: review.eventId, answer, ...who, now, teaches }]);
  const worked_by = answer.kind === "done" ? "command" : await getItDone(cli, ground);
  if (worked_by === "daemon") await untilDecided(ground, [review.eventId]);
  const row = await findMessage(ground, review.eventId);
  const deliveries = row.deliveries.map(deliveryShapeOf);
  const resolved = { review: review.id, event_id: review.eventId, answer: answer.kind, ...who, worked_by, deliveries };
  if (options.json === true) return await cli.printJson("review resolve", resolved);
  const became = deliveries.map(
    ({ destination, state, detail }) => `${destination} ${state}${detail === null ? "" : ` (${plain(detail)})`}`,
  );
  await cli.print(`${review.id}: ${answer.kind} by ${plain(who.by)}; ${became.join(", ") || "not decided yet"}`);
  if (answer.kind === "trust" && teaches.length === 0)
    await cli.say(
      "nothing vouched for the sender that does not vouch for strangers too, so that this message alone is let through; the next one is judged as before",
    );
  const stays = deliveries.filter(({ state }) => answer.kind === "reject" && state === "processed");
  for (const { destination } of stays) await cli.say(`it is in ${destination} already and stays there`);
}

async function answerOf(ground: Ground, review: ReviewRow, options: ResolveOptions): Promise<ReviewAnswer> {
  const given = answerKinds.filter((kind) => options[kind] !== undefined);
  const [kind] = given;
  const allowed: readonly ReviewAnswer["kind"][] = answersTo[review.kind];
  const choices = allowed.map((each) => `--${each}${each === "join" ? " THREAD" : ""}`).join(" or ");
  if (kind === undefined || given.length > 1) throw usage(`give one answer: ${choices}`);
  if (!allowed.includes(kind))
    throw usage(`review ${review.id} is of kind ${review.kind}, which --${kind} does not answer: ${choices}`);
  if (kind !== "join") return { kind };
  return { kind, withEventId: await messageToJoin(ground, options.join ?? "", review.eventId) };
}

/** Trust is bound to what vouched for the sender. It is taken back with the answer that gave it; to reject one mail says nothing of others. */
async function lessonOf(
  ground: Ground,
  eventId: string,
  answer: ReviewAnswer,
  said: { by: string; at: number },
): Promise<readonly SenderDecision[]> {
  if (answer.kind !== "trust" && answer.kind !== "reject") return [];
  const event = storedEvent(await findMessage(ground, eventId), ground.sealer);
  if (event === null) return [];
  if (answer.kind === "trust") return senderDecisions(ground, event, "trust", said);
  const wasTrusted = (await ground.ledger.decisions(eventId)).some(({ kind, stands }) => stands && kind === "trust");
  return wasTrusted ? senderDecisions(ground, event, "revoke", said) : [];
}

async function refuseRepeated({ ledger }: Ground, { id, eventId, resolved }: ReviewRow, answer: ReviewAnswer) {
  if (resolved === null || resolved.as !== answer.kind) return;
  const standing = (await ledger.decisions(eventId)).find(({ kind, stands }) => stands && kind === answer.kind);
  if (answer.kind === "join" && standing?.withEventId !== answer.withEventId) return;
  throw new Failed(
    `review ${id} was resolved as ${resolved.as} by ${plain(resolved.by)} at ${isoTime(resolved.at)} already; another answer would take that back`,
  );
}

/** Rejects with a sentence when one of them cannot be decided: then none is. */
export async function decideAll(
  { ledger }: Ground,
  decisions: Parameters<Ground["ledger"]["decide"]>[0],
): Promise<void> {
  const answers = await ledger.decide(decisions);
  for (const [index, answer] of answers.entries()) {
    const { eventId, answer: asked } = decisions[index] ?? {};
    switch (answer) {
      case "done":
        break;
      case "gone":
        throw new Failed(
          `event ${eventId} cannot be planned again: its raw bytes were removed by retention; nothing was changed`,
        );
      case "unknown":
        throw new Failed(
          asked?.kind === "join"
            ? `event ${eventId} cannot be joined to the thread of event ${asked.withEventId}: that is the same message, or another tenant's; nothing was changed`
            : `there is no event ${eventId}; nothing was changed`,
        );
      default:
        answer satisfies never;
    }
  }
}
