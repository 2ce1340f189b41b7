/** Recognises a delivery report by its words alone, and reads out of them what can be read. */
import type { Address, Bounce } from "../../model/event.ts";
import { mailSystemSign } from "../automated/sender.ts";
import { type RawField, unfold } from "../header.ts";
import { firstToken } from "../parameters.ts";
import { deliveryStatus, type Recipient } from "./delivery-status.ts";
import { delayPhrases, finalPhrases, formats, returnedMarks, soundsUndelivered } from "./formats.ts";
import { maxGroups } from "./groups.ts";
import { type Mentioned, mentioned } from "./mentioned.ts";
import { idInText } from "./returned.ts";
import { enhancedCode, isHard, smtpCodeOf, statusOfWords } from "./status.ts";

export interface Wording {
  readonly fields: readonly RawField[];
  readonly text: string | null;
  readonly subject: string | null;
  readonly from: Address | null;
  readonly to: readonly Address[];
  /** It says that it is a report, but holds no status that a machine could read. */
  readonly report: boolean;
}

export interface ByWords {
  /** The format and the phrase that decided: `qmail: this is the qmail-send program`. */
  readonly sign: string;
  readonly bounce: Bounce;
}

/** Reports begin with their words; what is further down is the returned message. */
const maxChars = 64 * 1024;
const maxPhraseChars = 16 * 1024;
const maxFailedRecipients = 200;

/** Undefined for what does not sound like a report. Whether it is one is for the class to say, which also knows the envelope. */
export function readWords(wording: Wording): ByWords | undefined {
  if (wording.text === null || !mayBeReport(wording)) return undefined;
  const text = wording.text.slice(0, maxChars).replaceAll("’", "'");
  const notice = beforeReturned(text);
  const folded = notice.slice(0, maxPhraseChars).toLowerCase().replace(/\s+/g, " ");
  const sign = signOf(folded);
  if (sign === undefined) return undefined;
  const delayed =
    delayPhrases.some((phrase) => folded.includes(phrase)) && !finalPhrases.some((phrase) => folded.includes(phrase));
  const recipients = recipientsOf(wording, notice, text, delayed);
  const known = sign.name !== "other" && sign.name !== "code";
  // Parcels fail to be delivered too.
  if (sign.name === "other" && recipients.length === 0 && !wording.report && mailSystemSign(wording.from) === null) {
    return undefined;
  }
  return {
    sign: `${sign.name}: ${sign.phrase}`,
    bounce: {
      kind: "text",
      // Judgement, not measurement: a format of its own and a name of who failed, one of the two, or neither.
      confidence: known ? (recipients.length > 0 ? 0.9 : 0.7) : recipients.length > 0 ? 0.7 : 0.5,
      recipients,
      reporting_mta: null,
      original_message_id: idInText(text.slice(notice.length)) ?? idInText(notice),
      original_envelope_id: null,
    },
  };
}

/** Cheap, so that a letter of a person is not searched for the words of mail systems. */
function mayBeReport({ fields, subject, from, report }: Wording): boolean {
  if (report || mailSystemSign(from) !== null || soundsUndelivered(subject ?? "")) return true;
  return fields.some(({ key, raw }) => {
    if (key === "x-failed-recipients" || key.startsWith("x-postfix-")) return true;
    if (key === "return-path") return /^<\s*>$/.test(unfold(raw));
    return key === "auto-submitted" && !["", "no"].includes(firstToken(unfold(raw)));
  });
}

function signOf(folded: string): { readonly name: string; readonly phrase: string } | undefined {
  for (const { name, phrases } of formats) {
    const phrase = phrases.find((one) => folded.includes(one));
    if (phrase !== undefined) return { name, phrase };
  }
  // "recipient rejected: 5.1.1": a code near the word that it is about.
  const near =
    /(?:recipient|mailbox|user|address|undeliver\w{0,10})[^.]{0,80}(?<![\d.])[45]\.\d{1,2}\.\d{1,3}(?![\d.])|(?<![\d.])[45]\.\d{1,2}\.\d{1,3}(?![\d.]).{0,80}?(?:recipient|mailbox|user|address|undeliver)/.exec(
      folded,
    )?.[0];
  return near === undefined ? undefined : { name: "code", phrase: near };
}

