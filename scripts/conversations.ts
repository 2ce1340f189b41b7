/**
 * Writes the conversations of corpus/threads/conversations: `node scripts/conversations.ts`. What is said in each stands in scripts/conversations/,
 * short, with who answers whom and which ids his client sends; here it becomes mails that anybody can read.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostile } from "./conversations/hostile.ts";
import { ids } from "./conversations/ids.ts";
import { lost } from "./conversations/lost.ts";
import { machines } from "./conversations/machines.ts";
import { many } from "./conversations/many.ts";
import { people } from "./conversations/people.ts";
import { subjects } from "./conversations/subjects.ts";
import { addressOf, type Conversation, inbound, type Line, nameOf, own } from "./conversations/words.ts";

const folder = join(import.meta.dirname, "..", "corpus", "threads", "conversations");
const conversations: readonly Conversation[] = [
  ...ids,
  ...lost,
  ...people,
  ...subjects,
  ...many,
  ...machines,
  ...hostile,
];

interface Mail {
  readonly line: Line;
  readonly id: string;
  readonly references: readonly string[];
  readonly subject: string;
  readonly at: number;
}

const minute = 60_000;

function mailsOf({ name, begins, lines }: Conversation): Mail[] {
  const mails: Mail[] = [];
  let at = Date.parse(begins);
  for (const [index, line] of lines.entries()) {
    at += (line.after ?? 95) * minute;
    const parent = line.re === undefined ? undefined : mails[line.re];
    const domain = addressOf(line.from).split("@")[1] ?? "";
    const id = line.id === undefined ? `<${name}.${index + 1}@mail.${domain}>` : line.id;
    const references =
      line.refs ?? (parent === undefined ? [] : [...parent.references, parent.id].slice(-(line.keep ?? 40)));
    const subject = line.subject ?? `Re: ${(parent?.subject ?? "").replace(/^(?:Re|AW|SV|RE): /, "")}`;
    mails.push({ line, id, references, subject, at: line.at === undefined ? at : Date.parse(line.at) });
  }
  return mails;
}

function headersOf({ line, id, references, subject, at }: Mail): string[] {
  const { from, to, cc, sends = "both" } = line;
  const last = references.at(-1);
  return [
    `From: ${line.fromHeader ?? mailbox(from)}`,
    ...(to === undefined ? [`To: ${inbound}`] : to.length === 0 ? [] : [`To: ${to.map(mailbox).join(",\n  ")}`]),
    ...(cc === undefined ? [] : [`Cc: ${cc.map(mailbox).join(",\n  ")}`]),
    `Date: ${new Date(at).toUTCString().replace("GMT", "+0000")}`,
    `Subject: ${subject}`,
    ...(id === "" ? [] : [`Message-ID: ${id}`]),
    ...(last !== undefined && (sends === "both" || sends === "in-reply-to") ? [`In-Reply-To: ${last}`] : []),
    ...(references.length > 0 && (sends === "both" || sends === "references")
      ? [`References: ${references.join(line.separator ?? "\n  ")}`]
      : []),
    ...(line.headers ?? []),
    "MIME-Version: 1.0",
    ...(line.contentType === undefined
      ? ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
      : [`Content-Type: ${line.contentType}`]),
  ];
}

const mailbox = (who: string): string => {
  const name = nameOf(who);
  return name === undefined ? addressOf(who) : `${name} <${addressOf(who)}>`;
};

function descriptionOf(conversation: Conversation, mail: Mail): object {
  const { line, references, subject } = mail;
  const sends = line.sends ?? "both";
  const isOurs = addressOf(line.from).endsWith(`@${own}`);
  const trust = line.trust ?? (isOurs ? "verified" : undefined);
  return {
    why: `${conversation.why}${line.note === undefined ? "" : ` This mail: ${line.note}.`}`,
    smtp: { mail_from: line.mailFrom === undefined ? addressOf(line.from) : line.mailFrom, rcpt_to: [inbound] },
    conversation: line.in ?? conversation.name,
    ...(trust === undefined ? {} : { trust }),
    expect: {
      message: {
        subject,
        in_reply_to: sends === "both" || sends === "in-reply-to" ? (references.at(-1) ?? null) : null,
        references: sends === "both" || sends === "references" ? references : [],
      },
    },
  };
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "people.json"), `${JSON.stringify({ own_domains: [own] }, null, 2)}\n`);
for (const conversation of conversations) {
  for (const [index, mail] of mailsOf(conversation).entries()) {
    const file = join(folder, `${conversation.name}-${String(index + 1).padStart(2, "0")}`);
    writeFileSync(`${file}.eml`, `${headersOf(mail).join("\n")}\n\n${mail.line.text}\n`);
    writeFileSync(`${file}.json`, `${JSON.stringify(descriptionOf(conversation, mail), null, 2)}\n`);
  }
}
process.stdout.write(`${conversations.length} conversations, ${readdirSync(folder).length / 2 - 0.5} mails\n`);
