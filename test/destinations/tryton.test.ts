/** The contract at a Tryton database, and what is Tryton's own. */
import { describe, expect, test } from "vitest";
import { tryton } from "../../src/destinations/tryton.ts";
import { createTrytonSandbox, sandboxLogin } from "../../src/sandbox/tryton.ts";
import { bring, failureIn, vendorContract } from "./contract.ts";
import { activity, company, deal, filed, fileStep, keyOf, manualClock, person, refsOf } from "./fixtures.ts";
import { longText, openTryton, textIn, trytonRig } from "./tryton-rig.ts";

vendorContract("tryton", async () => trytonRig());

const none = new Map();
const domainKey = company().key;

describe("the settings", () => {
  const given = { base_url: "http://127.0.0.1:8000", ...sandboxLogin };
  test("want a server, a database and a login, and take a password with spaces", () => {
    expect(tryton.settings.parse({ ...given, password: "four words of it" })).toMatchObject({ relation: "Works for" });
    for (const missing of ["base_url", "database", "user", "password"])
      expect(tryton.settings.safeParse({ ...given, [missing]: undefined }).success, missing).toBe(false);
    for (const wrong of [{ user: "a:b" }, { database: "../x" }, { password: "a\nb" }, { base_url: "ftp://x" }])
      expect(tryton.settings.safeParse({ ...given, ...wrong }).success).toBe(false);
  });
});

describe("the session", () => {
  test("is made once for many calls, and once more when Tryton does not know it any more", async () => {
    const { sandbox, session } = trytonRig();
    await Promise.all(["a", "b", "c"].map((name) => session.find(person(`${name}@example.test`), none)));
    const logins = () => sandbox.log.filter(({ route }) => route === "db.login").length;
    expect(logins()).toBe(1);
    sandbox.sessions.expire();
    await Promise.all(["a", "b", "c"].map((name) => session.put(person(`${name}@example.test`), none)));
    expect(logins()).toBe(2);
    expect(sandbox.state().parties).toHaveLength(4);
  });

  test("ends with the daemon, and nothing waits for that where Tryton is away", async () => {
    const { sandbox, session, clock } = trytonRig();
    await session.close?.();
    await session.find(person(), none);
    expect(sandbox.state().sessions).toBe(1);
    await session.close?.();
    expect(sandbox.state().sessions).toBe(0);
    await session.find(person(), none);
    sandbox.faults.plan({ route: "db.logout", fault: { kind: "hang" } });
    const closing = session.close?.();
    await sandbox.whenHeld(1);
    await clock.advance(2_000);
    await closing;
    sandbox.release();
  });

  test("a login that breaks off is worth another try, also where a record was to be made: it was not", async () => {
    const { sandbox, session } = trytonRig();
    await session.find(person(), none);
    sandbox.sessions.expire();
    sandbox.faults.plan({ route: "db.login", fault: { kind: "commit_then_drop" } });
    expect((await failureIn(() => session.put(activity([person().key]), refsOf([person(), { id: "1" }])))).kind).toBe(
      "retryable",
    );
  });

  test("a wrong password is not tried at every turn: Tryton would lock the user out", async () => {
    const { sandbox, session, clock } = trytonRig();
    sandbox.sessions.changePassword();
    for (let turn = 0; turn < 20; turn++)
      expect((await failureIn(() => session.find(person(), none))).kind).toBe("blocked");
    const logins = () => sandbox.log.filter(({ route }) => route === "db.login").length;
    expect(logins()).toBe(1);
    await clock.advance(61_000);
    expect((await failureIn(() => session.find(person(), none))).kind).toBe("blocked");
    expect(logins()).toBe(2);
  });

  test("too many wrong logins pause the lane", async () => {
    const clock = manualClock();
    const sandbox = createTrytonSandbox({ clock });
    for (let turn = 0; turn < 6; turn++) {
      const session = openTryton(sandbox, clock, { password: "wrong" });
      expect((await failureIn(() => session.account())).kind).toBe("blocked");
    }
    const refused = await failureIn(() => openTryton(sandbox, clock).account());
    expect(refused).toMatchObject({ kind: "rate_limited", until: clock.now() + 300_000 });
  });

  test("another database is another account; a database that is not there blocks", async () => {
    const clock = manualClock();
    const sandbox = createTrytonSandbox({ clock });
    await clock.advance(1_000);
    const other = createTrytonSandbox({ clock });
    const account = await openTryton(sandbox, clock).account();
    expect(await openTryton(other, clock).account()).not.toBe(account);
    const missing = openTryton(sandbox, clock, { database: "nodb" });
    expect(await failureIn(() => missing.account())).toMatchObject({
      kind: "blocked",
      reason: expect.stringMatching(/no such database/),
    });
  });
});

