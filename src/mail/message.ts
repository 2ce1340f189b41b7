/** Derives from the raw header fields all of a message that is not its body. */
import type { Address, Anomaly, Message } from "../model/event.ts";
import { addressList } from "./address.ts";
import type { Body } from "./body.ts";
import { decodeRaw } from "./charset.ts";
import { type MailDate, mailDate } from "./date.ts";
import { type RawField, unfold, valuesOf } from "./header.ts";
import { listFacts } from "./list.ts";
import { messageId, messageIds } from "./message-id.ts";
import { parameters } from "./parameters.ts";
import { newestTime, receivedHops } from "./received.ts";
import type { Reading } from "./reply.ts";
import { senderAnomalies, sentBy } from "./sender.ts";
import { normalisedSubject } from "./subject.ts";
import { clean, decodeWords } from "./words.ts";

type BodyKeys = keyof Body | keyof Reading | "attachments" | "truncated";
export interface HeaderFacts {
  readonly message: Omit<Message, BodyKeys>;
  readonly headersTruncated: boolean;
  readonly anomalies: readonly Anomaly[];
}

/** Of the event; the raw message keeps all. */
const maxHeaderChars = 256 * 1024;
const maxSubjectChars = 10_000;
const maxValueChars = 1000;
const maxTraceFields = 100;
/** RFC 5322 §3.6: at most one each. What shows only one of two shows something else than the next program. */
const single = [
  "from",
  "sender",
  "reply-to",
  "to",
  "cc",
  "bcc",
  "subject",
  "date",
  "message-id",
  "in-reply-to",
  "references",
  "content-type",
];

/**
 * `textCharset` is what the first text part is said to be in: raw bytes of headers that are no UTF-8 are likely in the same. Without it,
 * what the message's own Content-Type says.
 */
export function headerFacts(fields: readonly RawField[], textCharset?: string | null): HeaderFacts {
  const section = openSection(fields, textCharset ?? ownCharset(fields));
  const { anomalies, values, raw, text, list } = section;
  for (const key of single)
    if ((values.get(key)?.length ?? 0) > 1) anomalies.add(`duplicate_${key.replaceAll("-", "_")}`);
  const from = list("from");
  const sender = list("sender");
  const replyTo = list("reply-to");
  const sent = sentBy(from, sender, replyTo, values.get("return-path") ?? []);
  for (const { code, detail } of senderAnomalies(from, sender, replyTo, sent)) anomalies.add(code, detail);
  const subject = values.has("subject") ? text("subject", maxSubjectChars) : null;
  const received = receivedHops(values.get("received") ?? []);
  const headers = decodedHeaders(fields, section);
  return {
    message: {
      ...threading(section),
      ...dates(section, newestTime(received)),
      from: sent.address,
      from_source: sent.source,
      from_all: from,
      sender: sender[0] ?? null,
      reply_to: replyTo,
      to: list("to"),
      cc: list("cc"),
      bcc: list("bcc"),
      return_path: returnPath(text("return-path", maxValueChars)),
      delivered_to: traced(section, "delivered-to"),
      x_original_to: traced(section, "x-original-to"),
      resent: resent(fields, section),
      subject,
      subject_raw:
        subject === null ? null : clean(decodeRaw(unfold(raw("subject") ?? "")).text).slice(0, maxSubjectChars),
      subject_normalised: subject === null ? null : normalisedSubject(subject),
      headers: headers.list,
      received,
      list: listFacts({
        id: raw("list-id"),
        unsubscribe: raw("list-unsubscribe"),
        unsubscribePost: raw("list-unsubscribe-post"),
        post: raw("list-post"),
      }),
    },
    headersTruncated: headers.cut,
    anomalies: anomalies.list(),
  };
}

/** The header section while it is read. */
interface Section {
  readonly anomalies: Anomalies;
  readonly values: ReadonlyMap<string, readonly RawField[]>;
  /** Of the first field of a name: what other programs show. */
  raw(key: string): string | undefined;
  /** Decoded and on one line; null where there is no such field. */
  text(key: string, most: number): string | null;
  decode(raw: string): string;
  list(key: string): Address[];
  addresses(key: string, fields: readonly RawField[]): Address[];
}

function openSection(fields: readonly RawField[], hint: string | undefined): Section {
  const anomalies = new Anomalies();
  const values = groupByKey(fields);
  const note = (code: string): void => anomalies.add(code, "headers");
  function decode(raw: string): string {
    const value = unfold(raw);
    if (plain.test(value) && !value.includes("=?")) return value;
    const { text, guessed, marks } = decodeWords(value, hint);
    if (guessed) note("charset_guess");
    for (const mark of marks) note(mark);
    return clean(text, note);
  }
  function addresses(key: string, of: readonly RawField[]): Address[] {
    const found = addressList(valuesOf(of, key), hint);
    for (const code of found.anomalies) noteList(code, key, anomalies);
    return [...found.addresses];
  }
  const raw = (key: string): string | undefined => values.get(key)?.[0]?.raw;
  return {
    anomalies,
    values,
    raw,
    decode,
    text(key, most) {
      const value = raw(key);
      return value === undefined ? null : decode(value.slice(0, 8 * most)).slice(0, most);
    },
    list: (key) => addresses(key, values.get(key) ?? []),
    addresses,
  };
}

