/** What a message is found by in the ledger's index of threads, and the form in which its facts are kept. */
import { createHash } from "node:crypto";
import { subjectPeople, type ThreadFacts, type ThreadPerson, voiceOf } from "../../model/threads.ts";

/** own: it has this id. names: it names it. Of a subject there is one for each person and organisation that it is compared by. */
export type KeyKind = "own" | "names" | "subject" | "index" | "gmail" | "token";

export interface ThreadKey {
  readonly key: string;
  readonly near: string | null;
}

const letters: Readonly<Record<KeyKind, string>> = {
  own: "o",
  names: "n",
  subject: "s",
  index: "i",
  gmail: "g",
  token: "t",
};
/** 96 bits of a hash. */
const keyChars = 16;

/** What is hashed already is not hashed again: there are dozens of keys in one look around. Tenants never meet, whatever their mails share. */
export function threadKeyText(tenant: string, kind: KeyKind, hash: string): string {
  return `${letters[kind]}${tagOf(tenant)}${hash.slice(0, keyChars)}`;
}

const tags = new Map<string, string>();
const tagChars = 6;

/** Of two tenants with the same tag, found as rarely as one in 60 billion pairs, rows are told apart when they are read. */
function tagOf(tenant: string): string {
  const known = tags.get(tenant);
  if (known !== undefined) return known;
  const tag = createHash("sha256").update(tenant).digest("base64url").slice(0, tagChars);
  tags.set(tenant, tag);
  return tag;
}

export function* keysOf(facts: ThreadFacts): Generator<ThreadKey> {
  const { tenant, messageId, names, threadIndex, gmailThread, token } = facts;
  const key = (kind: KeyKind, text: string, near: string | null = null): ThreadKey => ({
    key: threadKeyText(tenant, kind, text),
    near,
  });
  if (messageId !== null) yield key("own", messageId);
  for (const [at, id] of names.entries()) yield key("names", id, at === names.length - 1 ? answererOf(facts) : null);
  if (threadIndex !== null) yield key("index", threadIndex, facts.broadcast ? null : answererOf(facts));
  if (gmailThread !== null) yield key("gmail", gmailThread, facts.broadcast ? null : answererOf(facts));
  if (token !== null) yield key("token", token);
  for (const text of subjectKeys(facts)) yield { key: text, near: null };
}

/** As the judge counts them: by organisation, colleagues as nobody. */
function answererOf({ sender, inside }: ThreadFacts): string {
  return sender === null || inside ? colleague : nearOf(sender);
}

const colleague = "";
const nearOf = (person: ThreadPerson): string => voiceOf(person).slice(0, 10);

/** What those are kept as whose answer to this message may stand with it, however many answer. */
export const nearTo = ({ people }: ThreadFacts): string[] => [colleague, ...people.map(nearOf)];

export function subjectKeys({ tenant, subject, people }: ThreadFacts): string[] {
  if (subject === null) return [];
  const compared = people.slice(0, subjectPeople);
  const names = new Set(compared.flatMap(({ address, organisation }) => [address, organisation ?? ""]));
  names.delete("");
  const half = subject.slice(0, keyChars / 2);
  return [...names].map((name) => threadKeyText(tenant, "subject", `${half}${name.slice(0, keyChars / 2)}`));
}

type Row = readonly [
  messageId: string | null,
  names: readonly string[],
  threadIndex: string | null,
  gmailThread: string | null,
  token: string | null,
  subject: string | null,
  words: string,
  flags: string,
  sender: string | null,
  people: readonly string[],
  list: string | null,
];

/** Flags in the order of their letters; a hash of a word has eight characters. */
const flags = [
  ["g", "generic"],
  ["r", "reply"],
  ["i", "inside"],
  ["o", "own"],
  ["s", "suspicious"],
  ["a", "automated"],
  ["b", "broadcast"],
] as const;

/** Short, since there is one for every message that ever came. */
export function factsText(facts: ThreadFacts): string {
  const row: Row = [
    facts.messageId,
    facts.names,
    facts.threadIndex,
    facts.gmailThread,
    facts.token,
    facts.subject,
    facts.words.join(" "),
    flags
      .filter(([, name]) => facts[name])
      .map(([letter]) => letter)
      .join(""),
    facts.sender === null ? null : personText(facts.sender),
    facts.people.map(personText),
    facts.list,
  ];
  return JSON.stringify(row);
}

/** What stands in columns of its own. */
export type Kept = Pick<ThreadFacts, "eventId" | "tenant" | "begins" | "writtenAt">;

export function factsFrom(text: string, kept: Kept): ThreadFacts {
  const [messageId, names, threadIndex, gmailThread, token, subject, words, set, sender, people, list] = JSON.parse(
    text,
  ) as Row;
  const has = (letter: (typeof flags)[number][0]): boolean => set.includes(letter);
  return {
    ...kept,
    messageId,
    names,
    threadIndex,
    gmailThread,
    token,
    subject,
    words: words === "" ? [] : words.split(" "),
    generic: has("g"),
    reply: has("r"),
    inside: has("i"),
    own: has("o"),
    suspicious: has("s"),
    automated: has("a"),
    broadcast: has("b"),
    sender: sender === null ? null : personFrom(sender),
    people: people.map(personFrom),
    list,
  };
}

const personText = ({ address, organisation }: ThreadPerson): string =>
  organisation === null ? address : `${address} ${organisation}`;

function personFrom(text: string): ThreadPerson {
  const [address = "", organisation = null] = text.split(" ");
  return { address, organisation };
}
