/** Runs at HubSpot's fake: applied and taken back while answers are lost and the command is killed, and nothing is there twice or gone for good. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../src/main/system.ts";
import { createHubspotSandbox, type HubspotSandbox, sandboxToken } from "../../src/sandbox/hubspot.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/server.ts";
import { command, shapedBy } from "../cli/stage.ts";
import { bin } from "./daemon.ts";

let dir: string;
let config: string;
let sandbox: HubspotSandbox;
let server: RunningSandbox;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-runs-hubspot-"));
  config = join(dir, "mailwright.yaml");
  sandbox = createHubspotSandbox({ clock: systemClock, options: { prepared: true } });
  server = await startSandbox(sandbox);
  const crm = {
    id: "crm",
    type: "hubspot",
    base_url: server.url,
    token: sandboxToken,
    late_commit_ms: 300,
    search_lag_ms: 300,
    calls_per_10_seconds: 100_000,
    search_calls_per_second: 1_000,
  };
  const settings = {
    data_dir: "./data",
    limits: { disk_reserve_bytes: 0, disk_reserve_percent: 0 },
    dns: { servers: ["127.0.0.1:9"] },
    retry: { first_delay: "200ms" },
    tenants: [
      {
        id: "acme",
        recipients: ["*@in.test"],
        trust: { authserv_ids: ["mx.in.test"] },
        mapping: "./old.yaml",
        destinations: [crm],
      },
    ],
  };
  writeFileSync(config, stringify(settings));
  writeFileSync(
    join(dir, "old.yaml"),
    stringify({
      rules: [
        { name: "news", when: { subject: "news" }, do: { skip: "no" } },
        { name: "all", do: { company: false } },
      ],
    }),
  );
  writeFileSync(
    join(dir, "new.yaml"),
    stringify({
      rules: [
        {
          name: "quotes",
          when: { subject: "quote", thread: "new" },
          do: { company: false, deal: { create: { stage: "qualifiedtobuy" } } },
        },
      ],
    }),
  );
});
afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

const run = (...args: string[]) => command([...args, "--config", config], { cwd: dir });

function mail(id: string, subject: string, from: string): string {
  const domain = from.slice(from.indexOf("@") + 1);
  const proof = `Authentication-Results: mx.in.test; dmarc=pass header.from=${domain}; dkim=pass header.d=${domain}; spf=pass smtp.mailfrom=${domain}`;
  const head = [proof, `From: Ada <${from}>`, "To: deals@in.test", "Date: Sun, 01 Mar 2026 08:00:00 +0000"];
  const file = join(dir, `${id}.eml`);
  writeFileSync(
    file,
    [...head, `Message-ID: <${id}@x.test>`, `Subject: ${subject}`, "", `Text of ${id}.`, ""].join("\r\n"),
  );
  return file;
}

/** What people see: live records, and their associations with live ones. Times that HubSpot keeps by itself are left out. */
function live() {
  const { contacts, companies, deals, emails } = sandbox.state();
  const all = [...contacts, ...companies, ...deals, ...emails].filter(({ archived }) => !archived);
  const ids = new Set(all.map(({ id }) => id));
  return all.map(({ id, properties, associations }) => ({
    id,
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !/lastmodified/.test(name))),
    links: Object.values(associations)
      .flat()
      .filter((other) => ids.has(other))
      .sort(),
  }));
}
const subjects = () =>
  sandbox
    .state()
    .emails.filter(({ archived }) => !archived)
    .map(({ properties }) => properties.hs_email_subject)
    .sort();

/** Kills the command once HubSpot has done something whose answer never came. */
async function killedIn(route: string, ...args: string[]): Promise<void> {
  sandbox.faults.plan({ route, fault: { kind: "commit_then_hang" } });
  const child = spawn(process.execPath, [bin, ...args, "--config", config], { cwd: dir, stdio: "ignore" });
  const ended = once(child, "exit").then(() => {
    throw new Error("the command came to its end before it could be killed");
  });
  await Promise.race([sandbox.whenHeld(1), ended]);
  ended.catch(() => undefined);
  child.kill("SIGKILL");
  await once(child, "close");
  sandbox.faults.clear();
  sandbox.release();
}

test("apply and undo, each killed with an answer on its way, end where they would have ended", async () => {
  const files = [
    mail("m1", "A quote, please", "ada@client.example"),
    mail("m2", "Our news", "bob@paper.example"),
    mail("m3", "An order", "cyd@other.example"),
  ];
  const taken = await shapedBy(run, "reprocess", [...files, "--to", "deals@in.test"]);
  expect(taken.map(({ deliveries }) => deliveries[0]?.state)).toEqual(["processed", "skipped", "processed"]);
  const before = live();

  await killedIn("deals.create", "mapping", "apply", "new.yaml", "--cohort", "all");
  // A contact whose creation got no answer carries our key: it is the run's own.
  await killedIn("contacts.create", "mapping", "apply", "--continue", "1");
  const applied = await shapedBy(run, "mapping apply", ["--continue", "1"]);
  expect(applied).toMatchObject({ state: "done", messages: { planned: 3, waiting: 0 } });
  expect(applied.deliveries).toMatchObject({ processed: 3, failed: 0, pending: 0 });
  expect(subjects()).toEqual(["A quote, please", "An order", "Our news"]);
  const after = live();
  expect(sandbox.state().counts).toMatchObject({ deals: 1, contacts: 3, emails: 3 });

  await killedIn("emails.archive", "mapping", "undo", "1");
  const undone = await shapedBy(run, "mapping undo", ["--continue", "2"]);
  expect(undone).toMatchObject({ state: "done", left: [] });
  expect(live()).toEqual(before);

  // What we archived holds its key at HubSpot: it is made again under the next one.
  await shapedBy(run, "mapping apply", ["new.yaml", "--cohort", "all"]);
  expect(subjects()).toEqual(["A quote, please", "An order", "Our news"]);
  expect(live()).toHaveLength(after.length);
  for (const tally of Object.values(sandbox.state().keys))
    for (const times of Object.values(tally)) expect(times).toBe(1);

  const [deal] = sandbox.state().deals.filter(({ archived }) => !archived);
  sandbox.actors.personEdits("deals", deal?.id ?? "", { amount: "5000" });
  const left = await shapedBy(run, "mapping undo", ["3"]);
  expect(left.left).toMatchObject([
    { event_id: taken[0]?.event_id, why: expect.stringContaining("was changed since: amount") },
  ]);
  expect(sandbox.state().counts).toMatchObject({ deals: 1, contacts: 2, emails: 2 });
}, 300_000);
