/**
 * What a plan costs beside the parse of the same message, by CPU time, in turn in one process; and what `mapping diff` takes over many stored
 * messages: messages a second, and whether memory stays where it is. `npm run bench:plan -- [--messages 1000000] [--rounds 7]`. The rows are
 * written past the ledger, in its own form. `--ledger FILE --fill` only writes them; `--ledger FILE` walks over what was written so. Fails when
 * a bar is missed.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { openKeyRing } from "../src/blobs/index.ts";
import { parse } from "../src/mail/parse.ts";
import { compilePeople, noLists } from "../src/mail/people.ts";
import { planDecided } from "../src/mapping/decided.ts";
import type { Mapping } from "../src/mapping/plan.ts";
import { compileMapping } from "../src/mapping/rules/compile.ts";
import type { Envelope } from "../src/model/envelope.ts";
import { type CanonicalEvent, noEvidence } from "../src/model/event.ts";
import { compareStored } from "../src/pipeline/comparing.ts";
import { eventOf } from "../src/pipeline/enrich.ts";
import { judgeAlone } from "../src/pipeline/judging.ts";
import { writeMail } from "../src/pipeline/stored.ts";
import { loadMapping } from "../src/settings/index.ts";
import { openLedger, openStoredMails } from "../src/store/index.ts";
import { benchMails, type Mix } from "./mail.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
    ledger: { type: "string" },
    fill: { type: "boolean", default: false },
  },
});
const many = Number(values.messages);
const rounds = Number(values.rounds);
/** A plan may cost so much of the parse of the same message. */
const mostShare = 0.1;
/** From the first tenth of the walk to its end memory may grow by so much: what the collector leaves lying comes and goes. */
const mostGrowth = 64 * 1024 * 1024;
const receivedAt = Date.UTC(2026, 10, 24, 10);
const digest = "d".repeat(64);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const missed: string[] = [];

const people = compilePeople({ ...noLists, own_domains: ["acme.example"] }, (email) => email.endsWith("@in.test"));
const preset = (name: string): Mapping => ({
  createContact: "unverified",
  internal: "skip",
  disposableContacts: "hold",
  rules: compileMapping(loadMapping(join(import.meta.dirname, "../config/presets", `${name}.yaml`)).file),
});
const [sales, support] = [preset("sales-inbox"), preset("support-inbox")];

async function eventFor(data: Buffer, n: number): Promise<CanonicalEvent> {
  const parsed = await parse(data);
  const envelope = {
    kind: "smtp",
    tenant: "bench",
    routes: ["sales@in.test"],
    received_at: receivedAt,
  } satisfies Envelope;
  const judged = judgeAlone(parsed, noEvidence, { people, arcSealers: [] }, false);
  const event = eventOf(
    {
      eventId: `event-${n}`,
      tenant: "bench",
      receivedAt,
      messageId: parsed.message.message_id,
      digest,
      conflict: false,
      rawSha256: digest,
      rawSize: data.length,
      envelope,
      routes: envelope.routes,
    },
    parsed,
    judged,
    people,
  );
  // The dearest plan there is: contact, company, deal, link and activity.
  return { ...event, auth: { ...event.auth, trust: "verified" } };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** CPU microseconds each, of all threads. */
async function cost(count: number, work: (n: number) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < count; n++) await work(n);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function compareCost(mix: Mix): Promise<void> {
  const mails = [...benchMails(200, 100, "plan", mix)].map(({ data }) => data);
  const events = await Promise.all(mails.map(eventFor));
  const taken = { parse: [] as number[], plan: [] as number[] };
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const parsing = await cost(mails.length, (n) => parse(mails[n] ?? Buffer.alloc(0)));
    // Ten times over, or the clock's own grain would be measured.
    const planning = await cost(mails.length * 10, (n) => {
      const event = events[n % events.length];
      if (event !== undefined) planDecided(event, sales, { digest });
    });
    if (round === 0) continue;
    taken.parse.push(parsing);
    taken.plan.push(planning);
  }
  const share = median(taken.plan.map((plan, round) => plan / (taken.parse[round] ?? Number.NaN)));
  print(
    `${mix.padEnd(10)} parse ${median(taken.parse).toFixed(0).padStart(6)} us   plan ${median(taken.plan).toFixed(1).padStart(6)} us   ${(share * 100).toFixed(2)} % (at most ${mostShare * 100} %)`,
  );
  // The small mix favours a bare parser most, and is there to be seen: the bar is about what reaches an inbox.
  if (mix === "ordinary" && !(share <= mostShare))
    missed.push(`${mix}: a plan costs ${(share * 100).toFixed(1)} % of the parse`);
}

/** So many messages differ; more would only take longer to be made. Their threads are more than a comparison remembers. */
const distinct = 30_000;
const key = Buffer.alloc(32, 7).toString("hex");

/** Numbers of one length, so that every index grows at its end. */
const nameOf = (n: number): string => `event-${String(n).padStart(10, "0")}`;

