/** Finds the line that says who wrote the quoted text below it, and when: "On 5 Jan 2026, Ana Lima wrote:". */
import { type Lines, unquoted } from "./lines.ts";

/** Wrote, in the forms that Gmail, Apple Mail, Thunderbird, Outlook, Yahoo and ProtonMail use it in. */
const verbs =
  // Latin
  "wrote|writes|schrieb|schrieben|geschrieben|a écrit|ha escrit|va escriure|escribió|escribiste|ha scritto|scrive|escreveu|escribiu|schreef|schreven|geschreven|napisana przez|missatge de|" +
  "napisał|napisała|napisal|napisala|napisał\\(a\\)|pisze|napsal|napsala|napsal\\(a\\)|napísal|napísala|napísal\\(a\\)|írta|ezt írta|a scris|napisao|" +
  "napisao je|napisala je|je napisao|je napisala|je napisao/la|je napisal|skrev|skreiv|kirjoitti|kirjutas|rakstīja|rašė|parašė|şunu yazdı|" +
  "şunları yazdı|yazdı|đã viết|viết|menulis|skrifaði|idatzi du|scríobh|sumulat|shkroi|kirjutas kasutaja|" +
  // Cyrillic and Greek
  "написал|написала|написал\\(а\\)|пишет|пише|писал|написав|написала|написав\\(ла\\)|написа|написао је|έγραψε|ο χρήστης|" +
  // Right to left, Indic, Thai
  "כתב|כתבה|כתב/ה|מאת|كتب|كتبت|تمت كتابة|نوشت|ने लिखा|เขียนว่า|เขียน|" +
  // East Asian
  "書きました|のメール|のメッセージ|さんは書きました|写道|寫道|写到|寫到|作成|님이 작성|작성|이\\(가\\) 쓴 글|님이 쓴 글";

const openers =
  "on|am|le|el|il|il giorno|in data|em|no dia|op|den|dne|dnia|w dniu|pe|în|in|von|el día|la|pada|tarihinde|kuupäev|na|на|στις|v|vào|missatge de|" +
  "wiadomość napisana przez|ve|tr|dňa|tir|ב-|בתאריך|في|بتاريخ|در|ใน|ในวันที่|在|於|于|el dia|egun honetan|messaggio di|message de|quoting|citando|zitat von";

/** The first letters of the days in the languages above; with a full stop or comma behind, a date begins. */
const weekday = /^\p{L}{1,10}[.,،]/u;

const letterless = "(?<![\\p{L}\\p{N}])";
const verb = new RegExp(`${letterless}(?:${verbs})(?![\\p{L}\\p{N}])`, "iu");
/** Chinese, Japanese, Korean and Thai write without blanks. */
const glued = /写道|寫道|写到|寫到|のメール|のメッセージ|書きました|작성|쓴 글|เขียน/u;
const opener = new RegExp(`^(?:${openers})(?=[\\s\\p{Nd}]|$)|^(?:在|於|于|ใน|ב-|في)`, "iu");
/** What stays of an attribution when its words are replaced (`mailwright scrub`): it has to be known again. */
export const attributionMarks: { readonly verbs: readonly RegExp[]; readonly opener: RegExp } = {
  verbs: [verb, glued],
  opener,
};
const address =
  /[<([«]?\s?(?:mailto:)?[^\s<>()[\]:;,"]{1,80}@[^\s<>()[\]:;,"]{1,120}(?:\s?<\s?mailto:[^<>]{0,200}>?)?\s?[>)\]»]{0,2}/giu;
const year = /(?<!\p{Nd})(?:(?:19|20)\p{Nd}{2}|\p{Nd}{1,2}[./-]\s?\p{Nd}{1,2}[./-]\s?\p{Nd}{2})(?!\p{Nd})/u;
const time = /(?<!\p{Nd})\p{Nd}{1,2}\s?[:.h時点點시]\s?(?:\p{Nd}{2}|uur|분)?/u;
const digit = /\p{Nd}/u;
/** Lotus: "Ana Lima/ACME wrote on 05/02/2026 10:30:00 AM". */
const datedVerb =
  /(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu|napisał)\s(?:on|am|le|el|il|em|dnia)\s.{0,12}\p{Nd}.{0,40}$/iu;

const maxLinesWrapped = 5;
const maxChars = 400;

/** What an attribution is known by. */
type Strength = "sure" | "with a quote below";

