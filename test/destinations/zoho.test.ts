import { describe, expect, test } from "vitest";
import { hostsOf, ownApi } from "../../src/destinations/zoho/hosts.ts";
import { zoho } from "../../src/destinations/zoho.ts";
import type { Refs } from "../../src/model/destination.ts";
import type { WireRequest } from "../../src/model/wire.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import { createZohoSandbox, sandboxClient } from "../../src/sandbox/zoho.ts";
import { bring, failureIn, vendorContract } from "./contract.ts";
import { activity, company, deal, filed, keyOf, manualClock, person, portsFor, refsOf } from "./fixtures.ts";
import { openZoho, pipelines, zohoRig } from "./zoho-rig.ts";

vendorContract("Zoho", async () => zohoRig());
vendorContract("Zoho without unique fields", async () => zohoRig({ uniqueFields: false }));
vendorContract("Zoho that names no duplicates, refuses rows under 202 and ignores strange fields", async () =>
  zohoRig({ duplicateNamesId: false, refusedStatus: 202, unknownFields: "ignore" }),
);

const none = new Map();

describe("people at Zoho", () => {
  test("a new contact carries address, names, key and flags, and a surname always", async () => {
    const { session, sandbox } = zohoRig();
    await session.put(person("Ada@Example.test", { flags: ["unverified"] }), none);
    await session.put(person("bo@example.test", { name: "Bo" }), none);
    await session.put(person("no-name@example.test", { name: null }), none);
    const [ada, bo, anon] = sandbox.state().Contacts.map(({ values }) => values);
    expect(ada).toEqual({
      First_Name: "Ada",
      Last_Name: "Lovelace",
      Email: "ada@example.test",
      Mailwright_Key: keyOf("person:Ada@Example.test"),
      Mailwright_Flags: "unverified",
    });
    expect([bo?.First_Name, bo?.Last_Name, anon?.Last_Name]).toEqual([undefined, "Bo", "no-name@example.test"]);
  });

  test("a lead is found where there is no contact, and made where the mapping wants leads", async () => {
    const { session, sandbox } = zohoRig();
    const eve = sandbox.actors.personAdds("Leads", { Last_Name: "Eve", Email: "eve@example.test", Company: "E" });
    expect(await session.find(person("eve@example.test"), none)).toMatchObject({ id: `Leads/${eve}`, adopted: true });
    const made = await session.put(person("ada@example.test", { as: "lead" }), none);
    expect(made.id).toMatch(/^Leads\/\d+$/);
    expect(sandbox.state().Leads.at(-1)?.values).toMatchObject({ Company: "example.test", Last_Name: "Lovelace" });
    expect(await session.read("person", made.id)).toMatchObject({ id: made.id, fields: { email: "ada@example.test" } });
  });

  test("a converted lead reads as gone, and its address leads to the contact", async () => {
    const { session, sandbox } = zohoRig();
    const step = person("ada@example.test", { as: "lead" });
    const lead = await session.put(step, none);
    const contact = sandbox.actors.personConverts(lead.id.slice("Leads/".length));
    expect((await session.read("person", lead.id))?.archived).toBe(true);
    expect((await session.find(step, none))?.id).toBe(contact);
    const failure = await failureIn(() => session.put(activity([step.key]), refsOf([step, lead])));
    expect(failure.kind, "the pipeline then asks for the person again").toBe("permanent");
  });

  test("an index that lags doubles nobody: the key of the first refuses the second, which is adopted", async () => {
    const { session, sandbox } = zohoRig({ coqlLags: true });
    const first = await session.put(person(), none);
    expect(await session.put(person(), none)).toMatchObject({ id: first.id, adopted: true });
    expect(sandbox.state().counts.Contacts).toBe(1);
  });

  test("where no key is unique, what this session made is known while the index lags", async () => {
    const { session, sandbox, clock } = zohoRig({ coqlLags: true, uniqueFields: false });
    const first = await session.put(person(), none);
    expect((await session.find(person(), none))?.id).toBe(first.id);
    await clock.advance(61_000);
    expect((await session.find(person(), none))?.id).toBe(first.id);
    expect(sandbox.state().counts.Contacts).toBe(1);
    expect(await session.dedupe("person")).toEqual({ tier: "key-readback", absenceProvable: false });
  });

  test("people are kept single by a key only where leads are too", async () => {
    const { session, sandbox } = zohoRig({}, { allow_missing_fields: true });
    sandbox.actors.adminDeletesField("Leads", "Mailwright_Key");
    expect(await session.dedupe("person")).toEqual({ tier: "key-readback", absenceProvable: false });
    expect(await zohoRig().session.dedupe("person")).toEqual({ tier: "unique-key", absenceProvable: true });
  });

  test("an address that a query would have to quote is looked for by search", async () => {
    const { session, sandbox, clock } = zohoRig();
    const id = sandbox.actors.personAdds("Contacts", { Last_Name: "O'Brien", Email: "o'brien@example.test" });
    await clock.advance(60_000);
    expect((await session.find(person("O'Brien@example.test"), none))?.id).toBe(id);
    expect(sandbox.log.some(({ route }) => route === "Contacts.search")).toBe(true);
  });

  test("an address that Zoho itself keeps single leads to whoever has it", async () => {
    const { session, sandbox } = zohoRig({ emailUnique: true, coqlLags: true });
    const id = sandbox.actors.personAdds("Contacts", { Last_Name: "L", Email: "ada@example.test" });
    expect(await session.put(person(), none)).toMatchObject({ id, adopted: true });
  });

  test("one person with several addresses is found by any of them", async () => {
    const { session, sandbox } = zohoRig();
    const id = sandbox.actors.personAdds("Contacts", {
      Last_Name: "L",
      Email: "x@y.test",
      Secondary_Email: "ada@home.test",
    });
    const step = person("ada@example.test", { also: ["ada@home.test"] });
    expect(await session.find(step, none)).toMatchObject({ id, note: expect.stringContaining("another address") });
  });
});