/** The first ones are sealed here; the others are made of them in SQLite itself, with ids of their own: a body is not bound to its event's. */
async function filled(path: string, count: number): Promise<void> {
  await (await openLedger({ path, thread: "calling" })).close();
  const db = new Database(path);
  db.pragma("journal_mode = OFF");
  db.pragma("synchronous = OFF");
  db.pragma("cache_size = -200000");
  const triggers = db
    .prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'",
    )
    .all();
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  const first = Math.min(distinct, count);
  await sealFirst(db, first);
  const events = db.prepare(
    `INSERT INTO event (${columns}) SELECT seq + $by, printf('event-%010d', seq + $by - 1), 'bench', printf('<%010d@client.example>', seq + $by - 1),
       printf('%064d', seq + $by - 1), 0, received_at + $by, envelope, routes, '', 0, 'gone', 0, 'prepared', 0, 0, 1, 0, 0, 1, 0
       FROM event WHERE seq <= $of`,
  );
  const bodies = db.prepare("INSERT INTO body (event, sealed) SELECT event + $by, sealed FROM body WHERE event <= $of");
  for (let by = first; by < count; by += first) {
    const of = Math.min(first, count - by);
    db.transaction(() => {
      events.run({ by, of });
      bodies.run({ by, of });
    })();
  }
  for (const { sql } of triggers) db.exec(sql);
  db.prepare("UPDATE ledger SET messages = ?").run(count);
  db.pragma("journal_mode = WAL");
  db.close();
}

const columns = `seq, event_id, tenant, message_id, digest, conflict, received_at, envelope, routes, raw_sha256, raw_size, raw_kind,
  priority, stage, turn, due_at, parse_attempts, again, reprocess, has_body, open`;

async function sealFirst(db: Database.Database, first: number): Promise<void> {
  const { seal } = openKeyRing({ key });
  const events: CanonicalEvent[] = [];
  let at = 0;
  for (const { data } of benchMails(300, 100, "diff", "small")) events.push(await eventFor(data, at++));
  const event = db.prepare(
    `INSERT INTO event (${columns}) VALUES (?, ?, 'bench', ?, ?, 0, ?, ?, '["sales@in.test"]', '', 0, 'gone', 0, 'prepared', 0, 0, 1, 0, 0, 1, 0)`,
  );
  const body = db.prepare("INSERT INTO body (event, sealed) VALUES (?, ?)");
  const envelope = JSON.stringify({
    kind: "smtp",
    tenant: "bench",
    routes: ["sales@in.test"],
    received_at: receivedAt,
  });
  db.transaction(() => {
    for (let n = 0; n < first; n++) {
      const found = events[n % events.length];
      if (found === undefined) throw new TypeError("there are mails");
      const own: CanonicalEvent = {
        ...found,
        event_id: nameOf(n),
        thread: { ...found.thread, thread_id: `thread-${n}` },
      };
      const number = String(n).padStart(10, "0");
      event.run(n + 1, nameOf(n), `<${number}@client.example>`, String(n).padStart(64, "0"), receivedAt + n, envelope);
      body.run(n + 1, seal(writeMail(own), `event ${nameOf(n)}`));
    }
  })();
}

async function walk(path: string): Promise<void> {
  const mails = openStoredMails(path);
  const shown = new Set<number>();
  const memory: number[] = [];
  const started = performance.now();
  const report = await compareStored(
    { tenant: "bench", people, before: sales, after: support, most: 50 },
    {
      mails,
      sealer: openKeyRing({ key }),
      async pause(done, total) {
        await new Promise((resolve) => setImmediate(resolve));
        const tenth = Math.floor((done * 10) / total);
        memory[tenth] = Math.max(memory[tenth] ?? 0, process.memoryUsage.rss());
        if (!shown.has(tenth)) {
          shown.add(tenth);
          print(`${String(done).padStart(10)} of ${total}   rss ${mib(process.memoryUsage.rss())}`);
        }
        return false;
      },
    },
  );
  mails.close();
  const seconds = (performance.now() - started) / 1_000;
  const { create, change, no_longer, same } = report.messages;
  print(`${report.total} messages in ${seconds.toFixed(1)} s, ${Math.round(report.total / seconds)} a second`);
  print(`create ${create}, change ${change}, no longer ${no_longer}, same ${same}, shown ${report.newest.length}`);
  const [first = 0, ...rest] = memory.filter((one) => one !== undefined);
  const growth = Math.max(...rest, first) - first;
  print(
    `memory: ${mib(first)} at most in the first tenth, ${mib(growth)} more at most after it (at most ${mib(mostGrowth)})`,
  );
  if (growth > mostGrowth) missed.push(`memory grew by ${mib(growth)}`);
  if (!report.finished || create + change + no_longer + same < report.total) missed.push("not all were compared");
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

print(`Node ${process.version}: npm run bench:plan -- --messages ${many} --rounds ${rounds}`);
if (rounds > 0) for (const mix of ["ordinary", "small"] as const) await compareCost(mix);

const folder = mkdtempSync(join(tmpdir(), "mailwright-bench-plan-"));
try {
  const path = values.ledger ?? join(folder, "ledger.sqlite");
  if (values.ledger === undefined || values.fill) {
    const started = performance.now();
    await filled(path, many);
    const seconds = ((performance.now() - started) / 1_000).toFixed(0);
    print(`a ledger of ${many} messages, ${mib(statSync(path).size)}, written in ${seconds} s`);
  }
  if (!values.fill) await walk(path);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (missed.length > 0) {
  print(`missed: ${missed.join("; ")}`);
  process.exitCode = 1;
}
