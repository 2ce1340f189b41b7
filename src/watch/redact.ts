/** The second line of defence of every log line: known secrets, addresses and credentials are masked, values bounded, controls escaped. */
import { patterns } from "./patterns.ts";

export interface Redactor {
  /** From now on this value stands in no line, whatever field it comes in. Each line of a longer text counts too (a PEM file). */
  registerSecret(value: string): void;
  /** One value made safe to stand in a line: at most 1 KB of UTF-8. */
  text(value: string): string;
  /** A Message-ID is the correlation id: it looks like an address and is none. Cleaned and bounded, but shown. */
  messageId(value: string): string;
}

const mask = "***";
const maxValueBytes = 1_024;
/** Longer than any id that a mail system makes; RFC 5322 §2.1.1 would allow 998. */
const maxMessageIdBytes = 250;
/** Patterns look at this much of a value; only its first kilobyte can be shown. */
const windowChars = 8 * maxValueBytes;
/** What the window may have cut in two is not shown: no address or telephone number is longer. */
const marginChars = 512;
/** A shorter secret is masked only where it stands alone: as part of words it would make the log unreadable, and tell itself by the gaps. */
const leastSecretChars = 6;
const leastSecretLineChars = 16;

export function openRedactor(): Redactor {
  const secrets = new Set<string>();
  let known: RegExp | undefined;

  function registerSecret(value: string): void {
    const whole = value.trim();
    if (whole === "") return;
    const lines = whole.split(/[\r\n]+/).map((line) => line.trim());
    const parts = lines.length === 1 ? [] : lines.filter((line) => line.length >= leastSecretLineChars);
    for (const part of [whole, ...parts]) for (const form of formsOf(part)) secrets.add(form);
    // The longest first, so that a secret which contains another is masked whole.
    const alternatives = [...secrets].sort((a, b) => b.length - a.length).map(literal);
    known = new RegExp(alternatives.join("|"), "g");
  }

  function withoutSecrets(value: string): string {
    return known === undefined ? value : value.replace(known, mask);
  }

  return {
    registerSecret,
    text(value) {
      const safe = withoutSecrets(value);
      const looked = safe.length > windowChars;
      let masked = looked ? safe.slice(0, windowChars) : safe;
      for (const [pattern, instead] of patterns) {
        masked = typeof instead === "string" ? masked.replace(pattern, instead) : masked.replace(pattern, instead);
      }
      if (looked) masked = masked.slice(0, Math.max(0, masked.length - marginChars));
      return bounded(escaped(masked), maxValueBytes, looked);
    },
    messageId: (value) => {
      const looked = value.length > windowChars;
      return bounded(escaped(withoutSecrets(value).slice(0, windowChars)), maxMessageIdBytes, looked);
    },
  };
}

/** The redactor of this process: secrets are registered once, at start and on reload. */
export const processRedactor: Redactor = openRedactor();
export const registerSecret = processRedactor.registerSecret;

/** A secret as it is, and as it looks within a URL or within JSON. */
function formsOf(secret: string): Set<string> {
  return new Set([secret, encodeURIComponent(secret.toWellFormed()), JSON.stringify(secret).slice(1, -1)]);
}

function literal(secret: string): string {
  const exact = secret.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return secret.length < leastSecretChars ? `(?<!\\w)${exact}(?!\\w)` : exact;
}

/**
 * Controls (a terminal obeys ESC and CR), line separators and the marks that turn the direction of text around are shown as their code,
 * so that a value from a mail can neither forge a line nor hide one.
 */
function escaped(text: string): string {
  return text.toWellFormed().replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function bounded(text: string, maxBytes: number, already: boolean): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return already ? `${text}...` : text;
  let end = maxBytes - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}...`;
}
