/** What a mapping file says, read for single mails: conditions, outcomes, guards, flags and templates. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Mapping, plan, planned } from "../../../src/mapping/plan.ts";
import { compileMapping } from "../../../src/mapping/rules/compile.ts";
import { compileGlob } from "../../../src/mapping/rules/glob.ts";
import { automatedKinds, type CanonicalEvent, trustLevels } from "../../../src/model/event.ts";
import { mappingSchema } from "../../../src/model/mapping.ts";
import { type Decision, type Step, type StepKind, stepSchema } from "../../../src/model/step.ts";
import { attachmentWith } from "../../support/attachment.ts";
import { address, authOf, classOf, digest, eventWith } from "../fakes.ts";

const builtIn: Mapping = { createContact: "unverified", internal: "skip", disposableContacts: "hold" };
const known = { digest };

const mappingOf = (file: object): Mapping => ({ ...builtIn, rules: compileMapping(mappingSchema.parse(file)) });
const rule = (name: string, when: object, outcome: object, rest: object = {}) => ({ name, when, do: outcome, ...rest });
const decided = (event: CanonicalEvent, ...rules: object[]): Decision => plan(event, mappingOf({ rules }), known);

function stepsOf(decision: Decision): readonly Step[] {
  if (decision.kind !== "steps") throw new Error(`not steps but ${decision.kind}: ${decision.rule}`);
  return decision.steps;
}
const only = <K extends StepKind>(decision: Decision, kind: K): Extract<Step, { kind: K }> | undefined =>
  stepsOf(decision).find((step): step is Extract<Step, { kind: K }> => step.kind === kind);

const verified = (changes: Parameters<typeof eventWith>[0] = {}) => eventWith({ auth: authOf("verified"), ...changes });
const mail = verified();

describe("patterns", () => {
  const naive = (pattern: string, text: string, whole: boolean): boolean => {
    const body = pattern
      .toLowerCase()
      .split("*")
      .map((piece) => piece.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("[^]*");
    return new RegExp(whole ? `^${body}$` : body).test(text.toLowerCase());
  };
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "B", "."), maxLength: 12 });
  const starred = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), minLength: 1, maxLength: 8 });

  test("mean what they look like, whole and somewhere", () => {
    fc.assert(
      fc.property(starred, letters, (pattern, text) => {
        const glob = compileGlob(pattern);
        expect(glob.is(text)).toBe(naive(pattern, text, true));
        expect(glob.isIn(text)).toBe(naive(pattern, text, false));
      }),
      { numRuns: 2_000 },
    );
  });

  test("a pattern of stars costs no more than its length times the text's", () => {
    const glob = compileGlob(`${"*a".repeat(100)}*b`);
    expect(glob.is("a".repeat(100_000))).toBe(false);
  });
});

describe("a condition", () => {
  const pdf = attachmentWith({ filename: "Offer.PDF", content_type: "application/octet-stream" });
  const tagged = verified({ routes: ["deals+us-east@in.acme.test"] });
  const reply = verified({
    thread: { ...mail.thread, parent_event_id: "other", method: "header", confidence: 0.9 },
  });
  const byBoth = (kind: "imap" | "smtp") =>
    verified({ source: { kind }, routes: ["Sales/2026", "deals+eu@in.acme.test"] });
  const german = verified({ message: { language: { code: "de", confidence: 0.9 } } });
  const withFile = verified({ message: { attachments: [pdf] } });
  const oldMail = verified({
    source: {
      kind: "imap",
      imap: {
        account: "sales",
        mailbox: "INBOX",
        uidvalidity: 1,
        uid: 7,
        flags: [],
        internaldate: null,
        backfilled: true,
      },
    },
  });
  const withPicture = verified({
    message: { attachments: [{ ...pdf, inline: true, referenced: true, content_type: "image/png" }] },
  });

  const table: readonly (readonly [condition: object, applies: CanonicalEvent, not: CanonicalEvent])[] = [
    [{ recipient: "deals@*" }, tagged, verified({ routes: ["help@in.acme.test"] })],
    [{ tag: ["eu", "US-*"] }, tagged, mail],
    [{ source: "smtp" }, mail, verified({ source: { kind: "webhook" } })],
    // One mail by two ways, whichever came first.
    [{ tag: "eu", mailbox: "Sales/*" }, byBoth("imap"), mail],
    [{ tag: "eu", mailbox: "Sales/*" }, byBoth("smtp"), mail],
    [{ recipient: "deals@*" }, byBoth("imap"), verified({ source: { kind: "imap" }, routes: ["Sales/2026"] })],
    [{ mailbox: "*@client.test" }, verified({ source: { kind: "imap" }, routes: ["orders@client.test"] }), tagged],
    [{ mailbox: "Sales/*" }, verified({ source: { kind: "imap" }, routes: ["Sales/2026"] }), mail],
    [{ sender: "ADA@*" }, mail, verified({ message: { from: address("eve@example.test") } })],
    [
      { domain: "example.test" },
      verified({ message: { from: address("a@mail.example.test") } }),
      verified({ message: { from: address("a@notexample.test") } }),
    ],
    [{ colleague: "kim@acme.test" }, verified({ message: { cc: [address("kim@acme.test")] } }), mail],
    [{ subject: "order" }, mail, verified({ message: { subject: "Hello" } })],
    [
      { direction: "inbound" },
      mail,
      verified({ message: { from: address("kim@acme.test"), to: [address("ada@example.test")] } }),
    ],
    [{ trust: "verified" }, mail, eventWith()],
    [{ trust: { at_least: "aligned-weak" } }, mail, eventWith()],
    [{ thread: "new" }, mail, reply],
    [{ thread: "known" }, reply, mail],
    [{ confidence: { below: 1 } }, reply, mail],
    [{ size: { at_least: 101 } }, verified({ raw: { ...mail.raw, size: 101 } }), mail],
    [{ attachments: true }, withFile, withPicture],
    [{ attachments: false }, withPicture, withFile],
    [{ attachments: { type: "application/pdf" } }, withFile, mail],
    [
      { attachments: { name: "*.pdf", type: "image/*" } },
      verified({ message: { attachments: [{ ...pdf, detected_type: "image/png" }] } }),
      withFile,
    ],
    [{ language: ["de", "fr"] }, german, mail],
    [{ account: "sal*" }, oldMail, mail],
    [{ backfill: true }, oldMail, mail],
    [{ backfill: false }, mail, oldMail],
    [{ list: false }, mail, verified({ participants: { ...mail.participants, list: { address: null, own: true } } })],
    [{ any: [{ subject: "nothing" }, { subject: "order" }] }, mail, verified({ message: { subject: "Hello" } })],
    [{ not: { subject: "hello" } }, mail, verified({ message: { subject: "Hello" } })],
    [{ not: [{ subject: "x" }, { subject: "hello" }] }, mail, verified({ message: { subject: "Hello" } })],
  ];

  test.each(table)("%j", (condition, applies, not) => {
    const found = (event: CanonicalEvent) => decided(event, rule("r", condition, { skip: "yes" }));
    expect(found(applies)).toEqual({ kind: "skip", rule: "mapping.r", reason: "yes" });
    expect(found(not).rule).not.toBe("mapping.r");
    const [reading] = planned(not, mappingOf({ rules: [rule("r", condition, { skip: "yes" })] }), known).readings;
    expect(reading?.failed).toMatch(new RegExp(`^${Object.keys(condition)[0]}`));
  });
});

describe("rules", () => {
  test("of each kind of record the first that applies and speaks of it decides", () => {
    const decision = decided(
      mail,
      rule("first", { subject: "order" }, { contact: { owner: "kim@acme.test" } }),
      rule("second", {}, { contact: { owner: "lee@acme.test" }, activity: { body: "reply", owner: "lee@acme.test" } }),
    );
    expect(only(decision, "person")?.owner).toBe("kim@acme.test");
    expect(only(decision, "activity")?.owner).toBe("lee@acme.test");
    expect(decision.rule).toBe("mapping.second");
  });

  test("stop ends the reading, for what is left open too", () => {
    const decision = decided(mail, rule("a", {}, { contact: {} }, { stop: true }), rule("b", {}, { skip: "no" }));
    expect(decision.kind).toBe("steps");
  });

  test("review holds it, with the rule's words", () => {
    expect(decided(mail, rule("look", {}, { review: "who is this?" }))).toEqual({
      kind: "hold",
      rule: "mapping.look",
      reason: "who is this?",
    });
  });

  test("without rules, or with none that applies, everything is as without a file", () => {
    expect(decided(mail)).toEqual(plan(mail, builtIn, known));
    expect(decided(mail, rule("r", { subject: "nothing" }, { skip: "no" }))).toEqual(plan(mail, builtIn, known));
  });

  test("every rule is told, with the first condition that did not apply", () => {
    const { readings } = planned(
      mail,
      mappingOf({
        rules: [
          rule("a", { subject: "order", tag: "x" }, { contact: {} }),
          rule("b", {}, { contact: {}, deal: false }),
          rule("c", {}, { contact: {} }),
        ],
      }),
      known,
    );
    expect(readings).toEqual([
      { rule: "a", failed: "tag", took: [] },
      { rule: "b", failed: null, took: ["contact", "deal"] },
      { rule: "c", failed: null, took: [] },
    ]);
  });

  test("a company only by a verified sender, never of freemail; its people belong to it", () => {
    const asked = rule("r", {}, { company: {} });
    const decision = decided(mail, asked);
    const [person, company, link] = [only(decision, "person"), only(decision, "company"), only(decision, "link")];
    expect(company).toMatchObject({ domain: "example.test", create: true, why: "mapping.r" });
    expect(link).toMatchObject({ from: person?.key, to: company?.key });
    expect(only(decision, "activity")?.about).toEqual([person?.key, company?.key]);
    expect(only(decided(eventWith(), asked), "company")).toBeUndefined();
    const freemail = verified({ message: { from: address("ada@gmail.com") } });
    expect(only(decided(freemail, asked), "company")).toBeUndefined();
  });

  test("a person's trust in a sender makes companies and deals, but where a rule wants a verified one", () => {
    const asked = (more: object) => rule("r", {}, { company: { ...more }, deal: { create: {} } });
    const weak = authOf("aligned-weak");
    const [trusted, other] = [
      eventWith({ auth: { ...weak, reasons: [{ code: "sender_trusted", detail: null }] } }),
      eventWith({ auth: { ...weak, reasons: [{ code: "dkim_aligned", detail: null }] } }),
    ];
    const kinds = (event: CanonicalEvent, ...rules: object[]) =>
      stepsOf(decided(event, ...rules)).map(({ kind }) => kind);
    expect(kinds(trusted, asked({}))).toEqual(["person", "company", "deal", "link", "activity"]);
    expect(kinds(other, asked({}))).toEqual(["person", "activity"]);
    expect(kinds(trusted, asked({ create: "verified" }))).toEqual(["person", "deal", "activity"]);
    expect(kinds(trusted, rule("r", {}, { deal: { create: { trust: "verified" } } }))).toEqual(["person", "activity"]);
    expect(kinds(other, rule("r", {}, { deal: { create: { trust: "aligned-weak" } } }))).toContain("deal");
  });

  test("a deal begins with a new thread; what follows belongs to the same one", () => {
    const asked = rule(
      "sales",
      { thread: "new", subject: "order" },
      { deal: { create: { stage: "qualification", name: "{{organisation}}: {{subject}}" } } },
    );
    const first = decided(mail, asked);
    const deal = only(first, "deal");
    expect(deal).toMatchObject({ name: "example.test: An order", stage: "qualification", pipeline: null });
    expect(only(first, "activity")?.about).toContain(deal?.key);
    const answer = verified({
      thread: { ...mail.thread, parent_event_id: "x", method: "header" },
      message: { message_id: "<m2@x>" },
    });
    const second = plan(answer, mappingOf({ rules: [asked] }), { digest: "e".repeat(64), deal });
    expect(only(second, "deal")).toMatchObject({ key: deal?.key, stage: "qualification", name: "An order" });
    const again = plan(mail, mappingOf({ rules: [asked] }), { digest, deal });
    expect(only(again, "deal")).toEqual(deal);
    expect(only(plan(answer, builtIn, { ...known, deal }), "activity")?.about).toContain(deal?.key);
    const none = mappingOf({ rules: [rule("r", {}, { deal: false })] });
    expect(only(plan(answer, none, { ...known, deal }), "deal")).toBeUndefined();
  });

  test("an answer begins no conversation, whether or not what it answers has come; a forward and a new subject do", () => {
    const asked = rule("r", { thread: "new" }, { deal: { create: {} } });
    const answering = { in_reply_to: "<a@x>", in_reply_to_all: ["<a@x>"], references: ["<a@x>"] };
    const [alone, more] = [
      { ...answering, references: [] },
      { ...answering, in_reply_to: null, in_reply_to_all: [] },
    ];
    const of = (message: object) => only(decided(verified({ message }), asked), "deal");
    for (const ids of [answering, alone, more])
      expect(of({ ...ids, subject: "Re: An order", subject_normalised: "An order" })).toBeUndefined();
    expect(of({ ...answering, subject: "Re:", subject_normalised: null })).toBeUndefined();
    expect(of({ ...answering, subject: "Another order", subject_normalised: "Another order" })).toBeDefined();
    expect(of({ ...answering, subject: null, subject_normalised: null })).toBeDefined();
    // Whoever writes "Re:" by himself asks for something all the same.
    expect(of({ subject: "Re: An order", subject_normalised: "An order" })).toBeDefined();
    const forwarded = { from: null, to: [], date: null, subject: null, message_id: null };
    expect(of({ ...answering, subject: "Fwd: An order", subject_normalised: "An order", forwarded })).toBeDefined();
  });

  test("an unsure sender makes no deal; review where that is asked for", () => {
    const create = { stage: "new" };
    expect(only(decided(eventWith(), rule("r", {}, { deal: { create } })), "deal")).toBeUndefined();
    expect(decided(eventWith(), rule("r", {}, { deal: { create, else: "review" } }))).toMatchObject({
      kind: "hold",
      rule: "mapping.r",
    });
  });

  test("a sure sender's mail that has no deal goes to the contact's open deals where that is asked for", () => {
    const by = (event: ReturnType<typeof eventWith>, choice: string) =>
      only(decided(event, rule("r", { subject: "order" }, { deal: { else: choice } })), "activity");
    const sure = eventWith({ auth: authOf("verified") });
    expect(by(sure, "newest")).toMatchObject({ deals: "newest" });
    expect(by(sure, "recent_five")).toMatchObject({ deals: "recent_five" });
    expect(by(sure, "none")).not.toHaveProperty("deals");
    // A forged mail is not to be logged on what is being sold to the customer.
    expect(by(eventWith({ auth: authOf("aligned-weak") }), "newest")).not.toHaveProperty("deals");
    const deal = { key: "d".repeat(64), pipeline: null, stage: "new" };
    const mapping = mappingOf({ rules: [rule("r", {}, { deal: { else: "newest" } })] });
    const known = only(plan(sure, mapping, { digest, deal }), "activity");
    expect(known?.about).toContain(deal.key);
    expect(known).not.toHaveProperty("deals");
  });

  test("a contact by more trust, or never; as a lead; by all addresses of the person", () => {
    expect(only(decided(eventWith(), rule("r", {}, { contact: { create: "verified" } })), "person")).toMatchObject({
      create: false,
      gate: "mapping.r",
    });
    expect(only(decided(mail, rule("r", {}, { contact: { create: false, as: "lead" } })), "person")).toMatchObject({
      create: false,
      as: "lead",
    });
    const file = { same_person: [["ada@example.test", "Ada@Home.test", "al@x.test"]] };
    expect(only(plan(mail, mappingOf(file), known), "person")?.also).toEqual(["ada@home.test", "al@x.test"]);
  });

  test("reply only leaves out what is quoted, and the html that holds it", () => {
    const answer = verified({
      message: { text: "Yes.\n> Ten?", html: "<p>Yes.</p>", reply_text: "Yes.", quoted_text: "> Ten?" },
    });
    expect(only(decided(answer, rule("r", {}, { activity: { body: "reply" } })), "activity")).toMatchObject({
      text: "Yes.",
      html: null,
    });
    expect(only(decided(mail, rule("r", {}, { activity: { body: "reply" } })), "activity")?.text).toBe("Ten, please.");
  });

  test("owners are found where no rule names one", () => {
    const file = {
      owners: [{ when: { domain: "example.test" }, owner: "Kim@acme.test" }],
      rules: [rule("r", {}, { activity: { owner: "lee@acme.test" } })],
    };
    const decision = plan(mail, mappingOf(file), known);
    expect(only(decision, "person")?.owner).toBe("kim@acme.test");
    expect(only(decision, "activity")?.owner).toBe("lee@acme.test");
  });
});

describe("mail that a rule has to name", () => {
  const everything = [
    rule("all", {}, { contact: {}, activity: { fields: { seen: "yes" } }, company: {}, deal: { create: {} } }),
  ];

  test("automated, internal and suspicious mail are as without a file, whatever a rule for all says", () => {
    const inside = verified({ message: { from: address("kim@acme.test"), to: [address("lee@acme.test")] } });
    for (const event of [
      verified({ class: classOf("notification") }),
      inside,
      eventWith({ auth: authOf("suspicious") }),
    ]) {
      expect(decided(event, ...everything)).toEqual(plan(event, builtIn, known));
    }
  });

  test("a rule that names them decides about them", () => {
    const notice = verified({ class: classOf("notification") });
    expect(decided(notice, rule("shop", { class: "notification", sender: "ada@*" }, { activity: {} }))).toMatchObject({
      kind: "steps",
      rule: "mapping.shop",
    });
    const suspect = eventWith({ auth: authOf("suspicious") });
    expect(decided(suspect, rule("bin", { trust: "suspicious" }, { skip: "spoofed" })).kind).toBe("skip");
  });

  test("suspicious mail makes nothing, even where a rule names it", () => {
    const suspect = eventWith({ auth: authOf("suspicious") });
    const [only] = planned(
      suspect,
      mappingOf({ rules: [rule("r", { trust: "suspicious" }, { contact: {} })] }),
      known,
    ).readings;
    expect(only?.failed).toBe("trust (suspicious mail makes nothing)");
    expect(decided(suspect, rule("r", { trust: "suspicious" }, { contact: {} })).kind).toBe("hold");
  });

  test("whom the tenant wants to leave no trace leaves none", () => {
    const event = verified({ participants: { ...mail.participants, excluded: "example.test" } });
    expect(decided(event, rule("r", {}, { contact: {} })).rule).toBe("people.excluded");
  });
});

describe("feature flags", () => {
  const inThread = (id: string) => verified({ thread: { ...mail.thread, thread_id: id } });
  const atPercent = (percent: number, id: string) =>
    decided(inThread(id), rule("r", {}, { skip: "new way" }, { only: { percent } })).kind === "skip";

  test("0 percent is the old way for all, 100 the new", () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(atPercent(0, id)).toBe(false);
        expect(atPercent(100, id)).toBe(true);
      }),
    );
  });

  test("a thread that is in stays in when the percentage grows, and about as many are in as asked for", () => {
    const ids = Array.from({ length: 2_000 }, (_, n) => `thread-${n}`);
    const [ten, fifty] = [10, 50].map((percent) => new Set(ids.filter((id) => atPercent(percent, id))));
    expect(ten?.size).toBeGreaterThan(140);
    expect(ten?.size).toBeLessThan(260);
    for (const id of ten ?? []) expect(fifty?.has(id)).toBe(true);
  });

  test("for a domain only; and for the file as a whole", () => {
    const flagged = rule("r", {}, { skip: "x" }, { only: { domain: "example.test" } });
    expect(decided(mail, flagged).kind).toBe("skip");
    expect(decided(verified({ message: { from: address("a@other.test") } }), flagged).kind).toBe("steps");
    const file = { rules: [rule("r", {}, { skip: "x" })], only: { percent: 0 } };
    expect(planned(mail, mappingOf(file), known)).toMatchObject({
      decision: { kind: "steps" },
      readings: [{ rule: "(file)", failed: "only.percent" }],
    });
  });
});

describe("templates", () => {
  const field = (text: string, event = mail) =>
    only(decided(event, rule("r", {}, { activity: { fields: { f: text } } })), "activity")?.fields?.f;

  test("put values in, once, on one line, bounded", () => {
    expect(field("{{ subject }} by {{sender.name}} <{{sender.email}}> on {{date}}")).toBe(
      "An order by Ada Lovelace <ada@example.test> on 2026-03-10",
    );
    const hostile = verified({ message: { subject_normalised: "{{thread_id}}\r\n\u2028x" } });
    expect(field("{{subject}}", hostile)).toBe("{{thread_id}} x");
    const long = verified({ message: { subject_normalised: "s".repeat(9_000) } });
    expect(field("{{subject}}".repeat(50), long)?.length).toBe(4_000);
  });

  test("know the number of the mapping, which stands on the activity as well", () => {
    const rules = compileMapping(
      mappingSchema.parse({ rules: [rule("r", {}, { activity: { fields: { f: "v{{mapping_version}}" } } })] }),
    );
    const activity = only(plan(mail, { ...builtIn, rules, version: 104 }, known), "activity");
    expect(activity).toMatchObject({ mapping_version: 104, thread_id: mail.thread.thread_id, fields: { f: "v104" } });
  });

  test("know the number of the file of else where that one decides", () => {
    const old = { rules: [rule("r", {}, { activity: { fields: { f: "v{{mapping_version}}" } } })] };
    const rules = compileMapping(
      { ...mappingSchema.parse({ only: { domain: "nobody.test" }, rules: [] }), otherwise: mappingSchema.parse(old) },
      [105, 104],
    );
    const activity = only(plan(mail, { ...builtIn, rules, version: 105 }, known), "activity");
    expect(activity).toMatchObject({ mapping_version: 104, fields: { f: "v104" } });
  });

  test("an empty value is no field", () => {
    expect(field("{{tag}}")).toBeUndefined();
  });

  test("a word that is not known is refused", () => {
    const file = { rules: [rule("r", {}, { activity: { fields: { f: "{{process.env}}" } } })] };
    expect(() => mappingSchema.parse(file)).toThrow(/sender\.email/);
  });
});

describe("the plan with any rules", () => {
  const someRule = fc.record({
    when: fc.oneof(
      fc.constant({}),
      fc.record({ class: fc.constantFrom(...automatedKinds) }),
      fc.record({ trust: fc.constantFrom(...trustLevels) }),
      fc.record({ subject: fc.string({ minLength: 1, maxLength: 5 }) }),
      fc.record({ direction: fc.constantFrom("inbound", "outbound", "internal") }),
    ),
    do: fc.constantFrom(
      { skip: "s" },
      { review: "r" },
      { contact: { create: "unverified" } },
      { company: { create: "aligned-weak" }, deal: { create: {} } },
      { activity: { body: "reply", fields: { a: "{{subject}}" } } },
    ),
    stop: fc.boolean(),
  });

  test("never throws, makes nothing of suspicious mail, and gives steps that the schema knows", () => {
    fc.assert(
      fc.property(
        fc.array(someRule, { maxLength: 6 }),
        fc.constantFrom(...automatedKinds),
        fc.constantFrom(...trustLevels),
        fc.option(fc.emailAddress(), { nil: null }),
        fc.option(fc.string(), { nil: null }),
        (rules, kind, trust, from, subject) => {
          const event = eventWith({
            class: classOf(kind),
            auth: authOf(trust),
            message: { from: address(from), subject, subject_normalised: subject },
          });
          const file = { rules: rules.map((one, n) => ({ name: `r${n}`, ...one })) };
          const decision = plan(event, mappingOf(file), known);
          if (trust === "suspicious") expect(decision.kind).not.toBe("steps");
          if (decision.kind !== "steps") return;
          for (const step of decision.steps) expect(stepSchema.safeParse(step).success).toBe(true);
          const keys = new Set(decision.steps.map(({ key }) => key));
          expect(keys.size).toBe(decision.steps.length);
          const about = only(decision, "activity")?.about ?? [];
          expect(about.every((key) => keys.has(key))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
