/** Turns one iCalendar file into the events that it announces, changes or answers. */
import type { Calendar } from "../../model/event.ts";
import { clean } from "../words.ts";
import { type Component, componentsOf, type Line, secondsOf } from "./lines.ts";
import { isoOf, type Moment, momentOf, type Zones, zonesOf } from "./time.ts";

export interface Found {
  readonly events: readonly Calendar[];
  readonly anomalies: readonly string[];
}

const maxAttendees = 200;
const maxChars = { uid: 500, text: 1_000, name: 500, word: 40, url: 2_000, address: 320 } as const;

/** `method` is the parameter of the Content-Type, for files that do not say it themselves. */
export function readCalendar(bytes: Buffer, charset: string | null, method: string | null, maxEvents: number): Found {
  const { calendars, damaged } = componentsOf(bytes, charset);
  const events: Calendar[] = [];
  const anomalies = new Set<string>();
  for (const calendar of calendars) {
    const zones = zonesOf(calendar.children.filter(({ name }) => name === "vtimezone"));
    const said =
      word(first(calendar, "method")) ?? (method === null ? null : clean(method).toUpperCase().slice(0, maxChars.word));
    for (const component of calendar.children) {
      if (component.name !== "vevent") continue;
      if (events.length === maxEvents) {
        anomalies.add("calendar_cut");
        break;
      }
      events.push(eventOf(component, said, zones, anomalies));
    }
  }
  if (calendars.length === 0) anomalies.add("calendar_unreadable");
  else if (damaged) anomalies.add(events.length === 0 ? "calendar_unreadable" : "calendar_damaged");
  return { events, anomalies: [...anomalies] };
}

function eventOf(component: Component, method: string | null, zones: Zones, anomalies: Set<string>): Calendar {
  const moment = (name: string): Moment | null => {
    const line = first(component, name);
    if (line === undefined) return null;
    const found = momentOf(line, zones);
    if (found === null) anomalies.add("calendar_damaged");
    else if (found.unknownZone) anomalies.add("calendar_zone_unknown");
    return found;
  };
  const start = moment("dtstart");
  const end = moment("dtend") ?? endOf(start, first(component, "duration"));
  const recurrence = moment("recurrence-id");
  const sequence = Number(value(first(component, "sequence")) ?? Number.NaN);
  const location = textIn(component, "location");
  return {
    method,
    uid: clean(value(first(component, "uid")) ?? "").slice(0, maxChars.uid) || null,
    sequence: Number.isSafeInteger(sequence) && sequence >= 0 ? sequence : null,
    recurrence_id: recurrence === null ? null : isoOf(recurrence),
    organizer: organizerOf(first(component, "organizer")),
    attendees: attendeesOf(component),
    start: start === null ? null : isoOf(start),
    end: end === null ? null : isoOf(end),
    tz: start?.tz ?? null,
    all_day: start?.kind === "date",
    summary: textIn(component, "summary"),
    location,
    status: word(first(component, "status")),
    url: urlOf(component, location),
  };
}

/** RFC 5545 §3.6.1: without an end, a day lasts a day and a moment lasts nothing. */
function endOf(start: Moment | null, duration: Line | undefined): Moment | null {
  if (start === null) return null;
  const seconds = duration === undefined ? null : secondsOf(value(duration) ?? "");
  const lasting = seconds ?? (start.kind === "date" ? 86_400 : 0);
  return { ...start, ms: start.ms + lasting * 1000 };
}

const first = (component: Component, name: string): Line | undefined =>
  component.lines.find((line) => line.name === name);
const value = (line: Line | undefined): string | undefined => line?.values[0];

function textIn(component: Component, name: string): string | null {
  return clean(value(first(component, name)) ?? "").slice(0, maxChars.text) || null;
}

function word(line: Line | undefined): string | null {
  return (
    clean(value(line) ?? "")
      .toUpperCase()
      .slice(0, maxChars.word) || null
  );
}

function attendeesOf(component: Component): Calendar["attendees"] {
  const attendees: Calendar["attendees"] = [];
  for (const line of component.lines) {
    if (line.name !== "attendee" || attendees.length === maxAttendees) continue;
    const email = addressOf(line);
    if (email === null) continue;
    const upper = (key: string): string | null =>
      clean(line.params.get(key) ?? "")
        .toUpperCase()
        .slice(0, maxChars.word) || null;
    attendees.push({ email, name: nameOf(line), partstat: upper("partstat"), role: upper("role") });
  }
  return attendees;
}

function organizerOf(line: Line | undefined): Calendar["organizer"] {
  const email = line === undefined ? null : addressOf(line);
  return line === undefined || email === null ? null : { email, name: nameOf(line) };
}

/** RFC 5545 §3.3.3, as `MAILTO:` too; rooms and Exchange's own directory names carry the address in EMAIL (RFC 7986 §6.2). */
function addressOf(line: Line): string | null {
  for (const claimed of [value(line) ?? "", line.params.get("email") ?? ""]) {
    const bare = clean(claimed)
      .replace(/^mailto:/i, "")
      .replace(/\?.*$/, "")
      .replace(/^<(.*)>$/, "$1")
      .trim();
    const at = bare.lastIndexOf("@");
    if (at > 0 && at < bare.length - 1 && bare.length <= maxChars.address && !/[\s:/]/.test(bare)) {
      return bare.slice(0, at + 1) + bare.slice(at + 1).toLowerCase();
    }
  }
  return null;
}

/** Outlook puts quotes around quoted names. */
function nameOf(line: Line): string | null {
  return (
    clean(line.params.get("cn") ?? "")
      .replace(/^(['"])(.*)\1$/, "$2")
      .trim()
      .slice(0, maxChars.name) || null
  );
}

/** Where to look, else where to join: the first that is a web address. */
function urlOf(component: Component, location: string | null): string | null {
  const claimed = [
    ...["url", "conference", "x-google-conference", "x-microsoft-skypeteamsmeetingurl"],
    "x-microsoft-onlinemeetingexternallink",
  ].map((name) => clean(value(first(component, name)) ?? "").replace(/^<(.*)>$/, "$1"));
  const inLocation = /https:\/\/[^\s<>"']{3,2000}/i.exec(location ?? "")?.[0] ?? "";
  const found = [...claimed, inLocation].find(
    (url) => /^https?:\/\/[^\s<>"']+$/i.test(url) && url.length <= maxChars.url,
  );
  return found ?? null;
}