/** The words of the mail system, without the message that it returns below them. */
function beforeReturned(text: string): string {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    const line = text
      .slice(start, Math.min(end, start + 100))
      .trimStart()
      .toLowerCase();
    if (start > 0 && returnedMarks.some((mark) => line.startsWith(mark))) return text.slice(0, start);
    start = end + 1;
  }
  return text;
}

function recipientsOf(wording: Wording, notice: string, text: string, delayed: boolean): Recipient[] {
  // A status for machines, pasted into the text.
  const at = /^[ \t]*(?:Reporting-MTA|Final-Recipient|Original-Recipient)[ \t]*:/im.exec(text)?.index;
  if (at !== undefined) {
    const { recipients } = deliveryStatus([Buffer.from(text.slice(at), "utf8")]);
    if (recipients.length > 0) return [...recipients];
  }
  const others = new Set([wording.from, ...wording.to].flatMap((one) => one?.email?.toLowerCase() ?? []));
  const found = mentioned(notice, others);
  const known = new Set(found.map(({ address }) => address.toLowerCase()));
  for (const address of failedRecipients(wording.fields)) {
    if (!known.has(address.toLowerCase())) found.push({ address, said: "" });
    known.add(address.toLowerCase());
  }
  if (found.length !== 1) return found.slice(0, maxGroups).map((one) => recipientOf(one, "", delayed));
  return found.map((one) => recipientOf({ ...one, said: answerOf(notice) ?? one.said }, notice, delayed));
}

/** What the other server answered, where the notice says that it quotes it. */
function answerOf(notice: string): string | null {
  const intro =
    /(?:error|response|reason|message)\b[^:\n]{0,60}\b(?:server|host|was|returned)\b[^:\n]{0,30}:|\b(?:server|host)\b[^:\n]{0,120}\b(?:responded|said|error)\b[^:\n]{0,20}:/i.exec(
      notice.slice(0, maxPhraseChars),
    );
  if (intro === null) return null;
  const rest = notice.slice(intro.index + intro[0].length, intro.index + intro[0].length + 2_000).trimStart();
  return (
    rest
      .split(/\n[ \t]*\n/, 1)[0]
      ?.replace(/\s+/g, " ")
      .trim()
      .slice(0, 1_000) || null
  );
}

/** Of Exim, and of Gmail after it. */
function failedRecipients(fields: readonly RawField[]): string[] {
  const value = fields.find(({ key }) => key === "x-failed-recipients")?.raw ?? "";
  return unfold(value.slice(0, maxChars))
    .split(/[,\s]+/, maxFailedRecipients)
    .filter((address) => /^[\x21-\x7e]{1,64}@[\x21-\x7e]{1,255}$/.test(address));
}

/** `rest` is the whole notice where it is about nobody else. */
function recipientOf({ address, said }: Mentioned, rest: string, delayed: boolean): Recipient {
  const action = delayed ? "delayed" : "failed";
  const code = smtpCodeOf(said) ?? smtpCodeNamed(rest);
  const status = enhancedCode(said) ?? enhancedCode(rest) ?? statusOfWords(said) ?? statusOfWords(rest);
  return {
    final: address,
    original: null,
    action,
    status,
    smtp_code: code,
    diagnostic: said === "" ? null : said,
    remote_mta: null,
    hard: isHard(action, status, said),
  };
}

/** In running text, a number of three digits is an SMTP code only beside an enhanced code or its own words. */
function smtpCodeNamed(text: string): number | null {
  const found =
    /(?<!\d)([45][0-5]\d)[ -]#?[45]\.\d{1,3}\.\d{1,3}(?!\d)|(?:error|code|smtp|said:|response(?: was)?:)[ :]{1,3}([45][0-5]\d)(?!\d)/i.exec(
      text.slice(0, 8_000),
    );
  const code = found?.[1] ?? found?.[2];
  return code === undefined ? null : Number(code);
}
