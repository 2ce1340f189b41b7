import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pipedrive } from "../../src/destinations/pipedrive.ts";
import type { Refs } from "../../src/model/destination.ts";
import { bring, failureIn, vendorContract } from "./contract.ts";
import { activity, company, deal, filed, fileStep, keyOf, person, refsOf } from "./fixtures.ts";
import { openPipedrive, pipedriveRig } from "./pipedrive-rig.ts";

vendorContract("pipedrive", async () => pipedriveRig());
vendorContract("pipedrive, where deleted records cannot be read and lists show every participant", async () =>
  pipedriveRig({ activitiesOf: "participants", dailyHeaders: false, respellsNotes: false }),
);

const none: Refs = new Map();
const hour = 3_600_000;
const routes = (rig: ReturnType<typeof pipedriveRig>, from = 0): string[] =>
  rig.sandbox.log.slice(from).map(({ route }) => route);

describe("a person", () => {
  test("is found in whatever letters and made with name, address and how far the sender is trusted", async () => {
    const rig = pipedriveRig();
    const made = await bring(rig.session, person("Ada@Example.test", { flags: ["unverified"] }), none);
    expect(made.url).toBe(`https://acme-sandbox.pipedrive.com/person/${made.id}`);
    expect(rig.sandbox.state().persons[0]).toMatchObject({
      own: {
        name: "Ada Lovelace",
        emails: [{ value: "ada@example.test", primary: true, label: "work" }],
        owner_id: 11,
      },
      custom: { "Mailwright source": "email", "Mailwright flags": "unverified" },
    });
    await rig.clock.advance(hour);
    expect(await rig.session.find(person("ADA@example.test"), none)).toMatchObject({ id: made.id, ours: false });
    expect((await rig.session.find(person("Ada@Example.test"), none))?.ours).toBe(true);
  });

  test("without a name is called by its address, and a long name is cut and says so", async () => {
    const rig = pipedriveRig();
    await rig.session.put(person("bo@example.test", { name: null }), none);
    const long = await rig.session.put(person("cy@example.test", { name: `Cy ${"y".repeat(400)}` }), none);
    expect(long.note).toBe("name cut to 255 of 403 characters");
    expect(rig.sandbox.state().persons.map(({ own }) => String(own.name).length)).toEqual([15, 255]);
  });

  test("found by a search that does not know yet that the person is gone is not adopted", async () => {
    const rig = pipedriveRig({ searchLagMs: 600_000 });
    const ref = await bring(rig.session, person(), none);
    await rig.clock.advance(hour);
    rig.sandbox.actors.repDeletes("persons", Number(ref.id));
    expect(await rig.session.find(person(), none)).toBeUndefined();
    expect((await bring(rig.session, person(), none)).id).not.toBe(ref.id);
  });

  test("that a part of the address fits is another one", async () => {
    const rig = pipedriveRig({ searchLagMs: 0 });
    rig.sandbox.actors.repAddsPerson({ name: "My Self", email: "myself@example.test" });
    await rig.clock.advance(hour);
    expect(await rig.session.find(person("self@example.test"), none)).toBeUndefined();
  });

  test("known under another of the mapping's addresses is used, and said so", async () => {
    const rig = pipedriveRig({ searchLagMs: 0 });
    const id = rig.sandbox.actors.repAddsPerson({ name: "Ada", email: "countess@example.test" });
    await rig.clock.advance(hour);
    const found = await rig.session.find(person("ada@example.test", { also: ["countess@example.test"] }), none);
    expect(found).toMatchObject({ id: String(id), note: "known under another address of the same person" });
  });

  test("asked for as a lead gets one lead, and stands also where the lead cannot be made", async () => {
    const rig = pipedriveRig();
    const lead = await bring(rig.session, person("ada@example.test", { as: "lead" }), none);
    expect(lead.note).toBe("a lead was made for the new person");
    await bring(rig.session, person("ada@example.test", { as: "lead" }), none);
    rig.sandbox.faults.plan({
      route: "leads.create",
      fault: { kind: "status", status: 403, body: { success: false, error: "no" } },
    });
    const other = await bring(rig.session, person("bo@example.test", { as: "lead" }), none);
    expect(other.note).toMatch(/^no lead can be told to be made/);
    expect(rig.sandbox.state().counts).toMatchObject({ persons: 2, leads: 1 });
  });
});

