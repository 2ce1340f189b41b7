/** Reads a Date header. What cannot be read is null: a guessed date is wrong data that nobody notices. */

export interface MailDate {
  /** RFC 3339 in UTC, or null. */
  readonly date: string | null;
  readonly offsetMinutes: number | null;
  readonly anomalies: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Minutes east of UTC. The first row is RFC 5322 §4.3; the others are not standard, but sent. */
const zones: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  ...{
    ut: 0,
    utc: 0,
    gmt: 0,
    z: 0,
    est: -300,
    edt: -240,
    cdt: -300,
    mst: -420,
    mdt: -360,
    pst: -480,
    pdt: -420,
  },
  ...{ wet: 0, west: 60, cet: 60, cest: 120, mez: 60, mesz: 120, met: 60, mest: 120, eet: 120, eest: 180, msk: 180 },
  ...{
    jst: 540,
    kst: 540,
    hkt: 480,
    sgt: 480,
    aest: 600,
    aedt: 660,
    nzst: 720,
    nzdt: 780,
    akst: -540,
    akdt: -480,
    hst: -600,
  },
});
/** India, Israel or Ireland; Britain or Bangladesh; Chicago, China or Cuba. The first is taken where nothing speaks for another. */
const ambiguous: Readonly<Record<string, readonly [number, ...number[]]>> = Object.assign(Object.create(null), {
  ist: [330, 120, 60],
  bst: [60, 360],
  cst: [-360, 480, -300],
});

const clock = String.raw`(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d{1,9})?)?`;
/** Three digits of a year are what a program of 1999 counts from 1900 (RFC 5322 §4.3). */
const rfc5322 = new RegExp(
  String.raw`^(?:[a-z]{2,12}\.? ?,? ?)?(\d{1,2})[ -]([a-z]{3})[a-z]{0,6}\.?[ -](\d{2,4}),? ${clock} ?(.*)$`,
);
const american = new RegExp(
  String.raw`^(?:[a-z]{3,9},? )?([a-z]{3})[a-z]{0,6}\.? (\d{1,2}), ?(\d{4}),?(?: at)? ${clock} ?(.*)$`,
);
const iso8601 = new RegExp(String.raw`^(\d{4})-(\d{2})-(\d{2})[t ]${clock} ?(.*)$`);
const asctime =
  /^[a-z]{3,9},? ([a-z]{3})[a-z]{0,6} (\d{1,2}) (\d{1,2}):(\d{2})(?::(\d{2}))? (?:([a-z+\-\d]{1,6}) )?(\d{4})$/;

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly zone: string;
}

/**
 * `value` is the unfolded header value. `receivedAt` is when the mail is known to have been on its way: of the places that an ambiguous
 * zone names, the one whose time comes nearest to it is taken.
 */
