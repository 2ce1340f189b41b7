import { describe, expect, test } from "vitest";
import { hubspot } from "../../src/destinations/hubspot.ts";
import { allScopes, createHubspotSandbox, sandboxToken } from "../../src/sandbox/hubspot.ts";
import { bring, failureIn, vendorContract } from "./contract.ts";
import { activity, company, deal, manualClock, noMetrics, person, portsFor, refsOf } from "./fixtures.ts";
import { hubspotRig, openHubspot } from "./hubspot-rig.ts";

vendorContract("HubSpot with unique keys on emails (tier 1)", async () => hubspotRig());
vendorContract("HubSpot with keys that are not unique (tier 2)", async () => hubspotRig({ emailsUnique: "no" }));
vendorContract("HubSpot without custom properties on emails (tier 3)", async () =>
  hubspotRig({ emailsUnique: "propertiesForbidden" }),
);
vendorContract("HubSpot that says 409 for a taken key and names contacts in a context", async () =>
  hubspotRig({ uniqueConflictStatus: 409, conflictShape: "context" }),
);

const none = new Map();

describe("contacts at HubSpot", () => {
  for (const conflictShape of ["text", "context", "bare"] as const) {
    test(`a taken address is adopted when the conflict names the contact by ${conflictShape}`, async () => {
      const { session, sandbox } = hubspotRig({ conflictShape });
      const id = sandbox.actors.personAddsContact({ email: "ada@example.test" });
      expect(await session.put(person(), none)).toMatchObject({ id, adopted: true });
    });
  }

  test("a secondary address leads to its contact although a look-up does not show it", async () => {
    const { session, sandbox } = hubspotRig();
    const id = sandbox.actors.personAddsContact({ email: "ada@home.test" });
    sandbox.actors.personAddsSecondaryEmail(id, "ada@example.test");
    expect(await session.find(person(), none)).toBeUndefined();
    expect(await session.put(person(), none)).toMatchObject({ id, adopted: true });
  });

  test("nor does one that asks for several at once: what it leaves out is made twice as little", async () => {
    const { session, sandbox } = hubspotRig();
    const id = sandbox.actors.personAddsContact({ email: "ada@home.test" });
    sandbox.actors.personAddsSecondaryEmail(id, "ada@example.test");
    const others = ["bob@example.test", "eve@example.test"].map((address) => person(address));
    const found = await Promise.all([person(), ...others].map((one) => session.find(one, none)));
    expect(found).toEqual([undefined, undefined, undefined]);
    expect(sandbox.log.filter(({ path }) => path.includes("batch/read"))).toHaveLength(1);
    expect(await session.put(person(), none)).toMatchObject({ id, adopted: true });
    expect(sandbox.state().contacts).toHaveLength(1);
  });

  test("a new contact carries address, names and where it came from, and nothing that HubSpot's own rules set", async () => {
    const { session, sandbox } = hubspotRig();
    await session.put(person("Ada@Example.test", { flags: ["unverified"] }), none);
    const { hs_object_id: _id, ...properties } = sandbox.state().contacts[0]?.properties ?? {};
    expect(properties).toEqual({
      email: "ada@example.test",
      firstname: "Ada",
      lastname: "Lovelace",
      mailwright_key: person("Ada@Example.test").key,
      mailwright_source: "email",
      mailwright_flags: "unverified",
    });
  });

  test("an address erased for privacy is a dead letter that says so", async () => {
    const { session } = hubspotRig({ blocklist: ["ada@example.test"] });
    expect(await failureIn(() => session.put(person(), none))).toMatchObject({
      kind: "permanent",
      reason: expect.stringContaining("address_blocklisted"),
    });
  });

  test("a merged contact is read as its survivor", async () => {
    const { session, sandbox } = hubspotRig();
    const loser = sandbox.actors.personAddsContact({ email: "ada@old.test" });
    const survivor = sandbox.actors.personAddsContact({ email: "ada@example.test" });
    sandbox.actors.personMergesContacts(survivor, loser);
    expect((await session.read("person", loser))?.id).toBe(survivor);
  });
});

