/** What every destination promises, as tests: a new one imports this suite and brings a rig. */
import { afterEach, describe, expect, test } from "vitest";
import type { Facts, Ref, Refs, Session } from "../../src/model/destination.ts";
import { type Failure, failureOf, Refused } from "../../src/model/outcome.ts";
import type { Step, StepKind } from "../../src/model/step.ts";
import { activity, company, deal, filed, fileStep, keyOf, person, refsOf } from "./fixtures.ts";

/** The vendor's weather and the people at it, for destinations that call out. */
export interface Weather {
  /** The next create of this kind is carried out and its answer lost. */
  loseAnswer(kind: "person" | "activity" | "deal", how: "drop" | "status"): void;
  /** Asked only where the vendor can change activities, as someoneEdits is. The next change of a logged activity is carried out and its answer lost; `unsent`: it is lost on its way there. */
  loseChange(how: "drop" | "status" | "unsent"): void;
  /** Somebody writes into an activity. */
  someoneEdits(id: string, edit: (text: string) => string): void;
  /** The next read of this kind is answered by a 5xx. */
  failRead(kind: "person"): void;
  revokeToken(): void;
  /** The next call is refused by a limit. Answers the time (epoch ms) until which the vendor wants silence. */
  limitNext(): number;
  /** The next activity is refused by a rule of the vendor's, in these words. */
  refuseActivity(words: string): void;
  /** What must never be seen outside the Authorization header. */
  readonly secret: string;
}

export interface Rig {
  readonly facts: Facts;
  readonly session: Session;
  /** Live records of a kind at the destination. */
  count(kind: StepKind): Promise<number>;
  /** Somebody else makes a contact by hand. */
  someoneAddsContact(email: string, name: string): Promise<string>;
  /** Somebody changes a deal's stage by hand. */
  someoneMovesDeal(id: string, stage: string): Promise<void>;
  stageOf(id: string): Promise<string | null | undefined>;
  contactName(id: string): Promise<string | null | undefined>;
  /** The activity's text as the destination keeps it. */
  textOf(id: string): Promise<string>;
  /** What the activity says of its files, in whatever form. */
  filesOf(id: string): Promise<string>;
  /** Ids of the records that an activity stands on: its people, its company, its deals. */
  linksOf(id: string): Promise<readonly string[]>;
  /** All that was logged. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

/** A rig at a vendor that can fail. */
export interface VendorRig extends Rig {
  readonly weather: Weather;
}

const none: Refs = new Map();

/** As the pipeline does it: look first wherever the destination does not enforce a key, or where others make such records too. */
export async function bring(session: Session, step: Step, refs: Refs): Promise<Ref> {
  const looks =
    step.kind === "person" || step.kind === "company" || (await session.dedupe(step.kind)).tier !== "unique-key";
  return (looks ? await session.find(step, refs) : undefined) ?? (await session.put(step, refs));
}

export async function failureIn(work: () => Promise<unknown>): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    expect(error, "only Refused may leave a destination").toBeInstanceOf(Refused);
    return failureOf(error);
  }
  throw new Error("it was expected to be refused");
}

/** For a destination that calls out: the contract, and the cases of a vendor who fails. */
export function vendorContract(name: string, open: () => Promise<VendorRig>): void {
  destinationContract(name, open);
  describe(`${name}, in bad weather`, () => weatherContract(open));
}

