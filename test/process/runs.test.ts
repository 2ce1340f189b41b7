/** A mapping over messages that are stored: applied to a cohort, gone on with, told of, and taken back, at the built-in CRM. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { ShapeName } from "../../src/cli/shapes.ts";
import { openGround } from "../../src/main.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { openLocalRecords } from "../../src/store/index.ts";
import { command, type Ended, shapedBy } from "../cli/stage.ts";
import { recordingLog } from "../destinations/fixtures.ts";

let dir: string;
let config: string;
let sent = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-runs-"));
  config = join(dir, "mailwright.yaml");
  configure();
  write("old.yaml", old);
  write("new.yaml", fresh);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function configure(more: object = {}): void {
  const tenant = {
    id: "acme",
    recipients: ["*@in.test"],
    people: { own_domains: ["acme.test"] },
    trust: { authserv_ids: ["mx.in.test"] },
    mapping: "./old.yaml",
    destinations: [{ id: "crm", type: "local" }],
  };
  const limits = { disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  const dns = { servers: ["127.0.0.1:9"] };
  writeFileSync(config, stringify({ data_dir: "./data", limits, dns, tenants: [tenant], ...more }));
}

const run = (...args: string[]): Promise<Ended> => command([...args, "--config", config], { cwd: dir });
const shaped = <N extends ShapeName>(name: N, ...args: string[]) => shapedBy(run, name, args);
const write = (name: string, rules: object[]): void => writeFileSync(join(dir, name), stringify({ rules }));

/** Newsletters are wanted nowhere, and nobody's deal. */
const old = [
  { name: "news", when: { subject: "news" }, do: { skip: "nobody reads it" } },
  { name: "all", do: { company: false } },
];
/** What was news becomes known; quotes are deals of companies; what is about lunch is not wanted any more. */
const fresh = [
  { name: "lunch", when: { subject: "lunch" }, do: { skip: "private" } },
  {
    name: "quotes",
    when: { subject: "quote", thread: "new" },
    do: { company: {}, deal: { create: { stage: "new" } } },
  },
];

/** A mail that the receiving host has verified. Answers its file. */
function mail(id: string, subject: string, from = "ada@client.example"): string {
  const file = join(dir, `${++sent}.eml`);
  const domain = from.slice(from.indexOf("@") + 1);
  const proof = `Authentication-Results: mx.in.test; dmarc=pass header.from=${domain}; dkim=pass header.d=${domain}; spf=pass smtp.mailfrom=${domain}`;
  const date = new Date(Date.UTC(2026, 2, 1, 0, sent)).toUTCString().replace("GMT", "+0000");
  const head = [proof, `From: Ada <${from}>`, "To: deals@in.test", `Date: ${date}`];
  writeFileSync(
    file,
    [...head, `Message-ID: <${id}@x.test>`, `Subject: ${subject}`, "", `Text of ${id}.`, ""].join("\r\n"),
  );
  return file;
}
const take = async (...files: string[]) => await shaped("reprocess", ...files, "--to", "deals@in.test");
const idsOf = (rows: readonly { event_id: string }[]) => rows.map(({ event_id }) => event_id);

async function taken() {
  return idsOf(
    await take(
      mail("m1", "A quote, please"),
      mail("m2", "Our news", "bob@paper.example"),
      mail("m3", "Lunch?", "cyd@friend.example"),
      mail("m4", "An order", "dan@other.example"),
    ),
  );
}

describe("a sampled mail", () => {
  test("is drawn with its delivery, shown beside what the CRM holds, and answered", async () => {
    configure({ review: { sample: 1 } });
    const [quote = "", news = ""] = await taken();
    const open = await shaped("review list --sampled");
    expect(open).toHaveLength(3);
    expect(open.map(({ event_id }) => event_id)).not.toContain(news);
    const beside = await shaped("review show --sampled", quote);
    expect(beside.mail).toMatchObject({ subject: "A quote, please", from: "ada@client.example" });
    expect(beside.crm.map(({ kind, there }) => [kind, there])).toEqual([
      ["person", "yes"],
      ["activity", "yes"],
    ]);
    expect(beside.crm[1]?.fields).toMatchObject({ subject: "A quote, please" });
    const answered = await shaped("review resolve --sampled", quote, "--wrong", "--by", "kim", "--note", "no company");
    expect(answered.resolved).toMatchObject({ as: "wrong", by: "kim", note: "no company" });
    expect(await shaped("review list --sampled")).toHaveLength(2);
    expect((await shaped("explain", quote)).story.at(-1)?.what).toContain("compared with the CRM by a person: wrong");
    expect((await run("review", "show", news, "--sampled")).code).toBe(1);
    expect((await run("review", "resolve", quote, "--sampled")).code).toBe(2);
  });
});

