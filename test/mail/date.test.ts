import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mailDate } from "../../src/mail/date.ts";

describe("the Date header", () => {
  test.each([
    ["Tue, 14 Jul 2026 09:15:00 +0200", "2026-07-14T07:15:00Z", 120],
    ["14 Jul 2026 09:15 +0200", "2026-07-14T07:15:00Z", 120],
    ["Tue, 14 Jul 2026 09:15:00 CEST", "2026-07-14T07:15:00Z", 120],
    ["Fri, 3 Mar 95 08:00:00 JST", "1995-03-02T23:00:00Z", 540],
    ["Fri, 03 Mar 1995 08:00:00 EST", "1995-03-03T13:00:00Z", -300],
    ["Tue, 14 Jul 2026 09:15:00 +0900 (KST)", "2026-07-14T00:15:00Z", 540],
    ["Tue, 14 Jul 2026 09:15:00 -0330", "2026-07-14T12:45:00Z", -210],
    ["Tue, 14 Jul 2026 09:15:00 GMT", "2026-07-14T09:15:00Z", 0],
    ["Tue, 14 Jul 2026 09:15:00 GMT+02:00", "2026-07-14T07:15:00Z", 120],
    ["Tue, 14 Jul 2026 09:15:00 -0000", "2026-07-14T09:15:00Z", null],
    ["Tue, 14 Jul 2026 09:15:00 Z", "2026-07-14T09:15:00Z", 0],
    ["Tue, 14 Jul 2026 09:15:00 A", "2026-07-14T09:15:00Z", null],
    ["Tue (day), 14 (n (e)) Jul 2026 09:15:00 +0000", "2026-07-14T09:15:00Z", 0],
    ["Tue,14 Jul 2026 09:15:00 +0000", "2026-07-14T09:15:00Z", 0],
    ["Tuesday, 14-Jul-26 09:15:00 GMT", "2026-07-14T09:15:00Z", 0],
    ["tue, 14 july 2026 9:15:00 +0000", "2026-07-14T09:15:00Z", 0],
    ["Tue Jul 14 09:15:00 2026", "2026-07-14T09:15:00Z", null],
    ["Tue Jul 14 09:15:00 CEST 2026", "2026-07-14T07:15:00Z", 120],
    ["2026-07-14T09:15:00+02:00", "2026-07-14T07:15:00Z", 120],
    ["2026-07-14 09:15:00", "2026-07-14T09:15:00Z", null],
    ["2026-07-14T09:15:00.123Z", "2026-07-14T09:15:00Z", 0],
    ["Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z", 0],
    ["Thu, 1 Jan 70 00:00:00 +0000", "1970-01-01T00:00:00Z", 0],
    ["Thu, 1 Jan 49 00:00:00 +0000", "2049-01-01T00:00:00Z", 0],
    ["Tue, 14 Jul 126 09:15:00 +0000", "2026-07-14T09:15:00Z", 0],
    ["Tue, 14 Jul 2026 9:5:3 +0200", "2026-07-14T07:05:03Z", 120],
    ["Tue, 14 Jul 2026 09:15:00 +02", "2026-07-14T07:15:00Z", 120],
    ["Tue, 14 Jul 2026 09:15:00 +02:00", "2026-07-14T07:15:00Z", 120],
    ["Tue, 14 Jul 2026 09:15:00 GMT+2", "2026-07-14T07:15:00Z", 120],
    ["Tue, 14 Jul 2026 09:15:00 +0200 CEST", "2026-07-14T07:15:00Z", 120],
    ['Tue, 14 Jul 2026 09:15:00 "GMT"', "2026-07-14T09:15:00Z", 0],
    ["Tue, 14 Jul 2026 9:15:00 PM +0200", "2026-07-14T19:15:00Z", 120],
    ["Tue, 14 Jul 2026 12:15:00 am", "2026-07-14T00:15:00Z", null],
    ["Tuesday, July 14, 2026 9:15 AM", "2026-07-14T09:15:00Z", null],
    ["Jul 14, 2026, 21:15:00 +0200", "2026-07-14T19:15:00Z", 120],
  ])("%j is %s, offset %s", (value, date, offsetMinutes) => {
    expect(mailDate(value)).toMatchObject({ date, offsetMinutes });
  });

  test.each([
    "tomorrow",
    "",
    "Tue, 32 Jul 2026 09:15:00 +0200",
    "Tue, 29 Feb 2026 09:15:00 +0200",
    "Tue, 14 Jul 2026 25:15:00 +0200",
    "Tue, 14 Jul 2026 09:61:00 +0200",
    "Tue, 14 Foo 2026 09:15:00 +0200",
    "Tue, 14 Jul 2026 09:15:00 XQZT",
    "Tue, 14 Jul 2026 09:15:00 +0275",
    "Tue, 14 Jul 2026 09:15:00 constructor",
    "1784021700",
    "14/07/2026 09:15",
    "Tue, 14 Jul 2026 13:15:00 PM +0200",
    "Tue, 14 Jul 20266 09:15:00 +0200",
  ])("%j is no date, and never becomes one", (value) => {
    expect(mailDate(value)).toEqual({ date: null, offsetMinutes: null, anomalies: ["bad_date"] });
  });

  test.each(["IST", "BST", "CST"])("the zone %s means several places, and is marked", (zone) => {
    expect(mailDate(`Tue, 14 Jul 2026 09:15:00 ${zone}`).anomalies).toEqual(["ambiguous_zone"]);
  });

  test.each([
    ["14:45:00 IST", "2026-07-14T09:15:20Z", "2026-07-14T09:15:00Z", 330],
    ["11:15:00 IST", "2026-07-14T09:15:20Z", "2026-07-14T09:15:00Z", 120],
    ["10:15:00 IST", "2026-07-14T09:15:20Z", "2026-07-14T09:15:00Z", 60],
    ["15:15:00 BST", "2026-07-14T09:20:00Z", "2026-07-14T09:15:00Z", 360],
    ["10:15:00 BST", "2026-07-14T10:40:00Z", "2026-07-14T09:15:00Z", 60],
    ["17:15:00 CST", "2026-07-14T09:15:20Z", "2026-07-14T09:15:00Z", 480],
    ["17:15:00 CST", "2026-07-14T23:15:20Z", "2026-07-14T23:15:00Z", -360],
    ["09:15:00 EST", "2026-07-14T09:15:20Z", "2026-07-14T14:15:00Z", -300],
  ])("%s of a mail received at %s is %s: the place is the one that fits", (clock, received, date, offsetMinutes) => {
    expect(mailDate(`Tue, 14 Jul 2026 ${clock}`, Date.parse(received))).toMatchObject({ date, offsetMinutes });
  });

  test("what is written by the rule of RFC 5322 is read back", () => {
    const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const pad = (value: number) => String(Math.abs(value)).padStart(2, "0");
    const second = fc.integer({ min: Date.UTC(1951) / 1000, max: Date.UTC(2100) / 1000 });
    fc.assert(
      fc.property(second, fc.integer({ min: -14 * 60, max: 14 * 60 }), (seconds, offset) => {
        const local = new Date((seconds + offset * 60) * 1000);
        const zone = `${offset < 0 ? "-" : "+"}${pad(Math.trunc(offset / 60))}${pad(offset % 60)}`;
        const clock = `${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}:${pad(local.getUTCSeconds())}`;
        const value = `${local.getUTCDate()} ${months[local.getUTCMonth()]} ${local.getUTCFullYear()} ${clock} ${zone}`;
        expect(mailDate(value)).toMatchObject({
          date: new Date(seconds * 1000).toISOString().replace(".000Z", "Z"),
          offsetMinutes: offset,
          anomalies: [],
        });
      }),
    );
  });

  test("any text gives a date or null, without a throw", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(mailDate(value).date ?? "null").toMatch(/^(?:null|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)$/);
      }),
    );
  });
});
