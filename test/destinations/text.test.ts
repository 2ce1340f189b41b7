import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emailBody } from "../../src/destinations/hubspot/bodies.ts";
import { attachmentBlock } from "../../src/destinations/shared/attached.ts";
import { bodyOf } from "../../src/destinations/shared/body.ts";
import {
  endsWithMarker,
  markerOf,
  nameParts,
  shortLine,
  storable,
  subjectOf,
} from "../../src/destinations/shared/text.ts";
import { parse } from "../../src/mail/parse.ts";
import { activity, filed, keyOf } from "./fixtures.ts";

const marker = markerOf(keyOf("x"));

describe("names", () => {
  test.each([
    ["Ada Lovelace", "Ada", "Lovelace"],
    ["Lovelace, Ada", "Ada", "Lovelace"],
    ["Mary Jane Watson", "Mary Jane", "Watson"],
    ["Ludwig van Beethoven", "Ludwig", "van Beethoven"],
    ["Vincent van der Meer", "Vincent", "van der Meer"],
    ["Madonna", "Madonna", undefined],
    ['"Ada Lovelace"', "Ada", "Lovelace"],
    ["Ada Lovelace (ACME Inc.)", "Ada", "Lovelace"],
    ["[External] Ada Lovelace", "Ada", "Lovelace"],
    ["Example, Inc.", "Example,", "Inc."],
    ["ada@example.test", undefined, undefined],
    ["  ", undefined, undefined],
    ["山田太郎", "山田太郎", undefined],
    ["Ada\r\nBcc: x Lovelace", "Ada Bcc: x", "Lovelace"],
  ])("%j is %j %j", (display, first, last) => {
    expect(nameParts(display)).toEqual({
      ...(first === undefined ? {} : { first }),
      ...(last === undefined ? {} : { last }),
    });
  });
  test("nobody has no name", () => {
    expect(nameParts(null)).toEqual({});
  });
});

describe("one-line fields", () => {
  /** Each ends a line somewhere, or moves what follows. */
  const breaks = /[\p{Cc}\u2028\u2029]/u;
  const nasty = [...Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)), "\u2028", "\u2029"].filter(
    (each) => breaks.test(each),
  );

  test("have no control and no separator of lines in them, and what it stood between stays apart", () => {
    expect(nasty).toContain("\u0085");
    for (const each of nasty) {
      for (const flat of [subjectOf, shortLine]) expect(flat(`one${each}${each}two`)).toBe("one two");
      expect(nameParts(`Ada${each}Lovelace`)).toEqual({ first: "Ada", last: "Lovelace" });
    }
  });

  test("a file's name is one line of the list, whatever is in it", () => {
    for (const each of nasty) {
      const listed =
        attachmentBlock([{ ...filed("stored"), filename: `a${each}Attachments:${each}b.pdf` }], "text") ?? "";
      expect(listed.split("\n")).toHaveLength(2);
      expect(breaks.test(listed.replaceAll("\n", "")), JSON.stringify(each)).toBe(false);
    }
  });
});

describe("bodies", () => {
  test("whatever the text, both bodies keep the limit, the marker is last, and a cut is told", () => {
    const bodies = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.string({ unit: fc.constantFrom("<", ">", "a", "😀", "\u0000", "\ud800") }),
    );
    fc.assert(
      fc.property(bodies, bodies, fc.integer({ min: 250, max: 500 }), fc.boolean(), (text, html, limit, marked) => {
        const step = activity([], { text, html });
        const body = bodyOf(step, limit, marked ? marker : undefined, true);
        for (const part of [body.text, body.html ?? ""]) {
          expect(part.length).toBeLessThanOrEqual(limit);
          expect(part.isWellFormed()).toBe(true);
          if (marked) expect(endsWithMarker(part, marker)).toBe(true);
        }
        const whole = storable(text).length + storable(html).length;
        if (body.note === undefined)
          expect(body.text.startsWith(storable(text)) && (body.html ?? "").startsWith(storable(html))).toBe(true);
        else expect(whole).toBeGreaterThan(limit - 250);
      }),
    );
  });

  test("HTML is not cut inside a tag", () => {
    const html = `<p>${"x".repeat(700)}</p><img alt="${"y".repeat(700)}">`;
    const body = bodyOf(activity([], { html }), 1_000, undefined, true);
    expect(body.html).toMatch(/x<\/p><p>\[Mailwright: HTML cut to 1,000 of [\d,]+ characters; .*\]<\/p>$/);
  });

  test("a marker quoted in a reply is not the reply's own", () => {
    expect(endsWithMarker(`Thanks!\n\n> Hello\n> ${marker}\n> bye`, marker)).toBe(false);
    expect(endsWithMarker(`Hello\n\n${marker}\n`, marker)).toBe(true);
    expect(endsWithMarker(`<div><p>Hello</p><p>${marker}</p></div>&nbsp;`, marker)).toBe(true);
    expect(endsWithMarker(null, marker)).toBe(false);
  });

  test("attachment names cannot forge lines or markup", () => {
    const attachments = [{ filename: "a\r\nb<script>.pdf", content_type: "application/pdf", size: 1 }];
    const body = bodyOf(activity([], { attachments }), 60_000, undefined, true);
    expect(body.text).toContain("Attachments:\na b<script>.pdf (application/pdf, 1 bytes)");
    expect(body.html).toContain("&lt;script&gt;");
  });

  test("text that was made of html never becomes markup again, whole or cut, with html of the sender or without", async () => {
    const written = "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>";
    const { message } = await parse(Buffer.from(`From: a@b.example\nContent-Type: text/html\n\n${written.repeat(40)}`));
    expect(message.text).toContain("<script>alert(1)</script>");
    const attachments = [{ filename: message.text, content_type: message.text ?? "", size: 1 }];
    for (const html of [message.html, null]) {
      for (const limit of [900, 1_203, 60_000]) {
        const step = activity([], { text: message.text ?? "", html, attachments });
        const { properties } = emailBody(
          step,
          bodyOf(step, limit, marker, true),
          () => true,
          { owner: undefined, properties: {} },
          [],
        );
        expect(properties.hs_email_text).toContain("<script>");
        expect(properties.hs_email_html ?? "").not.toMatch(/<script/i);
        expect(properties.hs_email_html === undefined).toBe(html === null);
      }
    }
  });

  test("HubSpot's headers stay a JSON text within its limit, however many recipients", () => {
    const to = Array.from({ length: 5_000 }, (_, n) => ({
      email: `${n}-${"r".repeat(200)}@example.test`,
      name: "N ".repeat(200),
    }));
    const step = activity([], { to, cc: to });
    const { properties } = emailBody(
      step,
      bodyOf(step, 60_000, undefined, true),
      () => true,
      { owner: undefined, properties: {} },
      [],
    );
    expect(properties.hs_email_headers?.length).toBeLessThanOrEqual(60_000);
    expect(JSON.parse(properties.hs_email_headers ?? "")).toMatchObject({
      from: { email: "ada@example.test", firstName: "Ada" },
    });
  });
});
