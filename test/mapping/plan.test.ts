import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSure, mayMakeContact } from "../../src/mapping/gate.ts";
import { type Mapping, plan } from "../../src/mapping/plan.ts";
import { automatedKinds, type CanonicalEvent, trustLevels } from "../../src/model/event.ts";
import { type ActivityStep, type Decision, type PersonStep, stepSchema } from "../../src/model/step.ts";
import { address, authOf, classOf, digest, eventWith, receivedAt } from "./fakes.ts";

const mapping: Mapping = { createContact: "unverified", internal: "skip", disposableContacts: "hold" };
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
  internal: fc.constantFrom("skip" as const, "log" as const),
  disposableContacts: fc.constantFrom("hold" as const, "create" as const),
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
    const decision = plan(eventWith({ auth: authOf(trust, "why so") }), { ...mapping, createContact }, known);
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

describe("people in the plan", () => {
  const colleague = { from: address("kim@acme.test", "Kim") };
  const all = (decision: Decision) => {
    if (decision.kind !== "steps") throw new Error(`not steps but ${decision.kind}: ${decision.rule}`);
    const people = decision.steps.filter((step) => step.kind === "person");
    const [activity, ...more] = decision.steps.filter((step) => step.kind === "activity");
    if (activity === undefined || more.length > 0) throw new Error("not one activity");
    return { people, activity, rule: decision.rule };
  };

  test("a colleague's mail is outbound, on every customer that it went to", () => {
    const to = [address("ada@example.test", "Ada"), address("deals@in.acme.test"), address("info@other.test")];
    const { people, activity, rule } = all(plan(eventWith({ message: { ...colleague, to } }), mapping, known));
    expect(rule).toBe("default.outbound");
    expect(people.map(({ email, create }) => [email, create])).toEqual([
      ["ada@example.test", true],
      ["info@other.test", true],
    ]);
    expect(people[1]?.flags).toEqual(["unverified", "role"]);
    expect(activity).toMatchObject({ direction: "outbound", from: { email: "kim@acme.test" }, forwarded_by: null });
    expect(activity.about).toEqual(people.map(({ key }) => key));
  });

  test("the same person has the same key, whichever way the mail goes", () => {
    const [sent] = all(
      plan(eventWith({ message: { ...colleague, to: [address("ADA@example.test")] } }), mapping, known),
    ).people;
    expect(sent?.key).toBe(stepsOf(plan(eventWith(), mapping, known)).person.key);
  });

  test.each([
    { trust: "unverified", createContact: "unverified", create: true },
    { trust: "unverified", createContact: "verified", create: false },
    { trust: "aligned-weak", createContact: "verified", create: false },
    { trust: "verified", createContact: "verified", create: true },
  ] as const)(
    "recipients of a colleague's mail pass the same gate: trust $trust, from $createContact on: $create",
    ({ trust, createContact, create }) => {
      const event = eventWith({ auth: authOf(trust), message: { ...colleague, to: [address("ada@example.test")] } });
      const [person] = all(plan(event, { ...mapping, createContact }, known)).people;
      expect(person).toMatchObject({ create, gate: create ? null : "trust.create_contact" });
    },
  );

  const forwarded = (from: string | null, to: string[] = []): CanonicalEvent["message"]["forwarded"] => ({
    kind: "inline",
    from: from === null ? null : address(from, "Ada"),
    to: to.map((email) => address(email)),
    date: null,
    date_raw: null,
    subject: "parts",
    message_id: null,
    text: "ten",
  });

  test.each([
    { trust: "verified", create: true },
    { trust: "aligned-weak", create: true },
    { trust: "unverified", create: false },
  ] as const)(
    "a forwarded mail of trust $trust is filed under its original sender, who is made only on a colleague's sure word",
    ({ trust, create }) => {
      const event = eventWith({
        auth: authOf(trust),
        message: { ...colleague, forwarded: forwarded("ada@example.test", ["kim@acme.test"]) },
      });
      const { people, activity, rule } = all(plan(event, mapping, known));
      expect(rule).toBe("default.forwarded");
      expect(people).toMatchObject([{ email: "ada@example.test", create, gate: create ? null : "trust.forwarded" }]);
      expect(people[0]?.flags).toContain("forwarded");
      expect(activity.flags).toContain("forwarded");
      expect(activity).toMatchObject({
        direction: "inbound",
        from: { email: "ada@example.test", name: "Ada" },
        to: [{ email: "kim@acme.test" }],
        forwarded_by: { email: "kim@acme.test", name: "Kim" },
      });
    },
  );

  test("a forwarded mail of a colleague's is outbound, on whom it went to", () => {
    const event = eventWith({ message: { ...colleague, forwarded: forwarded("lee@acme.test", ["ada@example.test"]) } });
    const { people, activity } = all(plan(event, mapping, known));
    expect(people.map(({ email }) => email)).toEqual(["ada@example.test"]);
    expect(activity).toMatchObject({
      direction: "outbound",
      from: { email: "lee@acme.test" },
      to: [{ email: "ada@example.test" }],
    });
  });

  test("a forwarded mail that names no sender waits for a person", () => {
    const event = eventWith({ message: { ...colleague, forwarded: forwarded(null) } });
    expect(plan(event, mapping, known)).toMatchObject({ kind: "hold", rule: "forwarded.unknown" });
  });

  test("so does a colleague's mail whose body could not be read: it may be a forward, and is not skipped as internal", () => {
    const unread = eventWith({ parse_status: "failed", message: { ...colleague, text: null } });
    expect(plan(unread, mapping, known)).toMatchObject({ kind: "hold", rule: "people.unread" });
  });

  test("what our web site sends is filed under the customer whom it names", () => {
    const event = eventWith({
      auth: authOf("verified"),
      message: { from: address("website@acme.test"), reply_to: [address("ada@example.test", "Ada")] },
    });
    const { people, activity, rule } = all(plan(event, mapping, known));
    expect(rule).toBe("default.form");
    expect(people).toMatchObject([{ email: "ada@example.test", create: true, flags: ["form"] }]);
    expect(activity).toMatchObject({
      direction: "inbound",
      from: { email: "ada@example.test" },
      forwarded_by: null,
      flags: ["form"],
    });
  });

  test("mail among colleagues is skipped, or logged on nobody where the configuration says so", () => {
    const internal = eventWith({ message: colleague });
    expect(plan(internal, mapping, known)).toMatchObject({ kind: "skip", rule: "people.internal" });
    const logged = all(plan(internal, { ...mapping, internal: "log" }, known));
    expect(logged).toMatchObject({
      rule: "default.internal",
      people: [],
      activity: { about: [], direction: "outbound" },
    });
  });

  test("what claims to come from a colleague and is suspicious is held, internal or not", () => {
    const spoof = eventWith({ message: colleague, auth: authOf("suspicious", "a spoof") });
    expect(plan(spoof, { ...mapping, internal: "log" }, known)).toEqual({
      kind: "hold",
      rule: "trust.suspicious",
      reason: "a spoof",
    });
  });

  test("what people.excluded names is skipped before anything else is made of it, and the entry is told", () => {
    const participants = { ...eventWith().participants, filed_under: [], excluded: "example.test" };
    for (const trust of trustLevels) {
      const decision = plan(eventWith({ participants, auth: authOf(trust) }), mapping, known);
      expect(decision).toMatchObject({
        kind: "skip",
        rule: "people.excluded",
        reason: expect.stringContaining("example.test"),
      });
    }
  });

  test("a mailing of a colleague's waits for a person; a mail to no-reply addresses leaves no trace", () => {
    const to = Array.from({ length: 30 }, (_, index) => address(`c${index}@example.test`));
    expect(plan(eventWith({ message: { ...colleague, to } }), mapping, known)).toMatchObject({
      kind: "hold",
      rule: "people.broadcast",
    });
    const nobody = eventWith({ message: { ...colleague, to: [address("noreply@example.test")] } });
    expect(plan(nobody, mapping, known)).toMatchObject({ kind: "skip", rule: "people.no_reply" });
  });

  test("a no-reply address is never made a contact, a disposable one only where that is configured", () => {
    const from = (email: string, rules = mapping) =>
      all(plan(eventWith({ auth: authOf("verified"), message: { from: address(email) } }), rules, known)).people[0];
    expect(from("noreply@example.test")).toMatchObject({ create: false, gate: "people.no_reply" });
    expect(from("x@mailinator.com")).toMatchObject({ create: false, gate: "people.disposable" });
    expect(from("x@mailinator.com", { ...mapping, disposableContacts: "create" })).toMatchObject({
      create: true,
      gate: null,
      flags: ["disposable"],
    });
    const to = [address("x@mailinator.com")];
    expect(all(plan(eventWith({ message: { ...colleague, to } }), mapping, known)).people[0]).toMatchObject({
      create: true,
      flags: ["unverified", "disposable"],
    });
  });

  test("what comes through a list is skipped, unless it is our own shared address and no newsletter", () => {
    const evidence = [{ rule: "list.list_id", header: "List-Id", value: "<sales.acme.test>" }];
    const through = (own: boolean, more: CanonicalEvent["class"]["evidence"] = []) =>
      plan(
        eventWith({
          class: classOf("list", [...evidence, ...more]),
          participants: { ...eventWith().participants, list: { address: "sales@acme.test", own } },
        }),
        mapping,
        known,
      );
    expect(through(true)).toMatchObject({ kind: "steps", rule: "default.inbound" });
    expect(through(false)).toMatchObject({ kind: "skip", rule: "automated.list" });
    const campaign = [{ rule: "bulk.feedback_id", header: "Feedback-ID", value: "x" }];
    expect(through(true, campaign)).toMatchObject({ kind: "skip", rule: "automated.list" });
  });

  test("only a list of our own is believed who wrote through it", () => {
    const author = (own: boolean) => {
      const participants = {
        ...eventWith().participants,
        basis: "list_author",
        list: { address: "l@x.test", own },
      } as const;
      return all(plan(eventWith({ auth: authOf("verified"), participants }), mapping, known)).people[0];
    };
    expect(author(true)).toMatchObject({ create: true, flags: ["list"] });
    expect(author(false)).toMatchObject({ create: false, gate: "trust.forwarded" });
  });
});