describe("mapping apply", () => {
  test("counts first, then brings the stored messages of the cohort in line, once, and lists what it no longer wants", async () => {
    const [quote = "", news = "", lunch = "", order = ""] = await taken();
    expect(await shaped("crm activities")).toHaveLength(3);
    const counted = await shaped("mapping apply --dry-run", "new.yaml", "--cohort", "all");
    expect(counted).toMatchObject({
      messages: 4,
      unable: 0,
      lanes: [{ destination: "crm", skipped: 1, unchanged: 1 }],
    });
    expect(await shaped("crm deals")).toEqual([]);

    const report = await shaped("mapping apply", "new.yaml", "--cohort", "all", "--by", "kim", "--note", "new season");
    expect(report).toMatchObject({
      run: 1,
      kind: "apply",
      by: "kim",
      note: "new season",
      state: "done",
      messages: { chosen: 4, planned: 4, waiting: 0, unable: 0 },
      left: [{ event_id: lunch, why: expect.stringContaining("no longer wanted (skip: private)") }],
    });
    expect(report.left[0]?.records.map(({ kind }) => kind).sort()).toEqual(["activity", "person"]);
    expect(await shaped("crm deals")).toHaveLength(1);
    expect(await shaped("crm activities")).toHaveLength(4);
    expect(await shaped("crm companies")).toHaveLength(1);
    const again = await shaped("mapping apply", "new.yaml", "--cohort", "all");
    expect(again.made).toEqual([]);
    expect(await shaped("crm activities")).toHaveLength(4);
    for (const id of [quote, news, order])
      expect((await shaped("explain", id)).deliveries[0]?.mapping_version).toBe(report.mapping_version);
    const told = await shaped("explain", news);
    expect(told.runs.map(({ run, kind, by }) => [run, kind, by])).toEqual([
      [2, "apply", "tester"],
      [1, "apply", "kim"],
    ]);
    // Pinned: planned again for whatever reason, the newer mapping decides, and the one in force does not.
    await shaped("reprocess", quote);
    expect((await shaped("explain", quote)).deliveries[0]?.mapping_version).toBe(report.mapping_version);
  });

  test("leaves everybody outside the cohort as they are", async () => {
    const [quote = "", news = ""] = await taken();
    const report = await shaped("mapping apply", "new.yaml", "--cohort", "domain=paper.example");
    expect(report.messages).toMatchObject({ chosen: 1, planned: 1 });
    expect((await shaped("explain", quote)).runs).toEqual([]);
    expect((await shaped("explain", news)).deliveries[0]?.state).toBe("processed");
    expect(await shaped("crm deals")).toEqual([]);
    for (const words of ["", "colour=red", "percent=101", "since=soon"])
      expect((await run("mapping", "apply", "new.yaml", "--cohort", words)).code).toBe(2);
    expect((await run("mapping", "apply", "new.yaml")).code).toBe(2);
  });
});

/** What the CRM shows: live records with their fields and live links, without the numbers that they happen to have. */
async function shown() {
  const all = (
    await Promise.all((["contacts", "companies", "deals", "activities"] as const).map((kind) => shaped(`crm ${kind}`)))
  ).flat();
  const live = all.filter(({ archived }) => !archived);
  const name = (id: string) => {
    const found = live.find((record) => record.id === id);
    return found === undefined
      ? []
      : [`${found.kind}:${found.natural_key ?? found.fields.message_id ?? found.fields.name}`];
  };
  return live
    .map(({ id, fields, links }) => ({ name: name(id)[0], fields, links: links.flatMap(name).sort() }))
    .sort((a, b) => String(a.name).localeCompare(String(b.name)));
}