describe("an organization", () => {
  test("is known by our key, once the search shows it and before", async () => {
    const rig = pipedriveRig();
    const made = await bring(rig.session, company(), none);
    expect(await bring(rig.session, company(), none)).toMatchObject({ id: made.id, ours: true });
    await rig.clock.advance(2 * hour);
    const later = openPipedrive(rig.sandbox, rig.clock);
    await rig.clock.advance(2 * hour);
    const from = rig.sandbox.log.length;
    expect((await later.find(company(), none))?.id).toBe(made.id);
    expect(routes(rig, from)).toEqual(["users.me", "organizationFields.list", "items.search", "organizations.get"]);
    expect(rig.sandbox.state().organizations[0]?.custom).toEqual({
      "Mailwright key": company().key,
      "Mailwright domain": "example.test",
    });
  });

  test("where a salesperson put a contact of the domain is the one, and a contact of another domain says nothing", async () => {
    const rig = pipedriveRig({ searchLagMs: 0 });
    const firm = rig.sandbox.actors.repAddsOrganization("Example GmbH & Co. KG");
    rig.sandbox.actors.repAddsPerson({ name: "Ada", email: "ada@example.test", orgId: firm });
    await rig.clock.advance(hour);
    const who = person();
    const refs = refsOf([who, await bring(rig.session, who, none)]);
    expect((await rig.session.find(company("other.test"), refs))?.id).toBeUndefined();
    expect(await bring(rig.session, company(), refs)).toMatchObject({ id: String(firm), adopted: true });
  });
});

describe("a link", () => {
  const linked = async (rig: ReturnType<typeof pipedriveRig>) => {
    const [who, firm] = [person(), company()];
    const [ref, firmRef] = [await bring(rig.session, who, none), await bring(rig.session, firm, none)];
    const step = { kind: "link", key: keyOf("link"), why: "test", from: who.key, to: firm.key } as const;
    return { ref, firmRef, step, refs: refsOf([who, ref], [firm, firmRef]) };
  };

  test("puts a person into its organization, where none is", async () => {
    const rig = pipedriveRig();
    const { step, refs, firmRef } = await linked(rig);
    await bring(rig.session, step, refs);
    await bring(rig.session, step, refs);
    expect(rig.sandbox.state().persons[0]?.links.organizations).toEqual([firmRef.id]);
    expect(routes(rig).filter((route) => route === "persons.update")).toHaveLength(1);
  });

  test("leaves a person in the organization where somebody put it, and says so", async () => {
    const rig = pipedriveRig();
    const { step, refs, ref } = await linked(rig);
    const theirs = rig.sandbox.actors.repAddsOrganization("Where she works");
    rig.sandbox.actors.repEdits("persons", Number(ref.id), { org_id: theirs });
    expect((await bring(rig.session, step, refs)).note).toMatch(/is on organization \d+ at Pipedrive already/);
    expect(rig.sandbox.state().persons[0]?.links.organizations).toEqual([String(theirs)]);
  });

  test("moves a mail from a deal of ours to another and back, and never from one that somebody chose", async () => {
    const rig = pipedriveRig();
    const who = person();
    const ref = await bring(rig.session, who, none);
    const [one, other] = [deal([who.key], "one"), deal([who.key], "other")];
    const refs = refsOf([who, ref]);
    const [oneRef, otherRef] = [await bring(rig.session, one, refs), await bring(rig.session, other, refs)];
    const all = refsOf([who, ref], [one, oneRef], [other, otherRef]);
    const mail = activity([who.key, one.key]);
    const mailRef = await bring(rig.session, mail, all);
    const every = refsOf([who, ref], [one, oneRef], [other, otherRef], [mail, mailRef]);
    const move = (kind: "link" | "unlink", to: string) =>
      bring(rig.session, { kind, key: keyOf(`${kind} ${to}`), why: "test", from: mail.key, to }, every);
    const deals = () => rig.sandbox.state().activities[0]?.links.deals;
    await move("link", other.key);
    await move("unlink", one.key);
    expect(deals()).toEqual([otherRef.id]);
    await move("link", one.key);
    await move("unlink", other.key);
    expect(deals()).toEqual([oneRef.id]);
    rig.sandbox.actors.repEdits("activities", Number(mailRef.id), { deal_id: Number(otherRef.id) });
    expect((await move("unlink", one.key)).id).toBe(mailRef.id);
    const third = { ...deal([who.key], "third") };
    const thirdRef = await bring(rig.session, third, refs);
    const note = await rig.session.put(
      { kind: "link", key: keyOf("third"), why: "test", from: mail.key, to: third.key },
      refsOf([mail, mailRef], [third, thirdRef]),
    );
    expect(note.note).toMatch(/already/);
    expect(deals()).toEqual([otherRef.id]);
    expect((await rig.session.find(mail, all))?.id, "its marker is still there").toBe(mailRef.id);
  });

  test("takes the first person off an activity, and the next is the first", async () => {
    const rig = pipedriveRig();
    const [who, other] = [person(), person("bo@example.test")];
    const [ref, otherRef] = [await bring(rig.session, who, none), await bring(rig.session, other, none)];
    const refs = refsOf([who, ref], [other, otherRef]);
    const made = await bring(rig.session, activity([who.key, other.key]), refs);
    await rig.session.unlink({ kind: "activity", id: made.id }, { kind: "person", id: ref.id });
    expect(rig.sandbox.state().activities[0]?.own).toMatchObject({
      participants: [{ person_id: Number(otherRef.id), primary: true }],
    });
    const next = { ...activity([other.key]) };
    expect((await rig.session.find(next, refs))?.id).toBe(made.id);
  });
});

