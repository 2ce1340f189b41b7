/** Splits an iCalendar file into its components, and lets ical.js read the lines that are of use. */
import ICAL from "ical.js";
import { decodeLabelled, decodeUnlabelled } from "../charset.ts";

export interface Line {
  /** In lower case. */
  readonly name: string;
  readonly type: string;
  /** By name in lower case; never an object whose keys come from mail. */
  readonly params: ReadonlyMap<string, string>;
  readonly values: readonly string[];
}

export interface Component {
  /** In lower case: vevent. */
  readonly name: string;
  readonly lines: Line[];
  readonly children: Component[];
}

export interface Components {
  readonly calendars: readonly Component[];
  /** A line that is wanted could not be read, or a component does not end. */
  readonly damaged: boolean;
}

/** ical.js looks for the end of the value once for each parameter: a line of 256 KiB took a tenth of a second, one of 8 KiB nothing. */
const maxLineChars = 8 * 1024;
/** VCALENDAR, VTIMEZONE, STANDARD. Alarms stand as deep, and are not read. */
const maxDepth = 3;
const maxComponents = 2_000;
const maxLinesOfComponent = 1_000;

const opened = new Set(["vcalendar", "vevent", "vtimezone", "standard", "daylight"]);
const wanted = new Set([
  ...["method", "uid", "sequence", "recurrence-id", "organizer", "attendee", "dtstart", "dtend", "duration"],
  ...["summary", "location", "status", "url", "conference", "tzid", "tzoffsetfrom", "tzoffsetto", "rrule", "rdate"],
  ...["x-lic-location", "x-google-conference", "x-microsoft-skypeteamsmeetingurl"],
  "x-microsoft-onlinemeetingexternallink",
]);

/**
 * Our own frame around ical.js's lines: its reader of whole files gives up at the first bad line, keeps everything, and nests as deep as a
 * file asks for.
 */
export function componentsOf(bytes: Buffer, charset: string | null): Components {
  const root: Component = { name: "", lines: [], children: [] };
  const stack: Component[] = [root];
  /** Components that are not read, counted so that their END finds its place. */
  let skipped = 0;
  let count = 0;
  let damaged = false;
  for (const line of unfolded(bytes, charset).split(/\r\n|\r|\n/)) {
    const mark = /^(BEGIN|END)[ \t]*:[ \t]*([A-Za-z-]{1,40})[ \t]*$/i.exec(line.slice(0, 100));
    const top = stack.at(-1) ?? root;
    if (mark !== null && mark[1]?.toUpperCase() === "BEGIN") {
      const name = (mark[2] ?? "").toLowerCase();
      if (skipped > 0 || !opened.has(name) || stack.length > maxDepth || ++count > maxComponents) skipped++;
      else stack.push(openIn(top, name));
    } else if (mark !== null) {
      if (skipped > 0) skipped--;
      else if (stack.length > 1) stack.pop();
    } else if (skipped === 0 && top.lines.length < maxLinesOfComponent) {
      const read = lineOf(line);
      if (read === null) damaged = true;
      else if (read !== undefined) top.lines.push(read);
    }
  }
  return { calendars: root.children.filter(({ name }) => name === "vcalendar"), damaged: damaged || stack.length > 1 };
}

function openIn(parent: Component, name: string): Component {
  const component: Component = { name, lines: [], children: [] };
  parent.children.push(component);
  return component;
}

/** RFC 5545 §3.1: a fold may stand inside a character of several bytes, so folds are undone before the bytes are decoded. */
function unfolded(bytes: Buffer, charset: string | null): string {
  const joined = Buffer.from(bytes.toString("latin1").replace(/(?:\r\n|\r|\n)[ \t]/g, ""), "latin1");
  const { text } = charset === null ? decodeUnlabelled(joined) : decodeLabelled(joined, charset);
  return text.replace(/^\ufeff/, "");
}

/** Undefined for what is of no use, null for what should be and cannot be read. */
function lineOf(line: string): Line | null | undefined {
  if (line.trim() === "") return undefined;
  const name = /^[A-Za-z0-9-]{1,60}(?=[;:])/.exec(line)?.[0].toLowerCase();
  if (name === undefined) return null;
  if (!wanted.has(name)) return undefined;
  if (line.length > maxLineChars) return null;
  try {
    const [, params, type, ...values] = ICAL.parse.property(line, ICAL.design.icalendar) as [
      string,
      object,
      string,
      ...unknown[],
    ];
    return { name, type, params: textsOf(params), values: values.map(textOf) };
  } catch {
    return null;
  }
}

function textsOf(params: object): Map<string, string> {
  return new Map(Object.entries(params).map(([key, value]) => [key, textOf(Array.isArray(value) ? value[0] : value)]));
}

/** ical.js gives numbers for integers and objects for rules; a rule is read from its own text. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : JSON.stringify(value ?? "");
}

/** Seconds of a duration as ical.js reads it; null for anything else. RFC 5545 §3.3.6. */
export function secondsOf(duration: string): number | null {
  try {
    const seconds = ICAL.Duration.fromString(duration.slice(0, 40)).toSeconds();
    return Number.isFinite(seconds) ? seconds : null;
  } catch {
    return null;
  }
}
