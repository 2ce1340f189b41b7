/** A tenant's mapping file at work: what the rules ask for comes about at the built-in CRM, and `plan` says why. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type ShapeName, shapes } from "../../src/cli/shapes.ts";
import { paths } from "../../src/destinations/hubspot/api.ts";
import { systemClock } from "../../src/main.ts";
import { createHubspotSandbox, sandboxToken } from "../../src/sandbox/hubspot.ts";
import { startSandbox } from "../../src/sandbox/server.ts";
import { command, type Ended, shapedBy } from "../cli/stage.ts";

let dir: string;
let config: string;
let sent = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-mapping-"));
  config = join(dir, "mailwright.yaml");
  configure([{ id: "crm", type: "local" }]);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function configure(destinations: readonly object[]): void {
  const tenant = {
    id: "acme",
    recipients: ["*@in.test"],
    people: { own_domains: ["acme.test"] },
    trust: { authserv_ids: ["mx.in.test"] },
    mapping: "./mapping.yaml",
    destinations,
  };
  const limits = { disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  writeFileSync(
    config,
    stringify({ data_dir: "./data", limits, dns: { servers: ["127.0.0.1:9"] }, tenants: [tenant] }),
  );
}

const run = (...args: string[]): Promise<Ended> => command([...args, "--config", config], { cwd: dir });
const shaped = <N extends ShapeName>(name: N, ...args: string[]) => shapedBy(run, name, args);

const write = (rules: object[], more: object = {}): void =>
  writeFileSync(join(dir, "mapping.yaml"), stringify({ ...more, rules }));

/** A mail that the receiving host has verified. Answers its file. */
function mail(
  id: string,
  subject: string,
  { answers, from = "ada@client.example" }: { answers?: string; from?: string } = {},
) {
  const file = join(dir, `${++sent}.eml`);
  const domain = from.slice(from.indexOf("@") + 1);
  const proof = `Authentication-Results: mx.in.test; dmarc=pass header.from=${domain}; dkim=pass header.d=${domain}; spf=pass smtp.mailfrom=${domain}`;
  const date = new Date(Date.UTC(2026, 2, 1, 0, sent)).toUTCString().replace("GMT", "+0000");
  const head = [
    proof,
    `From: Ada <${from}>`,
    "To: deals@in.test",
    `Date: ${date}`,
    `Message-ID: <${id}@x.test>`,
    `Subject: ${subject}`,
  ];
  const reply = answers === undefined ? [] : [`In-Reply-To: <${answers}@x.test>`, `References: <${answers}@x.test>`];
  writeFileSync(file, `${[...head, ...reply, "", `The text of ${id}.`].join("\r\n")}\r\n`);
  return file;
}
const take = async (...files: string[]) => await shaped("reprocess", ...files, "--to", "deals@in.test");

const sales = [
  { name: "spam", when: { subject: "lottery" }, do: { skip: "nobody wants this" } },
  {
    name: "requests",
    when: { thread: "new", direction: "inbound", subject: ["quote", "offer"] },
    do: { company: {}, deal: { create: { stage: "new", name: "{{organisation}}: {{subject}}" } } },
  },
];