describe("the gate", () => {
  test.each(trustLevels)("of trust %s: a company or a deal only by the sure, nothing by the suspicious", (trust) => {
    const [plain, trusted] = [eventWith({ auth: authOf(trust) }), eventWith({ auth: trustedBy(trust) })];
    expect(isSure(plain)).toBe(trust === "verified");
    expect(isSure(trusted)).toBe(trust === "verified" || trust === "aligned-weak");
    expect(isSure(trusted, "verified")).toBe(trust === "verified");
    expect(isSure(plain, "aligned-weak")).toBe(trust === "verified" || trust === "aligned-weak");
    expect(mayMakeContact(trust, { createContact: "unverified" })).toBe(trust !== "suspicious");
  });

  test.each(["message_id_conflict", "reply_to_elsewhere"])(
    "%s takes a mail off a person's trust as it takes one off DMARC's pass",
    (code) => {
      const { reasons, ...weak } = trustedBy("aligned-weak");
      const doubtful = eventWith({ auth: { ...weak, reasons: [...reasons, { code, detail: null }] } });
      expect(isSure(doubtful)).toBe(false);
      expect(isSure(doubtful, "aligned-weak")).toBe(true);
    },
  );
});

/** A person trusts the sender, and the domain that vouched then has vouched again. */
const trustedBy = (trust: (typeof trustLevels)[number]) => ({
  ...authOf(trust),
  reasons: [{ code: "sender_trusted", detail: null }],
});
