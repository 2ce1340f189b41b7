/** The real program, beside a running daemon and without one. What it prints is held to the published shapes. */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { chmod, copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import { type ShapeName, shapes } from "../../src/cli/shapes.ts";
import { createHubspotSandbox, sandboxToken } from "../../src/sandbox/hubspot.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/server.ts";
import { mailwright, type Ran } from "./command.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "./daemon.ts";

const corpus = (name: string): string => join(import.meta.dirname, "..", "..", "corpus", `${name}.eml`);
const local = [{ id: "crm", type: "local" }];

/** Standard output as the published shape of that command; fails when it is anything else. */
function shaped<N extends ShapeName>(name: N, ran: Ran): z.infer<(typeof shapes)[N]> {
  return shapes[name].parse(ran.json()) as z.infer<(typeof shapes)[N]>;
}

const homes: Home[] = [];
const daemons: RunningDaemon[] = [];
async function home(
  destinations: readonly Record<string, unknown>[] = local,
  more: Record<string, unknown> = {},
): Promise<Home> {
  const made = await makeHome(destinations, more);
  homes.push(made);
  return made;
}
async function daemonAt(place: Home): Promise<RunningDaemon> {
  const daemon = await startDaemon(place);
  daemons.push(daemon);
  return daemon;
}
const at = (place: Home, ...args: string[]): Promise<Ran> => mailwright([...args, "--config", place.config]);

async function sent(place: Home, { smtpPort }: RunningDaemon, ...names: string[]): Promise<void> {
  const ran = await at(
    place,
    "send",
    ...names.map(corpus),
    "--to",
    "deals@in.test",
    "--server",
    `127.0.0.1:${smtpPort}`,
    "--json",
  );
  expect(shaped("send", ran).map(({ ok }) => ok)).toEqual(names.map(() => true));
}

const mostLooks = 100;

/** Polled, since another process does the work; each look starts a command, so there is no busy waiting. */
async function untilSettled(place: Home, messages: number): Promise<z.infer<(typeof shapes)["events list"]>> {
  for (let look = 0; look < mostLooks; look++) {
    const rows = shaped("events list", await at(place, "events", "list", "--json"));
    const isDone = ({ stage, deliveries }: (typeof rows)[number]) =>
      stage === "prepared" && deliveries.every(({ state }) => state !== "pending");
    if (rows.length >= messages && rows.every(isDone)) return rows;
  }
  throw new Error(`${messages} messages did not settle in ${mostLooks} looks`);
}

afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.kill("SIGKILL");
  for (const place of homes.splice(0)) await place.remove();
});