describe("a field that a customer made unique", () => {
  const taken = (module: string, api_name: string, id: string) => ({
    kind: "status" as const,
    status: 400,
    body: {
      data: [
        {
          code: "DUPLICATE_DATA",
          details: {
            api_name,
            json_path: `$.data[0].${api_name}`,
            duplicate_record: { id, module: { api_name: module } },
          },
          message: "duplicate data",
          status: "error",
        },
      ],
    },
  });

  test("makes nobody else's record ours: the step is refused and says which field", async () => {
    const { session, sandbox } = zohoRig();
    const who = person();
    const ref = await session.put(who, none);
    const strangers = {
      Contacts: { Last_Name: "S", Phone: "1", Email: "stranger@example.test" },
      Accounts: { Account_Name: "S", Website: "other.test" },
      Deals: { Deal_Name: "S", Stage: "Qualification", Closing_Date: "2026-12-01" },
    } as const;
    const steps = [
      ["Contacts", "Phone", person("new@example.test"), none],
      ["Accounts", "Account_Name", company("firm.test"), none],
      ["Deals", "Deal_Name", deal([who.key]), refsOf([who, ref])],
    ] as const;
    for (const [module, field, step, refs] of steps) {
      const id = sandbox.actors.personAdds(module, strangers[module]);
      sandbox.faults.plan({ route: `${module}.create`, fault: taken(module, field, id) });
      expect(await failureIn(() => session.put(step, refs)), module).toEqual({
        kind: "permanent",
        reason: `another record has the same ${field}: ${module} ${id}`,
      });
    }
  });

  test("is adopted by where it is the record that we made, or one that the step's addresses or domain lead to", async () => {
    const { session, sandbox } = zohoRig();
    const step = person();
    const add = (module: "Contacts" | "Accounts", values: Record<string, string>) => {
      const id = sandbox.actors.personAdds(module, values);
      sandbox.faults.plan({ route: `${module}.create`, fault: taken(module, "Phone", id) });
      return id;
    };
    // Moved to another address since.
    const own = add("Contacts", { Last_Name: "L", Email: "moved@example.test", Mailwright_Key: step.key });
    expect(await session.put(step, none)).toMatchObject({ id: own, adopted: true, ours: true });
    const late = add("Accounts", { Account_Name: "Firm", Website: "https://www.firm.test/" });
    expect(await session.put(company("firm.test"), none)).toMatchObject({ id: late, adopted: true, ours: false });
  });

  test("is refused where Zoho does not name the record either", async () => {
    const { session, sandbox } = zohoRig();
    sandbox.faults.plan({ route: "Contacts.create", fault: taken("Contacts", "Phone", "") });
    const failure = await failureIn(() => session.put(person(), none));
    expect(failure).toEqual({ kind: "permanent", reason: "another record has the same Phone" });
  });
});

