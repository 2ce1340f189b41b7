/** A mailbox at a real Dovecot, read by a daemon that is killed again and again: what it needs to run, and the judgement of it. */
import { join } from "node:path";
import { openLedger } from "../../src/store/index.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import { gauge } from "../process/verdict.ts";
import type { Dovecot } from "./dovecot.ts";
import { localActivities } from "./load.ts";

export interface Mailing {
  /** Delivered, in their order. */
  readonly ids: string[];
  /** `name`: a word of its own in id, subject and body. */
  write(name: string, headers?: Partial<Record<"from" | "to", string>>): string;
}

export function openMailing(): Mailing {
  const ids: string[] = [];
  return {
    ids,
    write(name, { from = "ana@client.test", to = "ada@example.test" } = {}) {
      const id = `<${name}@client.test>`;
      ids.push(id);
      const head = `From: Ana <${from}>\nTo: ${to}\nSubject: ${name}\nMessage-ID: ${id}\nDate: Tue, 24 Nov 2026 10:00:00 +0000`;
      return `${head}\n\nword-${name}-end\n${"Some more of what people write.\n".repeat(60)}`;
    },
  };
}

export const mailboxHome = (dovecot: Dovecot, changes: Record<string, unknown> = {}): Promise<Home> =>
  makeHome([{ id: "crm", type: "local" }], {
    tenants: [
      {
        id: "acme",
        destinations: [{ id: "crm", type: "local" }],
        imap: [
          {
            id: "ada",
            host: "127.0.0.1",
            port: dovecot.port,
            tls: "none",
            user: dovecot.user,
            password: dovecot.password,
            poll_seconds: 5,
            ...changes,
          },
        ],
      },
    ],
  });

export async function until(what: string, holds: () => boolean | Promise<boolean>, patienceMs = 60_000): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Each folder was looked at, so that what comes from now on is ours. */
export const watching = (daemon: RunningDaemon, folders = 2): Promise<void> =>
  until("the mailbox is watched", async () => (await series(daemon, "imap_folder_stalled_seconds")) >= folders);

async function series({ httpPort }: RunningDaemon, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return text.split("\n").filter((line) => line.startsWith(`${name}{`)).length;
}

export const activitiesOf = (home: Home): readonly string[] => localActivities(home).map(({ messageId }) => messageId);

/** Of a stopped daemon's ledger: cursors, and whether every UID that the server has is known. */
export async function foldersOf(home: Home) {
  const ledger = await openLedger({ path: join(home.dataDir, "ledger.sqlite"), thread: "calling" });
  try {
    const folders = await ledger.folders("acme/ada");
    return await Promise.all(
      folders.map(async (folder) => ({
        ...folder,
        known: await ledger.knownUids(folder.id, [1, 0xffff_ffff]),
        toAct: (await ledger.uidsToAct(folder.id, 1_000)).length,
      })),
    );
  } finally {
    await ledger.close();
  }
}

/** Messages that this daemon has taken in. */
async function received({ httpPort }: RunningDaemon): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return [...text.matchAll(/^accepted_total\{[^}]*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

export interface Killed {
  readonly mails: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly phantom: readonly string[];
  /** Of the inbox at the end. */
  readonly lastUid: number;
  readonly serverUids: number;
  readonly toAct: number;
}

/**
 * Each round: mail comes, the daemon runs for a moment, and is killed; in every other one not before it has begun to read, so that a slow machine
 * does not see starts alone. At the end a sound one finishes. `chance` in [0, 1).
 */
export async function killRounds(
  dovecot: Dovecot,
  rounds: number,
  chance: () => number,
  told: (words: string) => void = () => undefined,
): Promise<Killed> {
  const mailing = openMailing();
  const home = await mailboxHome(dovecot, { folders: ["INBOX"], after: "keyword" });
  try {
    const first = await startDaemon(home);
    await watching(first, 1);
    let daemon = first;
    for (let round = 0; round < rounds; round++) {
      const names = Array.from({ length: 12 }, (_, index) => `kill-${round}-${index}`);
      const before = await received(daemon);
      await dovecot.deliver(names.map((name) => mailing.write(name)));
      if (round % 2 === 1) await until("it reads", async () => (await received(daemon)) > before);
      await new Promise((resolve) => setTimeout(resolve, Math.floor(chance() * 700)));
      const now = await received(daemon);
      await daemon.kill("SIGKILL");
      told(
        `round ${round + 1}: ${now} taken in by this one, ${activitiesOf(home).length} of ${mailing.ids.length} filed`,
      );
      daemon = await startDaemon(home);
    }
    await until("all are filed", () => activitiesOf(home).length >= mailing.ids.length);
    await until("all are marked", async () => (await gauge(daemon.httpPort, "imap_actions_pending")) === 0);
    await daemon.kill("SIGTERM");
    const filed = Map.groupBy(activitiesOf(home), (id) => id);
    const [inbox] = await foldersOf(home);
    const uids = (await dovecot.doveadm("fetch", "-u", dovecot.user, "uid", "mailbox", "INBOX")).match(/\d+/g) ?? [];
    return {
      mails: mailing.ids.length,
      lost: mailing.ids.filter((id) => !filed.has(id)),
      doubled: [...filed].filter(([, all]) => all.length > 1).map(([id]) => id),
      phantom: [...filed.keys()].filter((id) => !mailing.ids.includes(id)),
      lastUid: inbox?.lastUid ?? 0,
      serverUids: uids.length,
      toAct: inbox?.toAct ?? -1,
    };
  } finally {
    await home.remove();
  }
}