describe("a logged mail", () => {
  const brought = async (rig: ReturnType<typeof pipedriveRig>, more: Parameters<typeof activity>[1] = {}) => {
    const who = person();
    const ref = await bring(rig.session, who, none);
    const mail = activity([who.key], more);
    return { mail, ref, made: await bring(rig.session, mail, refsOf([who, ref])), refs: refsOf([who, ref]) };
  };

  test("is a done activity of the e-mail type at the mail's own time, with who wrote to whom", async () => {
    const rig = pipedriveRig();
    const { ref } = await brought(rig);
    expect(rig.sandbox.state().activities[0]?.own).toMatchObject({
      subject: "About the engine",
      type: "email",
      done: true,
      due_date: "2026-11-24",
      due_time: "11:30:00",
      note: "Could you quote for one analytical engine?<p>From: Ada Lovelace &lt;ada@example.test&gt;<br />To: sales@acme.test</p>",
      public_description: `Mailwright: mail received; event 0193a0c0-0000-7000-8000-000000000001; [mw:${activity([]).key.slice(0, 16)}]`,
      participants: [{ person_id: Number(ref.id), primary: true }],
    });
  });

  test("holds no HTML of the sender's", async () => {
    const rig = pipedriveRig();
    await brought(rig, { text: "<script>alert(1)</script> & <b>bold</b>", subject: "" });
    const { note, subject } = rig.sandbox.state().activities[0]?.own ?? {};
    expect(note).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;");
    expect(subject).toBe("(no subject)");
  });

  test("whose text Pipedrive calls too long goes with half of it, and says so", async () => {
    const rig = pipedriveRig();
    const body = { success: false, error: "note is too long", code: "ERR_INVALID_INPUT" };
    rig.sandbox.faults.plan({ route: "activities.create", fault: { kind: "status", status: 400, body } });
    const { made } = await brought(rig, { text: "a".repeat(50_000), subject: "s".repeat(300) });
    expect(made.note).toBe("text cut to 30,000 of 50,000 characters; subject cut to 255 of 300 characters");
  });

  test("of two organizations is on the first, and says so", async () => {
    const rig = pipedriveRig();
    const [one, other] = [company(), company("other.test")];
    const [ref, otherRef] = [await bring(rig.session, one, none), await bring(rig.session, other, none)];
    const made = await bring(rig.session, activity([one.key, other.key]), refsOf([one, ref], [other, otherRef]));
    expect(made.note).toBe(`organization ${otherRef.id}: Pipedrive has room for one organization on an activity`);
  });

  test("on nobody is found again in the list of everything", async () => {
    const rig = pipedriveRig();
    rig.weather.loseAnswer("activity", "drop");
    expect((await failureIn(() => rig.session.put(activity([]), none))).kind).toBe("ambiguous");
    expect((await rig.session.find(activity([]), none))?.adopted).toBe(true);
  });

  test("is found again though notes of a megabyte are in the way", async () => {
    const rig = pipedriveRig();
    const who = person();
    const ref = await bring(rig.session, who, none);
    const refs = refsOf([who, ref]);
    const mails = Array.from({ length: 25 }, (_, n) =>
      activity([who.key], { message_id: `<${n}@x>`, text: "é".repeat(40_000) }),
    );
    for (const mail of mails) await rig.session.put(mail, refs);
    expect((await rig.session.find(mails[3] ?? activity([]), refs))?.adopted).toBe(true);
  });

  test("costs five tokens on a known person once the session is older than any Date can claim, and is looked for after a lost answer", async () => {
    const rig = pipedriveRig();
    const { refs } = await brought(rig);
    await rig.clock.advance(100 * hour);
    const at = rig.clock.now();
    const [from, before] = [rig.sandbox.log.length, rig.sandbox.state().tokens];
    const warm = activity([person().key], { message_id: "<warm@x>", at });
    await bring(rig.session, warm, refs);
    expect(routes(rig, from)).toEqual(["activities.create"]);
    expect(rig.sandbox.state().tokens - before).toBe(5);
    const lost = activity([person().key], { message_id: "<lost@x>", at });
    rig.weather.loseAnswer("activity", "status");
    expect((await failureIn(() => rig.session.put(lost, refs))).kind).toBe("ambiguous");
    expect((await rig.session.find(lost, refs))?.adopted).toBe(true);
  });

  test("that another process may have logged is found though this session knows nothing of it, whatever its clock says", async () => {
    const rig = pipedriveRig();
    const { refs } = await brought(rig);
    await rig.clock.advance(100 * hour);
    const mail = activity([person().key], { message_id: "<other@x>", at: rig.clock.now() });
    const made = await bring(openPipedrive(rig.sandbox, rig.clock), mail, refs);
    expect(await rig.session.find(mail, refs), "never tried here").toBeUndefined();
    expect((await rig.session.find(mail, refs, { sent: true }))?.id).toBe(made.id);
  });

  test("or a person made by another process a moment ago is found by a clock that is a day ahead", async () => {
    const rig = pipedriveRig({ searchLagMs: 900_000 });
    let aheadMs = 0;
    const clock = { ...rig.clock, now: () => rig.clock.now() + aheadMs };
    const session = openPipedrive(rig.sandbox, clock);
    await session.account();
    rig.weather.loseAnswer("person", "drop");
    expect((await failureIn(() => session.put(person(), none))).kind).toBe("ambiguous");
    aheadMs = 24 * hour;
    expect((await session.find(person(), none, { sent: true }))?.adopted).toBe(true);
    const firm = company();
    const made = await rig.session.put(firm, none);
    aheadMs = 48 * hour;
    expect((await session.put(firm, none)).id, "the list that proves it is asked for by Pipedrive's time").toBe(
      made.id,
    );
  });

  test("stays one where the customer's own mailbox sync has filed the same mail: no call of the API shows that", async () => {
    const rig = pipedriveRig();
    const who = person();
    const ref = await bring(rig.session, who, none);
    rig.sandbox.actors.mailboxSyncs({ personId: Number(ref.id), subject: "About the engine", at: rig.clock.now() });
    await bring(rig.session, activity([who.key]), refsOf([who, ref]));
    expect(rig.sandbox.state().counts).toMatchObject({ activities: 1, mails: 1 });
  });

  test("about a person who was merged away is refused, and the address leads to the survivor", async () => {
    const rig = pipedriveRig({ searchLagMs: 0 });
    const { mail, ref, made } = await brought(rig);
    const survivor = rig.sandbox.actors.repAddsPerson({ name: "Ada L.", email: "ada@example.test" });
    rig.sandbox.actors.repMergesPersons(survivor, Number(ref.id));
    await rig.clock.advance(hour);
    const refs = refsOf([person(), ref]);
    const next = activity([person().key], { message_id: "<next@x>" });
    expect((await failureIn(() => rig.session.put(next, refs))).kind).toBe("permanent");
    expect((await rig.session.read("person", ref.id))?.archived, "the pipeline forgets it").toBe(true);
    const found = await rig.session.find(person(), none);
    expect(found?.id).toBe(String(survivor));
    const now = refsOf([person(), { id: String(survivor) }]);
    expect((await rig.session.find(mail, now))?.id, "its mails went along").toBe(made.id);
  });
});