test("what is found says whether it carries our key", async () => {
  const { session, sandbox } = zohoRig();
  const steps = [person(), company()] as const;
  for (const step of steps) await session.put(step, none);
  for (const step of steps) expect((await session.find(step, none))?.ours, step.kind).toBe(true);
  sandbox.actors.personAdds("Contacts", { Last_Name: "Bo", Email: "bo@example.test" });
  expect((await session.find(person("bo@example.test"), none))?.ours).toBe(false);
});

describe("accounts and deals at Zoho", () => {
  test("an account is found by its website, however that is written, and not by one that only contains it", async () => {
    const { session, sandbox } = zohoRig();
    sandbox.actors.personAdds("Accounts", { Account_Name: "Other", Website: "https://not-example.test" });
    const id = sandbox.actors.personAdds("Accounts", { Account_Name: "E", Website: "https://www.Example.test/en" });
    expect((await session.find(company(), none))?.id).toBe(id);
  });

  test("a deal has its contact, its account, its date and the roles of the others", async () => {
    const { session, sandbox } = zohoRig({}, { closing_days: 10 });
    const [one, two, firm] = [person(), person("bo@example.test"), company()];
    const pairs = [
      [one, await session.put(one, none)],
      [two, await session.put(two, none)],
      [firm, await session.put(firm, none)],
    ] as const;
    await session.put(deal([one.key, two.key, firm.key]), refsOf(...pairs));
    const made = sandbox.state().Deals[0];
    expect(made?.values).toMatchObject({
      Pipeline: "Standard (Standard)",
      Stage: "appointmentscheduled",
      Closing_Date: "2026-12-04",
      Contact_Name: { id: pairs[0][1].id },
      Account_Name: { id: pairs[2][1].id },
    });
    expect(made?.roles).toEqual([pairs[1][1].id]);
  });

  test.each([
    ["no such stage", null, 'has no stage "no such stage"; it has "Qualification"'],
    ["appointmentscheduled", "Other", 'has no pipeline "Other"; it has "Standard (Standard)", "Renewals"'],
    ["appointmentscheduled", "renewals", 'pipeline "Renewals" has no stage "appointmentscheduled"; it has "Due"'],
  ])("%s in %s is a dead letter that names what there is", async (stage, pipeline, words) => {
    const { session } = zohoRig();
    const step = { ...deal([]), stage, pipeline };
    const failure = await failureIn(() => session.put(step, none));
    expect(failure.kind).toBe("permanent");
    expect(failure.reason).toContain(words);
  });

  test("a name over the field's length is cut, and the ref says so", async () => {
    const { session, sandbox } = zohoRig();
    const ref = await session.put(deal([], "x".repeat(300)), none);
    expect(ref.note).toBe("Deal_Name cut to 120 of 300 characters");
    expect(String(sandbox.state().Deals[0]?.values.Deal_Name)).toHaveLength(120);
  });

  test("a contact's account that a person chose is left as it is; an empty one is filled", async () => {
    const { session, sandbox } = zohoRig();
    const step = person();
    const ref = await session.put(step, none);
    const firm = company();
    const firmRef = await session.put(firm, none);
    const ends = [
      { kind: "person", id: ref.id },
      { kind: "company", id: firmRef.id },
    ] as const;
    await session.link(...ends);
    expect(sandbox.state().Contacts[0]?.values.Account_Name).toEqual({ id: firmRef.id });
    const chosen = sandbox.actors.personAdds("Accounts", { Account_Name: "Chosen" });
    sandbox.actors.personEdits("Contacts", ref.id, { Account_Name: { id: chosen } });
    const link = { kind: "link", key: keyOf("l"), why: "test", from: step.key, to: firm.key } as const;
    const done = await session.put(link, refsOf([step, ref], [firm, firmRef]));
    expect(done.note).toContain("left as it is");
    expect(sandbox.state().Contacts[0]?.values.Account_Name).toEqual({ id: chosen });
    await session.unlink(...ends);
    expect(sandbox.state().Contacts[0]?.values.Account_Name).toEqual({ id: chosen });
  });
});

