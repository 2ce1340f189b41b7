import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hostOf } from "../../src/destinations/salesforce/companies.ts";
import { openUsage } from "../../src/destinations/salesforce/usage.ts";
import { salesforce } from "../../src/destinations/salesforce.ts";
import type { Refs } from "../../src/model/destination.ts";
import { createSalesforceSandbox, sandboxApp } from "../../src/sandbox/salesforce.ts";
import { bring, failureIn, vendorContract } from "./contract.ts";
import { activity, company, deal, filed, fileStep, keyOf, manualClock, person, refsOf } from "./fixtures.ts";
import { baseUrl, openSalesforce, type SalesforceRig, salesforceRig } from "./salesforce-rig.ts";

vendorContract("Salesforce with a unique key on mails", async () => salesforceRig());
vendorContract("Salesforce with a key on mails that is not unique", async () => salesforceRig({ emailUnique: false }));
vendorContract("Salesforce that names no record in the way, and whose recycle bin holds no keys", async () =>
  salesforceRig({ takenBy: "unknown", deletedKeepKeys: false }, { synced_mail: "ignore" }),
);

const none: Refs = new Map();
const live = ({ sandbox }: SalesforceRig, object: "Contact" | "Lead" | "Account" | "Opportunity" | "EmailMessage") =>
  sandbox.state().records[object].filter(({ deleted }) => !deleted);

async function callsOf(rig: SalesforceRig, work: () => Promise<unknown>): Promise<string[]> {
  const before = rig.sandbox.log.length;
  await work();
  return rig.sandbox.log.slice(before).map(({ route }) => route);
}