describe("parties", () => {
  test("eight tries at once make one party: the code decides", async () => {
    const { session, count } = trytonRig();
    const refs = await Promise.all(Array.from({ length: 8 }, () => session.put(person(), none)));
    expect(new Set(refs.map(({ id }) => id)).size).toBe(1);
    expect(await count("person")).toBe(1);
  });

  test("an address with wildcards of Tryton's is nobody else's", async () => {
    const { session, sandbox } = trytonRig();
    sandbox.actors.personAddsParty({ email: "axb@example.test" });
    expect(await session.find(person("a_b@example.test"), none)).toBeUndefined();
    expect(await session.find(person("%@example.test"), none)).toBeUndefined();
    const made = sandbox.actors.personAddsParty({ email: "A_B@Example.test" });
    expect(await session.find(person("a_b@example.test"), none)).toMatchObject({ id: made, ours: false });
  });

  test("of several with one address the oldest is taken, with a note", async () => {
    const { session, sandbox } = trytonRig();
    const [first] = ["x", "y"].map((name) => sandbox.actors.personAddsParty({ email: "ada@example.test", name }));
    expect(await session.find(person(), none)).toMatchObject({ id: first, note: expect.stringMatching(/2 parties/) });
  });

  test("what a person deactivated is neither made again nor woken; what was replaced leads to what replaced it", async () => {
    const { session, sandbox } = trytonRig();
    const { id } = await session.put(person(), none);
    sandbox.actors.personEdits("party.party", id, { active: false });
    expect(await session.find(person(), none)).toBeUndefined();
    expect(await session.put(person(), none)).toMatchObject({
      id,
      adopted: true,
      note: expect.stringMatching(/deactivated/),
    });
    const survivor = sandbox.actors.personAddsParty({ name: "Ada King" });
    sandbox.actors.personReplacesParty(id, survivor);
    expect(await session.find(person(), none)).toMatchObject({ id: survivor });
    sandbox.actors.personEdits("party.contact_mechanism", "1", { value: "other@example.test" });
    expect(await session.put(person(), none)).toMatchObject({ id: survivor, note: expect.stringMatching(/merged/) });
  });

  test("flags stand at the address, and a nameless person is named by it", async () => {
    const { session, sandbox } = trytonRig();
    await session.put(person("Bo@Example.test", { name: null, flags: ["unverified", "role"] }), none);
    expect(sandbox.state().parties.at(-1)?.values).toMatchObject({
      name: "bo@example.test",
      comment: "Mailwright: unverified; role",
    });
  });

  test("fields that a mapping may set are set, and others are named in a note", async () => {
    const { session, sandbox } = trytonRig();
    const step = person("bo@example.test", { fields: { nope: "x", code: "mine" } });
    const { note } = await session.put(step, none);
    expect(note).toMatch(/no field nope.*no field code/);
    expect(textIn(sandbox.state().parties.at(-1), "code")).toMatch(/^em-[0-9a-f]{24}$/);
  });
});