describe("a deal", () => {
  test("goes to the pipeline and stage of that name; a word for any stage is the first", async () => {
    const rig = pipedriveRig();
    const step = (pipeline: string | null, stage: string) => ({ ...deal([], stage), pipeline, stage });
    await rig.session.put(step("renewals", "offered"), none);
    await rig.session.put(step(null, "qualification"), none);
    expect(rig.sandbox.state().deals.map(({ own }) => [own.pipeline_id, own.stage_id])).toEqual([
      [2, 5],
      [1, 1],
    ]);
    const failure = await failureIn(() => rig.session.put(step(null, "Nowhere"), none));
    expect(failure).toMatchObject({ kind: "permanent", reason: expect.stringContaining('"Proposal Made"') });
    expect((await failureIn(() => rig.session.put(step("None", "Due"), none))).reason).toContain('"Renewals"');
  });

  test("over the plan's number blocks the lane in words", async () => {
    const rig = pipedriveRig({ openDeals: 0 });
    const failure = await failureIn(() => rig.session.put(deal([]), none));
    expect(failure.kind).toBe("blocked");
    expect(failure.reason).toMatch(/Open deals limit reached.*plan has no room/);
  });

  test("has the owner and the fields that a mapping asks for, where the company has them", async () => {
    const rig = pipedriveRig();
    const { actors } = rig.sandbox;
    actors.adminAddsField("deals", "Region", "enum", ["North", "South"]);
    actors.adminAddsField("deals", "Seats", "double");
    const fields = { Region: "south", seats: "12", "Mailwright key": "x", Nope: "1", value: "7" };
    const made = await rig.session.put({ ...deal([]), owner: "SAM@acme.test", fields }, none);
    expect(made.note).toBe(
      "Mailwright key is not a mapping's to set; Pipedrive has no field Nope of the company's own on deals; Pipedrive has no field value of the company's own on deals",
    );
    const record = rig.sandbox.state().deals[0];
    expect(record?.own.owner_id).toBe(12);
    expect(record?.custom).toMatchObject({ Region: expect.any(Number), Seats: 12, "Mailwright key": deal([]).key });
    const whole = await rig.session.read("deal", made.id, { fields: ["Seats", "Nope"] });
    expect(whole?.fields).toMatchObject({ Seats: "12", Nope: null, stage_id: "2" });
    expect((await rig.session.put({ ...deal([], "b"), owner: "gone@acme.test" }, none)).note).toMatch(/no user/);
  });
});

