/**
 * What it costs to look a new message's conversation up, among a thousand messages and among a million: the same questions to both ledgers in
 * one run, in turn, by the processor's time: the clock's is that of whoever else works on the machine. `npm run bench:threads -- [--messages 1000000] [--lookups 3000]`. The rows are written past the ledger, in its own form.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import type { ThreadFacts } from "../src/model/threads.ts";
import { openLedger, type SqliteLedger } from "../src/store/index.ts";
import { factsText, keysOf } from "../src/store/sqlite/thread-keys.ts";

const { values } = parseArgs({
  options: { messages: { type: "string", default: "1000000" }, lookups: { type: "string", default: "3000" } },
});
const many = Number(values.messages);
const few = 1_000;
const lookups = Number(values.lookups);
const bar = 3;
const window = 30 * 86_400_000;
const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Conversations of five mails, each a question and its answers; one subject in ten is an everyday one that many write. */
const length = 5;
/** Scattered like real hashes, so that neighbours in time are none in the index; and a million of them are made in seconds. */
function hash(kind: string, of: number | string): string {
  let [a, b] = [0x9e3779b9, 0x85ebca6b];
  for (const char of `${kind} ${of}`) {
    a = Math.imul(a ^ char.charCodeAt(0), 0xcc9e2d51) >>> 0;
    b = Math.imul(b ^ (a >>> 13), 0x1b873593) >>> 0;
    a = (a ^ (a >>> 16)) >>> 0;
  }
  return `${a.toString(36).padStart(7, "0")}${b.toString(36).padStart(7, "0")}${kind}`.padEnd(20, "0").slice(0, 20);
}

function factsOf(n: number, of: number): ThreadFacts {
  const conversation = Math.floor(n / length);
  const place = n % length;
  const first = conversation * length;
  // A company of three people has some twenty conversations.
  const company = conversation % Math.max(10, Math.floor(of / 100));
  const person = {
    address: hash("address", `${company}-${conversation % 3}`),
    organisation: hash("organisation", company),
  };
  const inside = place % 2 === 1;
  const everyday = conversation % 10 === 0;
  return {
    eventId: `event-${n}`,
    tenant: "bench",
    begins: hash("thread", n),
    messageId: hash("id", n),
    names: Array.from({ length: place }, (_, at) => hash("id", first + at)),
    threadIndex: null,
    gmailThread: null,
    token: null,
    subject: hash(
      "subject",
      everyday ? `everyday ${Math.floor(conversation / 10 + conversation / 997) % 50}` : conversation,
    ),
    words: ["a", "b", "c"].map((word) => hash("word", `${conversation} ${word}`).slice(0, 8)).sort(),
    generic: everyday,
    reply: place > 0,
    writtenAt: 1_700_000_000_000 + first * 30_000 + place * 3_600_000,
    sender: inside ? null : person,
    inside,
    own: inside,
    suspicious: false,
    people: [person],
    list: null,
    automated: false,
    broadcast: false,
  };
}

async function filled(folder: string, count: number): Promise<string> {
  const path = join(folder, `${count}.sqlite`);
  await (await openLedger({ path, thread: "calling" })).close();
  const db = new Database(path);
  db.pragma("synchronous = OFF");
  db.pragma("cache_size = -400000");
  db.exec("BEGIN; CREATE TEMP TABLE keys (key TEXT, at INTEGER, message INTEGER, near TEXT)");
  const event = db.prepare(
    `INSERT INTO event (seq, event_id, tenant, message_id, digest, conflict, received_at, envelope, routes, raw_sha256, raw_size, raw_kind,
       priority, stage, turn, due_at, parse_attempts, again, reprocess, has_body, open)
     VALUES (?, ?, 'bench', ?, ?, 0, ?, '{}', '[]', '', 0, 'gone', 0, 'prepared', 0, 0, 1, 0, 0, 0, 0)`,
  );
  const threaded = db.prepare(
    "INSERT INTO threaded (message, placed, thread, begins, written_at, facts) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const key = db.prepare("INSERT INTO temp.keys VALUES (?, ?, ?, ?)");
  for (let n = 0; n < count; n++) {
    const facts = factsOf(n, count);
    event.run(n + 1, facts.eventId, `<${n}@bench.example>`, String(n), facts.writtenAt);
    const thread = hash("thread", Math.floor(n / length) * length);
    threaded.run(n + 1, n + 1, thread, facts.begins, facts.writtenAt, factsText(facts));
    for (const one of keysOf(facts)) key.run(one.key, facts.writtenAt, n + 1, one.near);
  }
  db.exec("INSERT OR IGNORE INTO thread_key SELECT * FROM temp.keys ORDER BY key, at, message; COMMIT");
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  return path;
}

/** A new answer to the last mail of a conversation, as it comes. */
function answerTo(conversation: number, count: number): ThreadFacts {
  const last = factsOf(conversation * length + length - 1, count);
  const names = [...last.names, last.messageId ?? ""];
  const own = { eventId: "event-new", messageId: hash("id", `new ${conversation}`), begins: hash("thread", "new") };
  return { ...last, ...own, names, writtenAt: last.writtenAt + 60_000 };
}

const quantile = (times: readonly number[], part: number): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? 0;

async function timed(ledger: SqliteLedger, facts: readonly ThreadFacts[]): Promise<{ us: number; found: number }> {
  const started = process.cpuUsage();
  const { messages } = await ledger.around({ tenant: "bench", facts, window });
  const { user, system } = process.cpuUsage(started);
  return { us: user + system, found: messages.length };
}

const folder = mkdtempSync(join(tmpdir(), "mailwright-threads-bench-"));
try {
  const sizes = [few, many];
  const ledgers: SqliteLedger[] = [];
  for (const size of sizes) {
    const started = performance.now();
    const path = await filled(folder, size);
    const took = ((performance.now() - started) / 1_000).toFixed(0);
    print(`${size} messages: ${(statSync(path).size / 1_048_576).toFixed(0)} MiB, written in ${took} s`);
    ledgers.push(await openLedger({ path, thread: "calling", check: "none" }));
  }
  for (const batch of [1, 32]) {
    const times: number[][] = [[], []];
    const found = [0, 0];
    for (let round = 0; round < lookups / batch; round++) {
      for (const [which, ledger] of ledgers.entries()) {
        const size = sizes[which] ?? few;
        const conversations = size / length;
        const facts = Array.from({ length: batch }, (_, at) =>
          answerTo(((round * batch + at) * 7_919) % conversations, size),
        );
        const { us, found: neighbours } = await timed(ledger, facts);
        times[which]?.push(us / batch);
        found[which] = (found[which] ?? 0) + neighbours / batch;
      }
    }
    for (const [which, size] of sizes.entries()) {
      const all = times[which] ?? [];
      const each = ((found[which] ?? 0) / all.length).toFixed(1);
      const line = `p50 ${quantile(all, 0.5).toFixed(0)} us, p95 ${quantile(all, 0.95).toFixed(0)} us a message`;
      print(`batch of ${batch} among ${size}: ${line}, ${each} neighbours each`);
    }
    const ratio = quantile(times[1] ?? [], 0.5) / quantile(times[0] ?? [], 0.5);
    print(`batch of ${batch}: a look-up among ${many} costs ${ratio.toFixed(2)} times that among ${few} (bar: ${bar})`);
    if (ratio > bar) process.exitCode = 1;
  }
  for (const ledger of ledgers) await ledger.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