const plain = /^[ -~]*$/;

function ownCharset(fields: readonly RawField[]): string | undefined {
  const type = fields.find(({ key }) => key === "content-type");
  if (type === undefined) return undefined;
  const { value, params } = parameters(unfold(type.raw));
  return value.startsWith("text/") ? params.get("charset") : undefined;
}

function threading({ raw, text, values, anomalies }: Section) {
  const own = messageId(raw("message-id") ?? "");
  const parents = messageIds(raw("in-reply-to") ?? "");
  const ancestors = messageIds((values.get("references") ?? []).map((field) => field.raw).join(" "));
  for (const code of [...own.anomalies, ...parents.anomalies, ...ancestors.anomalies]) anomalies.add(code);
  return {
    message_id: own.id,
    message_id_source: own.id === null ? ("none" as const) : ("header" as const),
    in_reply_to: parents.ids[0] ?? null,
    in_reply_to_all: [...parents.ids],
    references: [...ancestors.ids],
    thread_index: text("thread-index", maxValueChars)?.replaceAll(" ", "") ?? null,
    thread_topic: text("thread-topic", maxValueChars),
  };
}

type Dates = Pick<Message, "date" | "date_raw" | "date_source" | "date_offset_minutes">;

function dates({ raw, decode, anomalies }: Section, receivedAt: number | undefined): Dates {
  const field = raw("date");
  const date_raw = field === undefined ? null : decode(field.slice(0, maxValueChars)).slice(0, 200);
  const written: MailDate | undefined = date_raw === null ? undefined : mailDate(date_raw, receivedAt);
  for (const code of written?.anomalies ?? []) anomalies.add(code);
  if (written !== undefined && written.date !== null) {
    return { date: written.date, date_raw, date_source: "header", date_offset_minutes: written.offsetMinutes };
  }
  if (receivedAt === undefined) return { date: null, date_raw, date_source: "none", date_offset_minutes: null };
  const date = new Date(receivedAt).toISOString().replace(".000Z", "Z");
  return { date, date_raw, date_source: "received", date_offset_minutes: null };
}

/** Without brackets; `<>`, the null reverse-path of reports, is empty. */
function returnPath(value: string | null): string | null {
  if (value === null) return null;
  return (/<([^<>]*)>/.exec(value)?.[1] ?? value).trim();
}

const traced = ({ values, decode }: Section, key: string): string[] =>
  (values.get(key) ?? [])
    .slice(0, maxTraceFields)
    .map(({ raw }) => decode(raw.slice(0, 8 * maxValueChars)).slice(0, maxValueChars));

/** RFC 5322 §3.6.6: each resending puts its block on top, and relays put Received between two of them. */
function resent(fields: readonly RawField[], { addresses, decode, anomalies }: Section): Message["resent"] {
  const block = new Map<string, RawField>();
  for (const field of fields) {
    if (field.key.startsWith("resent-")) {
      if (block.has(field.key)) break;
      block.set(field.key, field);
    } else if (field.key === "received" && block.size > 0) {
      break;
    }
  }
  if (block.size === 0) return null;
  const of = (key: string): RawField[] => [block.get(key) ?? []].flat();
  const date = block.get("resent-date");
  const id = messageId(block.get("resent-message-id")?.raw ?? "");
  for (const code of id.anomalies) anomalies.add(code, "resent");
  return {
    from: addresses("resent-from", of("resent-from")),
    to: addresses("resent-to", of("resent-to")),
    date: date === undefined ? null : mailDate(decode(date.raw.slice(0, maxValueChars))).date,
    message_id: id.id,
  };
}

/** Codes once each, in the order in which they came up. */
export class Anomalies {
  readonly #byKey = new Map<string, Anomaly>();
  add(code: string, detail?: string): void {
    const key = `${code}\0${detail ?? ""}`;
    if (!this.#byKey.has(key)) this.#byKey.set(key, detail === undefined ? { code } : { code, detail });
  }
  list(): Anomaly[] {
    return [...this.#byKey.values()];
  }
}

function groupByKey(fields: readonly RawField[]): Map<string, RawField[]> {
  const byKey = new Map<string, RawField[]>();
  for (const field of fields) {
    const known = byKey.get(field.key);
    if (known === undefined) byKey.set(field.key, [field]);
    else known.push(field);
  }
  return byKey;
}

/** Groups are ordinary among recipients ("undisclosed-recipients:;"), and odd in From (RFC 6854). */
function noteList(code: string, key: string, anomalies: Anomalies): void {
  if (code === "addresses_cut") anomalies.add(code, key);
  else if (code !== "group") anomalies.add(code, "headers");
  else if (key === "from") anomalies.add("from_group");
}

/** All fields in wire order, decoded, up to the limit of the event. */
function decodedHeaders(fields: readonly RawField[], { decode }: Section): { list: [string, string][]; cut: boolean } {
  const list: [string, string][] = [];
  let chars = 0;
  for (const { name, raw } of fields) {
    const value = decode(raw.length > maxHeaderChars ? raw.slice(0, maxHeaderChars) : raw);
    chars += name.length + value.length;
    if (chars > maxHeaderChars) return { list, cut: true };
    list.push([name, value]);
  }
  return { list, cut: false };
}