describe("companies", () => {
  test("are known by their website as people write it, and by whom somebody works for", async () => {
    const { session, sandbox } = trytonRig();
    const firm = sandbox.actors.personAddsParty({ website: "HTTP://www.Example.test/shop", name: "Example Ltd" });
    sandbox.actors.personAddsParty({ website: "https://notexample.test", name: "Others" });
    expect(await session.find(company(), none)).toMatchObject({ id: firm });
    expect(await session.find(company("other.test"), none)).toBeUndefined();
    const bo = person("bo@other.test");
    const ref = await session.put(bo, none);
    const employer = sandbox.actors.personAddsParty({ name: "Other Holding" });
    sandbox.actors.personRelates(ref.id, employer, "Works for");
    expect(await session.find(company("other.test"), refsOf([bo, ref]))).toMatchObject({ id: employer });
    expect(await session.find(company("third.test"), refsOf([bo, ref]))).toBeUndefined();
  });

  test("a person is put in their company once, and taken out again", async () => {
    const { session, sandbox } = trytonRig();
    const [who, firm] = [await session.put(person(), none), await session.put(company(), none)];
    const ends = [
      { kind: "person", id: who.id },
      { kind: "company", id: firm.id },
    ] as const;
    for (let turn = 0; turn < 2; turn++) await session.link(...ends);
    expect(sandbox.state().relations).toHaveLength(1);
    const snapshot = await session.read("person", who.id, { fields: ["nope"] });
    expect(snapshot?.links).toEqual([`company:${firm.id}`]);
    expect((await session.read("company", firm.id, { fields: [] }))?.links).toEqual([`person:${who.id}`]);
    for (let turn = 0; turn < 2; turn++) await session.unlink(...ends);
    expect(sandbox.state().relations).toEqual([]);
  });

  test("without the module that knows relations mail is logged all the same", async () => {
    const { session, sandbox } = trytonRig({ modules: ["company", "party", "sale_opportunity"] });
    const [who, firm] = [person(), company()];
    const refs = refsOf([who, await session.put(who, none)], [firm, await session.put(firm, none)]);
    const step = { kind: "link", why: "test", key: keyOf("link"), from: who.key, to: firm.key } as const;
    expect(await session.put(step, refs)).toMatchObject({ note: expect.stringMatching(/no relation/) });
    await session.put(activity([who.key, firm.key]), refs);
    expect(sandbox.state().notes).toHaveLength(1);
  });
});