export function destinationContract(name: string, open: () => Promise<Rig>): void {
  describe(name, () => {
    let rig: Rig;
    const opened = async (): Promise<Rig> => {
      rig = await open();
      return rig;
    };
    const contact = () => contactAt(rig.session);
    afterEach(async () => await rig.close());

    test("facts name the vendor's page and the day they were checked", async () => {
      const { facts } = await opened();
      expect(facts.docs).toMatch(/^(https:\/\/|docs\/)\S+$/);
      expect(facts.checked).toMatch(/^20\d\d-\d\d-\d\d$/);
      expect(facts.vendor).not.toBe("");
    });

    test("says which account it is: the same at every asking", async () => {
      const { session } = await opened();
      const account = await session.account();
      expect(account).toMatch(/^[a-z]+:.+$/);
      expect(await session.account()).toBe(account);
    });

    test("ensuring every step twice makes one record of each", async () => {
      await opened();
      const { step: who, ref, refs } = await contact();
      const firm = company();
      const firmRef = await bring(rig.session, firm, refs);
      const chance = deal([who.key, firm.key]);
      const withFirm = refsOf([who, ref], [firm, firmRef]);
      const chanceRef = await bring(rig.session, chance, withFirm);
      const all = refsOf([who, ref], [firm, firmRef], [chance, chanceRef]);
      const mail = activity([who.key, firm.key, chance.key]);
      const mailRef = await bring(rig.session, mail, all);
      expect((await bring(rig.session, who, none)).id).toBe(ref.id);
      expect((await bring(rig.session, firm, refs)).id).toBe(firmRef.id);
      expect((await bring(rig.session, chance, withFirm)).id).toBe(chanceRef.id);
      expect((await bring(rig.session, mail, all)).id).toBe(mailRef.id);
      for (const kind of ["person", "company", "deal", "activity"] as const)
        expect(await rig.count(kind), kind).toBe(1);
      const deals = rig.facts.can.activityDeals === "none" ? [] : [chanceRef.id];
      expect([...(await rig.linksOf(mailRef.id))].sort()).toEqual([ref.id, firmRef.id, ...deals].sort());
    });

    test("two different mails to one contact are two activities", async () => {
      await opened();
      const { step, refs } = await contact();
      const one = await bring(rig.session, activity([step.key]), refs);
      const other = await bring(rig.session, activity([step.key], { message_id: "<2@example.test>" }), refs);
      expect(other.id).not.toBe(one.id);
      expect(await rig.count("activity")).toBe(2);
    });

    test("a mail to two contacts is one activity, on both or on the first, and ensuring it again links nothing twice", async () => {
      await opened();
      const { step: who, ref, refs } = await contact();
      const other = person("bo@example.test");
      const otherRef = await bring(rig.session, other, refs);
      const both = refsOf([who, ref], [other, otherRef]);
      const mail = activity([who.key, other.key], { direction: "outbound" });
      const made = await bring(rig.session, mail, both);
      expect((await bring(rig.session, mail, both)).id).toBe(made.id);
      expect(await rig.count("activity")).toBe(1);
      const links = await rig.linksOf(made.id);
      expect(links).toContain(ref.id);
      expect(links.includes(otherRef.id)).toBe(rig.facts.can.severalPeople);
      expect(new Set(links).size).toBe(links.length);
    });

    test("a contact that somebody made in between is adopted, not doubled", async () => {
      await opened();
      const step = person();
      expect(await rig.session.find(step, none)).toBeUndefined();
      const made = await rig.someoneAddsContact("Ada@Example.test", "A. L.");
      const ref = await rig.session.put(step, none);
      expect(ref).toMatchObject({ id: made, adopted: true });
      expect(await rig.count("person")).toBe(1);
      expect(await rig.contactName(made), "the name is theirs").toBe("A. L.");
    });

    test("names have no line end in them, whichever a sender thought of", async () => {
      await opened();
      // A log of events keeps what it was told.
      if (rig.facts.vendor === "local") return;
      const forged = "Ada\u0085Forged\u2028Line\u009bx";
      const [who, firm] = [person(undefined, { name: forged }), { ...company(), name: forged }];
      const refs = refsOf([who, await rig.session.put(who, none)], [firm, await rig.session.put(firm, none)]);
      const chance = { ...deal([who.key, firm.key]), name: forged };
      const made = [...refs.values(), { kind: "deal", id: (await rig.session.put(chance, refs)).id }] as const;
      for (const { kind, id } of made)
        expect(JSON.stringify(await rig.session.read(kind, id)), kind).not.toMatch(/[\u0080-\u009f\u2028\u2029]/);
    });

    test("a stage that a person moved stays where they moved it", async () => {
      await opened();
      const { step, refs } = await contact();
      const chance = deal([step.key]);
      const ref = await bring(rig.session, chance, refs);
      await rig.someoneMovesDeal(ref.id, "closedwon");
      expect((await bring(rig.session, chance, refs)).id).toBe(ref.id);
      expect(await rig.stageOf(ref.id)).toBe("closedwon");
    });

    test("a mail is logged on the contact's newest open deals, as many as the vendor allows, with one call, and is given no others later", async () => {
      await opened();
      const { activityDeals } = rig.facts.can;
      const { step: who, ref, refs } = await contact();
      const mail = (id: string, more: object) => activity([who.key], { message_id: id, ...more });
      const dealsOn = async (id: string): Promise<string[]> =>
        [...(await rig.linksOf(id))].filter((link) => ids.includes(link)).sort();
      const ids: string[] = [];
      const alone = await bring(rig.session, mail("<0@example.test>", { deals: "newest" }), refs);
      const before = await rig.linksOf(alone.id);
      expect(before).toContain(ref.id);
      for (let n = 0; n < 7; n++) {
        const chance = { ...deal([who.key], `Engines ${n}`), key: keyOf(`deal ${n}`) };
        ids.push((await bring(rig.session, chance, refs)).id);
      }
      await rig.someoneMovesDeal(ids[6] ?? "", "closedlost");
      const newest = mail("<1@example.test>", { deals: "newest" });
      const one = await bring(rig.session, newest, refs);
      const first = activityDeals === "none" ? [] : [ids[5]];
      expect(await dealsOn(one.id)).toEqual(first);
      if (activityDeals !== "none") expect(one.note).toBe(`logged on the contact's open deal ${ids[5]}`);
      const five = await bring(rig.session, mail("<2@example.test>", { deals: "recent_five" }), refs);
      expect(await dealsOn(five.id)).toEqual(activityDeals === "several" ? ids.slice(1, 6).sort() : first);
      const later = await bring(rig.session, { ...deal([who.key]), key: keyOf("a later deal") }, refs);
      ids.push(later.id);
      await bring(rig.session, newest, refs);
      expect(await dealsOn(one.id)).toEqual(first);
      expect(await rig.linksOf(alone.id)).toEqual(before);
      expect(await rig.count("activity")).toBe(3);
    });

    test("a person who may not be created is only looked up", async () => {
      await opened();
      const step = person("nobody@example.test", { create: false });
      expect(await rig.session.find(step, none)).toBeUndefined();
      expect((await failureIn(() => rig.session.put(step, none))).kind).toBe("permanent");
      expect(await rig.count("person")).toBe(0);
    });

    test("a body over the limit is cut, says so, and the step says so too", async () => {
      await opened();
      const { step, refs } = await contact();
      const text = "The same line again.\n".repeat(50_000);
      const ref = await rig.session.put(activity([step.key], { text, html: `<p>${text}</p>` }), refs);
      expect(ref.note).toMatch(/cut to [\d,]+/);
      const kept = await rig.textOf(ref.id);
      expect(kept.length).toBeLessThanOrEqual(rig.facts.maxBodyBytes);
      expect(kept.startsWith("The same line again.")).toBe(true);
    });

    test("linking twice changes nothing; unlinking takes the association away, or is refused where a logged mail stays where it is", async () => {
      await opened();
      const { step, ref, refs } = await contact();
      const mail = await bring(rig.session, activity([step.key]), refs);
      const [from, to] = [
        { kind: "activity" as const, id: mail.id },
        { kind: "person" as const, id: ref.id },
      ];
      const links = await rig.linksOf(mail.id);
      await rig.session.link(from, to);
      expect(await rig.linksOf(mail.id)).toEqual(links);
      const unlink = () => rig.session.unlink(from, to);
      if (!rig.facts.can.moveActivity) {
        expect((await failureIn(unlink)).kind).toBe("permanent");
        expect(await rig.linksOf(mail.id)).toEqual(links);
        return;
      }
      await unlink();
      await unlink();
      expect(await rig.linksOf(mail.id)).not.toContain(ref.id);
    });

    test("what became of the files is said where they are listed, as often as it changes, and makes no record", async () => {
      await opened();
      const { step: who, ref, refs } = await contact();
      const lists = [[filed("checking")], [filed("stored")], [filed("quarantined", { reason: "it holds macros" })]];
      const mail = activity([who.key], { attachments: lists[0] ?? [] });
      const mailRef = await bring(rig.session, mail, refs);
      const all = refsOf([who, ref], [mail, mailRef]);
      const words = [/checked|checking/, /"stored"|bytes\): https:/, /it holds macros/];
      if (!rig.facts.can.changeActivity) {
        const before = await rig.textOf(mailRef.id);
        const refused = await failureIn(() => rig.session.put(fileStep(mail, lists[1] ?? [], [lists[0] ?? []]), all));
        expect(refused.kind).toBe("permanent");
        expect(await rig.textOf(mailRef.id)).toBe(before);
        return;
      }
      for (const [at, list] of [...lists, ...lists].entries()) {
        const step = fileStep(mail, list, [lists[(at + 2) % 3] ?? []]);
        for (const adopted of [at === 0, true])
          expect(await bring(rig.session, step, all)).toMatchObject({ id: mailRef.id, adopted });
        const said = await rig.filesOf(mailRef.id);
        expect(words.map((word) => word.test(said))).toEqual(words.map((_, word) => word === at % 3));
      }
      expect(await rig.count("activity")).toBe(1);
      expect(await rig.linksOf(mailRef.id)).toContain(ref.id);
      expect((await rig.session.dedupe("file")).tier, "repeating it is harmless").toBe("unique-key");
    });

    test("files of a mail that somebody deleted are left alone, and that is no failure", async () => {
      await opened();
      const { step: who, ref, refs } = await contact();
      if (!rig.facts.can.changeActivity) return;
      const mail = activity([who.key], { attachments: [filed("checking")] });
      const mailRef = await bring(rig.session, mail, refs);
      await rig.session.archive("activity", mailRef.id);
      const all = refsOf([who, ref], [mail, mailRef]);
      expect(await bring(rig.session, fileStep(mail, [filed("stored")]), all)).toMatchObject({ id: mailRef.id });
      // A vendor without an archive has it no more.
      expect((await rig.session.read("activity", mailRef.id))?.archived ?? true).toBe(true);
      expect(await rig.count("activity")).toBe(0);
    });

    test("a record is read as it is now, archived or not, and an unknown id is undefined", async () => {
      await opened();
      const { ref } = await contact();
      expect(await rig.session.read("person", ref.id)).toMatchObject({
        id: ref.id,
        archived: false,
        fields: { email: "ada@example.test" },
      });
      await rig.session.archive("person", ref.id);
      // A vendor without an archive has it no more.
      const after = await rig.session.read("person", ref.id);
      expect(after?.archived ?? true).toBe(true);
      expect(await rig.count("person")).toBe(0);
      expect(await rig.session.read("person", "999999999")).toBeUndefined();
    });

    test("a remembered contact that somebody deleted reads as gone; looked for anew it is another, and takes the mail, or a person is told what to do", async () => {
      await opened();
      const { step: who, ref, refs } = await contact();
      await bring(rig.session, activity([who.key]), refs);
      await rig.session.archive("person", ref.id);
      const next = activity([who.key], { message_id: "<next@example.test>" });
      await rig.session.put(next, refs).then(
        () => undefined,
        (error: unknown) => expect(failureOf(error).kind, "nothing unclear").toBe("permanent"),
      );
      expect((await rig.session.read("person", ref.id))?.archived ?? true).toBe(true);
      const anew = await bring(rig.session, who, none).catch((error: unknown) => failureOf(error));
      if ("kind" in anew) {
        // Zoho's recycle bin holds the key until a person empties it.
        expect(anew.kind).toBe("permanent");
        return;
      }
      // Where what is put away keeps its key for good (Tryton's parties), it is the same record that is found.
      if (anew.id === ref.id) return;
      expect((await bring(rig.session, next, refsOf([who, anew]))).id).toEqual(expect.any(String));
      expect(await rig.count("person")).toBe(1);
    });

    test("every kind of step is either done or refused in words", async () => {
      await opened();
      const { step: who, ref, refs } = await contact();
      const mail = activity([who.key]);
      const mailRef = await bring(rig.session, mail, refs);
      const all = refsOf([who, ref], [mail, mailRef]);
      const common = { why: "test" };
      const steps: Step[] = [
        fileStep(mail, [filed("stored")]),
        { kind: "link", ...common, key: keyOf("link"), from: mail.key, to: who.key },
        { kind: "unlink", ...common, key: keyOf("unlink"), from: mail.key, to: who.key },
        { kind: "archive", ...common, key: keyOf("archive"), target: mail.key },
        { kind: "event_copy", ...common, key: keyOf("event"), event: { any: "thing" } },
      ];
      for (const step of steps) {
        const outcome = await bring(rig.session, step, all).catch((error: unknown) => error);
        if (outcome instanceof Refused) expect(outcome.failure, step.kind).toMatchObject({ kind: "permanent" });
        else expect(outcome, step.kind).toMatchObject({ id: expect.any(String) });
      }
    });

    test("a step about a record that no earlier step left is refused for good", async () => {
      await opened();
      await contact();
      expect((await failureIn(() => rig.session.put(activity([keyOf("nobody")]), none))).kind).toBe("permanent");
    });
  });
}

