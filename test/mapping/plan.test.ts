import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Mapping, plan } from "../../src/mapping/plan.ts";
import { automatedKinds, type CanonicalEvent, trustLevels } from "../../src/model/event.ts";
import { type ActivityStep, type Decision, type PersonStep, stepSchema } from "../../src/model/step.ts";
import { address, authOf, classOf, digest, eventWith, receivedAt } from "./fakes.ts";

const mapping: Mapping = { createContact: "unverified" };
const known = { digest };

function stepsOf(decision: Decision): { person: PersonStep; activity: ActivityStep } {
  if (decision.kind !== "steps") throw new Error(`not steps but ${decision.kind}: ${decision.rule}`);
  const [person, activity] = decision.steps;
  if (person?.kind !== "person" || activity?.kind !== "activity" || decision.steps.length !== 2)
    throw new Error(`not a person and an activity`);
  return { person, activity };
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

const anyEvent: fc.Arbitrary<CanonicalEvent> = fc
  .record({
    kind: fc.constantFrom(...automatedKinds),
    trust: fc.constantFrom(...trustLevels),
    from: fc.option(
      fc.option(fc.emailAddress(), { nil: null }).map((email) => address(email, "Some One")),
      { nil: null },
    ),
    subject: fc.option(fc.string(), { nil: null }),
    text: fc.option(fc.string(), { nil: null }),
    date: fc.option(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      { nil: null },
    ),
    conflict: fc.boolean(),
    status: fc.constantFrom("ok" as const, "partial" as const, "failed" as const),
  })
  .map(({ kind, trust, from, subject, text, date, conflict, status }) =>
    eventWith({
      class: classOf(kind),
      auth: authOf(trust),
      anomalies: conflict ? [{ code: "message_id_conflict" }] : [],
      parse_status: status,
      message: { from, subject, text, date },
    }),
  );
const anyMapping = fc.record({
  createContact: fc.constantFrom("unverified" as const, "aligned-weak" as const, "verified" as const),
});

describe("the plan", () => {
  test("is the same for the same event, changes nothing it was given, and asks for steps that the schema knows", () => {
    fc.assert(
      fc.property(anyEvent, anyMapping, (event, rules) => {
        const first = plan(frozen(event), frozen(rules), frozen({ digest }));
        expect(plan(structuredClone(event), rules, known)).toEqual(first);
        expect(first.rule).not.toBe("");
        for (const step of first.kind === "steps" ? first.steps : [])
          expect(() => stepSchema.parse(step)).not.toThrow();
      }),
    );
  });

  test("takes its keys from the mail alone: neither the event id nor the time of arrival nor the routes change them", () => {
    fc.assert(
      fc.property(
        anyEvent,
        fc.uuid(),
        fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
        (event, event_id, at) => {
          const again = { ...event, event_id, received_at: at.toISOString(), routes: ["another@in.acme.test"] };
          const keys = (decision: Decision) =>
            decision.kind === "steps" ? decision.steps.map(({ key }) => key) : decision.kind;
          expect(keys(plan(again, mapping, known))).toEqual(keys(plan(event, mapping, known)));
        },
      ),
    );
  });

  test.each(automatedKinds)("knows what to do with mail of class %s", (kind) => {
    const evidence = [{ rule: "a-rule", header: "Auto-Submitted", value: "auto-replied" }];
    const decision = plan(eventWith({ class: classOf(kind, evidence) }), mapping, known);
    if (kind === "person" || kind === "calendar") expect(decision.kind).toBe("steps");
    else {
      expect(decision).toMatchObject({ kind: "skip", rule: `automated.${kind}` });
      expect(decision).toHaveProperty("reason", expect.stringContaining("a-rule: Auto-Submitted"));
    }
  });

  test.each(
    trustLevels.flatMap((trust) =>
      (["unverified", "aligned-weak", "verified"] as const).map((createContact) => ({ trust, createContact })),
    ),
  )("with trust $trust and contacts from $createContact on", ({ trust, createContact }) => {
    const decision = plan(eventWith({ auth: authOf(trust, "why so") }), { createContact }, known);
    if (trust === "suspicious") {
      expect(decision).toEqual({ kind: "hold", rule: "trust.suspicious", reason: "why so" });
      return;
    }
    const { person, activity } = stepsOf(decision);
    const rank = ["unverified", "aligned-weak", "verified"];
    expect(person.create).toBe(rank.indexOf(trust) >= rank.indexOf(createContact));
    expect(person.flags).toEqual(trust === "verified" ? [] : [trust]);
    expect(activity.flags).toEqual(trust === "verified" ? [] : [trust]);
    expect(person.why).toContain(trust);
  });

  test.each([
    { from: null, why: "no sender" },
    { from: address(null, "Just A Name"), why: "a sender without an address" },
  ])("holds a mail with $why, visibly", ({ from }) => {
    expect(plan(eventWith({ message: { from } }), mapping, known)).toMatchObject({
      kind: "hold",
      rule: "sender.missing",
    });
  });

  test("skips automated mail before it looks at trust or sender, so that a bounce is never held", () => {
    const bounce = eventWith({
      class: classOf("bounce"),
      auth: authOf("suspicious", ""),
      message: { from: null },
    });
    expect(plan(bounce, mapping, known).kind).toBe("skip");
  });

  test("logs a conflicting Message-ID as an activity of its own, flagged", () => {
    const conflict = eventWith({ anomalies: [{ code: "message_id_conflict" }] });
    const other = createHash("sha256").update("other").digest("hex");
    const [first, second] = [
      stepsOf(plan(eventWith(), mapping, known)),
      stepsOf(plan(conflict, mapping, { digest: other })),
    ];
    expect(second.activity.key).not.toBe(first.activity.key);
    expect(second.activity.flags).toContain("message_id_conflict");
    expect(second.person.key).toBe(first.person.key);
  });

  test("makes the activity depend on the person", () => {
    const { person, activity } = stepsOf(plan(eventWith(), mapping, known));
    expect(activity.about).toEqual([person.key]);
    expect(activity.key).not.toBe(person.key);
  });

  describe("files the activity", () => {
    const at = (date: string | null) => stepsOf(plan(eventWith({ message: { date } }), mapping, known)).activity.at;
    const hour = 3_600_000;
    test("under the mail's own date where that can be", () => {
      expect(at("2026-03-09T08:00:00.000Z")).toBe(Date.UTC(2026, 2, 9, 8));
      expect(at("1990-01-01T00:00:00.000Z")).toBe(Date.UTC(1990, 0, 1));
      expect(at(new Date(receivedAt + 48 * hour).toISOString())).toBe(receivedAt + 48 * hour);
    });
    test("under its arrival where it cannot", () => {
      expect(at(null)).toBe(receivedAt);
      expect(at("not a date")).toBe(receivedAt);
      expect(at("1989-12-31T23:59:59.000Z")).toBe(receivedAt);
      expect(at(new Date(receivedAt + 48 * hour + 1).toISOString())).toBe(receivedAt);
      expect(at("+275760-09-13T00:00:00.000Z")).toBe(receivedAt);
    });
  });

  test("keeps the audit headers and no others, each bounded", () => {
    const headers: [string, string][] = [
      ["FROM", "ada"],
      ["X-Secret", "no"],
      ["References", "r".repeat(100_000)],
      ["__proto__", "no"],
      ["Delivered-To", "deals"],
    ];
    const { activity } = stepsOf(plan(eventWith({ message: { headers } }), mapping, known));
    expect(activity.headers.map(([name]) => name)).toEqual(["FROM", "References", "Delivered-To"]);
    expect(activity.headers[1]?.[1].length).toBe(2_000);
  });

  test("says in the activity when the body could not be read, and names the event that has the original", () => {
    const unread = eventWith({ parse_status: "failed", message: { text: null } });
    const { activity } = stepsOf(plan(unread, mapping, known));
    expect(activity.text).toContain(unread.event_id);
    expect(activity.flags).toContain("parse_failed");
    expect(stepsOf(plan(eventWith({ message: { text: "" } }), mapping, known)).activity.text).toBe("");
  });

  test("gives no name to a person whose mail gives none", () => {
    expect(
      stepsOf(plan(eventWith({ message: { from: address("a@b.test", "  ") } }), mapping, known)).person.name,
    ).toBeNull();
    expect(stepsOf(plan(eventWith({ message: { subject: null } }), mapping, known)).activity.subject).toBe(
      "(no subject)",
    );
  });
});
