/**
 * Mailwright's side of the IMAP bench, in a process of its own: source, intake and sealed ledger as the product opens them, without the road
 * behind them. `see` begins to watch the inbox while it is empty. `new` reads what came since, as a daemon does that starts; `old` takes in what
 * was there before, as `mailwright backfill` does, its rate lifted. Each time into a data folder of its own.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { tuneHeap } from "../src/main/heap.ts";
import { lookThrough } from "../src/main/mailbox-visits.ts";
import { readMailboxes } from "../src/main/mailboxes.ts";
import { type Ground, mailboxesNamed, openGround, openGroundIntake } from "../src/main.ts";
import type { Intake } from "../src/model/source.ts";
import { loadSettings } from "../src/settings/index.ts";
import { openLog } from "../src/watch/index.ts";

/** Both with the ledger in a thread, as the daemon and `backfill` have it. */
export type How = "old" | "new";

export interface ReaderOrder {
  readonly what: "see" | How;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly messages: number;
  /** The data folder of `see`: what is read begins there. */
  readonly seen?: string;
}

export interface ReaderRead {
  /** The data folder. It is kept by `see` only. */
  readonly dir: string;
  readonly seconds: number;
  /** In the ledger, each with its row of the folder, as a ledger opened anew says. */
  readonly messages: number;
  /** Where the cursor stands. */
  readonly lastUid: number;
  /** Of the whole process, in microseconds. */
  readonly cpu: number;
  /** Resident bytes, before the first and after each twentieth of the messages. */
  readonly resident: readonly number[];
}

const samples = 20;

function groundOf({ port, user, password, seen }: ReaderOrder): { readonly dir: string; readonly settings: Settings } {
  const dir = mkdtempSync(join(tmpdir(), "mailwright-imap-bench-"));
  if (seen !== undefined) cpSync(seen, dir, { recursive: true });
  const mailbox = { id: "box", host: "127.0.0.1", port, tls: "none", user, password, folders: ["INBOX"] };
  const file = join(dir, "mailwright.yaml");
  const tenant = { id: "acme", destinations: [{ id: "crm", type: "local" }], imap: [mailbox] };
  const limits = { backlog: 100_000_000, disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  writeFileSync(file, stringify({ data_dir: "./data", limits, tenants: [tenant] }));
  return { dir, settings: loadSettings(file, {}) };
}
type Settings = ReturnType<typeof loadSettings>;

async function within<T>(settings: Settings, work: (ground: Ground) => Promise<T>): Promise<T> {
  const ground = await openGround(settings, { thread: "worker", log: openLog({ level: "warn", fd: 2 }) });
  try {
    return await work(ground);
  } finally {
    await ground.close();
  }
}

/** Opened as a reader would, so that what comes from now on is new. */
async function see(ground: Ground): Promise<void> {
  const intake = openGroundIntake(ground, () => undefined);
  const looked = await lookThrough(ground, mailboxOf(ground), intake, {});
  await looked.close();
}

function mailboxOf({ settings }: Ground) {
  const [mailbox] = mailboxesNamed(settings, "box");
  if (mailbox === undefined) throw new TypeError("the bench has a mailbox");
  return mailbox;
}

/** Whoever reads has come so far, durably. */
type Came = (messages: number) => void;

async function takeOld(ground: Ground, came: Came): Promise<void> {
  const intake = openGroundIntake(ground, () => undefined);
  const looked = await lookThrough(ground, mailboxOf(ground), intake, { since: 0 });
  let count = 0;
  try {
    for (const folder of looked.folders) {
      await folder.take(folder.old, {
        clock: ground.clock,
        stop: new AbortController().signal,
        rate: Number.POSITIVE_INFINITY,
        backfilled: true,
        told: ({ kind }) => {
          if (kind === "new") came(++count);
        },
      });
    }
  } finally {
    await looked.close();
  }
}

async function takeNew(ground: Ground, messages: number, came: Came): Promise<void> {
  const intake = openGroundIntake(ground, () => undefined);
  const all = Promise.withResolvers<void>();
  let count = 0;
  const counting: Intake = {
    ...intake,
    async accept(...args) {
      const receipts = await intake.accept(...args);
      came(++count);
      if (count === messages) all.resolve();
      return receipts;
    },
  };
  const reading = await readMailboxes(ground, counting);
  await all.promise;
  await reading.stop(5_000);
}

async function read(order: ReaderOrder): Promise<ReaderRead> {
  const how = order.what === "new" ? "new" : "old";
  const { dir, settings } = groundOf(order);
  const resident = [process.memoryUsage.rss()];
  const every = Math.ceil(order.messages / samples);
  let seconds = 0;
  let cpu = 0;
  await within(settings, async (ground) => {
    if (order.what === "see") return await see(ground);
    const before = process.cpuUsage();
    const start = performance.now();
    const came = (messages: number): void => {
      if (messages % every === 0) resident.push(process.memoryUsage.rss());
      if (messages < order.messages) return;
      seconds = (performance.now() - start) / 1_000;
      const { user, system } = process.cpuUsage(before);
      cpu = user + system;
    };
    if (how === "old") await takeOld(ground, came);
    else await takeNew(ground, order.messages, came);
  });
  const kept = await within(settings, keptIn);
  if (order.what !== "see") rmSync(dir, { recursive: true, force: true });
  return { dir, seconds, cpu, resident, ...kept };
}

async function keptIn({ ledger, clock }: Ground): Promise<Pick<ReaderRead, "messages" | "lastUid">> {
  const [folder] = await ledger.folders("acme/box");
  if (folder === undefined) throw new Error("the folder is not in the ledger");
  const { settled } = await ledger.knownUids(folder.id, [1, 0xffff_ffff]);
  const landed = settled.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const { backlog } = await ledger.stats(clock.now());
  if (landed !== backlog) throw new Error(`${backlog} messages in the ledger, and ${landed} UIDs have landed`);
  return { messages: landed, lastUid: folder.lastUid };
}

if (process.argv[2] === "new") tuneHeap();
// Also where the bench was stopped.
process.on("disconnect", () => process.exit(0));
process.on("message", (order: ReaderOrder) => {
  void read(order).then((found) => process.send?.(found));
});
process.send?.({ ready: true });