describe("a mapping file", () => {
  test("a request makes contact, company and deal; its answer belongs to the same deal; a skip is recorded with its rule", async () => {
    write(sales);
    const taken = await take(
      mail("m1", "A quote, please"),
      mail("m2", "Re: A quote, please", { answers: "m1" }),
      mail("m3", "You won the lottery"),
    );
    expect(await shaped("crm companies")).toMatchObject([{ fields: { domain: "client.example" } }]);
    const [deal, ...others] = await shaped("crm deals");
    expect(others).toEqual([]);
    expect(deal).toMatchObject({ fields: { name: "client.example: A quote, please", stage: "new" } });
    const activities = await shaped("crm activities");
    expect(activities).toHaveLength(2);
    for (const { links } of activities) expect(links).toContain(deal?.id);
    const skipped = await shaped("events show", taken[2]?.event_id ?? "");
    const counted = await shaped("events list --skipped", "--reason", "NOBODY wants");
    expect(counted.counts).toMatchObject([{ reason: expect.stringContaining("nobody wants this"), messages: 1 }]);
    expect(counted.events.map(({ event_id }) => event_id)).toEqual([taken[2]?.event_id]);
    expect(skipped.deliveries[0]).toMatchObject({
      state: "skipped",
      rule: "mapping.spam",
      detail: "nobody wants this",
    });
    expect(skipped.deliveries[0]?.mapping_version).toBeGreaterThanOrEqual(100);
  });

  test("a changed file has a number of its own; mail that is there is planned by it when it is reprocessed, and doubles nothing", async () => {
    write([]);
    const [first] = await take(mail("m1", "A quote, please"));
    expect(await shaped("crm deals")).toEqual([]);
    const version = async () =>
      (await shaped("events show", first?.event_id ?? "")).deliveries[0]?.mapping_version ?? 0;
    const before = await version();
    write(sales);
    await shaped("reprocess", first?.event_id ?? "");
    await shaped("reprocess", first?.event_id ?? "");
    expect(await version()).toBeGreaterThan(before);
    expect(await shaped("crm deals")).toHaveLength(1);
    const [activity, ...others] = await shaped("crm activities");
    expect(others).toEqual([]);
    expect(activity?.links).toHaveLength(3);
  });

  test("plan tells which rules applied, what each decided, and the first condition of the others that did not", async () => {
    write(sales);
    const plan = await shaped("plan", mail("m1", "Hello"), "--to", "deals@in.test");
    expect(plan.mapping_version).toBeNull();
    expect(plan.rules).toEqual([
      { rule: "spam", applies: false, failed: "subject", took: [] },
      { rule: "requests", applies: false, failed: "subject", took: [] },
    ]);
    const asked = await run("plan", mail("m2", "An offer"), "--to", "deals@in.test");
    expect(asked.out).toContain("rule requests applies: company, deal");
    expect(asked.out).toContain('creates deal "client.example: An offer" in stage new, once');
  });

  test("plan asks the CRM what the ledger does not remember where it is told to, and says whose word each id is", async () => {
    write([]);
    const sandbox = createHubspotSandbox({ clock: systemClock, options: { prepared: true } });
    const server = await startSandbox(sandbox);
    try {
      const hub = { id: "hub", type: "hubspot", base_url: server.url, token: sandboxToken };
      configure([{ id: "crm", type: "local" }, hub]);
      const file = mail("m1", "Hello");
      const told = async (...more: string[]) => {
        const { lanes } = await shaped("plan", file, "--to", "deals@in.test", ...more);
        return lanes.map(({ destination, steps }) => [
          destination,
          ...steps.map(({ kind, known_from, live, known_ref }) => [kind, known_from, live, known_ref !== null]),
        ]);
      };
      const unknown = ["person", null, null, false];
      const unlogged = ["activity", null, "absent", false];
      await take(mail("m2", "Hello", { from: "bob@client.example" }));
      const calls = sandbox.log.length;
      expect(await told()).toEqual([
        ["crm", unknown, ["activity", null, null, false]],
        ["hub", unknown, ["activity", null, null, false]],
      ]);
      expect(sandbox.log.length).toBe(calls);
      // Somebody else has made the contact there.
      const made = await fetch(new URL(paths.objects("contacts"), server.url), {
        method: "POST",
        headers: { authorization: `Bearer ${sandboxToken}`, "content-type": "application/json" },
        body: JSON.stringify({ properties: { email: "ada@client.example" }, associations: [] }),
      });
      expect(made.status).toBe(201);
      expect(await told("--live")).toEqual([
        ["crm", ["person", null, "absent", false], unlogged],
        ["hub", ["person", "live", "found", true], unlogged],
      ]);
      await take(file);
      const remembered = [
        ["person", "ledger", null, true],
        ["activity", "ledger", null, true],
      ];
      expect(await told("--live")).toEqual([
        ["crm", ...remembered],
        ["hub", ...remembered],
      ]);
      await server.close();
      const { out } = await run(
        "plan",
        mail("m3", "Hello", { from: "cyd@client.example" }),
        "--live",
        "--to",
        "deals@in.test",
      );
      expect(out).toMatch(/live: it is not there now/);
      expect(out).toMatch(/live: the CRM could not be asked: /);
    } finally {
      await server.close().catch(() => undefined);
    }
  });

  test("mapping check names the rules that can never decide anything, by line, and ends with exit code 4", async () => {
    write([{ name: "all", do: { skip: "not yet" } }, ...sales]);
    const ended = await run("mapping", "check");
    expect(ended.code).toBe(4);
    expect(ended.out).toMatch(/mapping\.yaml:5: spam: never read: all ends the reading/);
    const asked = await run("mapping", "check", join(dir, "mapping.yaml"), "--json");
    expect(shapes["mapping check"].parse(asked.json())).toHaveLength(2);
    write(sales);
    expect((await run("mapping", "check")).code).toBe(0);
  });

  test("a file that is wrong is refused by line, column and nearest word, by every command and exit code 3", async () => {
    writeFileSync(join(dir, "mapping.yaml"), "rules:\n  - name: a\n    whne: {}\n    do: { skip: x }\n");
    const ended = await run("config", "check");
    expect(ended.code).toBe(3);
    expect(ended.err).toMatch(/mapping\.yaml:3:5: rules\[0\]: found the unknown key "whne".*did you mean `when`\?/);
  });
});