export function mailDate(value: string, receivedAt?: number): MailDate {
  const plain = withoutComments(value.slice(0, 200))
    .toLowerCase()
    .replace(/["\s]+/g, " ")
    .trim();
  const fields = fieldsOf(plain);
  const bad: MailDate = { date: null, offsetMinutes: null, anomalies: ["bad_date"] };
  if (fields === undefined) return bad;
  const zone = zoneOf(fields.zone);
  if (zone === undefined) return bad;
  const { year, month, day, hour, minute } = fields;
  // RFC 5322 §3.3 allows a leap second; no clock in the CRM does.
  const second = Math.min(fields.second, 59);
  const utc = Date.UTC(year, month, day, hour, minute, second);
  const asked = new Date(utc);
  const exists =
    asked.getUTCMonth() === month && asked.getUTCDate() === day && hour < 24 && minute < 60 && fields.second <= 60;
  if (!exists || year < 1900) return bad;
  const offset = nearest(zone.offsets, utc, receivedAt);
  const at = new Date(utc - offset * 60_000);
  return {
    date: at.toISOString().replace(".000Z", "Z"),
    offsetMinutes: zone.known ? offset : null,
    anomalies: zone.ambiguous ? ["ambiguous_zone"] : [],
  };
}

function nearest(offsets: readonly [number, ...number[]], utc: number, receivedAt: number | undefined): number {
  if (receivedAt === undefined || offsets.length === 1) return offsets[0];
  const distance = (offset: number): number => Math.abs(utc - offset * 60_000 - receivedAt);
  return offsets.reduce((best, offset) => (distance(offset) < distance(best) ? offset : best));
}

function fieldsOf(plain: string): Fields | undefined {
  const usual = rfc5322.exec(plain);
  if (usual !== null) {
    const [, day, month = "", year = "", hour, minute, second, zone = ""] = usual;
    return made(fullYear(year), months.indexOf(month), day, hour, minute, second, zone);
  }
  const us = american.exec(plain);
  if (us !== null) {
    const [, month = "", day, year, hour, minute, second, zone = ""] = us;
    return made(Number(year), months.indexOf(month), day, hour, minute, second, zone);
  }
  const iso = iso8601.exec(plain);
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, zone = ""] = iso;
    return made(Number(year), Number(month) - 1, day, hour, minute, second, zone);
  }
  const unix = asctime.exec(plain);
  if (unix !== null) {
    const [, month = "", day, hour, minute, second, zone = "", year] = unix;
    return made(Number(year), months.indexOf(month), day, hour, minute, second, zone);
  }
  return undefined;
}

function made(
  year: number,
  month: number,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
  zone: string,
): Fields | undefined {
  if (month < 0) return undefined;
  // "9:15:00 PM +0200": .NET programs that format for the eye.
  const half = /^([ap])m\b\.? ?(.*)$/.exec(zone);
  const clockHour = Number(hour);
  if (half !== null && (clockHour < 1 || clockHour > 12)) return undefined;
  return {
    year,
    month,
    day: Number(day),
    hour: half === null ? clockHour : (clockHour % 12) + (half[1] === "p" ? 12 : 0),
    minute: Number(minute),
    second: Number(second ?? 0),
    zone: half === null ? zone : (half[2] ?? ""),
  };
}

/** RFC 5322 §4.3, but from 00 to 49 only: mail of 1950 has a four-digit year if it exists. */
function fullYear(year: string): number {
  const value = Number(year);
  if (year.length === 4) return value;
  if (year.length === 3) return 1900 + value;
  return value < 50 ? 2000 + value : 1900 + value;
}

interface Zone {
  /** The likeliest first. */
  readonly offsets: readonly [number, ...number[]];
  readonly known: boolean;
  readonly ambiguous: boolean;
}

function zoneOf(zone: string): Zone | undefined {
  const text = zone.replace(/^(?:gmt|utc) ?(?=[+-])/, "").trim();
  // No zone, and RFC 5322 §4.3's single letters, which were used with both signs: UTC, but nothing known of the sender's clock.
  if (text === "" || /^[a-ik-y]$/.test(text)) return { offsets: [0], known: false, ambiguous: text === "" };
  const numeric = /^([+-])(\d{1,2})(?::?(\d{2}))?(?: [a-z].*)?$/.exec(text);
  if (numeric !== null) {
    const [, sign, hours, minutes = "0"] = numeric;
    const offset = Number(hours) * 60 + Number(minutes);
    if (Number(minutes) > 59 || offset > 24 * 60) return undefined;
    // RFC 5322 §3.3: -0000 says that the zone is not known.
    return { offsets: [sign === "-" ? 0 - offset : offset], known: !(sign === "-" && offset === 0), ambiguous: false };
  }
  const several = ambiguous[text];
  if (several !== undefined) return { offsets: several, known: true, ambiguous: true };
  const named = zones[text];
  return named === undefined ? undefined : { offsets: [named], known: true, ambiguous: false };
}

/** RFC 5322 §3.2.2: comments nest; an unclosed one reaches to the end. */
function withoutComments(value: string): string {
  let text = "";
  let depth = 0;
  for (const char of value) {
    if (char === "(") depth++;
    else if (char === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0) text += char;
  }
  return text;
}