describe("our fields", () => {
  test("missing ones block the lane until doctor --fix has made them, once", async () => {
    const rig = pipedriveRig({ prepared: false });
    const failure = await failureIn(() => rig.session.put(person(), none));
    expect(failure).toMatchObject({ kind: "blocked", reason: expect.stringContaining("doctor --fix") });
    const before = await rig.session.check();
    expect(before.findings.filter(({ fixable }) => fixable === true)).toHaveLength(6);
    expect(await rig.session.fix?.()).toHaveLength(6);
    expect(await rig.session.fix?.()).toEqual([]);
    expect((await rig.session.check()).findings.map(({ level }) => level)).not.toContain("problem");
    expect((await rig.session.put(person(), none)).adopted).toBe(false);
  });

  test("made by another process let the lane go on", async () => {
    const rig = pipedriveRig({ prepared: false });
    expect((await failureIn(() => rig.session.put(person(), none))).kind).toBe("blocked");
    await openPipedrive(rig.sandbox, rig.clock).fix?.();
    expect((await rig.session.put(person(), none)).adopted).toBe(false);
  });

  test("that an administrator deletes are asked for anew, and then block the lane", async () => {
    const rig = pipedriveRig();
    await rig.session.put(deal([]), none);
    rig.sandbox.actors.adminDeletesField("deals", "Mailwright key");
    const next = deal([], "next");
    expect((await failureIn(() => rig.session.put(next, none))).kind).toBe("retryable");
    expect((await failureIn(() => rig.session.put(next, none))).kind).toBe("blocked");
    expect(rig.sandbox.state().counts.deals).toBe(1);
  });

  test("of the mapping's that an administrator deletes heal at the next try: the mail goes without, and says so", async () => {
    const rig = pipedriveRig();
    rig.sandbox.actors.adminAddsField("deals", "Region", "varchar");
    const wish = (name: string) => ({ ...deal([], name), fields: { Region: "South" } });
    expect((await rig.session.put(wish("one"), none)).note).toBeUndefined();
    rig.sandbox.actors.adminDeletesField("deals", "Region");
    expect((await failureIn(() => rig.session.put(wish("two"), none))).kind).toBe("retryable");
    expect((await rig.session.put(wish("two"), none)).note).toMatch(/no field Region/);
    expect(rig.sandbox.state().counts.deals).toBe(2);
  });

  test("that an administrator deletes cost no mail of those that are under way together, nor one that comes late", async () => {
    const rig = pipedriveRig();
    const code = rig.sandbox.actors.adminAddsField("deals", "Region", "varchar");
    const wish = (name: string) => ({ ...deal([], name), fields: { Region: "South" } });
    await rig.session.put(wish("one"), none);
    rig.sandbox.actors.adminDeletesField("deals", "Region");
    const together = ["two", "three", "four"].map(
      async (name) => await failureIn(() => rig.session.put(wish(name), none)),
    );
    expect((await Promise.all(together)).map(({ kind }) => kind)).toEqual(["retryable", "retryable", "retryable"]);
    // One whose body was made before, and that waited in line for so long.
    const body = { success: false, error: `custom_fields.${code}: unknown custom field`, code: "ERR_INVALID_INPUT" };
    rig.sandbox.faults.plan({ route: "deals.create", fault: { kind: "status", status: 400, body } });
    expect((await failureIn(() => rig.session.put(wish("five"), none))).kind).toBe("retryable");
    expect((await rig.session.put(wish("two"), none)).note).toMatch(/no field Region/);
  });

  test("that are there and refuse a value are a dead letter, not a field that is gone", async () => {
    const rig = pipedriveRig();
    const code = rig.sandbox.actors.adminAddsField("deals", "Region", "varchar");
    const wish = { ...deal([]), fields: { Region: "South" } };
    await rig.session.put(deal([], "first"), none);
    const body = { success: false, error: `custom_fields.${code}: not in this order`, code: "ERR_INVALID_INPUT" };
    rig.sandbox.faults.plan({ route: "deals.create", fault: { kind: "status", status: 400, body } });
    expect((await failureIn(() => rig.session.put(wish, none))).kind).toBe("permanent");
  });

  test("that are deleted where Pipedrive just leaves the value out are noticed at the next record", async () => {
    const rig = pipedriveRig({ unknownField: "ignore" });
    await rig.session.put(deal([]), none);
    rig.sandbox.actors.adminDeletesField("deals", "Mailwright key");
    await rig.session.put(deal([], "next"), none);
    expect((await failureIn(() => rig.session.put(deal([], "third"), none))).kind).toBe("blocked");
  });

  test("that are there twice are named, and a user who may not make them is told", async () => {
    const rig = pipedriveRig();
    rig.sandbox.actors.adminAddsField("deals", "mailwright key", "varchar");
    expect((await failureIn(() => rig.session.put(deal([]), none))).reason).toMatch(/has 2 fields "Mailwright key"/);
    const other = pipedriveRig({ prepared: false, tokens: { "pipedrive-sandbox-0000": 12 } });
    const findings = (await other.session.fix?.()) ?? [];
    expect(findings).toHaveLength(6);
    expect(findings[0]).toMatchObject({ level: "problem", mend: expect.stringContaining("administrator") });
  });
});

