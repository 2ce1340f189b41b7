/** The whole road without a fake: mail by SMTP to the real daemon, and what stands in a real Tryton on PostgreSQL in the end. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { markerOf } from "../../src/destinations/shared/text.ts";
import { bring, vendorContract } from "../destinations/contract.ts";
import { activity, company, deal, person, refsOf } from "../destinations/fixtures.ts";
import { longText } from "../destinations/tryton-rig.ts";
import { type Home, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import { sendMail } from "../process/smtp-client.ts";
import { drained, eventsOf } from "../process/verdict.ts";
import { type Cutting, startCutting } from "./cutting.ts";
import { startTryton, type Tryton, trytonMissing } from "./tryton.ts";
import { homeFor, isDeal, letterOf } from "./tryton-mails.ts";
import { realTrytonRig } from "./tryton-rig.ts";

const missing = trytonMissing();
let tryton: Tryton;
let starting: Promise<Tryton> | undefined;

describe.skipIf(missing !== undefined)(`a real Tryton${missing === undefined ? "" : ` (${missing})`}`, () => {
  beforeAll(async () => {
    starting = startTryton();
    tryton = await starting;
    // A database is set up by some 15 s of Python on a quiet machine, and minutes on a busy one.
  }, 900_000);
  afterAll(async () => {
    await (await starting?.catch(() => undefined))?.stop();
  }, 60_000);

  test("doctor finds what is missing, and mends it", async () => {
    const { session, close } = await realTrytonRig(tryton);
    const wrong = async () =>
      (await session.check()).findings.filter(({ level }) => level !== "ok").map(({ what }) => what);
    expect(await wrong()).toEqual([expect.stringMatching(/relation type "Works for" is missing/)]);
    expect(await session.fix?.()).toMatchObject([{ level: "ok" }]);
    expect(await wrong()).toEqual([]);
    expect(await session.account()).toMatch(/^tryton:crm:1:2\d{7}T\d{6}\.\d+$/);
    await close();
  });

  vendorContract("tryton, the real server", async () => await realTrytonRig(tryton));

  test("eight tries at once make one party: the database decides", async () => {
    const { session, count, close } = await realTrytonRig(tryton);
    const refs = await Promise.all(Array.from({ length: 8 }, () => session.put(person(), new Map())));
    expect(new Set(refs.map(({ id }) => id)).size).toBe(1);
    expect(await count("person")).toBe(1);
    await close();
  });

  test("a person is put in their company; an opportunity is the company's and names the person's address", async () => {
    const { session, close } = await realTrytonRig(tryton);
    const [who, firm] = [person(), company()];
    const whoRef = await bring(session, who, new Map());
    const firmRef = await bring(session, firm, new Map());
    const refs = refsOf([who, whoRef], [firm, firmRef]);
    const ends = [
      { kind: "person", id: whoRef.id },
      { kind: "company", id: firmRef.id },
    ] as const;
    for (let turn = 0; turn < 2; turn++) await session.link(...ends);
    expect((await session.read("person", whoRef.id, { fields: ["nope"] }))?.links).toEqual([`company:${firmRef.id}`]);
    const chance = await bring(session, deal([who.key, firm.key]), refs);
    expect((await session.read("deal", chance.id, { fields: [] }))?.links).toEqual([
      `person:${whoRef.id}`,
      `company:${firmRef.id}`,
    ]);
    for (let turn = 0; turn < 2; turn++) await session.archive("deal", chance.id);
    expect(await session.read("deal", chance.id)).toMatchObject({ archived: true });
    for (let turn = 0; turn < 2; turn++) await session.unlink(...ends);
    expect((await session.read("company", firmRef.id, { fields: [] }))?.links).not.toContain(`person:${whoRef.id}`);
    await close();
  });

  test("a session that Tryton forgets is made again in the middle of work", async () => {
    const { session, count, close } = await realTrytonRig(tryton);
    const who = person();
    const refs = refsOf([who, await bring(session, who, new Map())]);
    await tryton.sql("DELETE FROM ir_session WHERE create_uid = 2");
    await session.put(activity([who.key]), refs);
    expect(await count("activity")).toBe(1);
    await close();
  });

  test("a note with more words than PostgreSQL's full-text search counts is found by its marker", async () => {
    const { session, close } = await realTrytonRig(tryton);
    const who = person();
    const refs = refsOf([who, await bring(session, who, new Map())]);
    const mail = activity([who.key], { text: longText });
    // For PostgreSQL that is a number, and what follows it another word: it looks whether the two are neighbours.
    const split = { ...mail, key: `12e45678${mail.key.slice(8)}` };
    const made = await session.put(split, refs);
    const found = async (operator: string) =>
      await tryton.asAdmin("ir.note.search", [["message", operator, `%${markerOf(split.key)}%`]], 0, 9, null);
    expect(await found("ilike"), "what Tryton's full-text search finds").toEqual([]);
    expect(await found("like")).toEqual([Number(made.id)]);
    expect(await session.find(split, refs)).toMatchObject({ id: made.id, ours: true });
    await close();
  });

  test("an opportunity that went to another party leads to its note still, and nobody's choice is written over", async () => {
    const { session, close } = await realTrytonRig(tryton);
    const [who, bo] = [person(), person("bo@example.test")];
    const [whoRef, boRef] = [await bring(session, who, new Map()), await bring(session, bo, new Map())];
    const refs = refsOf([who, whoRef], [bo, boRef]);
    const chance = await bring(session, deal([who.key]), refs);
    const mail = activity([who.key], { deals: "newest" });
    const made = await session.put(mail, refs);
    await tryton.asAdmin("sale.opportunity.write", [Number(chance.id)], { party: Number(boRef.id), contact: null });
    expect(await session.find(mail, refs, { sent: true })).toMatchObject({ id: made.id, ours: true });
    const end = { kind: "deal", id: chance.id } as const;
    await session.unlink(end, { kind: "person", id: boRef.id });
    await session.link(end, { kind: "person", id: whoRef.id });
    expect((await session.read("deal", chance.id, { fields: [] }))?.links).toContain(`person:${whoRef.id}`);
    await close();
  });

  // The long form: MAILWRIGHT_MAILS=200 npx vitest run --project real test/real/tryton.test.ts
  const mails = Number(process.env.MAILWRIGHT_MAILS ?? 40);
  test(`${mails} mails by SMTP, with answers cut off after the commit and kill -9 of the daemon: exactly ${mails}`, async () => {
    const outcome = await drive(tryton, mails);
    expect(outcome).toMatchObject({
      unfinished: [],
      notes: mails,
      messageIds: mails,
      parties: 10,
      addresses: 10,
      companies: 3,
      relations: 10,
    });
    expect(outcome.opportunities).toBe(outcome.conversations);
    expect(outcome.cut).toBeGreaterThanOrEqual(mails / 8);
    expect(outcome.kills).toBe(2);
    // After a kill between the intent and the call, two minutes pass before it may be made again.
  }, 600_000);
});

const creates = [
  "model.party.party.create",
  "model.sale.opportunity.create",
  "model.ir.note.create",
  "model.party.relation.all.create",
];
const cutEvery = 5;

/** From now on no create is answered that is carried out, until nothing comes any more: then whatever was begun is there, and nobody knows. */
async function killed(daemon: RunningDaemon, proxy: Cutting): Promise<void> {
  proxy.meet = (method) => (creates.includes(method) ? { kind: "hold" } : undefined);
  const until = Date.now() + 20_000;
  while ((proxy.held() === 0 || Date.now() - proxy.lastAt() < 700) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await daemon.kill("SIGKILL");
}

async function drive(tryton: Tryton, mails: number) {
  await tryton.clear();
  const proxy = await startCutting(tryton.port);
  const home = await homeFor(tryton, proxy.url);
  const letters = Array.from({ length: mails }, (_, number) => letterOf(number));
  let made = 0;
  let cut = 0;
  let kills = 0;
  const cutting: Cutting["meet"] = (method) => {
    if (!creates.includes(method) || ++made % cutEvery !== 0) return undefined;
    cut++;
    return { kind: "cut" };
  };
  try {
    let daemon = await startDaemon(home);
    for (const part of [0, 1, 2]) {
      proxy.meet = cutting;
      for (const { data, from } of letters.filter((_, number) => number % 3 === part)) {
        const sent = await sendMail(daemon.smtpPort, { from, to: ["deals@in.test"], data });
        if (sent.kind !== "acknowledged") throw new Error(`not taken: ${JSON.stringify(sent)}`);
      }
      if (part === 2) break;
      await killed(daemon, proxy);
      kills++;
      proxy.meet = cutting;
      daemon = await startDaemon(home);
    }
    await drained(daemon.httpPort, 500_000);
    await daemon.kill("SIGTERM");
    return {
      ...(await found(tryton, home)),
      cut,
      kills,
      conversations: letters.filter((_, number) => isDeal(number)).length,
    };
  } finally {
    await proxy.close();
    await home.remove();
  }
}

async function found({ sql }: Tryton, home: Home) {
  const count = async (statement: string): Promise<number> => Number(await sql(statement));
  const events = await eventsOf(home);
  const unfinished = events.flatMap(({ messageId, deliveries }) =>
    deliveries
      .filter(({ state }) => state !== "processed")
      .map(({ state, detail }) => `${messageId}: ${state}: ${detail}`),
  );
  return {
    unfinished,
    notes: await count("SELECT count(*) FROM ir_note"),
    messageIds: await count("SELECT count(DISTINCT substring(message from 'Message-ID: (<[^>]+>)')) FROM ir_note"),
    parties: await count("SELECT count(*) FROM party_party WHERE code LIKE 'em-%'"),
    addresses: await count("SELECT count(DISTINCT lower(value)) FROM party_contact_mechanism WHERE type = 'email'"),
    companies: await count("SELECT count(*) FROM party_party WHERE code LIKE 'co-%'"),
    opportunities: await count("SELECT count(*) FROM sale_opportunity"),
    relations: await count("SELECT count(*) FROM party_relation"),
  };
}