describe("people at Salesforce", () => {
  test("a new contact carries address, names, origin and our key, and nothing else", async () => {
    const rig = salesforceRig();
    const step = person("Ada@Example.test", { flags: ["unverified"] });
    await rig.session.put(step, none);
    expect(live(rig, "Contact")[0]?.values).toEqual({
      FirstName: "Ada",
      LastName: "Lovelace",
      Name: "Ada Lovelace",
      Email: "ada@example.test",
      LeadSource: "Email",
      Mailwright_Key__c: step.key,
      Mailwright_Flags__c: "unverified",
    });
  });

  test.each([
    ["Plato", { LastName: "Plato", Name: "Plato" }],
    [null, { LastName: "ada", Name: "ada" }],
    ["x".repeat(200), { LastName: "x".repeat(80) }],
  ])("a last name is required: of %s it is made, and cut to what describe says", async (name, expected) => {
    const rig = salesforceRig();
    const ref = await rig.session.put(person("ada@example.test", { name }), none);
    expect(live(rig, "Contact")[0]?.values).toMatchObject(expected);
    expect(ref.note).toBe(name?.length === 200 ? "LastName cut to 80 of 200 characters" : undefined);
  });

  test("as a lead: a company is required, and a lead that is there is found like a contact", async () => {
    const rig = salesforceRig();
    const step = person("ada@example.test", { as: "lead" });
    const ref = await bring(rig.session, step, none);
    expect(live(rig, "Lead")[0]?.values).toMatchObject({ LastName: "Lovelace", Company: "example.test" });
    expect((await bring(rig.session, person(), none)).id, "the same person asked for as a contact").toBe(ref.id);
    expect(await rig.session.read("person", ref.id)).toMatchObject({
      archived: false,
      fields: { email: "ada@example.test" },
    });
    const mail = await bring(rig.session, activity([step.key]), refsOf([step, ref]));
    expect(await rig.linksOf(mail.id)).toEqual([ref.id]);
  });

  test("a lead that was converted is the contact that it became", async () => {
    const rig = salesforceRig();
    const lead = rig.sandbox.actors.personAddsLead({ Email: "ada@example.test", LastName: "L", Company: "Engines" });
    const contact = rig.sandbox.actors.personConvertsLead(lead);
    expect(await rig.session.find(person(), none)).toMatchObject({ id: contact, adopted: true });
    expect((await rig.session.read("person", lead))?.id, "so that a remembered lead is forgotten").toBe(contact);
    const who = person();
    const failure = await failureIn(() => rig.session.put(activity([who.key]), refsOf([who, { id: lead }])));
    expect(failure).toMatchObject({ kind: "permanent", reason: expect.stringContaining("converted lead") });
  });

  test("a merged contact leads to its survivor, by id and by key", async () => {
    const rig = salesforceRig();
    const step = person();
    const { id } = await rig.session.put(step, none);
    const survivor = rig.sandbox.actors.personAddsContact({ Email: "ada@new.test", LastName: "L" });
    rig.sandbox.actors.personMergesContacts(survivor, id);
    expect((await rig.session.read("person", id))?.id).toBe(survivor);
    expect(await rig.session.put(step, none)).toMatchObject({ id: survivor, adopted: true });
    expect(await rig.count("person")).toBe(1);
  });

  for (const deletedKeepKeys of [true, false]) {
    test(`a contact that somebody deleted is made again once (the recycle bin ${deletedKeepKeys ? "holds" : "frees"} its key)`, async () => {
      const rig = salesforceRig({ deletedKeepKeys });
      const first = await bring(rig.session, person(), none);
      rig.sandbox.actors.personDeletes("Contact", first.id);
      expect((await rig.session.read("person", first.id))?.archived).toBe(true);
      const second = await bring(rig.session, person(), none);
      expect(second.id).not.toBe(first.id);
      expect((await bring(rig.session, person(), none)).id).toBe(second.id);
      expect(await rig.count("person")).toBe(1);
    });
  }

  test("a lost answer to a contact made again heals to one, though its first key is taken", async () => {
    const rig = salesforceRig();
    const first = await bring(rig.session, person(), none);
    rig.sandbox.actors.personDeletes("Contact", first.id);
    rig.sandbox.faults.plan({ route: "Contact.create", nth: 2, fault: { kind: "commit_then_drop" } });
    expect((await failureIn(() => rig.session.put(person(), none))).kind).toBe("ambiguous");
    await rig.session.put(person(), none);
    expect(await rig.count("person")).toBe(1);
  });

  test("an address that a person changed since does not double the contact that we made", async () => {
    const rig = salesforceRig();
    const { id } = await rig.session.put(person(), none);
    rig.sandbox.actors.personEdits("Contact", id, { Email: "ada@elsewhere.test" });
    expect(await rig.session.put(person(), none)).toMatchObject({
      id,
      adopted: true,
      note: expect.stringContaining("not by its address"),
    });
    expect(rig.record("Contact", id)?.values.Email).toBe("ada@elsewhere.test");
  });

  test("their key keeps them single only where it does so for contacts and for leads", async () => {
    const tier = async (rig: SalesforceRig) => (await rig.session.dedupe("person")).tier;
    expect(await tier(salesforceRig())).toBe("unique-key");
    expect(await tier(salesforceRig({ hidden: ["Lead"] })), "there are no leads to double").toBe("unique-key");
    for (const object of ["Contact", "Lead"]) {
      const rig = salesforceRig();
      const key = { name: "Mailwright_Key__c", type: "string", createable: true, unique: false };
      rig.sandbox.faults.plan({
        route: `${object}.describe`,
        fault: { kind: "status", status: 200, body: { fields: [key] } },
      });
      expect(await tier(rig), object).toBe("key-readback");
    }
  });

  test("a look says whether what it found carries the key of this very step", async () => {
    const rig = salesforceRig();
    const theirs = rig.sandbox.actors.personAddsContact({ Email: "bo@example.test", LastName: "B" });
    expect(await rig.session.find(person("bo@example.test"), none)).toMatchObject({ id: theirs, ours: false });
    const [who, firm] = [person(), company()];
    const refs = refsOf([who, await rig.session.put(who, none)], [firm, await rig.session.put(firm, none)]);
    const [chance, mail] = [deal([who.key]), activity([who.key])];
    for (const step of [chance, mail]) await rig.session.put(step, refs);
    for (const step of [who, firm, chance, mail])
      expect((await rig.session.find(step, refs))?.ours, step.kind).toBe(true);
  });

  test("other addresses of the same person lead to the contact", async () => {
    const rig = salesforceRig();
    const id = rig.sandbox.actors.personAddsContact({ Email: "Ada@Home.test", LastName: "L" });
    const step = person("ada@example.test", { also: ["ada@home.test"] });
    expect(await rig.session.find(step, none)).toMatchObject({ id, note: expect.stringContaining("another address") });
  });

  test("an address that Salesforce does not take is a dead letter in its words", async () => {
    const rig = salesforceRig();
    const failure = await failureIn(() => rig.session.put(person("ada@localhost"), none));
    expect(failure).toMatchObject({ kind: "permanent", reason: expect.stringContaining("INVALID_EMAIL_ADDRESS") });
  });
});

describe("duplicate rules", () => {
  const rule = { object: "Contact", action: "block", against: ["Contact", "Lead"], by: "LastName" } as const;
  for (const shape of ["duplicateResut", "duplicateResult", "absent"] as const) {
    test(`somebody else of that name is a dead letter that names him (${shape})`, async () => {
      const rig = salesforceRig({ duplicateRules: [{ ...rule, shape }] });
      const other = rig.sandbox.actors.personAddsContact({ Email: "other@example.test", LastName: "Lovelace" });
      const { kind, reason } = await failureIn(() => rig.session.put(person(), none));
      expect(kind).toBe("permanent");
      expect(reason).toContain("DUPLICATES_DETECTED");
      expect(reason).toContain(shape === "absent" ? "does not say which record" : other);
      expect(await rig.count("person")).toBe(1);
    });
  }

  test("a record that the rule names, with this very address, is taken", async () => {
    const rig = salesforceRig({ duplicateRules: [{ ...rule, shape: "duplicateResut" }] });
    // As when it was made between the look and the write.
    rig.sandbox.faults.plan({ route: "Contact.query", fault: { kind: "status", status: 200, body: emptyAnswers } });
    const id = rig.sandbox.actors.personAddsContact({ Email: "ada@example.test", LastName: "Lovelace" });
    expect(await rig.session.put(person(), none)).toMatchObject({
      id,
      adopted: true,
      note: expect.stringContaining("duplicate rule"),
    });
  });

  test("what only warns passes where the settings say so, what blocks never", async () => {
    const alert = { ...rule, action: "alert", shape: "duplicateResult" } as const;
    const rig = salesforceRig({ duplicateRules: [alert] }, { pass_duplicate_alerts: true });
    rig.sandbox.actors.personAddsContact({ Email: "other@example.test", LastName: "Lovelace" });
    await rig.session.put(person(), none);
    expect(await rig.count("person")).toBe(2);
  });

  test("an account that the rule names is taken by its website alone", async () => {
    const duplicateRules = [
      { object: "Account", action: "block", against: ["Account"], by: "Name", shape: "duplicateResult" },
    ] as const;
    const rig = salesforceRig({ duplicateRules });
    const id = rig.sandbox.actors.personAddsAccount({ Name: "Example", Website: "other.test" });
    expect((await failureIn(() => rig.session.put(company(), none))).reason).toContain("another website");
    rig.sandbox.actors.personEdits("Account", id, { Website: "https://example.test/de/" });
    expect(await rig.session.put(company(), none)).toMatchObject({ id, adopted: true });
  });
});

