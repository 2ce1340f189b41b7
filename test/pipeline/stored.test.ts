import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CanonicalEvent } from "../../src/model/event.ts";
import type { Step } from "../../src/model/step.ts";
import { readMail, readSteps, writeMail, writeSteps } from "../../src/pipeline/stored.ts";

/** Texts as mail has them, half surrogates and NULs among them. */
const text = fc.option(
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string().map((words) => `${words}\ud800`),
  ),
  { nil: null },
);

const mail = (texts: { text: string | null; html: string | null }) =>
  ({ event_id: "e", message: { subject: "häß", ...texts } }) as unknown as CanonicalEvent;

const activity = (texts: { text: string; html: string | null }): Step => ({
  kind: "activity",
  key: "a".repeat(64),
  why: "test",
  direction: "inbound",
  at: 1,
  subject: "s",
  ...texts,
  from: null,
  to: [],
  cc: [],
  headers: [],
  message_id: null,
  event_id: "e",
  attachments: [],
  flags: [],
  about: [],
});
const person: Step = {
  kind: "person",
  key: "b".repeat(64),
  why: "test",
  email: "a@b.test",
  name: null,
  source: "email",
  create: true,
  flags: [],
};

describe("an event as it is stored", () => {
  test("reads back as it was, whatever its texts are", () => {
    fc.assert(
      fc.property(text, text, (plain, html) => {
        const event = mail({ text: plain, html });
        expect(readMail(writeMail(event))).toEqual(event);
      }),
    );
  });

  test("is still read where it was written as JSON alone", () => {
    const event = mail({ text: "plain", html: null });
    expect(readMail(Buffer.from(JSON.stringify(event)))).toEqual(event);
  });

  test("holds its texts as they are, without JSON's escapes", () => {
    const written = writeMail(mail({ text: 'a "quoted"\r\nline', html: "<p>ü</p>" }));
    expect(written.includes('a "quoted"\r\nline<p>ü</p>')).toBe(true);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["half a header", Buffer.from([1, 0, 0])],
    ["lengths beyond its end", Buffer.from([1, 2, 0, 0, 0, 0xff, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x7b, 0x7d])],
    ["something other than an event", Buffer.from('{"message":null}')],
    ["no JSON", Buffer.from("hello")],
  ])("is refused when it is %s", (_what, bytes) => {
    expect(() => readMail(bytes)).toThrow();
  });
});

describe("a plan as it is stored", () => {
  test("reads back beside its event, whatever its texts are", () => {
    fc.assert(
      fc.property(text, text, fc.boolean(), (plain, html, changed) => {
        const event = mail({ text: plain, html });
        const steps = [person, activity({ text: changed ? "other words" : (plain ?? ""), html })];
        expect(readSteps(writeSteps(steps, event), () => writeMail(event))).toEqual(steps);
      }),
    );
  });

  test("does not hold the texts of its event a second time", () => {
    const event = mail({ text: "t".repeat(5_000), html: "h".repeat(5_000) });
    const written = writeSteps([activity({ text: "t".repeat(5_000), html: "h".repeat(5_000) })], event);
    expect(written.length).toBeLessThan(1_000);
  });

  test("needs no event where it holds its texts itself, as plans did before", () => {
    const steps = [person, activity({ text: "plain", html: "<p>" })];
    expect(readSteps(Buffer.from(JSON.stringify(steps)), () => undefined)).toEqual(steps);
  });

  test("is refused, and not guessed at, when its event is away or has lost the text", () => {
    const written = writeSteps([activity({ text: "plain", html: null })], mail({ text: "plain", html: null }));
    expect(() => readSteps(written, () => undefined)).toThrow("the event is not there");
    expect(() => readSteps(written, () => writeMail(mail({ text: null, html: null })))).toThrow("the event has none");
  });
});
