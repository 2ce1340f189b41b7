/** Close: the contract, and what is Close's alone. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emailBody, senderOf, timeOf } from "../../src/destinations/close/bodies.ts";
import { isSame } from "../../src/destinations/close/emails.ts";
import type { Session } from "../../src/model/destination.ts";
import { type CloseRig, closeRig, openClose } from "./close-rig.ts";
import { bring, failureIn, vendorContract } from "./contract.ts";
import { activity, company, deal, keyOf, person, refsOf } from "./fixtures.ts";

vendorContract("Close", async () => closeRig());

const none = new Map();
const employed = (email: string) => person(email, { company: { key: company().key, domain: "example.test" } });

async function contactAt(session: Session, step = person()) {
  const ref = await bring(session, step, none);
  return { step, ref, refs: refsOf([step, ref]) };
}

describe("nothing can send mail", () => {
  test("whatever the step, the status is one of a mail that was received or sent long ago", () => {
    const body = { text: "", html: null, note: undefined };
    const parts = { lead: "lead_1", contact: undefined, user: undefined, body };
    fc.assert(
      fc.property(
        fc.constantFrom("inbound", "outbound" as const),
        fc.string(),
        fc.string(),
        (direction, subject, text) => {
          const step = activity([], { direction: direction as "inbound", subject, text });
          expect(["inbox", "sent"]).toContain(emailBody(step, "a@b.test", parts).status);
        },
      ),
    );
  });

  test("by type, no other status can be written", () => {
    const at = "2026-11-24T11:30:00.000000+00:00";
    const body = emailBody(activity([]), "a@b.test", {
      lead: "l",
      contact: undefined,
      user: undefined,
      body: { text: "", html: null, note: undefined },
    });
    // @ts-expect-error it would be sent at once
    const outbox: typeof body = { ...body, status: "outbox", activity_at: at };
    // @ts-expect-error it would be sent later
    const scheduled: typeof body = { ...body, status: "scheduled", activity_at: at };
    // @ts-expect-error somebody could send it
    const draft: typeof body = { ...body, status: "draft", activity_at: at };
    expect([outbox, scheduled, draft].map(({ status }) => status as string)).not.toContain(body.status);
  });

  test("the fake would notice", async () => {
    const { sandbox, session } = closeRig();
    const { step, refs } = await contactAt(session);
    await session.put(activity([step.key]), refs);
    await session.put(activity([step.key], { direction: "outbound", message_id: "<2@example.test>" }), refs);
    const { emails, realMail } = sandbox.state();
    expect([realMail, emails.map(({ status }) => status).sort()]).toEqual([0, ["inbox", "sent"]]);
  });
});

describe("leads", () => {
  test("people of one company that a mapping asks for stand on one lead, though search lags; the company is that lead", async () => {
    const { sandbox, session } = closeRig({ searchLagMs: 60_000 });
    const people = ["ada", "bo", "cy"].map((name) => employed(`${name}@example.test`));
    const refs = await Promise.all(people.map(async (step) => [step, await bring(session, step, none)] as const));
    const firm = company();
    const ref = await bring(session, firm, refsOf(...refs));
    const { leads, contacts } = sandbox.state();
    expect(leads.map(({ id, name }) => [id, name])).toEqual([[ref.id, "example.test"]]);
    expect(contacts.map(({ lead_id }) => lead_id)).toEqual([ref.id, ref.id, ref.id]);
  });

  test("another session finds the company's lead by our own field, and where Close takes no such search, people get leads of their own", async () => {
    for (const customFieldSearch of [true, false]) {
      const { sandbox, clock, session } = closeRig({ customFieldSearch });
      await bring(session, employed("ada@example.test"), none);
      const later = openClose(sandbox, clock);
      await bring(later, employed("bo@example.test"), none);
      expect(sandbox.state().leads.length).toBe(customFieldSearch ? 1 : 2);
    }
  });

  test("a lead that a person made becomes the company by our own field alone", async () => {
    const { sandbox, session } = closeRig();
    sandbox.actors.personAddsContact({ email: "ada@example.test", name: "A. L." });
    const { refs } = await contactAt(session);
    const ref = await bring(session, company(), refs);
    expect(ref.adopted).toBe(true);
    expect(sandbox.state().leads).toMatchObject([{ id: ref.id, name: "A. L.", "custom.cf_lead000001": company().key }]);
  });

  test("nothing is ever made without saying on which lead", async () => {
    const { sandbox, session } = closeRig();
    const { step, refs } = await contactAt(session);
    await session.put(deal([step.key]), refs);
    await session.put(activity([step.key]), refs);
    expect(sandbox.state().leads).toHaveLength(1);
    expect((await failureIn(() => session.put(activity([]), refs))).reason).toContain("stands on a lead");
  });

  test("to archive a lead would delete all that is on it: refused", async () => {
    const { sandbox, session } = closeRig();
    const { refs } = await contactAt(session);
    const { id } = await bring(session, company(), refs);
    expect(await failureIn(() => session.archive("company", id))).toMatchObject({ kind: "permanent" });
    expect(sandbox.state().leads).toHaveLength(1);
  });

  test("after a merge mail goes to the survivor, without a word to anybody", async () => {
    const { sandbox, session } = closeRig();
    const { step, refs } = await contactAt(session);
    await session.put(activity([step.key]), refs);
    const [lost] = sandbox.state().leads;
    sandbox.actors.personAddsContact({ email: "other@example.test" });
    const [survivor] = sandbox.state().leads;
    sandbox.actors.personMergesLeads(survivor?.id ?? "", lost?.id ?? "");
    await bring(session, activity([step.key], { message_id: "<2@example.test>" }), refs);
    expect(sandbox.state().emails.map(({ lead_id }) => lead_id)).toEqual([survivor?.id, survivor?.id]);
  });

  test("a lost answer, and a merge before it is looked up: the list of the survivor shows it", async () => {
    const { sandbox, session, weather } = closeRig();
    const { step, refs } = await contactAt(session);
    const mail = activity([step.key]);
    expect(await session.find(mail, refs)).toBeUndefined();
    weather.loseAnswer("activity", "drop");
    await failureIn(() => session.put(mail, refs));
    const [lost] = sandbox.state().leads;
    sandbox.actors.personAddsContact({ email: "other@example.test" });
    const [survivor] = sandbox.state().leads;
    sandbox.actors.personMergesLeads(survivor?.id ?? "", lost?.id ?? "");
    expect((await session.find(mail, refs))?.id).toBe(sandbox.state().emails[0]?.id);
  });
});

describe("an address", () => {
  test("made by a call whose answer was lost is told to be ours, and one that a person made is not", async () => {
    const rig = closeRig();
    rig.weather.loseAnswer("person", "drop");
    expect((await failureIn(() => rig.session.put(person(), none))).kind).toBe("ambiguous");
    expect(await rig.session.find(person(), none)).toMatchObject({ adopted: true, ours: true });
    await rig.someoneAddsContact("bo@example.test", "Bo");
    expect(await rig.session.find(person("bo@example.test"), none)).toMatchObject({ adopted: true, ours: false });
    const unkeyed = closeRig({ prepared: false });
    await bring(unkeyed.session, person(), none);
    expect((await unkeyed.session.find(person(), none))?.ours).toBe(false);
  });

  test("is this one and no other, whatever the search takes for a match, and the oldest of several contacts is taken", async () => {
    const { sandbox, clock, session } = closeRig();
    const first = sandbox.actors.personAddsContact({ email: "ADA@example.test", name: "First" });
    await clock.advance(1_000);
    sandbox.actors.personAddsContact({ email: "ada@example.test", name: "Second" });
    expect(await session.find(person(), none)).toMatchObject({
      id: first,
      note: expect.stringContaining("2 contacts"),
    });
    sandbox.faults.plan({
      route: "search.search",
      fault: {
        kind: "status",
        status: 200,
        body: { data: [{ id: "cont_x", lead_id: "lead_x", emails: [{ email: "bo@example.test" }] }], cursor: null },
      },
    });
    expect(await session.find(person("ada.b@example.test"), none)).toBeUndefined();
  });
});

describe("the same mail in Close's own mailbox sync", () => {
  const at = activity([]).at;
  async function synced(
    mail: { messageId?: string; sender?: string; subject?: string; at?: number },
    flags: string[] = [],
  ) {
    const rig = closeRig();
    const { step, ref, refs } = await contactAt(rig.session);
    const given = {
      messageId: "1@example.test",
      sender: '"Ada" <Ada@example.test>',
      subject: "About the  engine",
      ...mail,
    };
    const id = rig.sandbox.actors.syncLogs({ contactId: ref.id, at, ...given });
    return { id, rig, found: await bring(rig.session, activity([step.key], { flags }), refs) };
  }

  test("is taken, and not logged a second time", async () => {
    const { id, rig, found } = await synced({});
    expect(found).toMatchObject({ id, adopted: true, note: expect.stringContaining("sync") });
    expect(rig.sandbox.state().emails).toHaveLength(1);
  });

  test.each([
    ["another sender", { sender: "eve@evil.test" }],
    ["another subject", { subject: "Invoice" }],
    ["another Message-ID", { messageId: "<2@example.test>" }],
    ["another day", { at: at - 86_400_000 }],
  ])("is another mail with %s: whoever forges one of them keeps nothing out", async (_, other) => {
    const { id, rig, found } = await synced(other);
    expect(found.id).not.toBe(id);
    expect(rig.sandbox.state().emails).toHaveLength(2);
  });

  test("is no proof while two mails lay claim to its Message-ID: the second is logged too", async () => {
    const { id, rig, found } = await synced({}, ["message_id_conflict"]);
    expect(found.id).not.toBe(id);
    expect(rig.sandbox.state().emails).toHaveLength(2);
  });

  test("some hours earlier or later is still the same mail", async () => {
    const { id, found } = await synced({ at: at + 86_399_000 });
    expect(found.id).toBe(id);
  });

  test("is looked for among those of its day also once our own are known to keep their time", async () => {
    const rig = closeRig();
    const { step, ref, refs } = await contactAt(rig.session);
    await bring(rig.session, activity([step.key], { message_id: "<0@example.test>" }), refs);
    const own = { messageId: "1@example.test", sender: "ada@example.test", subject: "About the engine" };
    const id = rig.sandbox.actors.syncLogs({ contactId: ref.id, at: at + 7_200_000, ...own });
    expect((await bring(rig.session, activity([step.key]), refs)).id).toBe(id);
    expect(rig.sandbox.log.filter(({ route }) => route === "emails.list").at(-1)?.path).toContain("activity_at__gte");
    expect(rig.sandbox.state().emails).toHaveLength(2);
  });

  test("hostile senders and ids end no comparison", () => {
    const step = { message_id: null, from: null, subject: "", at: 0, flags: [] };
    const email = {
      id: "acti_1",
      lead_id: null,
      contact_id: null,
      activity_at: null,
      date_created: null,
      subject: null,
      sender: "<".repeat(9_999),
      direction: null,
      body_text: null,
      message_ids: [],
    };
    expect(isSame(email, step)).toBe(false);
    expect(isSame(email, { ...activity([]) })).toBe(false);
  });
});

describe("the time of a logged e-mail", () => {
  test("is the mail's second and a thousandth of our key's", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.string(), (at, word) => {
        const time = timeOf({ at, key: keyOf(word) });
        expect(Math.floor(time / 1_000)).toBe(Math.floor(at / 1_000));
      }),
    );
  });

  const lost = async (rig: CloseRig) => {
    const { step, refs } = await contactAt(rig.session);
    await bring(rig.session, activity([step.key], { message_id: "<0@example.test>" }), refs);
    const mail = activity([step.key]);
    expect(await rig.session.find(mail, refs)).toBeUndefined();
    rig.weather.loseAnswer("activity", "drop");
    expect((await failureIn(() => rig.session.put(mail, refs))).kind).toBe("ambiguous");
    return await rig.session.find(mail, refs);
  };

  test.each([
    ["kept to the millisecond", {}],
    ["cut to the second", { dates: "seconds" as const }],
    ["not kept at all", { dates: "ignored" as const }],
    ["kept, and no filter knows it", { dateFilters: false }],
  ])("%s, a lost answer is found again all the same", async (_, options) => {
    expect(await lost(closeRig(options))).toMatchObject({ adopted: true });
  });

  test("once it was seen to be kept, one list of four seconds is asked for, and not the lead's whole list", async () => {
    const rig = closeRig();
    await lost(rig);
    const lists = rig.sandbox.log.filter(({ route }) => route === "emails.list").map(({ path }) => path);
    expect(lists.at(0)).not.toContain("activity_at__gte");
    expect(lists.at(-1)).toContain("activity_at__gte");
  });

  test("where it is not kept, the story says so", async () => {
    const { session } = closeRig({ dates: "ignored" });
    const { step, refs } = await contactAt(session);
    expect((await session.put(activity([step.key]), refs)).note).toContain("another time");
  });
});

describe("an organization", () => {
  test("that is not the configured one blocks, before anything is written", async () => {
    const { sandbox, session } = closeRig({}, { organization_id: "orga_other" });
    expect(await failureIn(() => session.put(person(), none))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("orga_other"),
    });
    expect(sandbox.state().leads).toEqual([]);
  });

  test("without our fields blocks what needs them; doctor names them, doctor --fix makes them, twice the same", async () => {
    const { session } = closeRig({ prepared: false });
    const { step, refs } = await contactAt(session);
    expect(await failureIn(() => session.put(deal([step.key]), refs))).toMatchObject({
      kind: "blocked",
      reason: expect.stringContaining("doctor --fix"),
    });
    const missing = (await session.check()).findings.filter(({ fixable }) => fixable === true);
    expect(missing.map(({ level }) => level)).toEqual(["problem", "warning", "problem", "warning"]);
    expect((await session.fix?.())?.map(({ level }) => level)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await session.fix?.()).toEqual([]);
    expect((await session.check()).findings.every(({ level }) => level === "ok")).toBe(true);
    await session.put(deal([step.key]), refs);
  });

  test("whose administrator takes our field away: nothing becomes a dead letter, the lane is blocked until it is back", async () => {
    const rig = closeRig();
    const { step, refs } = await contactAt(rig.session);
    await rig.session.put(deal([step.key]), refs);
    rig.sandbox.faults.plan({
      route: "opportunities.create",
      fault: {
        kind: "status",
        status: 400,
        body: { "field-errors": { "custom.cf_opportunity000001": "This custom field does not exist." } },
      },
    });
    const other = { ...deal([step.key]), key: keyOf("another") };
    expect((await failureIn(() => rig.session.put(other, refs))).kind).toBe("retryable");
    rig.sandbox.faults.plan({
      route: "custom_fields.list",
      fault: { kind: "status", status: 200, body: { data: [], has_more: false } },
    });
    expect((await failureIn(() => rig.session.put(other, refs))).kind).toBe("blocked");
    await rig.session.put(other, refs);
  });

  test("whose key's user may not read the search is told by doctor", async () => {
    const { session } = closeRig({ forbidden: ["search.search"] });
    const { findings } = await session.check();
    expect(findings.filter(({ level }) => level === "problem")).toMatchObject([
      { what: expect.stringContaining("the search") },
    ]);
  });

  test("over its plan blocks", async () => {
    const { session } = closeRig({ overPlan: ["leads.create"] });
    expect(await failureIn(() => session.put(person(), none))).toMatchObject({ kind: "blocked" });
  });
});

describe("limits", () => {
  test("a header that says that none is left holds the next call of its kind until the reset", async () => {
    const { clock, sandbox, session } = closeRig({ limits: { calls: 2, perMs: 4_000, early: 0 } });
    await session.find(person(), none);
    await session.find(person("bo@example.test"), none);
    let done = false;
    void session.find(person("cy@example.test"), none).then(() => {
      done = true;
    });
    await clock.advance(3_000);
    expect(done).toBe(false);
    await clock.advance(2_000);
    expect(done).toBe(true);
    expect(sandbox.log.filter(({ status }) => status === 429)).toEqual([]);
  });

  test("an early 429 waits as long as its header says", async () => {
    const { clock, session } = closeRig({ limits: { calls: 1, perMs: 30_000, early: 1 } });
    expect(await failureIn(() => session.find(person(), none))).toMatchObject({
      kind: "rate_limited",
      until: clock.now() + 30_000,
    });
  });
});

test("a mail whose sender is no address that Close would take is refused in words", async () => {
  const { session } = closeRig();
  const { step, refs } = await contactAt(session);
  const mail = activity([step.key], { from: { email: "not an address", name: null } });
  expect((await failureIn(() => session.put(mail, refs))).reason).toContain("sender");
  expect(senderOf({ from: { email: "a@b.test", name: 'Eve "\r\nBcc: x@y.test' } })).toBe(
    '"Eve Bcc: x@y.test" <a@b.test>',
  );
});
