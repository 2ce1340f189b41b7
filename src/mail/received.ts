/** Reads Received fields (RFC 5321 §4.4) as the mail servers of this world write them. */
import type { Message } from "../model/event.ts";
import { mailDate } from "./date.ts";
import { type RawField, unfold } from "./header.ts";
import { clean, decodeWords } from "./words.ts";

export type Hop = Message["received"][number];

const maxHops = 100;
const maxChars = 4000;
const maxNameChars = 255;

/** Newest first, as they stand; the oldest ones of an endless list are left out. */
export function receivedHops(fields: readonly RawField[]): Hop[] {
  return fields.slice(0, maxHops).map(({ raw }) => hopOf(unfold(raw.slice(0, maxChars))));
}

/** When the newest hop with a readable time took the mail, in epoch ms. */
export function newestTime(hops: readonly Hop[]): number | undefined {
  const at = hops.find((hop) => hop.at !== null)?.at;
  return at == null ? undefined : Date.parse(at);
}

interface Word {
  readonly text: string;
  readonly comment: boolean;
}
type Clause = "from" | "by" | "with" | "other";

function hopOf(value: string): Hop {
  const { words, date } = wordsOf(value);
  const found: Record<"from" | "by" | "with", string | null> = { from: null, by: null, with: null };
  let clause: Clause = "other";
  let ip: string | null = null;
  for (const { text, comment } of words) {
    const lower = text.toLowerCase();
    if (!comment && (lower === "from" || lower === "by" || lower === "with") && found[lower] === null) {
      clause = lower;
    } else if (!comment && (lower === "id" || lower === "for" || lower === "via")) {
      clause = "other";
    } else {
      if (clause === "from") ip ??= addressIn(text, comment);
      // "with Microsoft SMTP Server": all words up to the next clause.
      if (!comment && clause === "with") found.with = found.with === null ? text : `${found.with} ${text}`;
      else if (!comment && clause !== "other") found[clause] ??= text;
    }
  }
  return { from: named(found.from), by: named(found.by), with: named(found.with), ip, at: mailDate(date).date };
}

const named = (text: string | null): string | null => {
  const name = text === null ? "" : clean(decodeWords(text).text).slice(0, maxNameChars);
  return name === "" ? null : name;
};

/** Words and whole comments; the date stands behind the last semicolon that is in no comment. One pass. */
function wordsOf(value: string): { words: Word[]; date: string } {
  const words: Word[] = [];
  let date = "";
  let before: number | undefined;
  let start = 0;
  let depth = 0;
  let at = 0;
  const end = (comment: boolean): void => {
    if (at > start) words.push({ text: value.slice(start, at), comment });
  };
  for (; at < value.length; at++) {
    const char = value[at];
    if (char === "(") {
      if (depth++ === 0) {
        end(false);
        start = at + 1;
      }
    } else if (char === ")" && depth > 0) {
      if (--depth === 0) {
        end(true);
        start = at + 1;
      }
    } else if (depth === 0 && (char === " " || char === ";")) {
      end(false);
      start = at + 1;
      if (char === ";") {
        date = value.slice(at + 1);
        before = words.length;
      }
    }
  }
  end(depth > 0);
  return { words: words.slice(0, before), date };
}

/** The peer's address as the server saw it: in brackets, or alone in parentheses (qmail, Exchange). */
function addressIn(text: string, comment: boolean): string | null {
  const inBrackets = /\[(?:ipv6:)?([0-9a-f.:]{2,45})\]/i.exec(text)?.[1];
  if (inBrackets !== undefined) return ipOf(inBrackets);
  return comment && /^[0-9a-f.:]{2,45}$/i.test(text.trim()) ? ipOf(text.trim()) : null;
}

/** Canonical (RFC 5952), or null. */
function ipOf(text: string): string | null {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)) return text;
  if (!text.includes(":")) return null;
  const url = URL.parse(`http://[${text}]/`);
  return url === null ? null : url.hostname.slice(1, -1);
}