describe("emails at HubSpot", () => {
  test("one call logs the mail with every association, time, direction and audit facts", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const ref = await bring(session, who, none);
    const before = sandbox.state().calls;
    await session.dedupe("activity");
    const prepared = sandbox.state().calls;
    await session.put(
      activity([who.key], {
        flags: ["unverified"],
        attachments: [{ filename: "plan.pdf", content_type: "application/pdf", size: 12_345 }],
      }),
      refsOf([who, ref]),
    );
    expect(sandbox.state().calls - prepared, "calls for a mail from a known contact").toBe(1);
    expect(prepared - before, "asked once per session").toBe(4);
    const email = sandbox.state().emails[0];
    expect(email?.associations).toEqual({ contacts: [ref.id] });
    expect(email?.properties).toMatchObject({
      hs_timestamp: "2026-11-24T11:30:00.123Z",
      hs_email_direction: "INCOMING_EMAIL",
      hs_email_status: "SENT",
      hs_email_subject: "About the engine",
      hs_email_from_email: "ada@example.test",
      hs_email_to_email: "sales@acme.test",
      mailwright_event_id: "0193a0c0-0000-7000-8000-000000000001",
      mailwright_headers: "Message-ID: <1@example.test>",
      mailwright_flags: "unverified",
    });
    expect(email?.properties.hs_email_text).toMatch(/\n\nAttachments:\nplan\.pdf \(application\/pdf, 12,345 bytes\)$/);
  });

  const kim = { email: "kim@acme.test", name: "Kim Li" };
  test.each([
    ["from a customer", { direction: "inbound" }, "INCOMING_EMAIL"],
    ["from a colleague", { direction: "outbound", from: kim, forwarded_by: null }, "EMAIL"],
    ["handed on by a colleague", { direction: "inbound", forwarded_by: kim }, "FORWARDED_EMAIL"],
  ] as const)("a mail %s is on each of its contacts, and says which way it went", async (_, more, direction) => {
    const { session, sandbox } = hubspotRig();
    const people = [person(), person("bo@example.test", { name: "Bo" })];
    const pairs = await Promise.all(people.map(async (who) => [who, await session.put(who, none)] as const));
    const about = people.map(({ key }) => key);
    await session.put(activity(about, { ...more, to: [{ email: "ada@example.test", name: "Ada" }] }), refsOf(...pairs));
    const email = sandbox.state().emails[0];
    expect(email?.properties.hs_email_direction).toBe(direction);
    expect(email?.properties.hs_email_from_email).toBe("from" in more ? kim.email : "ada@example.test");
    expect(email?.properties.hs_email_to_email).toBe("ada@example.test");
    expect(email?.associations.contacts?.toSorted()).toEqual(pairs.map(([, { id }]) => id).toSorted());
  });

  test("the owner of the settings is on every record", async () => {
    const { session, sandbox } = hubspotRig({}, { owner_id: "1001" });
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    await session.put(activity([who.key]), refs);
    await session.put(deal([who.key]), refs);
    const { contacts, emails, deals } = sandbox.state();
    expect([contacts, emails, deals].map(([record]) => record?.properties.hubspot_owner_id)).toEqual([
      "1001",
      "1001",
      "1001",
    ]);
  });

  test.each([
    ["stays here", {}, ["null"]],
    ["goes beside the text where the configuration says so", { html: true }, ["<p>Could you quote"]],
  ])("the sender's HTML %s", async (_, settings, [begins = ""]) => {
    const { session, sandbox } = hubspotRig({}, settings);
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    await session.put(activity([who.key]), refs);
    const [email] = sandbox.state().emails;
    expect(email?.properties.hs_email_text).toContain("Could you quote");
    expect(String(email?.properties.hs_email_html ?? null)).toMatch(new RegExp(`^${begins}`));
  });

  test("HubSpot calling a body too long gets half of it once, then the mail is a dead letter", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const body = { category: "VALIDATION_ERROR", message: "hs_email_text is too long" };
    const long = { text: "word ".repeat(20_000), html: null };
    sandbox.faults.plan({ route: "emails.create", fault: { kind: "status", status: 400, body } });
    const ref = await session.put(activity([who.key], long), refs);
    expect(ref.note).toContain("cut to 30,000 of 100,000 characters");
    expect(sandbox.state().emails[0]?.properties.hs_email_text?.length).toBeLessThanOrEqual(30_000);
    sandbox.faults.plan({ route: "emails.create", times: 2, fault: { kind: "status", status: 400, body } });
    const other = activity([who.key], { ...long, message_id: "<2@example.test>" });
    expect(await failureIn(() => session.put(other, refs))).toMatchObject({
      kind: "permanent",
      reason: expect.stringContaining("also with half"),
    });
  });

  test("an email that somebody deleted at HubSpot is not made again", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const ref = await session.put(activity([who.key]), refs);
    sandbox.actors.personArchives("emails", ref.id);
    expect(await session.put(activity([who.key]), refs)).toMatchObject({
      id: ref.id,
      note: expect.stringContaining("deleted at HubSpot"),
    });
    expect(sandbox.state().counts.emails).toBe(0);
  });

  test("adopting after a conflict repairs a missing association and leaves the text as it is", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const ref = await session.put(activity([who.key]), refs);
    await session.unlink({ kind: "activity", id: ref.id }, { kind: "person", id: refs.get(who.key)?.id ?? "" });
    sandbox.actors.personEdits("emails", ref.id, { hs_email_subject: "Renamed by Bea" });
    expect(await session.put(activity([who.key]), refs)).toMatchObject({ id: ref.id, adopted: true });
    expect(sandbox.state().emails[0]).toMatchObject({
      associations: { contacts: [refs.get(who.key)?.id] },
      properties: { hs_email_subject: "Renamed by Bea" },
    });
  });

  test("a contact deleted before the mail is logged makes a permanent refusal, so that it is looked up again", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const ref = await session.put(who, none);
    sandbox.actors.personArchives("contacts", ref.id);
    expect((await failureIn(() => session.put(activity([who.key]), refsOf([who, ref])))).kind).toBe("permanent");
  });

  test("a mail that a connected inbox logged too is logged by us once, under our key", async () => {
    const { session, sandbox } = hubspotRig({ emailsUnique: "propertiesForbidden" });
    const who = person();
    const ref = await session.put(who, none);
    const mail = activity([who.key]);
    sandbox.actors.inboxLogs({ messageId: "<1@example.test>", contactId: ref.id, subject: mail.subject, at: mail.at });
    const ours = await bring(session, mail, refsOf([who, ref]));
    expect((await bring(session, mail, refsOf([who, ref]))).id).toBe(ours.id);
    expect(sandbox.state().counts.emails).toBe(2);
  });

  for (const emailsUnique of ["no", "propertiesForbidden"] as const) {
    test(`emailsUnique ${emailsUnique}: a read-back goes through every page of a contact's mails`, async () => {
      const { session, sandbox, clock } = hubspotRig({ emailsUnique, limits: "off" });
      const who = person();
      const ref = await session.put(who, none);
      for (let n = 0; n < 1_203; n++) {
        sandbox.actors.inboxLogs({
          messageId: `<${n}@old.test>`,
          contactId: ref.id,
          subject: "old",
          at: clock.now() - n,
        });
      }
      const refs = refsOf([who, ref]);
      sandbox.faults.plan({ route: "emails.create", fault: { kind: "commit_then_drop" } });
      expect((await failureIn(() => session.put(activity([who.key]), refs))).kind).toBe("ambiguous");
      expect((await session.find(activity([who.key]), refs))?.adopted).toBe(true);
    });

    test(`emailsUnique ${emailsUnique}: half a list proves nothing`, async () => {
      const { session, sandbox, clock } = hubspotRig({ emailsUnique, limits: "off" });
      const who = person();
      const ref = await session.put(who, none);
      for (let n = 0; n < 700; n++)
        sandbox.actors.inboxLogs({ messageId: `<${n}@old.test>`, contactId: ref.id, subject: "old", at: clock.now() });
      sandbox.faults.plan({ route: "emails.*", nth: 1, fault: { kind: "status", status: 502 } });
      sandbox.faults.plan({ route: "contacts.associations", nth: 2, fault: { kind: "status", status: 502 } });
      expect((await failureIn(() => session.find(activity([who.key]), refsOf([who, ref])))).kind).toBe("retryable");
    });
  }

  test("a call that HubSpot carries out only after we gave up is found by the reading after it", async () => {
    const { session, sandbox, clock } = hubspotRig({ emailsUnique: "no" });
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    await session.dedupe("activity");
    sandbox.faults.plan({ route: "emails.create", fault: { kind: "slow_commit", ms: 45_000 } });
    const put = failureIn(() => session.put(activity([who.key]), refs));
    await clock.advance(30_000);
    expect((await put).kind).toBe("ambiguous");
    expect(await session.find(activity([who.key]), refs), "not there yet").toBeUndefined();
    await clock.advance(15_000);
    expect(await session.find(activity([who.key]), refs)).toBeDefined();
  });

  test("without a contact nothing could be found again, so an account without unique keys refuses such a mail", async () => {
    const { session } = hubspotRig({ emailsUnique: "no" });
    expect(await failureIn(() => session.put(activity([]), none))).toMatchObject({
      kind: "permanent",
      reason: expect.stringContaining("could not be found again"),
    });
  });

  test("a truncated answer is ambiguous and heals", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    sandbox.faults.plan({ route: "emails.create", fault: { kind: "commit_then_truncate" } });
    expect((await failureIn(() => session.put(activity([who.key]), refs))).kind).toBe("ambiguous");
    expect((await session.put(activity([who.key]), refs)).adopted).toBe(true);
    expect(sandbox.state().counts.emails).toBe(1);
  });
});