describe("mails at Zoho", () => {
  const ready = async (options = {}, settings = {}) => {
    const rig = zohoRig(options, settings);
    const who = person();
    const ref = await rig.session.put(who, none);
    return { ...rig, who, ref, refs: refsOf([who, ref]) };
  };

  test("one call logs a mail on its contact, with time, direction, parties and what is for audit", async () => {
    const { session, sandbox, who, ref, refs } = await ready();
    const before = sandbox.state().credits;
    await session.put(activity([who.key], { flags: ["unverified"] }), refs);
    expect(sandbox.state().credits - before).toBe(1);
    const mail = sandbox.state().Emails[0];
    expect(mail).toMatchObject({
      original: "<1@example.test>",
      at: Date.UTC(2026, 10, 24, 11, 30),
      sent: false,
      from: "ada@example.test",
      to: ["sales@acme.test"],
      on: [`Contacts/${ref.id}`],
    });
    expect(mail?.content).toContain("[Mailwright event 0193a0c0-0000-7000-8000-000000000001, unverified] [mw:");
  });

  test("a deal is linked in the same call", async () => {
    const { session, sandbox, who, ref, refs } = await ready();
    const chance = deal([who.key]);
    const all = refsOf([who, ref], [chance, await session.put(chance, refs)]);
    const before = sandbox.state().credits;
    await session.put(activity([who.key, chance.key]), all);
    expect(sandbox.state().credits - before).toBe(1);
    expect(sandbox.state().Emails[0]).toMatchObject({ times: [1, 1] });
  });

  test("where Zoho knows no linked record, the deal gets a call of its own, and that is learnt once", async () => {
    const { session, sandbox, who, ref, refs } = await ready({ linkedRecord: "unknown" });
    const chance = deal([who.key]);
    const chanceRef = await session.put(chance, refs);
    const all = refsOf([who, ref], [chance, chanceRef]);
    await session.put(activity([who.key, chance.key]), all);
    const before = sandbox.state().credits;
    await session.put(activity([who.key, chance.key], { message_id: "<2@x.test>" }), all);
    expect(sandbox.state().credits - before).toBe(2);
    for (const { on } of sandbox.state().Emails) expect(on).toEqual([`Contacts/${ref.id}`, `Deals/${chanceRef.id}`]);
  });

  test("a deal that was deleted refuses the mail for good, so that the pipeline asks for it again; the next deal is linked as ever", async () => {
    const { session, sandbox, who, ref, refs } = await ready();
    const chance = deal([who.key]);
    const gone = await session.put(chance, refs);
    sandbox.actors.personDeletes("Deals", gone.id);
    const mail = activity([who.key, chance.key]);
    expect((await failureIn(() => session.put(mail, refsOf([who, ref], [chance, gone])))).kind).toBe("permanent");
    expect((await session.read("deal", gone.id))?.archived).toBe(true);
    const again = await session.put(chance, refs);
    expect(again.id).not.toBe(gone.id);
    await session.put(mail, refsOf([who, ref], [chance, again]));
    expect(sandbox.state().Emails[0]?.on).toEqual([`Contacts/${ref.id}`, `Deals/${again.id}`]);
    const before = sandbox.state().credits;
    await session.put(
      activity([who.key, chance.key], { message_id: "<2@x.test>" }),
      refsOf([who, ref], [chance, again]),
    );
    expect(sandbox.state().credits - before, "still linked in one call").toBe(1);
  });

  test("a contact that was deleted refuses the mail for good, and its address is a new contact then", async () => {
    const { session, sandbox, who, ref, refs } = await ready();
    sandbox.actors.personDeletes("Contacts", ref.id);
    expect((await failureIn(() => session.put(activity([who.key]), refs))).kind).toBe("permanent");
    expect((await session.read("person", ref.id))?.archived).toBe(true);
    expect(await session.find(who, none)).toBeUndefined();
    expect((await session.put(who, none)).id).not.toBe(ref.id);
  });

  test("a mail of long ago gets a deal where it has none, and keeps the one that it has", async () => {
    const { sandbox, clock, session: first, who, ref, refs } = await ready();
    const mail = await first.put(activity([who.key]), refs);
    const deals = [await first.put(deal([who.key]), refs), await first.put(deal([who.key], "Other"), refs)];
    // A session that did not log it: the daemon was started again.
    const session = openZoho(sandbox, clock);
    const linked = async (at: number) =>
      await session.link({ kind: "activity", id: mail.id }, { kind: "deal", id: deals[at]?.id ?? "" });
    await linked(0);
    await linked(0);
    expect(sandbox.state().Emails[0]?.on).toEqual([`Contacts/${ref.id}`, `Deals/${deals[0]?.id}`]);
    expect((await failureIn(() => linked(1))).kind).toBe("permanent");
  });

  test("where Zoho wants a linked record, a mail without a deal is linked with its own, and that is learnt once", async () => {
    const { session, sandbox, who, ref, refs } = await ready({ linkedRecord: "required" });
    await session.put(activity([who.key]), refs);
    const before = sandbox.state().credits;
    await session.put(activity([who.key], { message_id: "<2@x.test>" }), refs);
    expect(sandbox.state().credits - before).toBe(1);
    for (const { on } of sandbox.state().Emails) expect(on).toEqual([`Contacts/${ref.id}`]);
  });

  test("where Zoho takes a mail once for all records, the ref says where it is not", async () => {
    const { session, who, ref, refs, sandbox } = await ready({ mailKey: "org" });
    const firm = company();
    const all = refsOf([who, ref], [firm, await session.put(firm, refs)]);
    const made = await session.put(activity([who.key, firm.key]), all);
    expect(made.note).toMatch(/keeps this mail on one record: it is not on Accounts/);
    expect(sandbox.state().Emails[0]?.on).toEqual([`Contacts/${ref.id}`]);
  });

  test("what somebody's mailbox logged before is adopted, not doubled", async () => {
    const { session, sandbox, who, ref, refs } = await ready();
    const mail = activity([who.key]);
    const { at, subject } = mail;
    const [from, to] = ["ada@example.test", "sales@acme.test"];
    sandbox.actors.mailboxLogs({ messageId: "<1@example.test>", contactId: ref.id, subject, from, to, at });
    const made = await session.put(mail, refs);
    expect(made.adopted).toBe(true);
    expect(made.id).toBe(`Contacts/${ref.id}/${sandbox.state().Emails[0]?.ids[0]}`);
    expect(sandbox.state().Emails).toHaveLength(1);
  });

  test("two mails of one second and subject are told apart by their markers", async () => {
    const { session, who, refs } = await ready();
    const one = await session.put(activity([who.key]), refs);
    const other = activity([who.key], { message_id: "<2@example.test>" });
    expect(await session.find(other, refs)).toBeUndefined();
    expect((await session.put(other, refs)).id).not.toBe(one.id);
    expect((await session.find(activity([who.key]), refs))?.id).toBe(one.id);
  });

  test("a mail without a Message-ID, or under one that another mail had, goes by our key", async () => {
    const { session, sandbox, who, refs } = await ready();
    const more = [{ message_id: null }, { message_id: "<1@example.test>", flags: ["message_id_conflict"] }];
    for (const [n, one] of more.entries())
      await session.put({ ...activity([who.key], one), key: keyOf(`mail ${n}`) }, refs);
    const originals = sandbox.state().Emails.map(({ original }) => original);
    expect(originals).toEqual([0, 1].map((n) => `<${keyOf(`mail ${n}`).slice(0, 40)}@mailwright.invalid>`));
  });

  test("hostile and missing parties cost no mail", async () => {
    const { session, sandbox, who, refs } = await ready();
    const to = [{ email: "not an address", name: "x" }];
    const cc = Array.from({ length: 80 }, (_, n) => ({ email: `c${n}@x.test`, name: "\u0000" }));
    const ref = await session.put(activity([who.key], { from: null, to, cc, subject: " ", text: "" }), refs);
    expect(ref.note).toBe("Cc cut to 50 of 80 addresses");
    expect(sandbox.state().Emails[0]).toMatchObject({ subject: "(no subject)", to: ["unknown@mailwright.invalid"] });
  });

  test("a content that Zoho finds too long is sent once more with half of it", async () => {
    const { session, sandbox, who, refs } = await ready({ maxContentChars: 20_000 });
    const ref = await session.put(activity([who.key], { text: "line\n".repeat(5_000) }), refs);
    expect(ref.note).toMatch(/cut to 15,000/);
    expect(sandbox.state().Emails[0]?.content.length).toBeLessThanOrEqual(15_000);
  });

  test("a subject is cut at 250 characters, and said so; files are listed as they are", async () => {
    const { session, sandbox, who, refs } = await ready();
    const mail = activity([who.key], { subject: "s".repeat(300), attachments: [filed("checking")] });
    expect((await session.put(mail, refs)).note).toBe("subject cut to 250 of 300 characters");
    expect(sandbox.state().Emails[0]?.content).toContain("offer.pdf (application/pdf, 12,345 bytes): being checked");
  });

  test("a mail is read with what it stands on, and one that belongs to nobody is refused", async () => {
    const { session, who, ref, refs } = await ready();
    const made = await session.put(activity([who.key]), refs);
    expect(await session.read("activity", made.id, { fields: [] })).toMatchObject({
      id: made.id,
      fields: { subject: "About the engine" },
      links: [`person:${ref.id}`],
    });
    const whole = await session.read("person", ref.id, { fields: ["Title"] });
    expect(whole?.links).toEqual([`activity:${made.id}`]);
    expect((await failureIn(() => session.put(activity([]), none))).reason).toContain("no place for a mail");
  });

  test("workflows run for records unless the settings say otherwise", async () => {
    for (const workflows of [true, false]) {
      const { session, sandbox } = zohoRig({}, { workflows });
      await session.put(person(), none);
      expect(sandbox.state().workflows).toBe(workflows ? 1 : 0);
    }
  });
});