describe("opportunities", () => {
  test("are the company's, name the person's address, and belong to the employee whom the mapping names", async () => {
    const { session, sandbox } = trytonRig({ employees: ["sales@acme.test"] });
    const [who, firm] = [person(), company()];
    const refs = refsOf([who, await session.put(who, none)], [firm, await session.put(firm, none)]);
    const step = { ...deal([who.key, firm.key]), owner: "Sales@acme.test", pipeline: "Standard" };
    const made = await session.put(step, refs);
    expect(made.note).toBe("Tryton has no pipelines");
    const found = sandbox.state().opportunities[0]?.values;
    expect(found).toMatchObject({
      party: Number(refs.get(domainKey)?.id),
      employee: 1,
      state: "lead",
      description: "Engines",
    });
    const snapshot = await session.read("deal", made.id, { fields: [] });
    expect(snapshot?.links).toEqual([`person:${refs.get(who.key)?.id}`, `company:${refs.get(firm.key)?.id}`]);
    const later = { ...deal([who.key], "Second"), owner: "nobody@acme.test" };
    expect((await session.put(later, refs)).note).toMatch(/no employee/);
  });

  test("begin as lead or opportunity; the latter needs an employee, and Tryton says so", async () => {
    const { session } = trytonRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const refused = await failureIn(() => session.put({ ...deal([who.key]), stage: "Opportunity" }, refs));
    expect(refused).toEqual({
      kind: "permanent",
      reason: 'Tryton: A value is required for field "Employee" in "Sale Opportunity".',
    });
    expect((await failureIn(() => session.put({ ...deal([who.key]), stage: "Proposal" }, refs))).reason).toMatch(
      /"lead" or "opportunity"/,
    );
    const other = trytonRig({ employees: ["sales@acme.test"], employee: 1 });
    const ref = await other.session.put(who, none);
    await other.session.put({ ...deal([who.key]), stage: "opportunity" }, refsOf([who, ref]));
    expect(other.sandbox.state().opportunities[0]?.values).toMatchObject({ state: "opportunity", employee: 1 });
  });

  test("what somebody filled in stays; what is empty is filled", async () => {
    const { session, sandbox } = trytonRig();
    const [who, bo] = [person(), person("bo@example.test")];
    const refs = refsOf([who, await session.put(who, none)], [bo, await session.put(bo, none)]);
    const made = await session.put(deal([who.key]), refs);
    const ends = [
      { kind: "deal", id: made.id },
      { kind: "person", id: refs.get(bo.key)?.id ?? "" },
    ] as const;
    await session.link(...ends);
    expect(String(sandbox.state().opportunities[0]?.values.party)).toBe(refs.get(who.key)?.id);
    sandbox.actors.personEdits("sale.opportunity", made.id, { party: null, contact: null });
    await session.link(...ends);
    expect(String(sandbox.state().opportunities[0]?.values.party)).toBe(refs.get(bo.key)?.id);
    await session.unlink(...ends);
    expect(sandbox.state().opportunities[0]?.values).toMatchObject({ party: null, contact: null });
  });

  test("that somebody changes between our reading and our writing keep what they chose", async () => {
    const { session, sandbox } = trytonRig();
    const [who, bo] = [person(), person("bo@example.test")];
    const [ada, other] = [await session.put(who, none), await session.put(bo, none)];
    const made = await session.put(deal([who.key]), refsOf([who, ada]));
    sandbox.actors.personEdits("sale.opportunity", made.id, { party: null, contact: null });
    const empty = { id: Number(made.id), state: "lead", party: null, contact: null, "contact.": null };
    const full = { ...empty, party: Number(ada.id) };
    const firm = { kind: "company", id: other.id } as const;
    const chance = { kind: "deal", id: made.id } as const;
    const attempts = [
      [empty, () => session.link(chance, { ...firm, kind: "person" })],
      [empty, () => session.link(chance, firm)],
      [full, () => session.unlink(chance, { kind: "person", id: ada.id })],
    ] as const;
    for (const [seen, attempt] of attempts) {
      sandbox.actors.personEdits("sale.opportunity", made.id, { party: 1 });
      const body = { id: 1, result: [{ ...seen, _timestamp: "0.000001" }] };
      sandbox.faults.plan({ route: "opportunity.search_read", fault: { kind: "status", status: 200, body } });
      expect(await failureIn(attempt)).toMatchObject({ kind: "retryable" });
      expect(sandbox.state().opportunities[0]?.values).toMatchObject({ party: 1, contact: null });
    }
  });

  test("are cancelled where a run is taken back, and found again all the same", async () => {
    const { session, count } = trytonRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const made = await session.put(deal([who.key]), refs);
    for (let turn = 0; turn < 2; turn++) await session.archive("deal", made.id);
    expect(await count("deal")).toBe(0);
    expect(await session.read("deal", made.id)).toMatchObject({ archived: true });
    expect(await session.find(deal([who.key]), refs)).toMatchObject({
      id: made.id,
      note: expect.stringMatching(/cancelled/),
    });
  });
});

