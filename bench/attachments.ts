/**
 * Memory of the real daemon while it keeps files: zero-length, 150 MiB, a thousand small ones, duplicate names, messages in messages, and 50
 * messages of 25 MiB at once. Prints, for each, what became of the files and the most memory of daemon and children over what they had at rest
 * (with all children started). `npm run bench:attachments -- [--messages 50]`. Fails when a file is missing, when one is not kept for no
 * reason, or when more than 128 MiB were taken.
 */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { bin, makeHome, startDaemon } from "../test/process/daemon.ts";
import { mib, type Part, send } from "./attachment-mails.ts";
import { type Held, heldBy, watchHeld } from "./memory.ts";

const { values } = parseArgs({ options: { messages: { type: "string", default: "50" } } });
const messagesAtOnce = Number(values.messages);
const bar = 128 * mib;

interface Case {
  readonly what: string;
  readonly messages: number;
  readonly parts: (message: number) => readonly Part[];
}

const text = (name: string, bytes: number): Part => ({ kind: "text", name, bytes });
const film = (name: string, bytes: number): Part => ({ kind: "film", name, bytes });
const many = (count: number, part: (n: number) => Part): readonly Part[] =>
  Array.from({ length: count }, (_, n) => part(n));

const cases: readonly Case[] = [
  { what: "one of no bytes", messages: 1, parts: () => [text("empty.txt", 0)] },
  { what: "a thousand of 2 KiB", messages: 1, parts: () => many(1_000, (n) => text(`f${n}.txt`, 2_048)) },
  { what: "ten of one name", messages: 1, parts: () => many(10, () => text("scan.txt", 5_000)) },
  {
    what: "five messages, each with two more in it",
    messages: 1,
    parts: () => many(5, () => ({ kind: "mail", name: "mail.eml", bytes: 8_000 })),
  },
  { what: "one of 150 MiB", messages: 1, parts: () => [film("film.mp4", 150 * mib)] },
  { what: "one of 260 MiB, which is more than is taken", messages: 1, parts: () => [film("long.mp4", 260 * mib)] },
  {
    what: `${messagesAtOnce} messages of 25 MiB at once`,
    messages: messagesAtOnce,
    parts: (n) => [film(`film${n}.mp4`, 25 * mib)],
  },
];

interface Listed {
  readonly status: string;
  readonly filename: string;
  readonly reason: string | null;
}

const home = await makeHome([{ id: "crm", type: "local" }], {
  limits: { max_message_bytes: "250MiB", disk_reserve_bytes: 0, disk_reserve_percent: 0 },
});
const daemon = await startDaemon(home);
let missed = 0;
try {
  await daemon.parsing;
  const pid = daemon.process.pid ?? 0;
  // Parsers, ledger and both children that take files out have seen mail before anything is measured.
  await sendAll({ what: "warm up", messages: 8, parts: (n) => [text(`a${n}.txt`, 100_000), film(`b${n}.mp4`, mib)] });
  await settled();
  await sleep(3_000);
  const idle = heldBy(pid);
  process.stdout.write(`at rest: daemon ${shown(idle.daemon)}, children ${shown(idle.children)}\n`);
  for (const each of cases) missed += await measured(each, pid, idle);
  process.stdout.write(missed === 0 ? `bar: 128 MiB over rest, held by all\n` : `${missed} missed\n`);
} finally {
  await daemon.kill("SIGTERM");
  await home.remove();
}
process.exitCode = missed === 0 ? 0 : 1;

/** How often it missed. */
async function measured(each: Case, pid: number, idle: Held): Promise<number> {
  const watch = watchHeld(pid);
  const started = performance.now();
  const said = await sendAll(each);
  const acknowledged = performance.now();
  await settled();
  const judged = performance.now();
  watch.stop();
  const refused = said.filter((reply) => !reply.startsWith("2"));
  const sent = said.flatMap((reply, n) => (reply.startsWith("2") ? each.parts(n) : []));
  const files = newest(sent.length);
  const { daemon: most, children, all } = watch.most;
  const over = all - idle.daemon - idle.children;
  process.stdout.write(
    `${each.what}: answered after ${seconds(acknowledged - started)}, all done after ${seconds(judged - started)}; ` +
      `+${shown(over)} (daemon +${shown(most - idle.daemon)}, children +${shown(children - idle.children)})\n` +
      `${[...tally([...files.map(outcomeOf), ...refused.map((reply) => `refused: ${reply.trim()}`)])].map(([what, count]) => `  ${count} ${what}\n`).join("")}`,
  );
  // Of one name in a message the second is listed as `scan (2).txt`.
  const listed = files.map(({ filename }) => filename.replace(/ \(\d+\)(?=\.)/, "")).sort();
  const isListed =
    listed.join() ===
    sent
      .map(({ name }) => name)
      .sort()
      .join();
  const isExplained = files.every(({ status, reason }) => status === "stored" || reason !== null);
  const wrong = [
    isListed ? "" : "not all are listed",
    isExplained ? "" : "one has no reason",
    over <= bar ? "" : "more than 128 MiB",
  ];
  for (const why of wrong.filter(Boolean)) process.stdout.write(`  MISSED: ${why}\n`);
  return wrong.filter(Boolean).length;
}

function sendAll({ messages, parts, what }: Case): Promise<string[]> {
  return Promise.all(Array.from({ length: messages }, (_, n) => send(daemon.smtpPort, n, what, parts(n))));
}

/** Until nothing waits: mails are planned and filed, their files judged, their raw bytes moved to where they stay. */
async function settled(): Promise<void> {
  const gauges = ["received_depth", "queue_depth", "attachment_checking_depth", "ledger_unarchived"];
  for (;;) {
    await sleep(500);
    const page = await (await fetch(`http://127.0.0.1:${daemon.httpPort}/metrics`)).text();
    const depth = (name: string) => Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(page)?.[1] ?? 0);
    if (gauges.every((name) => depth(name) === 0)) return;
  }
}

function newest(count: number): Listed[] {
  if (count === 0) return [];
  const args = [bin, "attachments", "list", "--limit", String(count), "--json", "--config", home.config];
  const ran = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 256 * mib });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout) as Listed[];
}

function outcomeOf({ status, reason }: Listed): string {
  return reason === null ? status : `${status}: ${reason}`;
}

function tally(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function shown(bytes: number): string {
  return `${Math.round(bytes / mib)} MiB`;
}
function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