describe("the account", () => {
  test("of another company is refused, and doctor names a missing activity type", async () => {
    const rig = pipedriveRig({}, { company_id: "1" });
    expect((await failureIn(() => rig.session.account())).reason).toContain("company_id says 1");
    const other = pipedriveRig({ activityTypes: ["call", "mail"] });
    const { findings, account } = await other.session.check();
    expect(account).toBe("7000001");
    expect(findings.at(-1)).toMatchObject({ level: "problem", what: expect.stringContaining("it has call, mail") });
  });

  test("whose tokens of the day run out waits for the reset, and starts again", async () => {
    const rig = pipedriveRig({ limits: { burst: 1_000, searches: 1_000, dailyTokens: 100 } });
    let failure = { kind: "none" } as { kind: string; until?: number };
    for (let n = 0; failure.kind === "none"; n++)
      await bring(rig.session, person(`p${n}@example.test`), none).catch(async (error: unknown) => {
        failure = await failureIn(() => Promise.reject(error));
      });
    expect(failure).toMatchObject({ kind: "rate_limited", until: Date.UTC(2026, 10, 25) });
    await rig.clock.advance(12 * hour + 1_000);
    await bring(rig.session, person(), none);
  });

  test("leaves others what reserve_tokens says", async () => {
    const rig = pipedriveRig({ limits: { burst: 1_000, searches: 1_000, dailyTokens: 200 } }, { reserve_tokens: 140 });
    await bring(rig.session, person(), none);
    const failure = await failureIn(() => bring(rig.session, person("bo@example.test"), none));
    expect(failure).toMatchObject({ kind: "rate_limited", until: rig.clock.now() + hour });
    await rig.clock.advance(13 * hour);
    await bring(rig.session, person("bo@example.test"), none);
  });
});