test("calls cost what docs/crm/tryton.md says", async () => {
  const { session, sandbox } = trytonRig();
  let before = 0;
  const calls = (): number => {
    const made = sandbox.log.length - before;
    before = sandbox.log.length;
    return made;
  };
  await session.account();
  expect(calls(), "the login, the preferences, the company").toBe(3);
  const [who, firm] = [person(), company()];
  const whoRef = await bring(session, who, none);
  expect(calls(), "a new person").toBe(3);
  const firmRef = await bring(session, firm, refsOf([who, whoRef]));
  expect(calls(), "a new company, and once the modules and the type of the relation").toBe(5 + 2);
  await session.link({ kind: "person", id: whoRef.id }, { kind: "company", id: firmRef.id });
  expect(calls(), "a new relation").toBe(2);
  const refs = refsOf([who, whoRef], [firm, firmRef]);
  await bring(session, deal([who.key, firm.key]), refs);
  expect(calls(), "a new opportunity").toBe(3);
  await bring(session, activity([who.key]), refs);
  expect(calls(), "a note").toBe(2);
  await bring(session, activity([who.key], { message_id: "<2@example.test>", deals: "newest" }), refs);
  expect(calls(), "a note on the newest open opportunity").toBe(4);
  await bring(session, who, none);
  expect(calls(), "a known person").toBe(1);
});

describe("notes", () => {
  test("say who wrote to whom, then the mail, then the Message-ID and our marker", async () => {
    const { session, sandbox } = trytonRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const mail = activity([who.key], {
      subject: "Two\r\nlines",
      from: { email: "ada@example.test", name: "A\nForged: line" },
    });
    await session.put(mail, refs);
    expect(textIn(sandbox.state().notes[0], "message")).toBe(
      [
        "Two lines",
        "From: A Forged: line <ada@example.test>",
        "To: sales@acme.test",
        "Received: 2026-11-24 11:30 UTC",
        "",
        "Could you quote for one analytical engine?",
        "",
        "Message-ID: <1@example.test>",
        `[mw:${mail.key.slice(0, 16)}]`,
      ].join("\n"),
    );
  });

  test("whose marker is quoted in another mail are found all the same, and the other is not taken for them", async () => {
    const { session } = trytonRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const mail = activity([who.key]);
    for (let n = 0; n < 5; n++)
      await session.put(
        activity([who.key], { message_id: `<q${n}@x.test>`, text: `> [mw:${mail.key.slice(0, 16)}]` }),
        refs,
      );
    expect(await session.find(mail, refs)).toBeUndefined();
    const made = await session.put(mail, refs);
    expect(await session.find(mail, refs)).toMatchObject({ id: made.id, ours: true });
  });

  test("with a text of more words than PostgreSQL's full-text search counts are found by their marker", async () => {
    const { session } = trytonRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const mail = activity([who.key], { text: longText });
    const made = await session.put(mail, refs);
    expect(await session.find(mail, refs)).toMatchObject({ id: made.id, ours: true });
  });

  test("whose call got no answer are found on an opportunity that is another party's by now", async () => {
    const { session, sandbox } = trytonRig();
    const [who, bo] = [person(), person("bo@example.test")];
    const refs = refsOf([who, await session.put(who, none)], [bo, await session.put(bo, none)]);
    const chance = await session.put(deal([who.key]), refs);
    const mail = activity([who.key], { deals: "newest" });
    const made = await session.put(mail, refs);
    expect(await session.find(mail, refs)).toMatchObject({ id: made.id });
    sandbox.actors.personEdits("sale.opportunity", chance.id, { party: Number(refs.get(bo.key)?.id), contact: null });
    expect(await session.find(mail, refs, { sent: true })).toMatchObject({ id: made.id, ours: true });
  });

  test("a note that somebody changes between our reading and our writing keeps their words", async () => {
    const { session, sandbox } = trytonRig();
    const who = person();
    const ref = await session.put(who, none);
    const mail = activity([who.key], { attachments: [filed("checking")] });
    const made = await session.put(mail, refsOf([who, ref]));
    const refs = refsOf([who, ref], [mail, made]);
    const [note] = sandbox.state().notes;
    const seen = { id: Number(made.id), message: textIn(note, "message"), resource: textIn(note, "resource") };
    const body = { id: 1, result: [{ ...seen, _timestamp: "0.000001" }] };
    sandbox.faults.plan({ route: "note.search_read", fault: { kind: "status", status: 200, body } });
    const step = fileStep(mail, [filed("stored")]);
    expect(await failureIn(() => session.put(step, refs))).toMatchObject({ kind: "retryable" });
    expect(textIn(sandbox.state().notes[0], "message")).toBe(seen.message);
    expect(await session.put(step, refs)).toMatchObject({ adopted: false });
  });

  test("of a party that is gone are refused in Tryton's words, and of nobody in ours", async () => {
    const { session, sandbox } = trytonRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    sandbox.actors.personDeletes("party.party", refs.get(who.key)?.id ?? "");
    expect(await failureIn(() => session.put(activity([who.key]), refs))).toEqual({
      kind: "permanent",
      reason: 'Tryton: A value is required for field "Resource" in "Note".',
    });
    expect((await failureIn(() => session.put(activity([]), refs))).kind).toBe("permanent");
  });

  test("of a colleague stand on the opportunity of the conversation", async () => {
    const { session, linksOf } = trytonRig();
    const [who, bo] = [person(), person("bo@example.test")];
    const refs = refsOf([who, await session.put(who, none)], [bo, await session.put(bo, none)]);
    const chance = deal([who.key]);
    const all = refsOf(
      [who, refs.get(who.key) ?? { id: "" }],
      [bo, refs.get(bo.key) ?? { id: "" }],
      [chance, await session.put(chance, refs)],
    );
    const mail = activity([bo.key, chance.key]);
    const made = await bring(session, mail, all);
    expect(await linksOf(made.id)).toContain(all.get(chance.key)?.id);
  });
});

