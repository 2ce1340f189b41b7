/** The text of a logged mail: who wrote to whom above it, what it is and what it brought below it, and our marker as its last words. Pure. */
import type { ActivityStep } from "../../model/step.ts";
import { bodyOf } from "../shared/body.ts";
import { markerOf, maxBodyChars, shortLine, subjectOf } from "../shared/text.ts";

const mostParties = 20;

type Mailbox = NonNullable<ActivityStep["from"]>;

/** One line: words of a mail must not look like lines of ours. */
const flat = (text: string): string => shortLine(text.replace(/\s+/g, " "));

const partyOf = ({ email, name }: Mailbox): string =>
  name === null || name === "" ? flat(email) : `${flat(name)} <${flat(email)}>`;

function lineOf(word: string, all: readonly Mailbox[]): string[] {
  if (all.length === 0) return [];
  const more = all.length > mostParties ? `, and ${all.length - mostParties} more` : "";
  return [`${word}: ${all.slice(0, mostParties).map(partyOf).join(", ")}${more}`];
}

function headOf(step: ActivityStep): string {
  const { direction, from, to, cc, forwarded_by, flags, at } = step;
  const way = forwarded_by != null ? "Forwarded" : direction === "inbound" ? "Received" : "Sent";
  const when = new Date(at).toISOString().replace("T", " ").slice(0, 16);
  return [
    subjectOf(step.subject).trim() || "(no subject)",
    ...lineOf("Forwarded by", forwarded_by == null ? [] : [forwarded_by]),
    ...lineOf("From", from === null ? [] : [from]),
    ...lineOf("To", to),
    ...lineOf("Cc", cc),
    `${way}: ${when} UTC`,
    ...(flags.length === 0 ? [] : [`Mailwright: ${flat(flags.join("; "))}`]),
  ].join("\n");
}

/** What is searched for after a lost answer; neither `%` nor `_`, which a pattern of Tryton's takes for anything. */
function tailOf({ message_id, key }: ActivityStep): string {
  const id = message_id === null ? [] : [`Message-ID: ${flat(message_id)}`];
  return [...id, markerOf(key)].join("\n");
}

export interface NoteText {
  readonly message: string;
  /** Says what was cut; undefined when everything is there. */
  readonly cut: string | undefined;
}

/** Notes are plain text, and Tryton names no limit. */
export function noteText(step: ActivityStep): NoteText {
  const head = headOf(step);
  const words = { ...step, text: step.text.trimEnd() };
  const body = bodyOf(words, maxBodyChars - head.length - 2, tailOf(step), false);
  return { message: `${head}\n\n${body.text}`, cut: body.note };
}
