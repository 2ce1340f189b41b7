import { describe, expect, test } from "vitest";
import { explainSteps } from "../../src/mapping/explain.ts";
import { stepKey } from "../../src/mapping/keys.ts";
import type { ActivityStep, PersonStep } from "../../src/model/step.ts";

const person: PersonStep = {
  kind: "person",
  key: stepKey("acme", "person", ["a@b.example"]),
  why: "sender of the mail",
  email: "a@b.example",
  name: null,
  source: "email",
  create: true,
  flags: ["unverified"],
};
const activity: ActivityStep = {
  kind: "activity",
  key: stepKey("acme", "activity", ["<1@b.example>", "digest"]),
  why: "every mail from a person is logged once",
  direction: "inbound",
  at: 0,
  subject: "Hello",
  text: "",
  html: null,
  from: null,
  to: [],
  cc: [],
  headers: [],
  message_id: "<1@b.example>",
  event_id: "e",
  attachments: [],
  flags: [],
  about: [person.key],
};

describe("a plan in words", () => {
  test("says what each step brings about, on what, and what is asked first", () => {
    expect(explainSteps([person, activity])).toEqual([
      {
        does: "finds contact a@b.example, or creates it with source=email, flagged unverified",
        lookup: "a contact with the address a@b.example",
      },
      {
        does: 'logs the inbound mail "Hello" once on contact a@b.example',
        lookup: `a record with our key ${activity.key.slice(0, 12)}… (left out where the CRM keeps that key unique)`,
      },
    ]);
  });

  test("says that a contact is not created where trust does not allow it", () => {
    expect(explainSteps([{ ...person, create: false }])[0]?.does).toBe(
      "finds contact a@b.example; does not create it, and waits in review when it is not there",
    );
  });

  test("says what became of files, and that only our own lines are changed", () => {
    const file = { filename: "a.pdf", content_type: "application/pdf", size: 1, id: "a", reason: null, url: null };
    const files = (["stored", "stored", "quarantined"] as const).map((status) => ({ ...file, status }));
    const step = {
      kind: "file",
      key: "0".repeat(64),
      why: "x",
      activity: activity.key,
      files,
      was: [],
      generation: 1,
    } as const;
    expect(explainSteps([activity, { ...step, was: [] }])[1]).toEqual({
      does: 'says on activity "Hello" what became of its files: 2 stored, 1 quarantined',
      lookup: "the activity's text, in which only the lines that Mailwright wrote are changed",
    });
  });

  test("names a record that is not in the plan by its key, and asks nothing for a link", () => {
    const link = { kind: "link", key: "0".repeat(64), why: "x", from: person.key, to: "1".repeat(64) } as const;
    expect(explainSteps([person, link])[1]).toEqual({
      does: `associates contact a@b.example with record ${"1".repeat(12)}`,
      lookup: null,
    });
  });
});