const page = { totalSize: 0, done: true, records: [] };
const emptyAnswers = {
  compositeResponse: ["q0", "q1"].map((referenceId) => ({
    referenceId,
    httpStatusCode: 200,
    httpHeaders: {},
    body: page,
  })),
};

describe("accounts", () => {
  test.each([
    ["example.test", true],
    ["https://www.Example.test/", true],
    ["http://example.test/en/about", true],
    ["notexample.test", false],
    ["example.test.evil.test", false],
    ["https://evil.test/?x=example.test", false],
  ])("a website %s is the company: %s", async (Website, found) => {
    const rig = salesforceRig();
    const id = rig.sandbox.actors.personAddsAccount({ Name: "By hand", Website });
    expect((await rig.session.find(company(), none))?.id).toBe(found ? id : undefined);
  });

  test("of a short domain is found though hundreds have a website that ends in it", async () => {
    const rig = salesforceRig();
    for (let n = 0; n < 210; n++)
      rig.sandbox.actors.personAddsAccount({ Name: `Max ${n}`, Website: `www.max${n}.example.test` });
    for (let n = 0; n < 210; n++)
      rig.sandbox.actors.personAddsAccount({ Name: `My ${n}`, Website: `my${n}example.test/en` });
    const id = rig.sandbox.actors.personAddsAccount({ Name: "By hand", Website: "HTTPS://Example.test/de" });
    expect((await rig.session.find(company(), none))?.id).toBe(id);
  });

  test("a contact's account is set where there is none, and never changed", async () => {
    const rig = salesforceRig();
    const [who, firm] = [person(), company()];
    const ref = await bring(rig.session, who, none);
    const firmRef = await bring(rig.session, firm, none);
    const ends = [
      { kind: "person", id: ref.id },
      { kind: "company", id: firmRef.id },
    ] as const;
    await rig.session.link(...ends);
    expect(rig.record("Contact", ref.id)?.values.AccountId).toBe(firmRef.id);
    const theirs = rig.sandbox.actors.personAddsAccount({ Name: "Theirs" });
    rig.sandbox.actors.personEdits("Contact", ref.id, { AccountId: theirs });
    await rig.session.link(...ends);
    expect(rig.record("Contact", ref.id)?.values.AccountId).toBe(theirs);
    await rig.session.unlink(...ends);
    expect(rig.record("Contact", ref.id)?.values.AccountId, "it is not ours to take").toBe(theirs);
  });

  test("a host is read out of whatever people write", () => {
    expect([
      hostOf("WWW.Acme.test"),
      hostOf("http://acme.test:80/x"),
      hostOf(" "),
      hostOf(null),
      hostOf("a b"),
    ]).toEqual(["acme.test", "acme.test", undefined, undefined, undefined]);
  });
});