describe("doctor", () => {
  const check = async (options: Parameters<typeof trytonRig>[0]) => {
    const { findings } = await trytonRig(options).session.check();
    return findings.filter(({ level }) => level !== "ok").map(({ what, fixable = false }) => [what, fixable] as const);
  };

  test("finds nothing wrong where all is there", async () => {
    const { session } = trytonRig();
    const { account, findings } = await session.check();
    expect(account).toBe(await session.account());
    expect(findings.map(({ level }) => level)).toEqual(findings.map(() => "ok"));
    expect(findings.at(-1)?.what).toBe("Tryton 6.0.29");
  });

  test("names what is missing", async () => {
    expect(await check({ prepared: false })).toEqual([
      [expect.stringMatching(/relation type "Works for" is missing/), true],
    ]);
    expect(await check({ modules: ["company", "party"] })).toEqual([
      [expect.stringMatching(/sale_opportunity is not activated/), false],
      [expect.stringMatching(/party_relationship is not activated/), false],
    ]);
    expect(await check({ forbidden: ["sale.opportunity create"] })).toEqual([
      [expect.stringMatching(/may not create opportunities/), false],
    ]);
    expect(await check({ version: "7.0.3" })).toEqual([["Tryton 7.0.3", false]]);
    const { account, findings } = await trytonRig({ company: null }).session.check();
    expect(account).toBeUndefined();
    expect(findings).toMatchObject([{ level: "problem", what: expect.stringMatching(/has no company/) }]);
  });

  test("makes the relation types, with both ways, and finds what a broken try left", async () => {
    const { session, sandbox } = trytonRig({ prepared: false });
    sandbox.faults.plan({ route: "relation_type.create", nth: 2, fault: { kind: "status", status: 502 } });
    expect(await failureIn(async () => await session.fix?.())).toMatchObject({ kind: "ambiguous" });
    expect(await session.fix?.()).toMatchObject([{ level: "ok" }]);
    expect(await session.fix?.()).toEqual([]);
    const [who, firm] = [await session.put(person(), none), await session.put(company(), none)];
    await session.link({ kind: "person", id: who.id }, { kind: "company", id: firm.id });
    expect((await session.read("company", firm.id, { fields: [] }))?.links).toEqual([`person:${who.id}`]);
    const lacking = trytonRig({ prepared: false, forbidden: ["party.relation.type create"] });
    expect(await lacking.session.fix?.()).toMatchObject([
      { level: "problem", mend: expect.stringMatching(/Party Administration/) },
    ]);
  });
});