describe("mailwright demo", () => {
  let ran: Ran;
  let rows: z.infer<(typeof shapes)["demo"]>;
  beforeAll(async () => {
    ran = await mailwright(["demo", "--json"]);
    rows = shaped("demo", ran);
  });

  test("ends with 0, and its data have the published shape", () => {
    expect(ran.code).toBe(0);
    expect(rows).toHaveLength(14);
  });

  test("a colleague's mail to a customer, and one that a colleague hands on, are filed under the customer who is known", () => {
    const ofJana = rows.filter(({ from }) => from === "jana@acme.example");
    const customer = rows[0]?.outcomes.map(({ contact_id }) => contact_id);
    expect(ofJana).toHaveLength(2);
    for (const { outcomes } of ofJana) {
      expect(outcomes.map(({ state, contact }) => [state, contact])).toEqual([
        ["processed", "known"],
        ["processed", "known"],
      ]);
      expect(outcomes.map(({ contact_id }) => contact_id)).toEqual(customer);
    }
  });

  test("shows every kind of outcome: new and known contacts, activities, skips with their rule, one held, one dead letter", () => {
    const outcomes = rows.flatMap((row) => row.outcomes);
    expect(new Set(outcomes.map(({ state }) => state))).toEqual(new Set(["processed", "skipped", "held", "failed"]));
    expect(new Set(outcomes.flatMap(({ contact }) => contact ?? []))).toEqual(new Set(["new", "known"]));
    expect(outcomes.filter(({ state, activity_id }) => state === "processed" && activity_id === null)).toEqual([]);
    expect(outcomes.filter(({ state, because }) => state === "skipped" && !because?.startsWith("automated."))).toEqual(
      [],
    );
    const dead = outcomes.filter(({ state }) => state === "failed");
    expect(dead).toHaveLength(1);
    expect(dead[0]?.because).toContain("no order numbers in subjects");
  });

  test("one person is one contact, however the address is written", () => {
    const maria = rows.filter(({ from }) => from.toLowerCase() === "maria.lindqvist@northwind-bikes.example");
    const contacts = maria.map(({ outcomes }) => outcomes.find(({ destination }) => destination === "crm")?.contact_id);
    expect(maria).toHaveLength(2);
    expect(new Set(contacts).size).toBe(1);
  });

  test("says in words what became of each, what to try next, and leaves nothing behind", async () => {
    const before = demoFolders();
    const told = await mailwright(["demo"]);
    expect(told.code).toBe(0);
    expect(told.out).toContain("skipped (automated.list)");
    expect(told.out).toContain("Dead letter at hubspot");
    expect(told.out).toContain("15 mails were sent and 14 are stored");
    expect(told.out).not.toContain("\u001b");
    expect(told.err).toContain("What to try next");
    expect(demoFolders()).toEqual(before);
  });

  const demoFolders = () => globSync(join(process.env.TMPDIR ?? "/tmp", "mailwright-demo-*"));
});

describe("beside a running daemon", () => {
  test("a sent mail can be listed, shown, explained, planned and seen in the CRM, in the published shapes", async () => {
    const place = await home();
    const daemon = await daemonAt(place);
    await sent(place, daemon, "bodies/html-and-text", "automated/newsletter");
    const rows = await untilSettled(place, 2);
    expect(rows.map(({ deliveries }) => deliveries[0]?.state)).toEqual(["skipped", "processed"]);
    const id = rows[1]?.event_id ?? "";

    const shown = shaped("events show", await at(place, "events", "show", id, "--json"));
    expect(shown.event?.message.from?.email).toBe("tom@harborlight.example");
    expect(shown.deliveries[0]?.steps.map(({ kind, state }) => [kind, state])).toEqual([
      ["person", "confirmed"],
      ["activity", "confirmed"],
    ]);
    const byMessageId = shaped("explain", await at(place, "explain", shown.message_id ?? "", "--json"));
    expect(byMessageId.event_id).toBe(id);
    expect(byMessageId.story.map(({ what }) => what)).toContain("delivered");
    const planned = shaped("plan", await at(place, "plan", id, "--json"));
    expect(planned.lanes[0]?.steps.map(({ known_ref }) => known_ref !== null)).toEqual([true, true]);

    const next = shaped("plan", await at(place, "plan", corpus("calendar/invite"), "--json"));
    expect(next.event_id).toBeNull();
    expect(next.lanes[0]?.steps.map(({ kind, known_ref }) => [kind, known_ref !== null])).toEqual([
      ["person", true],
      ["activity", false],
    ]);

    const contacts = shaped("crm contacts", await at(place, "crm", "contacts", "--json"));
    expect(contacts.map(({ natural_key }) => natural_key)).toEqual(["tom@harborlight.example"]);
    const activities = shaped("crm activities", await at(place, "crm", "activities", "--json"));
    expect(activities).toHaveLength(1);
    expect(activities[0]?.links).toEqual([contacts[0]?.id]);
    shaped("crm show", await at(place, "crm", "show", activities[0]?.id ?? "", "--json"));
    shaped("crm companies", await at(place, "crm", "companies", "--json"));
    shaped("crm deals", await at(place, "crm", "deals", "--json"));
  });

  test("reprocess runs the road again, and the CRM keeps one activity", async () => {
    const place = await home();
    const daemon = await daemonAt(place);
    await sent(place, daemon, "bodies/html-and-text");
    const [row] = await untilSettled(place, 1);
    const again = await at(place, "reprocess", row?.event_id ?? "", "--json");
    expect(shaped("reprocess", again)).toMatchObject([{ action: "requeued", worked_by: "daemon" }]);
    const asFile = await at(place, "reprocess", corpus("bodies/html-and-text"), "--json");
    expect(shaped("reprocess", asFile)).toMatchObject([
      { event_id: row?.event_id, action: "duplicate", worked_by: "daemon" },
    ]);
    await untilSettled(place, 1);
    expect(shaped("crm activities", await at(place, "crm", "activities", "--json"))).toHaveLength(1);
  });

  test("doctor finds the daemon's own ports held by itself, and no problem", async () => {
    const place = await home();
    await daemonAt(place);
    const ran = await at(place, "doctor", "--json");
    const { ok, findings } = shaped("doctor", ran);
    expect({ code: ran.code, ok }).toEqual({ code: 0, ok: true });
    expect(findings).toContainEqual(expect.objectContaining({ about: "key", level: "warning" }));
    const saved = shaped("doctor", await at(place, "doctor", "--key-saved", "--json"));
    expect(saved.findings).toContainEqual(expect.objectContaining({ about: "key", level: "ok" }));
  });

  test("a second daemon on the same folder is refused with a sentence, and the first goes on", async () => {
    const place = await home();
    const daemon = await daemonAt(place);
    const second = await at(place, "run");
    expect(second.code).toBe(1);
    expect(second.err).toMatch(/Another Mailwright daemon works in .*Stop it first/);
    await sent(place, daemon, "bodies/plain-question");
  });
});

