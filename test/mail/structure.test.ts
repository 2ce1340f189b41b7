import { describe, expect, test } from "vitest";
import { parse } from "../../src/mail/parse.ts";
import { isCalendar, peekedBytes } from "../../src/mail/structure.ts";

const kib = 1024;

describe("what is kept of parts while they stream by", () => {
  test.each<[string, string | null, number]>([
    ["message/delivery-status", null, 256 * kib],
    ["message/global-delivery-status", null, 256 * kib],
    ["message/feedback-report", null, 256 * kib],
    ["message/disposition-notification", null, 256 * kib],
    ["text/calendar", null, 256 * kib],
    ["application/ics", null, 256 * kib],
    ["application/octet-stream", "Invite.ICS", 256 * kib],
    ["message/rfc822", "letter.eml", 64 * kib],
    ["message/global", null, 64 * kib],
    ["text/rfc822-headers", null, 64 * kib],
    ["application/pdf", "ics.pdf", 0],
    ["image/png", null, 0],
  ])("of %s named %s: %s bytes", (type, name, bytes) => {
    expect(peekedBytes(type, name)).toBe(bytes);
  });

  test("calendars go by type or by name", () => {
    expect(isCalendar("text/plain", "fair.ics")).toBe(true);
    expect(isCalendar("text/plain", "fair.ics.exe")).toBe(false);
    expect(isCalendar("text/plain", null)).toBe(false);
  });

  const calendar = (uid: number, filler: string) =>
    `BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:${uid}\nDTSTART:20260716T150000Z\nEND:VEVENT\nX-FILLER:${filler}\nEND:VCALENDAR\n`;
  const message = (count: number, filler: string) => {
    const parts = Array.from(
      { length: count },
      (_, uid) => `--b\nContent-Type: text/calendar\nContent-Disposition: attachment\n\n${calendar(uid, filler)}`,
    );
    return Buffer.from(`From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n${parts.join("")}--b--\n`);
  };

  test("many calendars are read up to the limit of events, and that is said", async () => {
    const parsed = await parse(message(60, ""));
    expect(parsed.calendar).toHaveLength(50);
    expect(parsed.anomalies.map(({ code }) => code)).toContain("calendar_cut");
    expect(parsed.message.attachments).toHaveLength(60);
  });

  test("large calendars are kept up to a mebibyte in all, and each up to a quarter", async () => {
    const parsed = await parse(message(12, "x".repeat(300 * kib)));
    expect(parsed.calendar.map(({ uid }) => uid)).toEqual(["0", "1", "2", "3"]);
    expect(parsed.anomalies.map(({ code }) => code)).toEqual(["calendar_damaged"]);
  });

  test("whatever the pieces in which a message arrives, it says the same", async () => {
    const raw = message(3, "");
    const whole = await parse(raw);
    async function* pieces(size: number): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size);
    }
    for (const size of [7, 64, 333]) expect(await parse(pieces(size))).toEqual(whole);
    expect(whole.calendar).toHaveLength(3);
  });
});