describe("mapping diff", () => {
  const file = (name: string, rules: object[]) => writeFileSync(join(dir, name), stringify({ rules }));
  const contentOf = (name: string) => readFileSync(join(dir, "data", name));

  test("says what another version would do otherwise about what is stored, and writes nothing", async () => {
    write(sales);
    await take(mail("m1", "A quote"), mail("m2", "Hello"), mail("m3", "lottery"));
    file("new.yaml", [{ name: "deals", when: { subject: "hello" }, do: { deal: { create: { stage: "new" } } } }]);
    const before = [contentOf("ledger.sqlite"), contentOf("crm.sqlite")];
    const told = await shaped("mapping diff", "current", "new.yaml");
    expect(told.messages).toMatchObject({ create: 2, change: 1, no_longer: 0, same: 0, purged: 0 });
    // The deal of m1 is fixed, but for its name; its company is not asked for any more.
    const steps = told.differences.map((one) => one.steps.map(({ what, kind }) => `${what} ${kind}`));
    expect(steps).toEqual([
      ["change deal", "change activity", "no_longer company", "no_longer link"],
      ["create deal", "change activity"],
      ["create person", "create activity"],
    ]);
    expect([contentOf("ledger.sqlite"), contentOf("crm.sqlite")]).toEqual(before);
    // By its number in the ledger, the version in force is the same as the file.
    expect((await shaped("mapping diff", "100", "current")).messages).toMatchObject({ same: 3 });
    const words = await run("mapping", "diff", "100", "none", "--limit", "1");
    expect(words.code).toBe(0);
    expect(words.out).toMatch(
      /The newest 1 of 2\n.*\n {2}skip by mapping\.spam \(nobody wants this\) -> steps by default\.inbound\n {2}\+ finds contact ada/,
    );
  });

  test("counts what retention has removed, and refuses versions that nobody knows", async () => {
    write(sales);
    await take(mail("m1", "A quote"), mail("m2", "Hello"));
    expect((await shaped("mapping diff", "current", "none", "--since", "2100-01-01")).total).toBe(0);
    const db = new Database(join(dir, "data", "ledger.sqlite"));
    db.exec("DELETE FROM body");
    db.close();
    const told = await shaped("mapping diff", "current", "none");
    expect(told.messages).toMatchObject({ purged: 2, create: 0, no_longer: 0 });
    const unknown = await run("mapping", "diff", "104", "none");
    expect([unknown.code, unknown.err]).toEqual([
      1,
      expect.stringContaining("no mapping version 104 of tenant acme: it has 100"),
    ]);
    expect((await run("mapping", "diff", "curent", "none")).code).toBe(2);
    file("bad.yaml", [{ name: "a", whn: {}, do: { skip: "x" } }]);
    expect((await run("mapping", "diff", "current", "bad.yaml")).code).toBe(3);
  });
});