describe("without a daemon", () => {
  test("a file is taken in, worked and delivered by the command itself", async () => {
    const place = await home();
    const ran = await at(place, "reprocess", corpus("charsets/iso-2022-jp"), "--to", "deals@in.test", "--json");
    const [row] = shaped("reprocess", ran);
    expect(row).toMatchObject({ action: "accepted", worked_by: "command", deliveries: [{ state: "processed" }] });
    const explained = await at(place, "explain", row?.event_id ?? "");
    expect(explained.out).toContain("as a file (import)");
    expect(explained.out).toContain("inbound, filed under tanaka@aoba-shoji.example (sender)");
    expect(explained.out).toContain("お見積りのお願い");
    expect(shaped("purge", await at(place, "purge", "--dry-run", "--json"))).toMatchObject({
      dry_run: true,
      raw_messages: 0,
      raw_bytes: 0,
      event_bodies: 0,
      files: 0,
      file_bytes: 0,
      previews: 0,
      strays: 0,
      audit_entries: 0,
    });
  });

  test("some of several that cannot be found end with 4, and the others are done", async () => {
    const place = await home();
    const ran = await at(place, "reprocess", corpus("bodies/plain-question"), "<nobody@knows.example>", "--json");
    expect(ran.code).toBe(4);
    expect(ran.err).toContain("nothing is stored under <nobody@knows.example>");
    expect(shaped("reprocess", ran)).toHaveLength(1);
  });
});