describe("the token", () => {
  test("that ends in mid-queue is renewed, and the call goes out once more, also where it writes", async () => {
    const { session, sandbox, clock } = zohoRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    await clock.advance(120_000);
    sandbox.tokens.expireAll();
    expect((await session.put(activity([who.key]), refs)).adopted).toBe(false);
    expect(sandbox.state().Emails[0]?.times).toEqual([1]);
    expect(sandbox.tokens.issued).toBe(2);
  });

  test("of too many in ten minutes pauses until then", async () => {
    const clock = manualClock();
    const sandbox = createZohoSandbox({ clock, options: { prepared: true, pipelines } });
    for (let n = 0; n < 10; n++) await openZoho(sandbox, clock).account();
    const failure = await failureIn(() => openZoho(sandbox, clock).account());
    expect(failure).toMatchObject({ kind: "rate_limited", until: clock.now() + 600_000 });
  });

  test("goes to no other host than Zoho's own", async () => {
    for (const [api_domain, host] of [
      ["https://www.zohoapis.eu", "https://www.zohoapis.eu"],
      ["https://www.zohoapis.com", "wire"],
      ["https://www.zohoapis.eu.evil.test", "wire"],
      ["http://www.zohoapis.eu", "wire"],
      ["https://www.zohoapis.eu:8443", "wire"],
      ["https://user@www.zohoapis.eu", "wire"],
    ] as const) {
      const clock = manualClock();
      const sandbox = createZohoSandbox({ clock, options: { prepared: true, apiDomain: api_domain } });
      const wire = wireTo({ sandbox, clock, headers: {} });
      const asked: string[] = [];
      const watched = (name: string) => ({
        request: (request: WireRequest) => {
          if (request.headers?.authorization !== undefined) asked.push(name);
          return wire.request(request);
        },
      });
      const settings = zoho.settings.parse(sandboxClient);
      const ports = { ...portsFor(clock, watched("wire")), wireTo: (url: string) => watched(new URL(url).origin) };
      await zoho.open(settings, ports).account();
      expect([...new Set(asked)], api_domain).toEqual([host]);
    }
  });

  test("stays with a base_url that is given, whatever the answer names", async () => {
    const clock = manualClock();
    const sandbox = createZohoSandbox({ clock, options: { prepared: true, apiDomain: "https://www.zohoapis.eu" } });
    const wire = wireTo({ sandbox, clock, headers: {} });
    const asked: string[] = [];
    const settings = zoho.settings.parse({ ...sandboxClient, base_url: "http://127.0.0.1:8077" });
    const wireToOther = (url: string) => {
      asked.push(url);
      return wire;
    };
    await zoho.open(settings, { ...portsFor(clock, wire), wireTo: wireToOther }).account();
    expect(asked).toEqual(["http://127.0.0.1:8077"]);
    expect(zoho.reach(settings)?.baseUrl).toBe("http://127.0.0.1:8077");
  });

  test("each data center has hosts of its own", () => {
    expect(hostsOf("com.au").accounts).toBe("https://accounts.zoho.com.au");
    expect(hostsOf("ca")).toMatchObject({ api: "https://www.zohoapis.ca", accounts: "https://accounts.zohocloud.ca" });
    expect(ownApi("https://www.zohoapis.jp/")).toBe("https://www.zohoapis.jp");
    expect(() => zoho.settings.parse({ ...sandboxClient, data_center: "us" })).toThrow();
  });
});