describe("mapping undo", () => {
  test("leaves the CRM as it was before the run, and lets the same mapping be applied once more", async () => {
    const [quote = "", news = ""] = await taken();
    const before = await shown();
    const states = async () => (await shaped("explain", news)).deliveries.map(({ state, rule }) => [state, rule]);
    const was = await states();
    await shaped("mapping apply", "new.yaml", "--cohort", "all");
    const after = await shown();
    expect(after).not.toEqual(before);
    const report = await shaped("mapping undo", "1", "--by", "eve");
    expect(report).toMatchObject({ kind: "undo", of: 1, by: "eve", state: "done", left: [] });
    expect(await shown()).toEqual(before);
    expect(await states()).toEqual(was);
    await shaped("reprocess", quote, news);
    expect(await shown()).toEqual(before);
    await shaped("mapping apply", "new.yaml", "--cohort", "all");
    expect(await shown()).toEqual(after);
    expect((await run("mapping", "undo", "1")).code).toBe(1);
  });

  test("goes on with an undo alone: the run that somebody means to take back is not applied any further", async () => {
    await taken();
    const before = await shown();
    const begin = async (kind: "apply" | "undo", of: number | null) => {
      const ground = await openGround(loadSettings(config, {}), { thread: "calling", log: recordingLog().log });
      const { version } = (await ground.ledger.mappings("acme"))[0] ?? { version: 0 };
      const by = { by: "eve", note: null, now: ground.clock.now() };
      await ground.ledger.beginRun({ tenant: "acme", kind, of, mappingVersion: version, cohort: {}, ...by });
      await ground.close();
    };
    await begin("apply", null);
    const wrong = await run("mapping", "undo", "--continue", "1");
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("`mailwright mapping undo 1` takes it back")]);
    expect(await shown()).toEqual(before);
    const other = await run("mapping", "apply", "new.yaml", "--cohort", "all");
    expect(other.err).toContain(
      "`mailwright mapping apply --continue 1`, or take it back: `mailwright mapping undo 1`",
    );
    await begin("undo", 1);
    const back = await run("mapping", "apply", "--continue", "2");
    expect([back.code, back.err]).toEqual([2, expect.stringContaining("`mailwright mapping undo --continue 2`")]);
    expect((await run("mapping", "apply", "new.yaml", "--cohort", "all")).err).toMatch(
      /`mailwright mapping undo --continue 2`$/m,
    );
  });

  test("leaves alone what a person changed since, or what other mail belongs to by now, and lists it", async () => {
    const [quote = "", news = ""] = await taken();
    await shaped("mapping apply", "new.yaml", "--cohort", "all");
    const byName = async (kind: "contacts" | "deals" | "activities", word: string) =>
      (await shaped(`crm ${kind}`)).find((record) => JSON.stringify(record.fields).includes(word))?.id ?? "";
    const deal = await byName("deals", "A quote");
    const records = openLocalRecords(join(dir, "data", "crm.sqlite"));
    records.amend(deal, { amount: 5_000 });
    records.close();
    // Bob, whom the run made known, writes again.
    await take(mail("m5", "A question", "bob@paper.example"));
    const report = await shaped("mapping undo", "1");
    expect(report.left.map(({ event_id, why }) => [event_id, why])).toEqual([
      // And its company, which the deal that stays belongs to.
      [
        quote,
        expect.stringMatching(
          /^left alone: deal deal-\d+ was changed since: amount; left alone: company company-\d+ has deal/,
        ),
      ],
      [news, expect.stringMatching(/left alone: person contact-\d+ has activity activity-\d+ since/)],
    ]);
    const deals = await shaped("crm deals");
    expect(deals).toMatchObject([{ id: deal, archived: false, fields: { amount: 5_000 } }]);
    const bob = (await shaped("crm contacts")).find(({ fields }) => fields.email === "bob@paper.example");
    expect(bob?.archived).toBe(false);
    const mails = (await shaped("crm activities"))
      .filter(({ archived }) => !archived)
      .map(({ fields }) => fields.subject);
    expect(mails.sort()).toEqual(["A question", "A quote, please", "An order", "Lunch?"]);
    expect((await shaped("explain", news)).runs.map(({ kind }) => kind)).toEqual(["undo", "apply"]);
  });
});