describe("dead letters", () => {
  let sandbox: RunningSandbox;
  const rules: { object: string; property: string; refuse: string; message: string }[] = [];
  beforeAll(async () => {
    const clock = { now: () => Date.now(), sleep: async () => undefined };
    sandbox = await startSandbox(
      createHubspotSandbox({
        clock,
        options: { prepared: true, limits: "off", searchLagMs: 0, validationRules: rules },
      }),
    );
  });
  afterAll(() => sandbox.close());

  test("are listed as an array with the CRM's words, and replayed once it is mended", async () => {
    const place = await home([{ id: "hubspot", type: "hubspot", base_url: sandbox.url, token: sandboxToken }]);
    rules.push({ object: "emails", property: "hs_email_subject", refuse: "Pricing", message: "no prices in subjects" });
    const first = await at(place, "reprocess", corpus("bodies/html-and-text"), "--json");
    expect(shaped("reprocess", first)).toMatchObject([{ deliveries: [{ state: "failed", reason: "permanent" }] }]);

    const listed = shaped("dead-letters list", await at(place, "dead-letters", "list", "--json"));
    expect(listed).toHaveLength(1);
    const [letter] = listed;
    expect(letter).toMatchObject({ destination: "hubspot", tenant: "acme", reason: "permanent" });
    expect(letter?.detail).toContain("no prices in subjects");
    const shown = shaped("dead-letters show", await at(place, "dead-letters", "show", String(letter?.id), "--json"));
    expect(shown.next[0]?.command).toBe(`mailwright dead-letters replay ${letter?.id}`);

    const inVain = await at(place, "dead-letters", "replay", "--all");
    expect(inVain.out).toContain("a dead letter again");
    rules.length = 0;
    const replayed = await at(place, "dead-letters", "replay", letter?.event_id ?? "", "--json");
    expect(shaped("dead-letters replay", replayed)).toEqual({ done: [letter?.id], not_done: [], worked_by: "command" });
    expect(shaped("dead-letters list", await at(place, "dead-letters", "list", "--json"))).toEqual([]);
  });

  test("are given up with drop, and what is none cannot be replayed or confirmed", async () => {
    const place = await home([{ id: "hubspot", type: "hubspot", base_url: sandbox.url, token: sandboxToken }]);
    rules.push({ object: "emails", property: "hs_email_subject", refuse: "Invoices", message: "no" });
    await at(place, "reprocess", corpus("bodies/plain-question"));
    rules.length = 0;
    const [letter] = shaped("dead-letters list", await at(place, "dead-letters", "list", "--json"));
    const confirmed = await at(place, "dead-letters", "confirm", String(letter?.id), "--ref", "1", "--json");
    expect(confirmed.code).toBe(1);
    expect(shaped("dead-letters confirm", confirmed).not_done[0]?.why).toContain("outcome is unknown");
    const dropped = await at(place, "dead-letters", "drop", String(letter?.id), "--because", "spam", "--json");
    expect(shaped("dead-letters drop", dropped).done).toEqual([letter?.id]);
    const again = await at(place, "dead-letters", "drop", String(letter?.id), "999999");
    expect(again.code).toBe(1);
    // What is offered for it brings it back.
    const [offered] = shaped("explain", await at(place, "explain", letter?.event_id ?? "", "--json")).next;
    const words = offered?.command?.split(" ").slice(1) ?? [];
    const back = shaped("reprocess", await at(place, ...words, "--json"));
    expect(back).toMatchObject([{ deliveries: [{ state: "processed" }] }]);
  });
});

