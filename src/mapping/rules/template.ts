/** Text with values of a mail put into it. Nothing is run and nothing repeats: one pass over the text of the file, none over what was put in. */
import type { CanonicalEvent } from "../../model/event.ts";
import type { TemplateWord } from "../../model/mapping.ts";
import type { Facts } from "./facts.ts";

const values: { readonly [W in TemplateWord]: (facts: Facts) => string } = {
  subject: ({ event }) => event.message.subject_normalised ?? event.message.subject ?? "",
  "sender.email": ({ event }) => first(event)?.email ?? "",
  "sender.name": ({ event }) => first(event)?.name ?? first(event)?.email ?? "",
  "sender.domain": ({ domains }) => domains[0] ?? "",
  organisation: ({ event }) => first(event)?.organisation ?? "",
  recipient: ({ recipients }) => recipients[0] ?? "",
  tag: ({ tags }) => tags[0] ?? "",
  mailbox: ({ mailboxes }) => mailboxes[0] ?? "",
  mapping_version: ({ version }) => (version === undefined ? "" : String(version)),
  direction: ({ event }) => event.participants.direction,
  language: ({ event }) => event.message.language?.code ?? "",
  trust: ({ event }) => event.auth.trust,
  date: ({ event }) => (event.message.date ?? event.received_at).slice(0, 10),
  received_at: ({ event }) => event.received_at,
  message_id: ({ event }) => event.message.message_id ?? "",
  event_id: ({ event }) => event.event_id,
  thread_id: ({ event }) => event.thread.thread_id,
};
const isWord = (word: string): word is TemplateWord => Object.hasOwn(values, word);

const first = (event: CanonicalEvent) => event.participants.filed_under[0];

const braces = /\{\{([^{}]{0,100})\}\}/g;
/** Of one value, and of the whole: what comes from a mail is hostile, and may be long. */
const mostValueChars = 500;
const mostChars = 4_000;

export type Template = (facts: Facts) => string;

/** A word that is not known gives nothing: the schema has refused it before. */
export function compileTemplate(text: string): Template {
  return (facts) => text.replace(braces, (_, word: string) => valueIn(word.trim(), facts)).slice(0, mostChars);
}

const valueIn = (word: string, facts: Facts): string =>
  isWord(word) ? plain(values[word](facts).slice(0, mostValueChars)) : "";

/** One line: the subject of a mail may hold controls that mean something to whoever reads the field. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