describe("limits at Zoho", () => {
  test("credits that are used up pause the lane, and cost no mail", async () => {
    const { session, clock, sandbox } = zohoRig({ limits: { credits: 8, concurrent: 10 } });
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const failures: object[] = [];
    for (let n = 0; n < 8; n++) {
      const mail = activity([who.key], { message_id: `<${n}@x.test>` });
      await session.put(mail, refs).catch((error: { failure: object }) => failures.push(error.failure));
    }
    expect(failures.at(-1)).toMatchObject({ kind: "rate_limited", until: clock.now() + 1_800_000 });
    await clock.advance(86_400_000);
    const one = activity([who.key], { message_id: "<last@x.test>" });
    expect((await session.put(one, refs)).adopted).toBe(false);
    expect(sandbox.state().credits).toBeGreaterThan(8);
  });
});

describe("doctor at Zoho", () => {
  test("names the organisation, and makes the fields that are missing", async () => {
    const { session } = zohoRig({ prepared: false });
    const before = await session.check();
    expect(before.account).toBe("652000001");
    expect(before.findings.filter(({ fixable }) => fixable === true)).toHaveLength(6);
    expect((await failureIn(() => session.find(person(), none))).kind).toBe("blocked");
    const made = await session.fix?.();
    expect(made?.map(({ level }) => level)).toEqual(["ok", "ok", "ok", "ok", "ok", "ok"]);
    expect((await session.check()).findings.every(({ level }) => level === "ok")).toBe(true);
    expect(await session.fix?.()).toEqual([]);
    expect(await session.dedupe("person")).toEqual({ tier: "unique-key", absenceProvable: true });
  });

  test("in an edition without unique fields makes plain ones, and says what that means", async () => {
    const { session } = zohoRig({ prepared: false, uniqueFields: false });
    const made = await session.fix?.();
    expect(made?.filter(({ level }) => level === "warning")).toHaveLength(4);
    expect(await session.dedupe("deal")).toEqual({ tier: "key-readback", absenceProvable: true });
  });

  test("says what to do by hand where the API may not make fields", async () => {
    const { session } = zohoRig({ prepared: false, fieldsByApi: false });
    const made = await session.fix?.();
    expect(made?.[0]).toMatchObject({ level: "problem", mend: expect.stringContaining("by hand") });
  });

  test("names the scopes that are missing, and a wrong organisation", async () => {
    const { session } = zohoRig({ scopes: ["ZohoCRM.org.READ", "ZohoCRM.modules.contacts.ALL"] });
    const { findings } = await session.check();
    expect(findings.filter(({ level }) => level === "problem").length).toBeGreaterThan(4);
    const other = zohoRig({}, { org_id: "1" });
    expect((await failureIn(() => other.session.account())).reason).toContain("organisation 652000001");
  });

  test("a field that an administrator deletes is noticed with the next record, and blocks", async () => {
    const { session, sandbox } = zohoRig();
    await session.put(person(), none);
    sandbox.actors.adminDeletesField("Contacts", "Mailwright_Key");
    const failures = [];
    for (const at of [0, 1]) failures.push(await failureIn(() => session.put(person(`new${at}@example.test`), none)));
    expect(failures.map(({ kind }) => kind)).toEqual(["retryable", "blocked"]);
  });

  test("without fields, and allowed to be, deals are found by their marker", async () => {
    const { session, sandbox } = zohoRig({ prepared: false }, { allow_missing_fields: true });
    const who = person();
    const refs = refsOf([who, await bring(session, who, none)]);
    const chance = deal([who.key]);
    sandbox.faults.plan({ route: "Deals.create", fault: { kind: "commit_then_drop" } });
    expect((await failureIn(() => session.put(chance, refs))).kind).toBe("ambiguous");
    expect((await session.find(chance, refs))?.adopted).toBe(true);
    expect((await failureIn(() => session.put(deal([]), none))).reason).toContain("could not be found again");
  });
});