describe("doctor", () => {
  test("--fix makes what the account lacks, and mail that waited in a blocked lane goes on under a running daemon", async () => {
    const clock = { now: () => Date.now(), sleep: async () => undefined };
    const account = createHubspotSandbox({ clock, options: { prepared: false, limits: "off", searchLagMs: 0 } });
    const sandbox = await startSandbox(account);
    try {
      const place = await home([{ id: "hubspot", type: "hubspot", base_url: sandbox.url, token: sandboxToken }]);
      await at(place, "reprocess", corpus("bodies/plain-question"));
      const [waiting] = shaped("events list", await at(place, "events", "list", "--state", "pending", "--json"));
      const explained = shaped("explain", await at(place, "explain", waiting?.event_id ?? "", "--json"));
      expect(explained.next).toMatchObject([{ command: "mailwright doctor --fix" }]);
      expect(shaped("dead-letters list", await at(place, "dead-letters", "list", "--json"))).toEqual([]);

      const found = await at(place, "doctor", "--json");
      expect(found.code).toBe(1);
      const problems = shaped("doctor", found).findings.filter(({ level }) => level === "problem");
      expect(problems.map(({ about }) => about)).toContain("acme/hubspot");
      expect(problems.filter(({ mend }) => mend === null)).toEqual([]);

      await daemonAt(place);
      const mended = await at(place, "doctor", "--fix", "--json");
      expect({ code: mended.code, ok: shaped("doctor", mended).ok }).toEqual({ code: 0, ok: true });
      const [row] = await untilSettled(place, 1);
      expect(row?.deliveries).toMatchObject([{ destination: "hubspot", state: "processed" }]);
    } finally {
      await sandbox.close();
    }
  });

  test("a token that is wrong is a problem with a way to mend it, and nothing is made of it", async () => {
    const clock = { now: () => Date.now(), sleep: async () => undefined };
    const sandbox = await startSandbox(createHubspotSandbox({ clock, options: { prepared: true } }));
    try {
      const place = await home([{ id: "hubspot", type: "hubspot", base_url: sandbox.url, token: "pat-wrong" }]);
      const ran = await at(place, "doctor");
      expect(ran.code).toBe(1);
      expect(ran.out).toMatch(/problem +acme\/hubspot /);
      expect(ran.out).toContain("mend: ");
      expect(ran.out + ran.err).not.toContain("pat-wrong");
      expect(existsSync(place.dataDir)).toBe(false);
    } finally {
      await sandbox.close();
    }
  });
});