describe("opportunities", () => {
  const about = async (rig: SalesforceRig) => {
    const who = person();
    return { who, refs: refsOf([who, await bring(rig.session, who, none)]) };
  };

  test("name, stage, close date, account of the contact, and the contact's role, in one call", async () => {
    const rig = salesforceRig({}, { close_days: 30, owner_id: "0058a000000AbCd" });
    const account = rig.sandbox.actors.personAddsAccount({ Name: "Example" });
    rig.sandbox.actors.personAddsContact({ Email: "ada@example.test", LastName: "L", AccountId: account });
    const owner = "0058a000000AbCd";
    expect(
      (await failureIn(async () => await rig.session.put(deal([person().key]), (await about(rig)).refs))).reason,
    ).toContain("invalid cross reference id");
    expect(owner).toMatch(/^005/);
    const plain = openSalesforce(rig.sandbox, rig.clock, { close_days: 30 });
    const { refs, who } = await about(rig);
    const routes = await callsOf(rig, () => plain.put({ ...deal([who.key]), name: "x".repeat(200) }, refs));
    expect(routes.filter((route) => !/describe|token/.test(route))).toEqual([
      "OpportunityStage.query",
      "Contact.query",
      "Opportunity.create",
    ]);
    expect(live(rig, "Opportunity")[0]?.values).toMatchObject({
      Name: "x".repeat(120),
      StageName: "appointmentscheduled",
      CloseDate: "2026-12-24",
      AccountId: account,
      IsClosed: false,
    });
    expect(rig.sandbox.state().counts.OpportunityContactRole).toBe(1);
  });

  test("a record type by its name, a stage by its label; what is not there is a dead letter that lists what is", async () => {
    const rig = salesforceRig();
    const { who, refs } = await about(rig);
    const step = { ...deal([who.key]), pipeline: "new business", stage: "qualification" };
    await rig.session.put(step, refs);
    expect(live(rig, "Opportunity")[0]?.values).toMatchObject({
      StageName: "Qualification",
      RecordTypeId: expect.stringMatching(/^012/),
    });
    const key = keyOf("another deal");
    expect((await failureIn(() => rig.session.put({ ...step, key, pipeline: "Renewals" }, refs))).reason).toContain(
      '"New Business"',
    );
    expect((await failureIn(() => rig.session.put({ ...step, key, stage: "Dreaming" }, refs))).reason).toContain(
      '"Qualification"',
    );
    expect(await rig.count("deal")).toBe(1);
  });

  test("owners by address, fields by their API names and of their own types; what cannot be had is a note", async () => {
    const rig = salesforceRig();
    const { who, refs } = await about(rig);
    const ref = await rig.session.put(
      {
        ...deal([who.key]),
        owner: "Owner@example.test",
        fields: { Amount: "12.5", NextStep: "call", StageName: "closedwon", Colour: "red", IsClosed: "true" },
      },
      refs,
    );
    expect(live(rig, "Opportunity")[0]?.values).toMatchObject({
      Amount: 12.5,
      NextStep: "call",
      StageName: "appointmentscheduled",
      OwnerId: expect.stringMatching(/^005/),
    });
    expect(ref.note).toContain("StageName is not a mapping's to set");
    expect(ref.note).toContain("no Colour on Opportunity");
    expect(ref.note).toContain("no IsClosed on Opportunity");
    const other = { ...deal([who.key]), key: keyOf("x"), owner: "nobody@example.test", fields: { Amount: "much" } };
    expect((await rig.session.put(other, refs)).note).toMatch(/no active user.*Amount takes no such value/);
  });
});

describe("an opportunity whose name a composite takes for a reference", () => {
  test("goes by itself, its contacts after it; what was cut off between the two is made good", async () => {
    const rig = salesforceRig();
    const who = person();
    const refs = refsOf([who, await bring(rig.session, who, none)]);
    const step = { ...deal([who.key]), name: "Offer for @{account.name}" };
    rig.sandbox.faults.plan({ route: "OpportunityContactRole.create", fault: { kind: "status", status: 503 } });
    await failureIn(() => rig.session.put(step, refs));
    expect(rig.sandbox.state().counts).toMatchObject({ Opportunity: 1, OpportunityContactRole: 0 });
    for (let n = 0; n < 2; n++) expect((await rig.session.put(step, refs)).adopted).toBe(true);
    expect(rig.sandbox.state().counts).toMatchObject({ Opportunity: 1, OpportunityContactRole: 1 });
    expect(live(rig, "Opportunity")[0]?.values.Name).toBe("Offer for @{account.name}");
  });
});

