/** Derives from the raw header fields all of a message that is not its body. */
import type { Address, Anomaly, Message } from "../model/event.ts";
import { addressList } from "./address.ts";
import type { Body } from "./body.ts";
import { mailDate } from "./date.ts";
import { type RawField, unfold, valuesOf } from "./header.ts";
import { messageId, messageIds } from "./message-id.ts";
import type { Reading } from "./reply.ts";
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

export function headerFacts(fields: readonly RawField[]): HeaderFacts {
  const anomalies = new Anomalies();
  const values = groupByKey(fields);
  const raw = (key: string): string => values.get(key)?.[0]?.raw ?? "";
  for (const key of single)
    if ((values.get(key)?.length ?? 0) > 1) anomalies.add(`duplicate_${key.replaceAll("-", "_")}`);

  const list = (key: string): readonly Address[] => {
    const found = addressList(valuesOf(values.get(key) ?? [], key));
    for (const code of found.anomalies) noteList(code, key, anomalies);
    return found.addresses;
  };
  const from = list("from");
  const sender = list("sender");
  const replyTo = list("reply-to");
  const sent = sentBy(from, sender, replyTo, values.get("return-path") ?? []);
  noteSender(from, sent, anomalies);

  const own = messageId(raw("message-id"));
  const parents = messageIds(raw("in-reply-to"));
  const ancestors = messageIds((values.get("references") ?? []).map((field) => field.raw).join(" "));
  for (const code of [...own.anomalies, ...parents.anomalies, ...ancestors.anomalies]) anomalies.add(code);
  const dateField = values.get("date")?.[0];
  const date = dateField === undefined ? undefined : mailDate(unfold(dateField.raw));
  for (const code of date?.anomalies ?? []) anomalies.add(code);
  const headers = decodedHeaders(fields, anomalies);

  return {
    message: {
      message_id: own.id,
      message_id_source: own.id === null ? "none" : "header",
      in_reply_to: parents.ids[0] ?? null,
      in_reply_to_all: [...parents.ids],
      references: [...ancestors.ids],
      thread_index: null,
      thread_topic: null,
      date: date?.date ?? null,
      date_raw: dateField === undefined ? null : text(dateField.raw, anomalies).slice(0, 200),
      date_source: date?.date == null ? "none" : "header",
      date_offset_minutes: date?.offsetMinutes ?? null,
      from: sent.address,
      from_source: sent.source,
      from_all: [...from],
      sender: sender[0] ?? null,
      reply_to: [...replyTo],
      to: [...list("to")],
      cc: [...list("cc")],
      bcc: [...list("bcc")],
      return_path: null,
      x_original_to: [],
      resent: null,
      received: [],
      list: null,
      subject_raw: null,
      subject_normalised: null,
      delivered_to: (values.get("delivered-to") ?? [])
        .slice(0, 100)
        .map((field) => text(field.raw, anomalies).slice(0, 1000)),
      subject: values.has("subject") ? text(raw("subject"), anomalies).slice(0, maxSubjectChars) : null,
      headers: headers.list,
    },
    headersTruncated: headers.cut,
    anomalies: anomalies.list(),
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

function text(raw: string, anomalies: Anomalies): string {
  const { text: decoded, guessed } = decodeWords(unfold(raw));
  if (guessed) anomalies.add("charset_guess", "headers");
  if (decoded.includes("\0")) anomalies.add("nul_removed");
  return clean(decoded);
}

/** Groups are ordinary among recipients ("undisclosed-recipients:;"), and odd in From (RFC 6854). */
function noteList(code: string, key: string, anomalies: Anomalies): void {
  if (code === "charset_guess") anomalies.add(code, "headers");
  else if (code !== "group") anomalies.add(code, key);
  else if (key === "from") anomalies.add("from_group");
}

type Sent = { readonly address: Address | null; readonly source: Message["from_source"] };

/** The first mailbox of From. Where From names no address, the next header that does; trust is never raised by it. */
function sentBy(
  from: readonly Address[],
  sender: readonly Address[],
  replyTo: readonly Address[],
  returnPath: readonly RawField[],
): Sent {
  const first = from[0];
  if (first !== undefined && (first.email !== null || first.anomalies.includes("ambiguous_address"))) {
    return { address: first, source: "from" };
  }
  const usable = (addresses: readonly Address[]) => addresses.find(({ email }) => email !== null);
  const name = first?.name ?? "";
  const named = (address: Address): Address => (address.name === "" ? { ...address, name } : address);
  const bySender = usable(sender);
  if (bySender !== undefined) return { address: named(bySender), source: "sender" };
  const byReplyTo = usable(replyTo);
  if (byReplyTo !== undefined) return { address: named(byReplyTo), source: "reply_to" };
  // RFC 5321 §4.4: only the topmost was written by the system that delivered.
  const top = returnPath[0];
  const byReturnPath = top === undefined ? undefined : usable(addressList([unfold(top.raw)]).addresses);
  if (byReturnPath !== undefined) return { address: named(byReturnPath), source: "return_path" };
  return first === undefined ? { address: null, source: "none" } : { address: first, source: "from" };
}

function noteSender(from: readonly Address[], sent: Sent, anomalies: Anomalies): void {
  if (from.length > 1) anomalies.add("multiple_from");
  if (from.length === 0) anomalies.add("no_from");
  if (sent.source !== "from" && sent.source !== "none") anomalies.add("from_elsewhere", sent.source);
  for (const { anomalies: odd } of from) {
    if (odd.includes("ambiguous_address")) anomalies.add("from_ambiguous");
    if (odd.includes("name_contains_address")) anomalies.add("name_contains_address");
    if (odd.includes("mixed_script_domain")) anomalies.add("mixed_script_domain");
  }
}

/** All fields in wire order, decoded, up to the limit of the event. */
function decodedHeaders(fields: readonly RawField[], anomalies: Anomalies): { list: [string, string][]; cut: boolean } {
  const list: [string, string][] = [];
  let chars = 0;
  for (const { name, raw } of fields) {
    const value = text(raw.length > maxHeaderChars ? raw.slice(0, maxHeaderChars) : raw, anomalies);
    chars += name.length + value.length;
    if (chars > maxHeaderChars) return { list, cut: true };
    list.push([name, value]);
  }
  return { list, cut: false };
}