describe("backup, restore, recover", () => {
  const mails = ["bodies/html-and-text", "bodies/plain-question", "charsets/iso-2022-jp", "automated/newsletter"];
  const activitiesOf = async (place: Home) =>
    shaped("crm activities", await at(place, "crm", "activities", "--json"))
      .map(({ key }) => key)
      .sort();

  test("a backup made beside a running daemon is a data folder again, and reprocessing in it doubles nothing", async () => {
    const place = await home();
    const daemon = await daemonAt(place);
    await sent(place, daemon, ...mails);
    const before = await untilSettled(place, mails.length);
    const folder = join(place.dir, "backup");
    const manifest = shaped("backup", await at(place, "backup", folder, "--json"));
    expect(manifest.with_key).toBe(false);
    expect(manifest.files.map(({ path }) => path)).not.toContain("master.key");
    expect((await at(place, "backup", folder)).err).toContain("is not empty: name a new folder");
    const activities = await activitiesOf(place);
    await daemon.kill("SIGTERM");

    const other = await home();
    expect(shaped("restore", await at(other, "restore", folder, "--json"))).toEqual(manifest);
    const keyless = await at(other, "events", "list");
    expect(keyless.code).toBe(1);
    expect(keyless.err).toContain("master key");
    await copyFile(join(place.dataDir, "master.key"), join(other.dataDir, "master.key"));
    await chmod(join(other.dataDir, "master.key"), 0o600);
    const after = shaped("events list", await at(other, "events", "list", "--json"));
    expect(after.map(({ event_id }) => event_id)).toEqual(before.map(({ event_id }) => event_id));
    const ran = await at(other, "reprocess", ...after.map(({ event_id }) => event_id), "--json");
    expect(shaped("reprocess", ran).map(({ worked_by }) => worked_by)).toEqual(mails.map(() => "command"));
    expect(await activitiesOf(other)).toEqual(activities);
  });

  test("a backup in which a byte has changed is not restored, and names the file", async () => {
    const place = await home();
    await at(place, "reprocess", corpus("bodies/plain-question"));
    const folder = join(place.dir, "backup");
    const { files } = shaped("backup", await at(place, "backup", folder, "--with-key", "--json"));
    expect(files.map(({ path }) => path)).toContain("master.key");
    const ledger = join(folder, "ledger.sqlite");
    const bytes = await readFile(ledger);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(ledger, bytes);
    const other = await home();
    const ran = await at(other, "restore", folder);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("ledger.sqlite has changed");
    expect(existsSync(join(other.dataDir, "ledger.sqlite"))).toBe(false);
  });

  test("restore overwrites nothing", async () => {
    const place = await home();
    await at(place, "reprocess", corpus("bodies/plain-question"));
    const folder = join(place.dir, "backup");
    await at(place, "backup", folder);
    const ran = await at(place, "restore", folder);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("is not empty: move it away first");
  });

  test("a damaged ledger is refused at start; recover keeps it, saves what it can, and the CRM holds every mail once", async () => {
    const place = await home();
    for (const mail of mails) await at(place, "reprocess", corpus(mail));
    const activities = await activitiesOf(place);
    const folder = join(place.dir, "backup");
    await at(place, "backup", folder);
    await scribble(join(place.dataDir, "ledger.sqlite"));
    const refused = await at(place, "run");
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/ledger\.sqlite is damaged.*mailwright recover/);

    const ran = await at(place, "recover", "--from", folder, "--json");
    const recovered = shaped("recover", ran);
    expect(ran.code).toBe(0);
    expect(existsSync(recovered.damaged_kept_as ?? "")).toBe(true);
    const daemon = await daemonAt(place);
    const rows = await untilSettled(place, mails.length);
    expect(rows).toHaveLength(mails.length);
    expect(await activitiesOf(place)).toEqual(activities);
    await daemon.kill("SIGTERM");
    expect((await at(place, "recover")).out).toContain("the ledger is sound");
  });

  test("a ledger that has gone is refused at start; recover builds one from the mail kept as files", async () => {
    const place = await home(local, { limits: { disk_reserve_bytes: 0, disk_reserve_percent: 0, inline_bytes: 0 } });
    const daemon = await daemonAt(place);
    await sent(place, daemon, ...mails);
    const before = await untilSettled(place, mails.length);
    const activities = await activitiesOf(place);
    await daemon.kill("SIGKILL");
    for (const name of ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"])
      await rm(join(place.dataDir, name), { force: true });
    const refused = await at(place, "run");
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/ledger\.sqlite is missing/);

    const recovered = shaped("recover", await at(place, "recover", "--json"));
    expect(recovered).toMatchObject({ taken_in_again: mails.length, unreadable_files: [] });
    const next = await daemonAt(place);
    const after = await untilSettled(place, mails.length);
    const ids = (rows: typeof before) => rows.map(({ event_id }) => event_id).sort();
    expect(ids(after)).toEqual(ids(before));
    expect(await activitiesOf(place)).toEqual(activities);
    await next.kill("SIGTERM");
  });

  test("recover beside a running daemon is refused", async () => {
    const place = await home();
    await daemonAt(place);
    expect((await at(place, "recover")).err).toContain("Another Mailwright daemon works in");
  });
});

/** Overwrites pages in the middle of a database file, as a bad disk would. */
async function scribble(path: string): Promise<void> {
  const bytes = await readFile(path);
  const pageSize = 4096;
  for (let page = 3; page < bytes.length / pageSize; page += 4)
    bytes.fill(0xa5, page * pageSize, page * pageSize + pageSize);
  await writeFile(path, bytes);
}