describe("mails", () => {
  const logged = async (rig: SalesforceRig, more: Parameters<typeof activity>[1] = {}) => {
    const who = person();
    const ref = await bring(rig.session, who, none);
    return { who, ref, refs: refsOf([who, ref]), mail: activity([who.key], more) };
  };

  test("one transaction logs the mail and its people; what a warm mail costs", async () => {
    const rig = salesforceRig();
    const headers: [string, string][] = [
      ["Message-ID", "<2@example.test>"],
      ["References", "<root@example.test> <1@example.test>"],
    ];
    const { refs, mail, ref } = await logged(rig, { headers, flags: ["unverified"], attachments: [filed("stored")] });
    await rig.session.dedupe("activity");
    expect(await callsOf(rig, () => rig.session.put(mail, refs))).toEqual([
      "EmailMessage.query",
      "EmailMessage.create",
    ]);
    expect(live(rig, "EmailMessage")[0]?.values).toMatchObject({
      Subject: "About the engine",
      FromAddress: "ada@example.test",
      FromName: "Ada Lovelace",
      ToAddress: "sales@acme.test",
      Incoming: true,
      Status: "1",
      MessageDate: "2026-11-24T11:30:00.123+0000",
      MessageIdentifier: "<1@example.test>",
      ThreadIdentifier: "<root@example.test>",
      Headers: "Message-ID: <2@example.test>\nReferences: <root@example.test> <1@example.test>",
      Mailwright_Event__c: mail.event_id,
      Mailwright_Flags__c: "unverified",
    });
    const [relation] = rig.sandbox.state().records.EmailMessageRelation;
    expect(relation?.values).toMatchObject({ RelationId: ref.id, RelationType: "FromAddress" });
    expect(rig.sandbox.state().counts.Task, "Salesforce makes its task by itself").toBe(1);
    const frugal = openSalesforce(rig.sandbox, rig.clock, { synced_mail: "ignore" });
    await frugal.dedupe("activity");
    const next = { ...mail, key: keyOf("next"), message_id: "<3@example.test>" };
    expect(await callsOf(rig, () => frugal.put(next, refs))).toEqual(["EmailMessage.create"]);
  });

  test("a text with what a composite takes for a reference goes by itself, and its people after it", async () => {
    const rig = salesforceRig();
    const { refs, mail, ref } = await logged(rig, { text: "Dear @{user.name}, see @{record.id}", html: null });
    await rig.session.dedupe("activity");
    expect(await callsOf(rig, () => rig.session.put(mail, refs))).toEqual([
      "EmailMessage.query",
      "EmailMessage.create",
      "EmailMessageRelation.query",
      "EmailMessageRelation.create",
    ]);
    const [made] = live(rig, "EmailMessage");
    expect(made?.values.TextBody).toContain("Dear @{user.name}, see @{record.id}");
    expect(await rig.linksOf(made?.id ?? "")).toEqual([ref.id]);
    const gone = await logged(rig, { text: "@{x.y}", message_id: "<2@example.test>" });
    rig.sandbox.actors.personDeletes("Contact", gone.ref.id);
    expect((await rig.session.put(gone.mail, gone.refs)).note, "the mail itself stands").toContain("ENTITY_IS_DELETED");
  });

  test("a refused relation rolls the mail back", async () => {
    const rig = salesforceRig();
    const { ref, refs, mail } = await logged(rig);
    rig.sandbox.actors.personDeletes("Contact", ref.id);
    expect(await failureIn(() => rig.session.put(mail, refs))).toMatchObject({
      kind: "permanent",
      reason: expect.stringContaining("ENTITY_IS_DELETED"),
    });
    expect(rig.sandbox.state().counts).toMatchObject({ EmailMessage: 0, Task: 0, EmailMessageRelation: 0 });
  });

  test("a mail that was deleted is not made again", async () => {
    const rig = salesforceRig();
    const { refs, mail } = await logged(rig);
    const { id } = await rig.session.put(mail, refs);
    rig.sandbox.actors.personDeletes("EmailMessage", id);
    expect(await rig.session.put(mail, refs)).toMatchObject({
      id,
      adopted: true,
      note: expect.stringContaining("not made again"),
    });
  });

  test.each(["<1@example.test>", "1@example.test"])(
    "a mail that a sync logged as %s is taken with its people, not doubled",
    async (messageId) => {
      const rig = salesforceRig();
      const { ref, refs, mail } = await logged(rig, { attachments: [filed("checking")] });
      const at = mail.at + 60_000;
      const id = rig.sandbox.actors.syncLogs({ messageId, from: "Ada@example.test", subject: "About the engine", at });
      const made = await rig.session.put(mail, refs);
      expect(made).toMatchObject({ id, adopted: true });
      expect(await rig.linksOf(id)).toEqual([ref.id]);
      expect(rig.record("EmailMessage", id)?.values).toMatchObject({ TextBody: "as the mailbox sync had it" });
      expect(await rig.session.find(mail, refs), "found by our key from now on, and not made by us").toMatchObject({
        id,
        ours: false,
      });
      expect((await rig.session.put(mail, refs)).id).toBe(id);
      const stored = fileStep(mail, [filed("stored")]);
      expect(
        (await rig.session.put(stored, new Map([...refs, [mail.key, { id, kind: "activity" }]]))).note,
      ).toBeUndefined();
      expect(await rig.count("activity")).toBe(1);
    },
  );

  test.each([
    ["of another sender", { from: "mallory@evil.test" }, {}],
    ["with another subject", { subject: "Your invoice" }, {}],
    ["of another day", { at: Date.UTC(2026, 9, 1) }, {}],
    ["while the id is in dispute", {}, { flags: ["message_id_conflict"] }],
  ])("a Message-ID alone takes nothing: %s, both are there", async (_, theirs, ours) => {
    const rig = salesforceRig();
    const { refs, mail } = await logged(rig, ours);
    const same = { messageId: "<1@example.test>", from: "ada@example.test", subject: mail.subject, at: mail.at };
    rig.sandbox.actors.syncLogs({ ...same, ...theirs });
    expect((await rig.session.put(mail, refs)).adopted).toBe(false);
    expect(await rig.count("activity")).toBe(2);
  });

  test("a lost answer to the taking of a synced mail heals to that mail", async () => {
    const rig = salesforceRig();
    const { refs, mail } = await logged(rig);
    const { at, subject } = mail;
    const id = rig.sandbox.actors.syncLogs({ messageId: "<1@example.test>", from: "ada@example.test", subject, at });
    rig.sandbox.faults.plan({ route: "EmailMessage.update", fault: { kind: "commit_then_drop" } });
    expect((await failureIn(() => rig.session.put(mail, refs))).kind).toBe("ambiguous");
    expect((await rig.session.find(mail, refs))?.id).toBe(id);
  });

  test("what is cut off between the taking of a synced mail and its people is made good", async () => {
    const rig = salesforceRig();
    const { ref, refs, mail } = await logged(rig);
    const { at, subject } = mail;
    const id = rig.sandbox.actors.syncLogs({ messageId: "<1@example.test>", from: "ada@example.test", subject, at });
    const body = [{ message: "unable to obtain exclusive access", errorCode: "UNABLE_TO_LOCK_ROW" }];
    rig.sandbox.faults.plan({ route: "EmailMessageRelation.create", fault: { kind: "status", status: 400, body } });
    expect((await failureIn(() => rig.session.put(mail, refs))).kind).toBe("retryable");
    expect(await rig.linksOf(id)).toEqual([]);
    for (let n = 0; n < 2; n++) expect(await rig.session.put(mail, refs)).toMatchObject({ id, adopted: true });
    expect(await rig.linksOf(id)).toEqual([ref.id]);
    expect(rig.sandbox.state().counts.EmailMessageRelation, "once").toBe(1);
  });

  test("a synced mail is not taken where our key is on another one already", async () => {
    const rig = salesforceRig();
    const { refs, mail } = await logged(rig);
    const { id } = await rig.session.put(mail, refs);
    const { at, subject } = mail;
    rig.sandbox.actors.syncLogs({ messageId: "<1@example.test>", from: "ada@example.test", subject, at });
    expect(await failureIn(() => rig.session.put(mail, refs))).toMatchObject({
      kind: "ambiguous",
      reason: expect.stringContaining("on another record already"),
    });
    expect((await rig.session.find(mail, refs))?.id, "which a look then finds").toBe(id);
  });

  test("the sender's HTML goes where the configuration says so", async () => {
    const rig = salesforceRig({}, { html: true });
    const { refs, mail } = await logged(rig);
    await rig.session.put(mail, refs);
    expect(String(live(rig, "EmailMessage")[0]?.values.HtmlBody)).toContain("<b>analytical</b>");
  });

  test("a text that is too long after all is sent once more with half of it, then it is a dead letter", async () => {
    const rig = salesforceRig();
    const { refs, mail } = await logged(rig, { text: "word ".repeat(20_000), html: null });
    const body = [{ message: "Text Body: data value too large", errorCode: "STRING_TOO_LONG", fields: ["TextBody"] }];
    const fault = { kind: "status", status: 400, body } as const;
    rig.sandbox.faults.plan({ route: "EmailMessage.create", fault });
    expect((await rig.session.put(mail, refs)).note).toContain("text cut to 16,000");
    rig.sandbox.faults.plan({ route: "EmailMessage.create", times: 2, fault });
    const other = { ...mail, key: keyOf("other"), message_id: "<9@example.test>" };
    expect((await failureIn(() => rig.session.put(other, refs))).reason).toContain("also with half the text");
  });

  test("a validation rule of the org is a dead letter in its words", async () => {
    const validationRules = [
      { object: "EmailMessage", field: "Subject", refuse: "engine", message: "No engines here" },
    ];
    const rig = salesforceRig({ validationRules });
    const { refs, mail } = await logged(rig);
    expect(await failureIn(() => rig.session.put(mail, refs))).toMatchObject({
      kind: "permanent",
      reason: expect.stringContaining("FIELD_CUSTOM_VALIDATION_EXCEPTION: No engines here (Subject)"),
    });
  });

  test("a row that is locked is tried again later", async () => {
    const rig = salesforceRig({ lockMs: 1_000 });
    const firm = company();
    const firmRef = await bring(rig.session, firm, none);
    const mail = (id: string) => activity([firm.key], { message_id: id });
    await rig.session.put(mail("<1@x.test>"), refsOf([firm, firmRef]));
    expect(await failureIn(() => rig.session.put(mail("<2@x.test>"), refsOf([firm, firmRef])))).toMatchObject({
      kind: "retryable",
      reason: expect.stringContaining("UNABLE_TO_LOCK_ROW"),
    });
    await rig.clock.advance(1_000);
    expect((await rig.session.put(mail("<2@x.test>"), refsOf([firm, firmRef]))).adopted).toBe(false);
  });
});

