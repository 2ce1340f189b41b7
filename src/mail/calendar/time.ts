/** Brings the times of a calendar to UTC, by the zones that the file defines, else by names that are known. */
import { clean } from "../words.ts";
import type { Component, Line } from "./lines.ts";
import { windowsZones } from "./windows-zones.ts";
import { offsetBy, type Rules, rulesOf } from "./zone-rules.ts";

export interface Moment {
  /** date: a day. utc: a moment. local: what clocks show, wherever they are. */
  readonly kind: "date" | "utc" | "local";
  /** Epoch ms; of a date or a local time, as if it were UTC. */
  readonly ms: number;
  readonly tz: string | null;
  /** It names a zone that nobody knows. */
  readonly unknownZone: boolean;
}

/** By TZID, as the file defines them. */
export type Zones = ReadonlyMap<string, { readonly name: string; readonly rules: Rules }>;

const maxZones = 20;

export function zonesOf(components: readonly Component[]): Zones {
  const zones = new Map<string, { name: string; rules: Rules }>();
  for (const component of components.slice(0, maxZones)) {
    const id = component.lines.find(({ name }) => name === "tzid")?.values[0];
    const rules = rulesOf(component);
    if (id === undefined || rules === null) continue;
    const location = component.lines.find(({ name }) => name === "x-lic-location")?.values[0];
    const name = knownName(id) ?? knownName(location ?? "") ?? clean(id).slice(0, 100);
    zones.set(id, { name, rules });
  }
  return zones;
}

/** Null where there is no date to be read. ical.js writes `T::` for a date that does not say by VALUE=DATE that it is one. */
export function momentOf(line: Line, zones: Zones): Moment | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T::|T(\d{2}):(\d{2}):(\d{2})(Z?))?$/.exec(line.values[0] ?? "");
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, utc] = match;
  // RFC 5545 §3.3.12 allows a leap second; no clock in the CRM does.
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Math.min(Number(second ?? 0), 59),
  );
  const exists = new Date(ms).getUTCMonth() === Number(month) - 1 && Number(hour ?? 0) < 24 && Number(minute ?? 0) < 60;
  // Date.UTC takes the years before 100 for the last century; nobody meets there.
  if (!exists || Number(year) < 100) return null;
  if (hour === undefined) return { kind: "date", ms, tz: null, unknownZone: false };
  if (utc === "Z") return { kind: "utc", ms, tz: "UTC", unknownZone: false };
  const id = line.params.get("tzid");
  return id === undefined ? { kind: "local", ms, tz: null, unknownZone: false } : inZone(ms, id, zones);
}

function inZone(ms: number, id: string, zones: Zones): Moment {
  // RFC 5545 §3.2.19: the definition in the file is what counts.
  const defined = zones.get(id);
  if (defined !== undefined) {
    return { kind: "utc", ms: ms - offsetBy(defined.rules, ms), tz: defined.name, unknownZone: false };
  }
  const name = knownName(id);
  if (name === null) return { kind: "local", ms, tz: null, unknownZone: true };
  return { kind: "utc", ms: utcOf(ms, name), tz: name, unknownZone: false };
}

/** RFC 3339; a bare date for a day, and without `Z` for what clocks show anywhere. */
export function isoOf({ kind, ms }: Moment): string | null {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime()) || ms < earliest || ms >= latest) return null;
  const text = date.toISOString().slice(0, 19);
  if (kind === "date") return text.slice(0, 10);
  return kind === "utc" ? `${text}Z` : text;
}

/** RFC 3339 has years of four digits. */
const earliest = Date.parse("0001-01-01T00:00:00Z");
const latest = Date.UTC(10_000, 0, 1);

/** The IANA name of a zone, from its own name, the one that Windows gives it, or a path that ends in it. Null when nobody knows it. */
export function knownName(id: string): string | null {
  const bare = id.trim().replace(/^"(.*)"$/, "$1");
  if (bare === "" || bare.length > 100) return null;
  if (/^(?:utc|gmt|z|etc\/(?:utc|gmt)|(?:\(utc\)|utc) ?coordinated universal time)$/i.test(bare)) return "UTC";
  const windows = windowsZones.get(bare.toLowerCase());
  if (windows !== undefined) return windows;
  // "/mozilla.org/20050126_1/Europe/Berlin"
  const path = bare.startsWith("/") ? bare.split("/").slice(-3) : undefined;
  const candidates = path === undefined ? [bare] : [path.join("/"), path.slice(-2).join("/")];
  return candidates.find((name) => formatFor(name) !== null) ?? null;
}

/** Names come from mail: the cache must not grow with them. */
const maxFormats = 200;
const formats = new Map<string, Intl.DateTimeFormat | null>();

function formatFor(name: string): Intl.DateTimeFormat | null {
  const known = formats.get(name);
  if (known !== undefined) return known;
  let format: Intl.DateTimeFormat | null = null;
  if (/^[A-Za-z][\w+-]{1,30}(?:\/[\w+-]{1,30}){0,2}$/.test(name)) {
    try {
      format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
    } catch {
      // RangeError: no zone of that name.
    }
  }
  if (formats.size < maxFormats) formats.set(name, format);
  return format;
}

/** ms east of UTC in a zone that `formatFor` knows. */
function offsetAt(name: string, utc: number): number {
  const shown = formatFor(name)?.format(utc) ?? "";
  const [, sign, hours, minutes, seconds] = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(shown) ?? [];
  if (sign === undefined) return 0;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
  return (sign === "-" ? -size : size) * 1000;
}

/** RFC 5545 §3.3.5: an hour that comes twice is the first of the two; one that is left out is told by the offset before it. */
function utcOf(local: number, name: string): number {
  const day = 86_400_000;
  const before = local - offsetAt(name, local - day);
  const after = local - offsetAt(name, local + day);
  if (before === after || local - offsetAt(name, before) === before) return before;
  return local - offsetAt(name, after) === after ? after : before;
}