describe("what a mapping asks of Zoho by name", () => {
  test("owners by their address, and fields that are there and may be written", async () => {
    const { session, sandbox } = zohoRig({}, { owner_id: "3652397000000281001" });
    const fields = { Title: "Engineer", No_Such: "x", Created_Time: "1", Email: "eve@example.test" };
    const ref = await session.put(person("ada@example.test", { owner: "Owner@example.test", fields }), none);
    const other = await session.put(person("bo@example.test", { owner: "nobody@example.test" }), none);
    const [ada, bo] = sandbox.state().Contacts.map(({ values }) => values);
    expect(ada).toMatchObject({ Title: "Engineer", Owner: { id: "3652397000000281002" }, Email: "ada@example.test" });
    for (const name of ["No_Such", "Created_Time", "Email"]) expect(ref.note).toContain(name);
    expect(bo?.Owner).toEqual({ id: "3652397000000281001" });
    expect(other.note).toBe("Zoho shows no user under the owner's address");
  });

  test("a layout's rule is a dead letter in Zoho's words", async () => {
    const { session } = zohoRig({ mandatory: ["Contacts.Lead_Source"] });
    const failure = await failureIn(() => session.put(person(), none));
    expect(failure).toMatchObject({
      kind: "permanent",
      reason: expect.stringContaining("required field not found (Lead_Source)"),
    });
    const named = person("ada@example.test", { fields: { Lead_Source: "Email" } });
    expect((await session.put(named, none)).adopted).toBe(false);
  });
});

