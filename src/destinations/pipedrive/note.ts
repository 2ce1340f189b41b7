/** The text of a logged mail as Pipedrive shows it (a note in HTML), and the line beside it that says whose it is. Pure. */
import type { ActivityStep } from "../../model/step.ts";
import { attachmentBlock } from "../shared/attached.ts";
import { count, escaped, markerOf, shortLine, shortText, storable } from "../shared/text.ts";

/** Pipedrive names no figure; half of it where this is called too long. */
export const maxNoteChars = 60_000;
const mostParties = 20;
/** As a cleaned note spells it, so that it grows no longer there. */
const lineEnd = "<br />";

export interface Note {
  readonly html: string;
  /** Says what was cut; undefined when everything is there. */
  readonly cut: string | undefined;
}

type Mailbox = NonNullable<ActivityStep["from"]>;
const partyOf = ({ email, name }: Mailbox): string =>
  name === null || name === "" ? shortText(email) : `${shortLine(name)} <${shortText(email)}>`;

function lineOf(word: string, all: readonly Mailbox[]): string[] {
  if (all.length === 0) return [];
  const more = all.length > mostParties ? `, and ${count(all.length - mostParties)} more` : "";
  return [`${word}: ${escaped(all.slice(0, mostParties).map(partyOf).join(", "))}${more}`];
}

function partiesOf({ from, to, cc, forwarded_by }: ActivityStep): string {
  const lines = [
    ...lineOf("Forwarded by", forwarded_by == null ? [] : [forwarded_by]),
    ...lineOf("From", from === null ? [] : [from]),
    ...lineOf("To", to),
    ...lineOf("Cc", cc),
  ];
  return lines.length === 0 ? "" : `<p>${lines.join(lineEnd)}</p>`;
}

/** The sender's words as text, then who wrote to whom, then the files: a person reads the first lines of it in a list. */
export function noteOf(step: ActivityStep, limit: number): Note {
  const text = escaped(storable(step.text).trimEnd()).replace(/\r\n?|\n/g, lineEnd);
  const tail = partiesOf(step) + (attachmentBlock(step.attachments, "html") ?? "");
  if (text.length + tail.length <= limit) return { html: text + tail, cut: undefined };
  const cut = `text cut to ${count(limit)} of ${count(step.text.length)} characters`;
  const said = `<p>[Mailwright: ${cut}; the whole mail is kept as event ${step.event_id}]</p>`;
  return { html: whole(text.slice(0, Math.max(0, limit - said.length - tail.length))) + said + tail, cut };
}

/** Not in the middle of a tag or of a character's name. */
const whole = (html: string): string => html.replace(/(<[^<>]*|&[^;]{0,8})$/, "").toWellFormed();

/** What of the record is ours, so that it can be told from what people changed. */
export interface Own {
  readonly deal: string | undefined;
  readonly organization: string | undefined;
}

/** Stands in the activity's public description: with the marker at its end, which a read-back looks for. */
export function descriptionOf(step: ActivityStep, own: Own): string {
  const way = step.forwarded_by != null ? "forwarded" : step.direction === "inbound" ? "received" : "sent";
  const parts = [
    `Mailwright: mail ${way}`,
    `event ${step.event_id}`,
    ...slots(own),
    ...(step.flags.length === 0 ? [] : [`flags ${shortText(step.flags.join(", "))}`]),
    markerOf(step.key),
  ];
  return parts.join("; ");
}

const slots = ({ deal, organization }: Own): string[] => [
  ...(deal === undefined ? [] : [`deal ${deal}`]),
  ...(organization === undefined ? [] : [`organization ${organization}`]),
];

const slotPattern = (word: string): RegExp => new RegExp(`; ${word} (\\d{1,20})(?=;)`);

/** Which deal and organization we put the activity on; undefined also where somebody took the words away. */
export const ownOf = (description: string | null | undefined): Own => ({
  deal: slotPattern("deal").exec(description ?? "")?.[1],
  organization: slotPattern("organization").exec(description ?? "")?.[1],
});

/** The description after we moved the activity; as it was where it is not ours any more. */
export function movedDescription(description: string, word: "deal" | "organization", id: string | undefined): string {
  const marker = /; (\[mw:[0-9a-f]{16}\]\s*)$/.exec(description);
  if (marker === null) return description;
  const head = description.slice(0, marker.index).replace(new RegExp(`; ${word} \\d{1,20}(?=;|$)`), "");
  return `${head}${id === undefined ? "" : `; ${word} ${id}`}; ${marker[1]}`;
}

/** True when the description says that this is the record of that key. */
export const isMarked = (description: string | null | undefined, key: string): boolean =>
  (description ?? "").trimEnd().endsWith(markerOf(key));
