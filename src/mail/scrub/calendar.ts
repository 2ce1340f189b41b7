/** Replaces the words of a calendar; its structure, its times and its rules stay. */
import { knownName } from "../calendar/time.ts";
import { replaceWords, type Words } from "./text.ts";
import { calendarWords, type Keeping } from "./vocabulary.ts";

const kept: Keeping = { words: calendarWords, numbers: "short" };
const names: Keeping = { words: calendarWords };
/** Properties whose values are words of the format, dates, figures and rules. */
const structural =
  /^(?:begin|end|version|method|calscale|dtstart|dtend|dtstamp|due|duration|created|last-modified|sequence|status|transp|class|priority|rrule|rdate|exdate|exrule|recurrence-id|trigger|action|repeat|tzoffsetfrom|tzoffsetto|x-microsoft-cdo-(?:busystatus|intendedstatus|alldayevent|importance|insttype))$/;
const values = /^[A-Za-z0-9:;,=+\-/. ]*$/;
/** 20260105T103000Z, PT15M, 2MO: letters that belong to a time or a rule. */
const inTimes =
  /^(?:(?:1[6-9]|2[01])\d\d(?:0\d|1[0-2])[0-3]\d(?:T\d{6}Z?)?|[+-]?P[0-9WDTHMS]+|[+-]?\d{1,3}(?:MO|TU|WE|TH|FR|SA|SU)|[+-]\d{4,6})$/;

/** `text` is unfolded. */
export function replaceCalendar(text: string, words: Words): string {
  return text
    .split("\n")
    .map((line) => propertyLine(line, words))
    .join("\n");
}

function propertyLine(line: string, words: Words): string {
  const colon = colonOf(line);
  if (colon === -1) return replaceWords(line, words);
  const [name = "", ...params] = line.slice(0, colon).split(";");
  const value = line.slice(colon);
  const head = [replaceWords(name, words, names), ...params.map((param) => parameter(param, words))].join(";");
  return head + valued(name.toLowerCase(), value, words);
}

/** Outside of quotes. */
function colonOf(line: string): number {
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '"') quoted = !quoted;
    else if (line[at] === ":" && !quoted) return at;
  }
  return -1;
}

function parameter(param: string, words: Words): string {
  const equals = param.indexOf("=") + 1;
  const name = param.slice(0, equals);
  const value = param.slice(equals);
  if (/^tzid=$/i.test(name)) return name + zone(value, words);
  const free =
    /^(?:cn|altrep|sent-by|member|delegated-(?:to|from)|dir|email)=$/i.test(name) ||
    name.toLowerCase().startsWith("x-");
  return replaceWords(name, words, names) + replaceWords(value, words, free ? {} : kept);
}

function valued(name: string, value: string, words: Words): string {
  if (name === "tzid" || name === "tzname") return `:${zone(value.slice(1), words)}`;
  if (!structural.test(name) || !values.test(value.trim())) return replaceWords(value, words);
  return value
    .split(/([;,:=/\r ])/)
    .map((piece) => (inTimes.test(piece) ? piece : replaceWords(piece, words, kept)))
    .join("");
}

/** A zone that everybody has is nobody's. */
function zone(written: string, words: Words): string {
  const name = written.trim().replace(/^"|"$/g, "");
  return knownName(name) === null ? replaceWords(written, words) : written;
}