describe("companies at HubSpot", () => {
  test("the company that HubSpot made of the contact's domain is taken, not doubled", async () => {
    const { session, sandbox } = hubspotRig({ autoCompany: true });
    const who = person();
    const ref = await session.put(who, none);
    const found = await session.find(company(), refsOf([who, ref]));
    expect(found?.id).toBe(sandbox.state().companies[0]?.id);
  });

  test("a company made by hand is found by its domain once search shows it", async () => {
    const { session, sandbox, clock } = hubspotRig();
    const contact = sandbox.actors.personAddsContact({ email: "bea@example.test" });
    const id = sandbox.actors.hubspotAddsCompany(contact);
    await clock.advance(30_000);
    expect((await session.find(company(), none))?.id).toBe(id);
  });
});

describe("the account", () => {
  const fresh = (options = {}, settings = {}) => {
    const clock = manualClock();
    const sandbox = createHubspotSandbox({ clock, options });
    return { sandbox, clock, session: openHubspot(sandbox, clock, settings) };
  };

  test("missing properties block the lane with the command that makes them, and fix makes them once", async () => {
    const { session } = fresh();
    expect(await failureIn(() => session.put(person(), none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("mailwright doctor --fix"),
    });
    const before = await session.check();
    expect(before.findings.filter(({ fixable }) => fixable === true)).toHaveLength(9);
    expect((await session.fix?.())?.every(({ level }) => level === "ok")).toBe(true);
    expect(await session.fix?.(), "nothing left to do").toEqual([]);
    expect((await session.check()).findings.filter(({ level }) => level !== "ok")).toEqual([]);
    expect((await session.put(person(), none)).adopted).toBe(false);
  });

  test("where emails take no unique property, fix makes a plain one and the tier is told", async () => {
    const { session } = fresh({ emailsUnique: "no" });
    const findings = (await session.fix?.()) ?? [];
    expect(findings.filter(({ level }) => level === "warning").map(({ what }) => what.split(" ")[0])).toEqual([
      "emails.mailwright_key",
    ]);
    expect(await session.dedupe("activity")).toEqual({ tier: "key-readback", absenceProvable: true });
    expect(await session.dedupe("deal")).toEqual({ tier: "unique-key", absenceProvable: true });
  });

  test("where the email schema is closed to the token, mail is kept single by its marker", async () => {
    const { session } = fresh({ emailsUnique: "propertiesForbidden" });
    await session.fix?.();
    expect(await session.dedupe("activity")).toEqual({ tier: "marker-readback", absenceProvable: true });
  });

  test("allow_missing_properties logs mail without them", async () => {
    const { session, sandbox } = fresh({}, { allow_missing_properties: true });
    const who = person();
    const ref = await bring(session, who, none);
    await bring(session, activity([who.key]), refsOf([who, ref]));
    expect(sandbox.state().emails[0]?.properties.hs_email_text).toMatch(/\[mw:[0-9a-f]{16}\]$/);
  });

  test("a token of another account is refused before anything is written", async () => {
    const { session, sandbox } = fresh({ prepared: true }, { portal_id: "1" });
    expect(await failureIn(() => session.put(person(), none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("portal_id says 1"),
    });
    expect((await session.check()).findings).toMatchObject([{ level: "problem" }]);
    expect(sandbox.state().counts.contacts).toBe(0);
  });

  test("a missing scope blocks, and is named", async () => {
    const tokens = { [sandboxToken]: allScopes.filter((scope) => scope !== "sales-email-read") };
    const { session } = fresh({ prepared: true, tokens });
    const who = person();
    const ref = await session.put(who, none);
    const failure = await failureIn(() => session.put(activity([who.key]), refsOf([who, ref])));
    expect(failure).toMatchObject({ kind: "blocked", reason: expect.stringContaining("sales-email-read") });
    expect((await session.check()).findings.filter(({ level }) => level === "problem")).toMatchObject([
      { mend: expect.stringContaining("sales-email-read") },
    ]);
  });

  test("a property that vanishes while mail flows is noticed, and the next try says what to do", async () => {
    const { session, sandbox } = fresh({ prepared: true });
    await session.put(person(), none);
    const path = "/crm/properties/2026-03/contacts/mailwright_source";
    await sandbox.handle({ method: "DELETE", path, headers: { authorization: `Bearer ${sandboxToken}` }, body: "" });
    const next = person("bea@example.test");
    expect((await failureIn(() => session.put(next, none))).kind).toBe("retryable");
    expect(await failureIn(() => session.put(next, none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("mailwright_source"),
    });
  });

  test("the daily limit pauses until midnight where the account is", async () => {
    const { session, clock } = fresh({
      prepared: true,
      timeZone: "Asia/Tokyo",
      limits: { burst: 1_000, daily: 3, searchPerSecond: 5 },
    });
    const failure = await failureIn(async () => {
      for (let n = 0; n < 9; n++) await session.put(person(`p${n}@example.test`), none);
    });
    // The tests' clock stands at 12:00 UTC, 21:00 in Tokyo.
    expect(failure).toMatchObject({ kind: "rate_limited", until: clock.now() + 3 * 3_600_000 });
  });

  test("the burst limit is met with the ten seconds that HubSpot's window has", async () => {
    const { session, clock } = fresh({ prepared: true, limits: { burst: 5, daily: 1_000, searchPerSecond: 5 } });
    const failure = await failureIn(async () => {
      for (let n = 0; n < 9; n++) await session.put(person(`p${n}@example.test`), none);
    });
    expect(failure).toMatchObject({ kind: "rate_limited", until: clock.now() + 10_000 });
    await clock.advance(10_000);
    expect(await session.put(person("late@example.test"), none)).toMatchObject({ adopted: false });
  });

  test("an answer that nobody knows is a dead letter, and counted for a look", async () => {
    const clock = manualClock();
    const counted: unknown[] = [];
    const reply = { status: 418, headers: {}, text: "{}", json: {} };
    const ports = portsFor(clock, { request: async () => reply });
    const metrics = { ...noMetrics, count: (name: string, labels?: unknown) => counted.push([name, labels]) };
    const session = hubspot.open(hubspot.settings.parse({ token: sandboxToken }), { ...ports, metrics });
    expect((await failureIn(() => session.find(person(), none))).kind).toBe("permanent");
    expect(counted).toEqual([["crm_unclassified_total", { vendor: "hubspot", status: "418" }]]);
  });
});

describe("an account whose properties appear while a call is unclear", () => {
  for (const [emailsUnique, tier] of [
    ["yes", "unique-key"],
    ["no", "key-readback"],
  ] as const) {
    test(`finds what was made with a marker only, now that its tier is ${tier}`, async () => {
      const { session, sandbox, clock } = hubspotRig(
        { prepared: false, emailsUnique },
        { allow_missing_properties: true },
      );
      const who = person();
      const refs = refsOf([who, await session.put(who, none)]);
      const [mail, chance] = [activity([who.key]), deal([who.key])];
      for (const [route, step] of [["emails.create", mail] as const, ["deals.create", chance] as const]) {
        sandbox.faults.plan({ route, fault: { kind: "commit_then_drop" } });
        expect((await failureIn(() => session.put(step, refs))).kind).toBe("ambiguous");
      }
      await session.fix?.();
      const later = openHubspot(sandbox, clock);
      expect((await later.dedupe("activity")).tier).toBe(tier);
      for (const step of [mail, chance])
        expect(await later.find(step, refs), step.kind).toMatchObject({ adopted: true });
      expect(await later.find(activity([who.key], { message_id: "<2@example.test>" }), refs)).toBeUndefined();
    });
  }

  test("with unique keys, a contact that is gone does not keep a mail from being looked for", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    sandbox.actors.personArchives("contacts", refs.get(who.key)?.id ?? "");
    expect(await session.find(activity([who.key]), refs)).toBeUndefined();
  });
});