function strengthOf(joined: string): Strength | undefined {
  const text = joined
    .replace(/^[-_*\s"\u2010-\u2015\u2500]+|[-_*\s\u2010-\u2015\u2500]+$/g, "")
    .replace(/\s*[:：]$/, "")
    .trim();
  const nameless = text.replace(address, " ");
  const hasAddress = nameless !== text;
  const says = verb.test(nameless) || glued.test(nameless);
  const hasYear = year.test(nameless);
  const hasTime = time.test(nameless);
  const dateFirst = /^\p{Nd}/u.test(text) || weekday.test(text);
  if (says) {
    // "In section 4 your colleague wrote:" is a sentence, and what he wrote stands below it as well.
    if (opener.test(text) && digit.test(nameless) && (hasYear || hasTime || hasAddress)) return "sure";
    if (hasAddress && (hasYear || hasTime)) return "sure";
    if (dateFirst && hasYear && hasTime) return "sure";
    if (datedVerb.test(text) && hasYear && hasTime) return "sure";
    return hasAddress || endsWithVerb(nameless) || (opener.test(text) && digit.test(nameless))
      ? "with a quote below"
      : undefined;
  }
  if (!hasAddress) return undefined;
  if ((dateFirst || opener.test(text)) && hasTime && (hasYear || dateFirst) && endsWithAddress(text)) return "sure";
  return hasYear || hasTime ? "with a quote below" : undefined;
}

function endsWithVerb(text: string): boolean {
  return /^[^.!?]{1,60}\s(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|kirjoitti|написал|пишет)$/iu.test(
    text.trim(),
  );
}

function endsWithAddress(text: string): boolean {
  return /@[^\s<>]{1,120}\s?[>)\]»]{1,2}$/.test(text);
}

/** Whether a line may end an attribution: asked of every line, so by its last character. */
export function mayEnd(lines: Lines, line: number): boolean {
  const last = lines.last(line);
  if (last === 58 || last === 0xff1a) return true;
  // "---- On Wed, 24 Feb 2026 Ana wrote ----" (Zoho), and "wrote" alone.
  if (last !== 45 && last !== 101) return false;
  return lines.end(line) - lines.start(line) <= maxChars && /\bwrote\s*-*$/.test(lines.at(line));
}

/** The line on which the attribution that ends on this one begins; undefined when none does. */
export function attributionStart(lines: Lines, line: number): number | undefined {
  if (lines.end(line) - lines.start(line) > maxChars) return undefined;
  let joined = "";
  let found: number | undefined;
  let weak: number | undefined;
  for (let at = line; at >= 0 && at > line - maxLinesWrapped; at--) {
    if (lines.isBlank(at) || lines.end(at) - lines.start(at) > maxChars) break;
    // "<ana@b.example\n>:" was wrapped within the brackets: no quote.
    if (lines.isQuoted(at) && !(at === line && closesBracket(lines, line))) break;
    const text = lines.at(at);
    if (at !== line && /[.!?:：]$/.test(text) && !/\b\p{L}{1,5}\.$/u.test(text)) break;
    joined = `${text} ${joined}`;
    if (joined.length > maxChars) break;
    if (found !== undefined && (opens(lines.at(found)) || !begins(lines, at, text))) break;
    const strength = strengthOf(joined);
    if (strength === "sure") found = at;
    else if (strength !== undefined && weak === undefined) weak = at;
    else if (found !== undefined) break;
  }
  if (found !== undefined) return found;
  if (weak === undefined) return undefined;
  const below = lines.next(line + 1);
  return below - line <= 2 && below < lines.count && lines.isQuoted(below) ? weak : undefined;
}

/** Whether a wrapped attribution could begin on this line: it opens one, or opens a paragraph with a date. */
function begins(lines: Lines, line: number, text: string): boolean {
  if (opens(text)) return true;
  if (weekday.test(text) && year.test(text) && text.length <= 60) return true;
  const isFirst = line === 0 || lines.isBlank(line - 1);
  return isFirst && digit.test(text) && (/^\p{Nd}/u.test(text) || weekday.test(text));
}

function opens(text: string): boolean {
  return opener.test(text) && digit.test(text);
}

/** "<ana@b.example\n>:" */
export function closesBracket(lines: Lines, line: number): boolean {
  if (line === 0) return false;
  const above = lines.at(line - 1);
  const text = unquoted(lines.at(line));
  return above.lastIndexOf("<") > above.lastIndexOf(">") && text.length <= 40 && /[:：]$/.test(text);
}
