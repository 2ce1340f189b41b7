import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCalendar } from "../../src/mail/calendar/read.ts";
import { knownName } from "../../src/mail/calendar/time.ts";
import { windowsZones } from "../../src/mail/calendar/windows-zones.ts";
import { calendarsOf } from "../../src/mail/calendar.ts";
import type { Peek } from "../../src/mail/structure.ts";
import { calendarSchema } from "../../src/model/event/class.ts";

const file = (event: string, before = ""): string =>
  `BEGIN:VCALENDAR\r\n${before}BEGIN:VEVENT\r\n${event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
const read = (text: string | Buffer, method: string | null = null) => readCalendar(Buffer.from(text), null, method, 50);
const event = (lines: string, before = "") => read(file(lines, before)).events[0];
const start = (line: string, before = "") => event(line, before)?.start;

/** Europe as Outlook writes it, under any name. */
const zone = (id: string, summer = "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", more = ""): string =>
  [
    "BEGIN:VTIMEZONE",
    `TZID:${id}`,
    ...["BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100"],
    ...["RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD"],
    ...["BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", summer, "END:DAYLIGHT"],
    ...(more === "" ? [] : [more]),
    "END:VTIMEZONE\r\n",
  ].join("\r\n");

describe("times of calendars", () => {
  test.each<[string, string, string | null]>([
    ["UTC", "DTSTART:20260716T150000Z", "2026-07-16T15:00:00Z"],
    ["floating", "DTSTART:20260716T150000", "2026-07-16T15:00:00"],
    ["a day", "DTSTART;VALUE=DATE:20260716", "2026-07-16"],
    ["a day that says so only by its form", "DTSTART:20260716", "2026-07-16"],
    ["an IANA zone in summer", "DTSTART;TZID=Europe/Berlin:20260716T150000", "2026-07-16T13:00:00Z"],
    ["an IANA zone in winter", "DTSTART;TZID=Europe/Berlin:20261216T150000", "2026-12-16T14:00:00Z"],
    ["an hour that comes twice, the first", "DTSTART;TZID=Europe/Berlin:20261025T023000", "2026-10-25T00:30:00Z"],
    [
      "an hour that is left out, by the offset before",
      "DTSTART;TZID=Europe/Berlin:20260329T023000",
      "2026-03-29T01:30:00Z",
    ],
    ["half an hour of offset", "DTSTART;TZID=Asia/Kolkata:20260716T150000", "2026-07-16T09:30:00Z"],
    ["a Windows zone", "DTSTART;TZID=Pacific Standard Time:20260716T150000", "2026-07-16T22:00:00Z"],
    ["a quoted Windows zone", 'DTSTART;TZID="W. Europe Standard Time":20260716T150000', "2026-07-16T13:00:00Z"],
    [
      "a zone below a path",
      "DTSTART;TZID=/x.example/1/America/Argentina/Salta:20260716T150000",
      "2026-07-16T18:00:00Z",
    ],
    ["an unknown zone", "DTSTART;TZID=Nowhere:20260716T150000", "2026-07-16T15:00:00"],
    ["a leap second", "DTSTART:20161231T235960Z", "2016-12-31T23:59:59Z"],
    ["a day that is none", "DTSTART;VALUE=DATE:20260230", null],
    ["an hour that is none", "DTSTART:20260716T250000Z", null],
    ["words", "DTSTART:tomorrow", null],
    ["nothing", "SUMMARY:x", null],
  ])("%s", (_, line, expected) => {
    expect(start(line)).toBe(expected);
  });

  test.each<[string, string, string]>([
    ["in summer", "20260716T150000", "2026-07-16T13:00:00Z"],
    ["in winter", "20260116T150000", "2026-01-16T14:00:00Z"],
    ["in the last minute of winter", "20260329T015900", "2026-03-29T00:59:00Z"],
    ["in the hour that is left out", "20260329T023000", "2026-03-29T01:30:00Z"],
    ["in the first minute of summer", "20260329T030000", "2026-03-29T01:00:00Z"],
    ["in the hour that comes twice", "20261025T023000", "2026-10-25T00:30:00Z"],
    ["behind it", "20261025T030000", "2026-10-25T02:00:00Z"],
    ["on New Year's Eve", "20261231T235959", "2026-12-31T22:59:59Z"],
  ])("a zone that only the file defines, %s", (_, time, expected) => {
    expect(start(`DTSTART;TZID=Ships:${time}`, zone("Ships"))).toBe(expected);
  });

  test("a definition agrees with the zone of the same name at every hour of years", () => {
    const hours = fc.integer({ min: Date.UTC(1997, 0, 1) / 3600_000, max: Date.UTC(2037, 0, 1) / 3600_000 });
    fc.assert(
      fc.property(hours, (hour) => {
        const time = new Date(hour * 3600_000).toISOString().replace(/[-:]|\.\d{3}Z/g, "");
        expect(start(`DTSTART;TZID=Ships:${time}`, zone("Ships"))).toBe(start(`DTSTART;TZID=Europe/Berlin:${time}`));
      }),
    );
  });

  test.each([
    [
      "the definition in the file counts more than a known name",
      zone("Asia/Tokyo"),
      "Asia/Tokyo",
      "2026-07-16T13:00:00Z",
    ],
    ["a rule by the second is not followed", zone("Ships", "RRULE:FREQ=SECONDLY"), "Ships", "2026-07-16T15:00:00"],
    [
      "a rule that ended is not followed",
      zone("Ships", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20200101T000000Z"),
      "Ships",
      "2026-07-16T14:00:00Z",
    ],
    [
      "days of a month as a week",
      zone("Ships", "RRULE:FREQ=YEARLY;BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14;BYMONTH=3"),
      "Ships",
      "2026-07-16T13:00:00Z",
    ],
    ["a date of a month", zone("Ships", "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=20"), "Ships", "2026-07-16T13:00:00Z"],
    [
      "changes that are listed",
      zone("Ships", "RDATE:20260301T020000,20270301T020000"),
      "Ships",
      "2026-07-16T13:00:00Z",
    ],
    [
      "half a definition is none",
      zone("Ships", "TZOFFSETFROM:x", "BEGIN:STANDARD\r\nEND:STANDARD"),
      "Ships",
      "2026-07-16T15:00:00",
    ],
  ])("%s", (_, before, id, expected) => {
    expect(start(`DTSTART;TZID=${id}:20260716T150000`, before)).toBe(expected);
  });

  test("every zone of Windows is one that Node knows", () => {
    const unknown = [...windowsZones].filter(([, name]) => name !== "UTC" && knownName(name) !== name);
    expect(unknown).toEqual([]);
    expect(knownName("w. europe standard time")).toBe("Europe/Berlin");
    expect(knownName("constructor")).toBeNull();
  });

  test.each<[string, string | null]>([
    ["DTSTART:20260716T150000Z\nDTEND:20260716T160000Z", "2026-07-16T16:00:00Z"],
    ["DTSTART:20260716T150000Z\nDURATION:P1DT2H", "2026-07-17T17:00:00Z"],
    ["DTSTART:20260716T150000Z\nDURATION:soon", "2026-07-16T15:00:00Z"],
    ["DTSTART:20260716T150000Z", "2026-07-16T15:00:00Z"],
    ["DTSTART;VALUE=DATE:20260716", "2026-07-17"],
    ["DTSTART;VALUE=DATE:20260716\nDURATION:P3D", "2026-07-19"],
    ["DTSTART:20260716T150000Z\nDURATION:P99999999999999D", null],
    ["SUMMARY:x", null],
  ])("%j ends at %s", (lines, end) => {
    expect(event(lines)?.end).toBe(end);
  });
});

describe("events of calendars", () => {
  test("values are unescaped, on one line, and bounded", () => {
    expect(event(`SUMMARY:a\\, b\\nc\nLOCATION:${"x".repeat(3000)}`)).toMatchObject({
      summary: "a, b c",
      location: "x".repeat(1000),
    });
  });

  test.each<[string, object | null]>([
    ["ORGANIZER;CN=Ana:MAILTO:Ana@Shop.Example", { email: "Ana@shop.example", name: "Ana" }],
    ["ORGANIZER;CN=\"'Ana, Shop'\":mailto:ana@shop.example", { email: "ana@shop.example", name: "Ana, Shop" }],
    ["ORGANIZER;EMAIL=ana@shop.example:invalid:nomail", { email: "ana@shop.example", name: null }],
    ["ORGANIZER:mailto:ana@shop.example?subject=x", { email: "ana@shop.example", name: null }],
    ["ORGANIZER:https://shop.example/ana@x", null],
    ["ORGANIZER:ana", null],
  ])("%s", (line, organizer) => {
    expect(event(line)?.organizer).toEqual(organizer);
  });

  test.each([
    ["URL:https://shop.example/a\nLOCATION:https://shop.example/b", "https://shop.example/a"],
    ["X-GOOGLE-CONFERENCE:https://meet.shop.example/c", "https://meet.shop.example/c"],
    ["CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.shop.example/d", "https://meet.shop.example/d"],
    ["LOCATION:Room 4\\; https://meet.shop.example/e", "https://meet.shop.example/e"],
    ["URL:javascript:alert(1)\nLOCATION:Room 4", null],
  ])("the address of %s is %s", (lines, url) => {
    expect(event(lines)?.url).toBe(url);
  });

  test("the method of the file counts more than that of its part", () => {
    const text = file("UID:1", "METHOD:cancel\r\n");
    expect(read(text, "REQUEST").events[0]?.method).toBe("CANCEL");
    expect(read(file("UID:1"), "request").events[0]?.method).toBe("REQUEST");
  });

  test.each<[string, string, string[]]>([
    ["no calendar", "hello", ["calendar_unreadable"]],
    ["nothing", "", ["calendar_unreadable"]],
    ["a calendar that never ends", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", ["calendar_damaged"]],
    ["a line that is none", file("UID:1\r\nhello"), ["calendar_damaged"]],
    ["a time that is none", file("DTSTART:soon"), ["calendar_damaged"]],
    ["a task only", "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nEND:VTODO\nEND:VCALENDAR\n", []],
    ["an alarm of its own", file("UID:1\r\nBEGIN:VALARM\r\nno line\r\nEND:VALARM"), []],
    ["more events than anybody holds", file("UID:1\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n".repeat(60)), ["calendar_cut"]],
  ])("%s", (_, text, anomalies) => {
    const found = read(text);
    expect(found.anomalies).toEqual(anomalies);
    expect(found.events.length).toBeLessThanOrEqual(50);
  });

  test("an alarm's lines are not the event's", () => {
    expect(event("SUMMARY:a\r\nBEGIN:VALARM\r\nSUMMARY:b\r\nDURATION:PT1H\r\nEND:VALARM\r\nLOCATION:c")).toMatchObject({
      summary: "a",
      location: "c",
    });
  });

  test("lines that end in a bare CR, and a byte order mark, are read", () => {
    expect(read(`\ufeff${file("SUMMARY:a").replaceAll("\r\n", "\r")}`).events[0]?.summary).toBe("a");
  });

  const peek = (text: string, attached: boolean): Peek => ({
    kind: "calendar",
    contentType: "text/calendar",
    method: null,
    charset: null,
    attached,
    bytes: Buffer.from(text),
  });
  test("the calendar of the body comes first, wherever it stands; the same event beside it is one event", async () => {
    const body = peek(file("UID:1\nSUMMARY:body"), false);
    const same = peek(file("UID:1\nSUMMARY:body"), true);
    const other = peek(file("UID:2\nSUMMARY:file"), true);
    const found = await calendarsOf([other, same, body]);
    expect(found.events.map(({ summary }) => summary)).toEqual(["body", "file"]);
    expect(found.anomalies).toEqual([]);
  });

  test.each([
    ["another time", "UID:1\nDTSTART:20260716T150000Z", "UID:1\nDTSTART:20260716T160000Z", ["calendar_disagreement"]],
    [
      "the same time in another zone",
      "UID:1\nDTSTART:20260716T150000Z",
      "UID:1\nDTSTART;TZID=Europe/Berlin:20260716T170000",
      [],
    ],
    ["fewer words", "UID:1\nSUMMARY:a\nLOCATION:b", "UID:1", []],
    ["no name to know it by", "SUMMARY:a", "SUMMARY:b", []],
  ])("a file beside the body with %s", async (_, one, other, anomalies) => {
    const found = await calendarsOf([peek(file(one), false), peek(file(other), true)]);
    expect(found.anomalies).toEqual(anomalies);
  });
});

describe("calendars of a stranger", () => {
  test("any bytes end in events that the schema knows", () => {
    const line = fc.constantFrom(
      ...[
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "BEGIN:VTIMEZONE",
        "TZID:X",
        "DTSTART;TZID=X:20260716T150000",
      ],
      ...[
        'ATTENDEE;CN="a:b',
        "RRULE:FREQ=YEARLY",
        "TZOFFSETFROM:+9999",
        "DURATION:PT",
        "CONSTRUCTOR:x",
        "UID;__proto__=1:x",
        " ",
      ],
      "DTSTART;VALUE=__proto__:1",
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(line, fc.string()), { maxLength: 40 }),
        fc.uint8Array({ maxLength: 200 }),
        (lines, tail) => {
          const { events } = read(Buffer.concat([Buffer.from(`BEGIN:VCALENDAR\n${lines.join("\n")}\n`), tail]));
          for (const one of events) expect(calendarSchema.parse(one)).toEqual(one);
        },
      ),
    );
  });

  const mib = 1024 * 1024;
  test.each([
    ["components that open and never end", "BEGIN:VEVENT\n"],
    ["components that are not read", "BEGIN:VALARM\n"],
    ["events without anything in them", "BEGIN:VEVENT\nEND:VEVENT\n"],
    ["folds of one line", "\n x"],
    [
      "zones by the second",
      "BEGIN:VTIMEZONE\nTZID:A\nBEGIN:STANDARD\nDTSTART:00010101T000000\nRRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nEND:STANDARD\nEND:VTIMEZONE\n",
    ],
    ["bare line ends", "\r"],
  ])("%s by the megabyte cost no more than their length", (_, piece) => {
    const head = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n";
    expect(read(head + piece.repeat(mib / piece.length)).events.length).toBeGreaterThan(0);
  });

  test.each([
    ["ends where it may", 8_000, 1],
    ["is longer than any honest one", mib, 0],
  ])("a line of parameters that %s", (_, length, attendees) => {
    const line = `ATTENDEE${";A=1".repeat(length / 4 - 20)}:mailto:a@b.example`;
    expect(event(line)?.attendees).toHaveLength(attendees);
  });
});