async function contactAt(session: Session): Promise<{ step: Step; refs: Refs; ref: Ref }> {
  const step = person();
  const ref = await bring(session, step, none);
  return { step, ref, refs: refsOf([step, ref]) };
}

function weatherContract(open: () => Promise<VendorRig>): void {
  let rig: VendorRig;
  const opened = async (): Promise<VendorRig> => {
    rig = await open();
    return rig;
  };
  const contact = () => contactAt(rig.session);
  afterEach(async () => await rig.close());

  for (const how of ["drop", "status"] as const) {
    test(`an answer lost after the commit (${how}) is ambiguous, and looking first heals it to one record`, async () => {
      await opened();
      const { step, refs } = await contact();
      const chance = deal([step.key]);
      const mail = activity([step.key]);
      for (const [kind, made] of [["deal", chance] as const, ["activity", mail] as const]) {
        rig.weather.loseAnswer(kind, how);
        expect((await failureIn(() => rig.session.put(made, refs))).kind, kind).toBe("ambiguous");
        const found = await rig.session.find(made, refs);
        expect(found?.adopted, kind).toBe(true);
        expect(await rig.count(kind), kind).toBe(1);
      }
    });
  }

  test("a lost answer to a mail on open deals heals to that mail on those deals, though there are newer ones by then", async () => {
    await opened();
    const { step: who, ref, refs } = await contact();
    const made = await bring(rig.session, deal([who.key]), refs);
    const mail = activity([who.key], { deals: "newest" });
    rig.weather.loseAnswer("activity", "drop");
    expect((await failureIn(() => rig.session.put(mail, refs))).kind).toBe("ambiguous");
    await bring(rig.session, { ...deal([who.key]), key: keyOf("a newer deal") }, refs);
    const found = await rig.session.find(mail, refs);
    const links = await rig.linksOf(found?.id ?? "");
    expect(links).toContain(ref.id);
    expect(links.includes(made.id)).toBe(rig.facts.can.activityDeals !== "none");
    expect(await rig.count("activity")).toBe(1);
  });

  const logged = async () => {
    const { step: who, ref, refs } = await contact();
    const mail = activity([who.key], { attachments: [filed("checking")] });
    const mailRef = await bring(rig.session, mail, refs);
    const text = await rig.textOf(mailRef.id);
    return { id: mailRef.id, all: refsOf([who, ref], [mail, mailRef]), mail, text };
  };

  for (const how of ["drop", "status", "unsent"] as const) {
    test(`a change of the files whose answer is lost (${how}) is ambiguous, and looking and repeating heals it`, async () => {
      await opened();
      if (!rig.facts.can.changeActivity) return;
      const { id, all, mail, text } = await logged();
      const step = fileStep(mail, [filed("stored")]);
      rig.weather.loseChange(how);
      expect((await failureIn(() => rig.session.put(step, all))).kind).toBe("ambiguous");
      const found = await rig.session.find(step, all);
      expect(found?.adopted).toBe(how === "unsent" ? undefined : true);
      expect(await rig.session.put(step, all)).toMatchObject({ id, adopted: how !== "unsent" });
      expect(await rig.textOf(id)).toBe(text.replace("being checked: ", ""));
      expect(await rig.count("activity")).toBe(1);
    });
  }

  test("a limit in the middle of a change of the files pauses, and nothing of it is lost", async () => {
    await opened();
    if (!rig.facts.can.changeActivity) return;
    const { id, all, mail } = await logged();
    const step = fileStep(mail, [filed("stored")]);
    const until = rig.weather.limitNext();
    expect(await failureIn(() => rig.session.put(step, all))).toMatchObject({ kind: "rate_limited", until });
    await rig.session.put(step, all);
    expect(await rig.filesOf(id)).not.toContain("being checked");
  });

  test("what a person wrote around the list of files stays; a list that a person changed is left as it is, with a note", async () => {
    await opened();
    if (!rig.facts.can.changeActivity) return;
    const { id, all, mail, text } = await logged();
    rig.weather.someoneEdits(id, (text) => `Called her back.\n${text}\nAttachments: see also the shared folder.`);
    const stored = fileStep(mail, [filed("stored")]);
    expect((await rig.session.put(stored, all)).note).toBeUndefined();
    const expected = `Called her back.\n${text.replace("being checked: ", "")}\nAttachments: see also the shared folder.`;
    expect(await rig.textOf(id)).toBe(expected);
    rig.weather.someoneEdits(id, (text) => text.replace("offer.pdf (", "our offer, offer.pdf ("));
    const edited = await rig.textOf(id);
    const later = fileStep(mail, [filed("removed")], [stored.files]);
    expect(await rig.session.find(later, all)).toBeUndefined();
    expect(await rig.session.put(later, all)).toMatchObject({
      id,
      adopted: true,
      note: expect.stringMatching(/left as it is/),
    });
    expect(await rig.textOf(id)).toBe(edited);
  });

  test("a lost answer to a new contact heals to one contact", async () => {
    await opened();
    rig.weather.loseAnswer("person", "drop");
    expect((await failureIn(() => rig.session.put(person(), none))).kind).toBe("ambiguous");
    const found = await rig.session.find(person(), none);
    expect((await rig.session.put(person(), none)).id).toBe(found?.id);
    expect(await rig.count("person")).toBe(1);
  });

  test("a 5xx on a read is retryable: nothing was written", async () => {
    await opened();
    rig.weather.failRead("person");
    expect((await failureIn(() => rig.session.find(person(), none))).kind).toBe("retryable");
  });

  test("a revoked token blocks and dead-letters nothing", async () => {
    await opened();
    rig.weather.revokeToken();
    expect((await failureIn(() => rig.session.find(person(), none))).kind).toBe("blocked");
    expect((await failureIn(() => rig.session.put(person(), none))).kind).toBe("blocked");
  });

  test("a limit pauses until the vendor's time", async () => {
    await opened();
    await contact();
    const until = rig.weather.limitNext();
    expect(await failureIn(() => rig.session.find(person(), none))).toMatchObject({ kind: "rate_limited", until });
    expect(await rig.session.find(person(), none)).toBeDefined();
  });

  test("a validation error is permanent, in the vendor's words", async () => {
    await opened();
    const { step, refs } = await contact();
    rig.weather.refuseActivity("Subjects need a ticket number");
    const failure = await failureIn(() => rig.session.put(activity([step.key]), refs));
    expect(failure.kind).toBe("permanent");
    expect(failure.reason).toContain("Subjects need a ticket number");
  });

  test("no secret and no address is in a log line or a reason, even when the vendor repeats them", async () => {
    await opened();
    const { step, refs } = await contact();
    rig.weather.refuseActivity(`Authorization: Bearer ${rig.weather.secret} of ada@example.test is not welcome`);
    const failure = await failureIn(() => rig.session.put(activity([step.key]), refs));
    rig.weather.revokeToken();
    const blocked = await failureIn(() => rig.session.find(person(), none));
    for (const words of [failure.reason, blocked.reason, ...rig.lines]) {
      expect(words).not.toContain(rig.weather.secret);
      expect(words).not.toContain("ada@example.test");
    }
  });
}
