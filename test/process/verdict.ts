/** Judges a crash run: every acknowledged mail is exactly one activity or one visible outcome, whole, and nothing else is there. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openFiles, openKeyRing } from "../../src/blobs/index.ts";
import type { EventRow } from "../../src/model/ledger.ts";
import { openLedger } from "../../src/store/index.ts";
import type { Home } from "./daemon.ts";

/** One mail of the run. `id` is its Message-ID, `token` a word that stands in its body alone. */
export interface SentMail {
  readonly id: string;
  readonly token: string;
  acknowledged: boolean;
}

/** An activity as the CRM under test shows it. */
export interface SeenActivity {
  readonly messageId: string;
  readonly body: string;
  /** How many contacts it belongs to. */
  readonly contacts: number;
}

export interface Verdict {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Those that are not whole, with how many contacts each is on and how it begins. */
  readonly mangled: readonly string[];
  /** Mails that were in hand at so many kills that they were logged without their body, and say so. */
  readonly unread: readonly string[];
  /** Activities of mails that were never sent. */
  readonly phantom: readonly string[];
  /** Dead letters, skips and holds by Message-ID: visible outcomes. */
  readonly visible: ReadonlyMap<string, string>;
  readonly activities: number;
}

export function judge(sent: readonly SentMail[], seen: readonly SeenActivity[], events: readonly EventRow[]): Verdict {
  const byId = Map.groupBy(seen, ({ messageId }) => messageId);
  const visible = new Map<string, string>();
  for (const { messageId, deliveries } of events) {
    const outcome = deliveries.find(({ state }) => state === "failed" || state === "skipped" || state === "held");
    if (messageId !== null && outcome !== undefined)
      visible.set(messageId, `${outcome.state}: ${outcome.reason ?? ""} ${outcome.detail ?? ""}`);
  }
  const known = new Map(sent.map((mail) => [mail.id, mail]));
  const isUnread = ({ body, contacts }: SeenActivity): boolean =>
    contacts === 1 && body.startsWith("[The body of this mail could not be read");
  return {
    unread: seen.filter(isUnread).map(({ messageId }) => messageId),
    lost: sent.filter(({ id, acknowledged }) => acknowledged && !byId.has(id) && !visible.has(id)).map(({ id }) => id),
    doubled: [...byId].filter(([, activities]) => activities.length > 1).map(([id]) => id),
    mangled: seen
      .filter((one) => {
        const mail = known.get(one.messageId);
        return mail !== undefined && !isUnread(one) && (!one.body.includes(mail.token) || one.contacts !== 1);
      })
      .map(({ messageId, body, contacts }) => `${messageId} on ${contacts}: ${JSON.stringify(body.slice(0, 60))}`),
    phantom: seen.filter(({ messageId }) => !known.has(messageId)).map(({ messageId }) => messageId),
    visible,
    activities: seen.length,
  };
}

/** Every event of a stopped daemon's ledger. */
export async function eventsOf(home: Home): Promise<readonly EventRow[]> {
  const ledger = await openLedger({ path: join(home.dataDir, "ledger.sqlite"), thread: "calling" });
  try {
    const rows: EventRow[] = [];
    for (;;) {
      const before = rows.at(-1)?.seq;
      const page = await ledger.find({ limit: 500, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) return rows;
      rows.push(...page);
    }
  } finally {
    await ledger.close();
  }
}

export interface FilesFound {
  readonly rows: number;
  /** What is wrong with a row, with its bytes, or with bytes that have no row. */
  readonly wrong: readonly string[];
}

/** Whether every file of a stopped daemon has its row and every row its file, and nothing else is kept. */
export async function filesOf(home: Home, contentOf: (messageId: string) => string | undefined): Promise<FilesFound> {
  const ledger = await openLedger({ path: join(home.dataDir, "ledger.sqlite"), thread: "calling" });
  const blobs = await openFiles(join(home.dataDir, "blobs"));
  const sealer = await sealerOf(home);
  const wrong: string[] = [];
  const needed = new Set<string>();
  try {
    const rows = await ledger.files({ limit: 100_000 });
    const events = await ledger.find({ limit: 100_000 });
    for (const { eventId, messageId } of events) {
      const content = contentOf(messageId ?? "");
      const found = rows.filter((row) => row.eventId === eventId);
      if (found.length !== (content === undefined ? 0 : 1))
        wrong.push(`${messageId} has ${found.length} rows of files`);
      for (const { status, reason, storeKey } of found) {
        if (status !== "stored" || storeKey === null) wrong.push(`the file of ${messageId} is ${status} (${reason})`);
        const sealed = storeKey === null ? undefined : await blobs.get(storeKey);
        const bytes =
          sealed === undefined ? undefined : await new Response(sealed.pipeThrough(sealer.openStream())).text();
        if (bytes !== content) wrong.push(`the bytes of ${messageId} are others`);
        if (storeKey !== null) needed.add(storeKey);
      }
    }
    for await (const { key } of blobs.list("attachment/")) if (!needed.has(key)) wrong.push(`nobody needs ${key}`);
    return { rows: rows.length, wrong };
  } finally {
    await ledger.close();
  }
}

/** The sealer of a home that made its own key. */
export async function sealerOf(home: Home) {
  return openKeyRing({ key: (await readFile(join(home.dataDir, "master.key"), "utf8")).trim() });
}

/** Reads one gauge, summed over its labels, from a running daemon's /metrics. */
export async function gauge(httpPort: number, name: string): Promise<number> {
  const text = await metricsOf(httpPort);
  const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** A connection that was kept may end in the very moment in which it is used again; asked three times, a daemon that is there has answered. */
async function metricsOf(httpPort: number, tries = 3): Promise<string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
    return await answer.text();
  } catch (error) {
    if (tries <= 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return await metricsOf(httpPort, tries - 1);
  }
}

/** Waits until nothing is received or pending any more. Rejects with the figures when `patienceMs` is over. */
export async function drained(httpPort: number, patienceMs: number): Promise<void> {
  const until = Date.now() + patienceMs;
  let quiet = 0;
  for (;;) {
    const left = { received: await gauge(httpPort, "received_depth"), pending: await gauge(httpPort, "queue_depth") };
    const checking = await gauge(httpPort, "attachment_checking_depth");
    if (left.received + left.pending + checking === 0) {
      // A file that was just checked has its message planned once more.
      if (++quiet >= 3) return;
    } else quiet = 0;
    if (Date.now() > until) throw new Error(`not drained after ${patienceMs} ms: ${JSON.stringify(left)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