describe("mailwright run", () => {
  test("ends with 0 on SIGTERM, having said where it listened and that it stopped", async () => {
    const place = await home();
    const daemon = await daemonAt(place);
    expect(await daemon.kill("SIGTERM")).toBe(0);
    expect(daemon.lines.map(({ msg }) => msg)).toContain("stopped");
  });

  test("refuses a wrong configuration with 3, in one line per problem", async () => {
    const place = await home();
    await writeFile(place.config, "tenants:\n  - { id: acme, recipient: [x] }\nsmpt: {}\n");
    const ran = await at(place, "run");
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 3, out: "" });
    for (const line of ran.err.trimEnd().split("\n"))
      expect(line).toMatch(/^\S+mailwright\.yaml:\d+:\d+: .*found .*; expected /);
    expect(ran.err).toContain("did you mean `smtp`?");
  });

  test("SIGHUP is answered in the log, and a broken configuration leaves everything as it was", async () => {
    const place = await home();
    const daemon = await daemonAt(place);
    const logged = async (msg: string) => {
      while (!daemon.lines.some((line) => line.msg === msg)) {
        if (daemon.process.exitCode !== null || daemon.process.signalCode !== null)
          throw new Error("the daemon has ended");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    daemon.process.kill("SIGHUP");
    await logged("reloaded");
    await writeFile(place.config, "nonsense: [");
    daemon.process.kill("SIGHUP");
    await logged("the reload was refused; everything stays as it was");
    expect(await daemon.kill("SIGTERM")).toBe(0);
  });
});

describe("a mapping file that changes under a running daemon", () => {
  test("decides from the next SIGHUP on; one that is wrong is refused, and the one in force goes on", async () => {
    const tenant = { id: "acme", recipients: ["*@in.test"], mapping: "./mapping.yaml", destinations: local };
    const place = await home(local, { tenants: [tenant] });
    const write = (action: string) =>
      writeFile(join(place.dir, "mapping.yaml"), `rules:\n  - { name: all, do: { ${action} } }\n`);
    await write("skip: the first");
    const daemon = await daemonAt(place);
    const answered = async (msg: string) => {
      daemon.process.kill("SIGHUP");
      while (!daemon.lines.some((line) => line.msg === msg)) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const reasons = async () =>
      shaped("events list --skipped", await at(place, "events", "list", "--skipped", "--json"));
    await sent(place, daemon, "headers/date-comments");
    await untilSettled(place, 1);
    await write("skp: wrong");
    await answered("the reload was refused; everything stays as it was");
    await sent(place, daemon, "headers/date-cst-china");
    // Commands read the file too, and refuse the wrong one; the daemon looks at SIGHUP alone.
    await write("skip: the second");
    await untilSettled(place, 2);
    await answered("reloaded");
    await sent(place, daemon, "headers/byte-order-mark");
    await untilSettled(place, 3);
    expect((await reasons()).counts.map(({ reason, messages }) => `${messages} ${reason}`).sort()).toEqual([
      expect.stringMatching(/^1 .*the second/),
      expect.stringMatching(/^2 .*the first/),
    ]);
  });
});

describe("mailwright parse", () => {
  test("--batch prints one line each, in order, whatever the files are", async () => {
    const names = readdirSync(join(import.meta.dirname, "..", "..", "corpus"), {
      recursive: true,
      encoding: "utf8",
    }).filter((name) => name.endsWith(".eml"));
    const paths = [...names.map((name) => corpus(name.slice(0, -4))), corpus("not/there")];
    const ran = await mailwright(["parse", "--batch"], { stdin: `${paths.join("\n")}\n` });
    const events = ran.out
      .trimEnd()
      .split("\n")
      .map((line) => shapes.parse.parse(JSON.parse(line)));
    expect(events).toHaveLength(paths.length);
    const { createHash } = await import("node:crypto");
    const digests = paths.slice(0, -1).map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"));
    expect(events.slice(0, -1).map(({ raw }) => raw.sha256)).toEqual(digests);
    expect(events.at(-1)).toMatchObject({ parse_status: "failed" });
    expect(events.at(-1)?.anomalies.map(({ code }) => code)).toContain("raw_unreadable");
    expect(ran.code).toBe(4);
  });

  test("reads a mail from standard input", async () => {
    const ran = await mailwright(["parse", "-"], {
      stdin: "From: a@b.example\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\r\nhi\r\n",
    });
    expect(shaped("parse", ran).message).toMatchObject({ subject: "café", text: expect.stringContaining("hi") });
  });
});