describe("what a mail costs, as docs/crm/pipedrive.md says", () => {
  const page = readFileSync(new URL("../../docs/crm/pipedrive.md", import.meta.url), "utf8");
  /** A session that is older than any Date can claim, and has asked for all that it asks once. */
  const settled = async () => {
    const rig = pipedriveRig();
    await rig.clock.advance(100 * hour);
    const who = person("first@example.test");
    const refs = refsOf([who, await bring(rig.session, who, none)]);
    await bring(rig.session, company("first.test"), refs);
    await bring(rig.session, deal([who.key], "first"), refs);
    let before = rig.sandbox.state().tokens;
    const cost = async (what: string, work: () => Promise<unknown>, row: string) => {
      await work();
      const now = rig.sandbox.state().tokens;
      const said = new RegExp(`^\\| ${row}[^\\n]* \\| (\\d+) \\|$`, "m").exec(page)?.[1];
      expect(now - before, what).toBe(Number(said));
      before = now;
    };
    const resettle = () => {
      before = rig.sandbox.state().tokens;
    };
    return { rig, cost, resettle, at: rig.clock.now() };
  };

  test("by its kind", async () => {
    const { rig, cost, at } = await settled();
    const { session } = rig;
    const who = person();
    let refs: Refs = none;
    const mail = activity([who.key], { at, attachments: [filed("checking")] });
    await cost(
      "an unknown sender",
      async () => {
        refs = refsOf([who, await bring(session, who, none)]);
        refs = new Map([...refs, ...refsOf([mail, await bring(session, mail, refs)])]);
      },
      "first of an unknown sender",
    );
    await cost(
      "a reply",
      () => bring(session, activity([who.key], { at, message_id: "<2@x>" }), refs),
      "of a known sender",
    );
    const stored = fileStep(mail, [filed("stored")]);
    await cost("files", () => bring(session, stored, refs), "a change of its files");
    await cost(
      "organization and deal",
      async () => {
        const [other, firm] = [person("bo@other.test"), company("other.test")];
        const [ref] = [await bring(session, other, none)];
        const firmRef = await bring(session, firm, refsOf([other, ref]));
        const link = { kind: "link", key: keyOf("l"), why: "test", from: other.key, to: firm.key } as const;
        const both = refsOf([other, ref], [firm, firmRef]);
        await bring(session, link, both);
        const chance = deal([other.key, firm.key], "other");
        const all = refsOf([other, ref], [firm, firmRef], [chance, await bring(session, chance, both)]);
        await bring(session, activity([other.key, firm.key, chance.key], { at, message_id: "<3@x>" }), all);
      },
      "\\.\\.\\. with organization and deal",
    );
  });

  test("in the first two days after the start", async () => {
    const { rig, cost, resettle } = await settled();
    const who = person("first@example.test");
    const [old] = rig.sandbox.state().persons;
    const refs = refsOf([who, { id: old?.id ?? "" }]);
    const early = activity([who.key], { at: rig.clock.now() - 60 * hour, message_id: "<early@x>" });
    const again = activity([who.key], { at: rig.clock.now() - 60 * hour, message_id: "<again@x>" });
    await cost("nothing", async () => undefined, "a duplicate");
    // Nothing is known of this person's list any more.
    await bring(rig.session, early, refs);
    resettle();
    await cost("an old mail", () => bring(rig.session, again, refs), "\\.\\.\\. in the first two days");
  });
});

