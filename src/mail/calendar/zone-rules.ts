/** Works out the offset of a zone that a calendar file defines (VTIMEZONE), in a few steps whatever the file says. */
import type { Component, Line } from "./lines.ts";

/**
 * ical.js can do this too, but it walks through every repetition from the first to the present year, by the clock: a rule that repeats by
 * the second, from the year 1, never ends. Zones change once or twice a year, on a weekday or a date of a month; only such rules are read.
 */
export type Rules = readonly Observance[];

interface Observance {
  /** ms east of UTC before and after. */
  readonly from: number;
  readonly to: number;
  /** Local times as if UTC, of the first change and of those that are listed. */
  readonly starts: readonly number[];
  readonly yearly: Yearly | null;
}

interface Yearly {
  /** Months and days count from 0 for January and Sunday. */
  readonly month: number;
  /** `nth` of -1 is the last. Without a weekday, nth is the day of the month. */
  readonly nth: number;
  readonly weekday: number | null;
  /** In UTC; without end where it is null. */
  readonly until: number | null;
}

const maxObservances = 100;
const maxListed = 200;
const weekdays = ["su", "mo", "tu", "we", "th", "fr", "sa"];

/** Null when a part of it cannot be understood: half a definition gives wrong times. */
export function rulesOf(zone: Component): Rules | null {
  const observances: Observance[] = [];
  for (const component of zone.children.slice(0, maxObservances)) {
    if (component.name !== "standard" && component.name !== "daylight") continue;
    const observance = observanceOf(component);
    if (observance === null) return null;
    observances.push(observance);
  }
  return observances.length === 0 ? null : observances;
}

function observanceOf(component: Component): Observance | null {
  const values = (name: string): string[] =>
    component.lines.flatMap((line: Line) => (line.name === name ? line.values : [])).slice(0, maxListed);
  const from = offsetOf(values("tzoffsetfrom")[0]);
  const to = offsetOf(values("tzoffsetto")[0]);
  const start = localOf(values("dtstart")[0]);
  if (from === null || to === null || start === null) return null;
  const rule = values("rrule")[0];
  const yearly = rule === undefined ? null : yearlyOf(rule, start);
  if (rule !== undefined && yearly === null) return null;
  const listed = values("rdate").flatMap((value) => localOf(value) ?? []);
  return { from, to, starts: [start, ...listed], yearly };
}

/** ms east of UTC at a local time. */
export function offsetBy(rules: Rules, local: number): number {
  let latest: { readonly at: number; readonly to: number } | undefined;
  let earliest: { readonly at: number; readonly from: number } | undefined;
  for (const observance of rules) {
    const { from, to } = observance;
    for (const at of changesNear(observance, local)) {
      if (earliest === undefined || at < earliest.at) earliest = { at, from };
      // The hour that is left out in spring still goes by the offset before it (RFC 5545 §3.3.5).
      const inForce = local >= at + Math.max(0, to - from);
      if (inForce && (latest === undefined || at > latest.at)) latest = { at, to };
    }
  }
  return latest?.to ?? earliest?.from ?? 0;
}

/** The changes that are listed, and of those that repeat the two that may be the last before a time. */
function changesNear({ starts, yearly, from }: Observance, local: number): number[] {
  if (yearly === null) return [...starts];
  const year = new Date(local).getUTCFullYear();
  const lastYear = yearly.until === null ? year : Math.min(year, new Date(yearly.until).getUTCFullYear());
  const begin = starts[0] ?? 0;
  const repeated = [lastYear, lastYear - 1]
    .map((one) => changeIn(one, yearly, begin))
    .filter((at) => at >= begin && (yearly.until === null || at - from <= yearly.until));
  return [...starts, ...repeated];
}

function changeIn(year: number, { month, nth, weekday }: Yearly, begin: number): number {
  const time = ((begin % day) + day) % day;
  const date = (number: number): number => new Date(0).setUTCFullYear(year, month, number);
  if (weekday === null) return date(nth) + time;
  if (nth > 0) {
    const first = new Date(date(1)).getUTCDay();
    return date(1 + ((weekday - first + 7) % 7) + (nth - 1) * 7) + time;
  }
  const days = new Date(new Date(0).setUTCFullYear(year, month + 1, 0)).getUTCDate();
  const last = new Date(date(days)).getUTCDay();
  return date(days - ((last - weekday + 7) % 7) + (nth + 1) * 7) + time;
}

const day = 86_400_000;

/** `rule` is ical.js's reading of an RRULE, as JSON. Only FREQ=YEARLY on one weekday or date of one month. */
function yearlyOf(rule: string, start: number): Yearly | null {
  const text = (key: string): string | undefined => new RegExp(`"${key}":\\[?"?([^",}\\]]{1,40})`).exec(rule)?.[1];
  if (text("freq")?.toUpperCase() !== "YEARLY" || (text("interval") ?? "1") !== "1") return null;
  if (["bysetpos", "byweekno", "byyearday", "byhour", "count"].some((key) => text(key) !== undefined)) return null;
  const month = Number(text("bymonth") ?? new Date(start).getUTCMonth() + 1) - 1;
  if (!(month >= 0 && month < 12)) return null;
  const until = text("until");
  const end =
    until === undefined ? null : Date.parse(until.length === 10 ? `${until}T23:59:59Z` : `${until.replace(/Z$/, "")}Z`);
  if (Number.isNaN(end)) return null;
  const weekday = /^([+-]?[1-5])(su|mo|tu|we|th|fr|sa)$/i.exec(text("byday") ?? "");
  const monthDay = Number(text("bymonthday") ?? new Date(start).getUTCDate());
  if (weekday !== null) {
    // A weekday within some days of the month: "first Sunday from the 8th on" is the second Sunday.
    return { month, nth: Number(weekday[1]), weekday: weekdays.indexOf((weekday[2] ?? "").toLowerCase()), until: end };
  }
  if (text("byday") !== undefined) {
    const named = weekdays.indexOf((text("byday") ?? "").toLowerCase());
    const nth = (monthDay + 6) / 7;
    return named >= 0 && text("bymonthday") !== undefined && Number.isInteger(nth) && nth <= 5
      ? { month, nth, weekday: named, until: end }
      : null;
  }
  return monthDay >= 1 && monthDay <= 31 ? { month, nth: monthDay, weekday: null, until: end } : null;
}

/** ical.js writes `+01:00`. */
function offsetOf(value: string | undefined): number | null {
  const match = /^([+-])(\d{2}):?(\d{2})(?::?(\d{2}))?$/.exec(value ?? "");
  if (match === null) return null;
  const [, sign, hours, minutes, seconds] = match;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
  return (sign === "-" ? -size : size) * 1000;
}

function localOf(value: string | undefined): number | null {
  const ms = Date.parse(`${(value ?? "").replace(/Z$/, "")}Z`);
  return Number.isNaN(ms) ? null : ms;
}