describe("what a mail costs in credits, as docs/crm/zoho.md has it", () => {
  const metered = async () => {
    const rig = zohoRig();
    // Asked once an hour: the organisation and its fields.
    for (const kind of ["person", "company", "deal"] as const) await rig.session.dedupe(kind);
    await rig.session.find(person("warm@example.test"), none);
    const costs = async (work: () => Promise<unknown>): Promise<number> => {
      const before = rig.sandbox.state().credits;
      await work();
      return rig.sandbox.state().credits - before;
    };
    return { ...rig, costs };
  };

  test("a first mail, a reply, a known person, a duplicate", async () => {
    const { session, costs } = await metered();
    const [who, other, firm] = [person(), person("bo@example.test"), company("firm.test")];
    let refs: Refs = none;
    const log = async (id: string, about: string[], known = refs) =>
      await session.put(activity(about, { message_id: id }), known);
    const contact = async () => {
      refs = refsOf([who, await bring(session, who, none)]);
      await log("<1@x.test>", [who.key]);
    };
    expect(await costs(contact), "a new contact").toBe(5);
    const whole = async () => {
      const ref = await bring(session, other, none);
      const firmRef = await bring(session, firm, none);
      await session.link({ kind: "person", id: ref.id }, { kind: "company", id: firmRef.id });
      const chance = deal([other.key, firm.key]);
      refs = refsOf([other, ref], [firm, firmRef]);
      refs = refsOf([other, ref], [firm, firmRef], [chance, await bring(session, chance, refs)]);
      await log("<2@x.test>", [other.key, firm.key, chance.key]);
    };
    expect(await costs(whole), "with a company and a deal").toBe(11);
    const about = [...refs.keys()];
    expect(await costs(() => log("<3@x.test>", about)), "a reply").toBe(2);
    expect(await costs(() => log("<4@x.test>", [other.key])), "a reply without a company").toBe(1);
    // Two mails of one second and subject would have to be told apart by reading both.
    const late = (from: string) => activity([other.key], { message_id: from, at: Date.UTC(2026, 10, 25) });
    const known = async () => {
      const ref = await bring(session, other, none);
      refs = refsOf([other, ref]);
      await session.put(late("<5@x.test>"), refs);
    };
    expect(await costs(known), "a person who is not remembered").toBe(2);
    expect(await costs(() => session.put(late("<5@x.test>"), refs)), "a duplicate").toBe(3);
  });
});