describe("what is there now", () => {
  test("is read with all that stands on it, whichever end it hangs on", async () => {
    const rig = pipedriveRig();
    const [who, firm] = [person(), company()];
    const [ref, firmRef] = [await bring(rig.session, who, none), await bring(rig.session, firm, none)];
    const chance = deal([who.key, firm.key]);
    const refs = refsOf([who, ref], [firm, firmRef]);
    const chanceRef = await bring(rig.session, chance, refs);
    const all = refsOf([who, ref], [firm, firmRef], [chance, chanceRef]);
    const mailRef = await bring(rig.session, activity([who.key, firm.key, chance.key]), all);
    const links = async (kind: "person" | "company" | "deal" | "activity", id: string) =>
      [...((await rig.session.read(kind, id, { fields: [] }))?.links ?? [])].sort();
    const [p, c, d, a] = [
      `person:${ref.id}`,
      `company:${firmRef.id}`,
      `deal:${chanceRef.id}`,
      `activity:${mailRef.id}`,
    ];
    expect(await links("activity", mailRef.id)).toEqual([c, d, p].sort());
    expect(await links("person", ref.id)).toEqual([a, d].sort());
    expect(await links("deal", chanceRef.id)).toEqual([a, c, p].sort());
    expect(await links("company", firmRef.id)).toEqual([a, d].sort());
    expect(await rig.session.read("person", "../deals/1")).toBeUndefined();
  });

  test("files are brought up to date in a note that Pipedrive spelled its own way", async () => {
    const rig = pipedriveRig();
    const who = person();
    const ref = await bring(rig.session, who, none);
    const mail = activity([who.key], { attachments: [filed("checking", { filename: "it's <b>.pdf" })] });
    const mailRef = await bring(rig.session, mail, refsOf([who, ref]));
    const stored = fileStep(mail, [filed("stored", { filename: "it's <b>.pdf" })]);
    expect((await rig.session.put(stored, refsOf([mail, mailRef]))).note).toBeUndefined();
    expect(await rig.filesOf(mailRef.id)).toMatch(/it's &lt;b&gt;.pdf \(application\/pdf, 12,345 bytes\): https:/);
  });

  test("facts follow the settings", () => {
    const own = pipedrive.settings.parse({ token: "x", calls_per_2_seconds: 90, search_lag_ms: 5, late_commit_ms: 6 });
    expect(pipedrive.factsFor?.(own)).toMatchObject({ searchLagMs: 5, lateCommitMs: 6 });
    expect(pipedrive.factsFor?.(own).limits[0]).toMatchObject({ calls: 90, perMs: 2_000, fixed: true });
    expect(pipedrive.reach(own)).toEqual({ baseUrl: "https://api.pipedrive.com", headers: { "x-api-token": "x" } });
  });
});
