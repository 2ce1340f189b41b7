import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writtenDate } from "../../../src/mail/reply/written-date.ts";

describe("a date written for people", () => {
  test.each([
    ["Monday, January 5, 2026 2:30 PM", "2026-01-05T14:30:00"],
    ["Monday, 5 January 2026 14:30", "2026-01-05T14:30:00"],
    ["Mon, Jan 5, 2026 at 2:30 PM", "2026-01-05T14:30:00"],
    ["Mon, Jan 5, 2026 at 12:05 AM", "2026-01-05T00:05:00"],
    ["Friday, 23 March 2012 5:08 p.m.", "2012-03-23T17:08:00"],
    ["Montag, 5. Januar 2026 14:30", "2026-01-05T14:30:00"],
    ["Mo., 5. März 2026 um 14:30 Uhr", "2026-03-05T14:30:00"],
    ["lundi 5 janvier 2026 14:30", "2026-01-05T14:30:00"],
    ["Mercredi 30 novembre 2016 10h30", "2016-11-30T10:30:00"],
    ["lunes, 5 de enero de 2026 14:30", "2026-01-05T14:30:00"],
    ["lunedì 5 gennaio 2026 14:30", "2026-01-05T14:30:00"],
    ["segunda-feira, 5 de janeiro de 2026 14:30", "2026-01-05T14:30:00"],
    ["maandag 5 januari 2026 14:30", "2026-01-05T14:30:00"],
    ["poniedziałek, 5 stycznia 2026 14:30", "2026-01-05T14:30:00"],
    ["понедельник, 5 января 2026 г. 14:30", "2026-01-05T14:30:00"],
    ["Понедельник, 5 января 2026, 14:30 +03:00", "2026-01-05T11:30:00Z"],
    ["понеділок, 5 січня 2026 р. 14:30", "2026-01-05T14:30:00"],
    ["den 5 januari 2026 14:30", "2026-01-05T14:30:00"],
    ["5. januar 2026 14:30", "2026-01-05T14:30:00"],
    ["maanantai 5. tammikuuta 2026 14.30", "2026-01-05T14:30:00"],
    ["pondělí 5. ledna 2026 14:30", "2026-01-05T14:30:00"],
    ["2026. január 5. 14:30", null],
    ["luni, 5 ianuarie 2026 14:30", "2026-01-05T14:30:00"],
    ["5 Ocak 2026 Pazartesi 14:30", "2026-01-05T14:30:00"],
    ["Δευτέρα, 5 Ιανουαρίου 2026 2:30 μ.μ.", "2026-01-05T14:30:00"],
    ["2026年1月5日 14:30", "2026-01-05T14:30:00"],
    ["2026年1月5日(星期一) 下午2:30", "2026-01-05T14:30:00"],
    ["2026년 1월 5일 월요일 오후 2:30", "2026-01-05T14:30:00"],
    ["2026. 1. 5. 오전 9:05", "2026-01-05T09:05:00"],
    ["2026-01-05 14:30:12", "2026-01-05T14:30:12"],
    ["05.01.2026 14:30 (GMT+01:00)", "2026-01-05T13:30:00Z"],
    ["January 5, 2026 at 14:30:00 GMT", "2026-01-05T14:30:00Z"],
    ["5 janvier 2026 à 14:30:12 UTC+1", "2026-01-05T13:30:12Z"],
    ["Mon, 5 Jan 2026 14:30:00 +0200", "2026-01-05T12:30:00Z"],
    ["5 January 2026", "2026-01-05"],
    ["01/05/2026 02:30 PM", "2026-01-05T14:30:00"],
    ["25/12/2026 14:30", "2026-12-25T14:30:00"],
  ])("%j is %j", (written, date) => {
    expect(writtenDate(written)).toBe(date);
  });

  test.each(["05/01/2026 14:30", "31.02.2026", "tomorrow", "", "5 Smarch 2026", "45.13.2026 14:30", "99:99", "2026"])(
    "%j cannot be told, and is not guessed",
    (written) => {
      expect(writtenDate(written)).toBeNull();
    },
  );

  test("of any words is a time that exists, or none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.date({ noInvalidDate: true }), (noise, date) => {
        for (const text of [noise, `${noise} ${date.toISOString()}`, `${date.toUTCString()} ${noise}`]) {
          const read = writtenDate(text);
          if (read !== null) expect(Number.isNaN(Date.parse(read))).toBe(false);
        }
      }),
    );
  });
});