describe("an administrator at work", () => {
  test("without the package, or without its permission set, the lane is blocked and says what to deploy", async () => {
    for (const options of [{ prepared: false }, { permitted: false }]) {
      const rig = salesforceRig(options);
      expect(await failureIn(() => rig.session.put(person(), none))).toMatchObject({
        kind: "blocked",
        reason: expect.stringContaining("deploy/salesforce"),
      });
      const { findings } = await rig.session.check();
      const isHidden = "permitted" in options;
      expect(findings.filter(({ level }) => level === "problem").map(({ what }) => what)).toEqual(
        ["Contact", "Lead", "Account", "Opportunity", "EmailMessage"].map((object) =>
          isHidden && object !== "EmailMessage"
            ? expect.stringContaining(`this org shows no ${object}: deploy deploy/salesforce`)
            : `${object}.Mailwright_Key__c is missing, or the user may not set it`,
        ),
      );
      rig.sandbox.actors.adminDeploys();
      rig.sandbox.actors.adminPermits(true);
      expect((await rig.session.put(person(), none)).adopted, "and goes on as soon as it is there").toBe(false);
    }
  });

  test("a permission set that is taken away in mid-queue costs a retry, then blocks; no mail becomes a dead letter", async () => {
    const rig = salesforceRig();
    const step = person("bo@example.test", { as: "lead" });
    const lead = rig.sandbox.actors.personAddsLead({ Email: "cy@example.test", LastName: "C", Company: "Engines" });
    await rig.session.put(person(), none);
    rig.sandbox.actors.adminPermits(false);
    // As when it is taken away between the look and the write.
    rig.sandbox.faults.plan({ route: "Contact.query", fault: { kind: "status", status: 200, body: emptyAnswers } });
    expect((await failureIn(() => rig.session.put(step, none))).kind).toBe("retryable");
    for (let n = 0; n < 2; n++)
      expect(await failureIn(() => rig.session.put(step, none))).toMatchObject({
        kind: "blocked",
        reason: expect.stringContaining("permission set"),
      });
    rig.sandbox.actors.adminPermits(true);
    expect((await rig.session.find(person("cy@example.test"), none))?.id, "leads too, at once").toBe(lead);
    expect((await rig.session.put(step, none)).adopted).toBe(false);
  });

  test("a user who may see no leads works with contacts, and sees leads soon after he may", async () => {
    const rig = salesforceRig({ hidden: ["Lead"] });
    const { id } = await rig.session.put(person(), none);
    expect((await rig.session.find(person(), none))?.id).toBe(id);
    const body = { fields: [], recordTypeInfos: [] };
    const lead = await failureIn(() => rig.session.put(person("bo@example.test", { as: "lead" }), none));
    expect(lead).toMatchObject({ kind: "blocked", reason: expect.stringContaining("shows no Lead") });
    expect(await callsOf(rig, () => rig.session.find(person(), none))).not.toContain("Lead.unknown");
    rig.sandbox.faults.plan({ route: "Lead.unknown", fault: { kind: "status", status: 200, body } });
    await rig.clock.advance(600_000);
    expect(await callsOf(rig, () => failureIn(() => rig.session.find(person(), none)))).toContain("Lead.unknown");
  });

  test("a field that is deleted in mid-queue costs a retry, and the mail goes on without it", async () => {
    const rig = salesforceRig();
    const who = person();
    const refs = refsOf([who, await bring(rig.session, who, none)]);
    await rig.session.dedupe("activity");
    rig.sandbox.actors.adminDeletesField("EmailMessage", "Mailwright_Flags__c");
    const mail = activity([who.key], { flags: ["unverified"] });
    expect(await failureIn(() => rig.session.put(mail, refs))).toMatchObject({
      kind: "retryable",
      reason: expect.stringContaining("INVALID_FIELD"),
    });
    expect((await rig.session.put(mail, refs)).adopted).toBe(false);
    rig.sandbox.actors.adminDeletesField("EmailMessage", "Mailwright_Key__c");
    const next = { ...mail, flags: [], key: keyOf("next"), message_id: null };
    expect((await failureIn(() => rig.session.put(next, refs))).kind).toBe("retryable");
    expect(
      (await failureIn(() => rig.session.put(next, refs))).kind,
      "without the key nothing can be kept single",
    ).toBe("blocked");
  });

  test("an org without EmailMessage blocks and says what to turn on", async () => {
    const rig = salesforceRig({ enhancedEmail: false });
    expect(await failureIn(() => rig.session.put(activity([]), none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("Enhanced Email"),
    });
  });

  test("doctor finds nothing to say of an org that is ready", async () => {
    const { session } = salesforceRig();
    const { account, findings } = await session.check();
    expect(account).toMatch(/^00D/);
    expect(findings.filter(({ level }) => level !== "ok")).toEqual([]);
    expect(findings.at(-1)?.what).toMatch(/API calls of a day/);
  });
});

describe("signing in", () => {
  test("a session that ends in mid-queue is renewed, and the very call is made once", async () => {
    const rig = salesforceRig({ sessionMs: 1_000_000 });
    const who = person();
    const refs = refsOf([who, await bring(rig.session, who, none)]);
    await rig.clock.advance(1_000_001);
    await rig.session.put(activity([who.key]), refs);
    rig.sandbox.sessions.expireAll();
    await Promise.all(
      [1, 2, 3].map((n) => rig.session.put(activity([who.key], { message_id: `<${n + 1}@x.test>` }), refs)),
    );
    expect(await rig.count("activity")).toBe(4);
    expect(rig.sandbox.sessions.issued(), "one new session however many calls want it").toBe(3);
  });

  test.each(["This session is not valid for use with the REST API", "Connected app is not attached to Agent"])(
    "%s starts no loop of new sessions",
    async (message) => {
      const rig = salesforceRig();
      await rig.session.find(person(), none);
      rig.sandbox.faults.plan({
        route: "Contact.query",
        fault: { kind: "status", status: 401, body: [{ message, errorCode: "INVALID_SESSION_ID" }] },
      });
      expect((await failureIn(() => rig.session.find(person(), none))).kind).toBe("blocked");
      expect(rig.sandbox.sessions.issued()).toBe(1);
    },
  );

  test("a session that is refused as soon as it is got blocks", async () => {
    const rig = salesforceRig();
    const body = [{ message: "Session expired or invalid", errorCode: "INVALID_SESSION_ID" }];
    rig.sandbox.faults.plan({ route: "Contact.query", times: 2, fault: { kind: "status", status: 401, body } });
    expect((await failureIn(() => rig.session.find(person(), none))).kind).toBe("blocked");
    expect(rig.sandbox.sessions.issued()).toBe(2);
  });

  test("with a certificate: the assertion is signed, short, and for the right place", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const clock = manualClock();
    const app = { clientId: "3MVG9.jwt", runAs: false, publicKey, approved: ["robot@example.test"] };
    const sandbox = createSalesforceSandbox({ clock, options: { prepared: true, apps: [app] } });
    const auth = {
      client_id: app.clientId,
      client_secret: undefined,
      username: "robot@example.test",
      private_key: privateKey,
    };
    expect(await openSalesforce(sandbox, clock, auth).find(person(), none)).toBeUndefined();
    const refused = async (more: object): Promise<string> => {
      const session = openSalesforce(sandbox, clock, { ...auth, ...more });
      const failure = await failureIn(() => session.find(person(), none));
      expect(failure.kind).toBe("blocked");
      expect(failure.reason).not.toContain("PRIVATE KEY");
      return failure.reason;
    };
    expect(await refused({ username: "stranger@example.test" })).toContain("hasn't approved this consumer");
    expect(await refused({ audience: "https://test.salesforce.com" })).toContain("audience");
    expect(await refused({ client_id: "3MVG9.other" })).toContain("invalid_client_id");
    await refused({ private_key: "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n" });
  });

  test.each([
    [{}, "give client_secret, or username and private_key"],
    [{ client_secret: "x", private_key: "-----BEGIN PRIVATE KEY-----\n", username: "u" }, "not both"],
    [{ private_key: "-----BEGIN PRIVATE KEY-----\n" }, "give username"],
    [{ private_key: "salesforce.key", username: "u" }, "as PEM"],
    [{ client_secret: "two words" }, "printable word"],
  ])("settings %j are refused: %s", (given, words) => {
    expect(() => salesforce.settings.parse({ client_id: "x", ...given })).toThrow(words);
  });

  test("without a run-as user the app's secret opens nothing, and Salesforce's words say why", async () => {
    const rig = salesforceRig({ apps: [{ ...sandboxApp, runAs: false }] });
    expect(await failureIn(() => rig.session.find(person(), none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("no client credentials user enabled"),
    });
  });

  test("a token for an org at another place blocks and names that place", async () => {
    const rig = salesforceRig();
    const body = { access_token: "00D!x", instance_url: "https://acme.my.salesforce.com", token_type: "Bearer" };
    rig.sandbox.faults.plan({ route: "token.get", fault: { kind: "status", status: 200, body } });
    expect(await failureIn(() => rig.session.find(person(), none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("https://acme.my.salesforce.com"),
    });
    expect(baseUrl).not.toContain("acme");
  });
});

describe("the org's calls of a day", () => {
  test("what is left to other apps is not spent; after a while one call looks again", async () => {
    const rig = salesforceRig({ dailyCalls: 1_000 }, { daily_reserve_percent: 20 });
    await rig.session.find(person(), none);
    rig.sandbox.othersCall(798);
    await rig.session.find(person(), none);
    const now = rig.clock.now();
    const calls = rig.sandbox.log.length;
    expect(await failureIn(() => rig.session.find(person(), none))).toMatchObject({
      kind: "rate_limited",
      until: now + 900_000,
      reason: expect.stringContaining("daily_reserve_percent"),
    });
    expect(rig.sandbox.log.length).toBe(calls);
    await rig.clock.advance(900_000);
    expect(await rig.session.find(person(), none)).toBeUndefined();
    expect((await failureIn(() => rig.session.find(person(), none))).kind).toBe("rate_limited");
    await rig.clock.advance(24 * 3_600_000);
    for (let n = 0; n < 3; n++) expect(await rig.session.find(person(), none)).toBeUndefined();
  });

  test("an org that has spent its calls pauses the lane, and costs no mail", async () => {
    const rig = salesforceRig({ dailyCalls: 100 }, { daily_reserve_percent: 0 });
    rig.sandbox.othersCall(100);
    expect(await failureIn(() => rig.session.find(person(), none))).toMatchObject({
      kind: "rate_limited",
      until: rig.clock.now() + 900_000,
    });
  });

  test("a header that says nonsense changes nothing", () => {
    const usage = openUsage(10);
    for (const header of [undefined, "", "api-usage=x/5", "api-usage=5/0"]) usage.saw(header, 0);
    expect(() => usage.check(0)).not.toThrow();
  });
});
