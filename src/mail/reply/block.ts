/** Finds and reads the block of From, Sent, To and Subject lines that Outlook and others write above a quoted or forwarded mail. */
import { labelled, type Role } from "./labels.ts";
import { type Lines, unquoted } from "./lines.ts";

export interface HeaderBlock {
  /** Its first line. */
  readonly from: number;
  /** The line after its last. */
  readonly to: number;
  /** Values as written, wrapped lines joined by a blank; the first of each role. */
  readonly fields: ReadonlyMap<Role, string>;
  /** Fra, Sendt, Til, Emne: Danish or Norwegian. */
  readonly language: "nordic" | "other";
}

export interface BlockContext {
  /** A separator or a marker in the html says that a mail begins here: less is asked of the block. */
  readonly announced: boolean;
  /** The lines are quoted once more than they say. */
  readonly quoted: boolean;
}

const maxBlockLines = 60;
/** A list of recipients goes on for long, any other value for two lines at most. */
const maxWrapped: Readonly<Record<Role, number>> = { from: 2, date: 1, to: 15, cc: 15, subject: 2, other: 2 };
const maxValueChars = 4000;

const addressIn = /[^\s<>()[\]:;,"]@[^\s<>()[\]:;,"]/;

/** A block that begins on this line. */
export function headerBlock(lines: Lines, start: number, { announced, quoted }: BlockContext): HeaderBlock | undefined {
  const read = (line: number): string => (quoted ? unquoted(lines.at(line)) : lines.at(line));
  const fields = new Map<Role, string>();
  const last = Math.min(lines.count, start + maxBlockLines);
  let client = false;
  let nordic = false;
  let role: Role | undefined;
  let wrapped = 0;
  /** A block made from html may have a blank line between all of its fields. */
  let spaced = false;
  let to = start;
  let at = start;
  for (; at < last; at++) {
    const text = read(at);
    if (text === "") {
      const next = labelled(read(at + 1));
      if (next === undefined || (isComplete(fields, announced) && !(spaced && isNew(next.role, fields)))) break;
      spaced = true;
      continue;
    }
    const found = labelled(text);
    if (found === undefined) {
      if (role === undefined || ++wrapped > maxWrapped[role] || !goesOn(read, at, role, fields)) break;
      fields.set(role, `${fields.get(role) ?? ""} ${text}`.slice(0, maxValueChars));
    } else {
      if (found.role !== "other" && found.role !== "cc" && fields.has(found.role)) break;
      client ||= found.client;
      nordic ||= found.nordic;
      role = found.role;
      wrapped = 0;
      if (!fields.has(role)) fields.set(role, found.value);
    }
    to = at + 1;
  }
  return isBlock(fields, announced, client)
    ? { from: start, to, fields, language: nordic ? "nordic" : "other" }
    : undefined;
}

function isComplete(fields: ReadonlyMap<Role, string>, announced: boolean): boolean {
  const count = main.filter((role) => fields.has(role)).length;
  return count === 4 || (announced && count >= 3);
}

function isNew(role: Role, fields: ReadonlyMap<Role, string>): boolean {
  return role === "other" || role === "cc" || !fields.has(role);
}

const main: readonly Role[] = ["from", "date", "to", "subject"];

/** An order form has "From:", "To:" and "Date:" too; only above a mail do they hold addresses, or the words of a mail client. */
function isBlock(fields: ReadonlyMap<Role, string>, announced: boolean, client: boolean): boolean {
  const count = main.filter((role) => fields.has(role)).length;
  const from = fields.get("from");
  if (from === undefined || from === "") return false;
  if (announced) return count >= 2;
  if (count < 3 || !(fields.has("date") || fields.has("to"))) return false;
  return client || addressIn.test(from) || addressIn.test(fields.get("to") ?? "");
}

/** Whether a line without a label belongs to the value above it: another label follows, or a long subject was wrapped. */
function goesOn(read: (line: number) => string, at: number, role: Role, fields: ReadonlyMap<Role, string>): boolean {
  if (role === "from" && /^[<[(]?\S+@\S+$/.test(read(at))) return true;
  for (let next = at + 1; next <= at + maxWrapped[role]; next++) {
    const text = read(next);
    if (text === "") break;
    if (labelled(text) !== undefined) return true;
  }
  return role === "subject" && (fields.get(role)?.length ?? 0) >= 60 && read(at + 1) === "";
}
