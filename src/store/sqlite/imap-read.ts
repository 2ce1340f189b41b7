/** Reads what is known of IMAP accounts: folders and cursors, and what became of each message. */
import type { Afterwards, UidFate, UidRange, UidState, WaitingUid } from "../../model/imap.ts";
import type { Connection } from "./connection.ts";
import { type FolderRow, folderOf } from "./imap.ts";
import type { Operations } from "./operations.ts";

interface UidRow {
  uid: number;
  state: UidState;
  reason: string | null;
  attempts: number;
  first_at: number;
  due_at: number | null;
  at: number;
  source: "live" | "backfill" | null;
  act: Afterwards | null;
  event: number | null;
  event_id: string | null;
}

interface AccountRow {
  name: string;
  first_at: number;
  blocked_at: number | null;
  blocked_reason: string | null;
}

type Read = "folders" | "knownUids" | "waitingUids" | "uidsToAct" | "fates" | "uidsIn" | "accountTally";

export function openImapRead(db: Connection): Pick<Operations, Read> {
  const folders = db.prepare<[string], FolderRow>(
    "SELECT * FROM imap_folder WHERE account = ? AND ended_at IS NULL ORDER BY path",
  );
  const toAct = db.prepare<[number, number], { uid: number; after: Afterwards }>(
    "SELECT uid, act AS after FROM imap_uid WHERE folder = ? AND act IS NOT NULL ORDER BY uid LIMIT ?",
  );
  return {
    folders: (account) => folders.all(account).map(folderOf),
    ...openKnown(db),
    uidsToAct: (folder, limit) => toAct.all(folder, limit),
    ...openFates(db),
    accountTally: openTally(db, (account) => folders.all(account)),
  };
}

function openKnown(db: Connection): Pick<Operations, "knownUids" | "waitingUids"> {
  const settled = db
    .prepare<[number, number, number], number>(
      "SELECT uid FROM imap_uid WHERE folder = ? AND uid >= ? AND uid <= ? AND state NOT IN ('waiting', 'gone') ORDER BY uid",
    )
    .pluck();
  const waiting = db.prepare<[number, number, number], UidRow>(
    `SELECT uid, attempts, first_at, due_at, reason FROM imap_uid INDEXED BY imap_uid_open
       WHERE folder = ? AND uid >= ? AND uid <= ? AND state IN ('waiting', 'quarantined') AND state = 'waiting' ORDER BY uid`,
  );
  const waitingFrom = (folder: number, [from, to]: UidRange) =>
    waiting.all(folder, from, to).map(
      (row): WaitingUid => ({
        uid: row.uid,
        attempts: row.attempts,
        firstAt: row.first_at,
        dueAt: row.due_at ?? 0,
        reason: row.reason ?? "",
      }),
    );
  return {
    knownUids: (folder, range) => ({
      settled: rangesOf(settled.iterate(folder, ...range)),
      waiting: waitingFrom(folder, range),
    }),
    waitingUids: (folder) => waitingFrom(folder, [1, 0xffff_ffff]),
  };
}

/** Of ascending numbers. A folder of a hundred thousand messages without a gap is one range. */
function rangesOf(uids: Iterable<number>): UidRange[] {
  const ranges: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const uid of uids) {
    if (last !== undefined && uid === last[1] + 1) last[1] = uid;
    else {
      last = [uid, uid];
      ranges.push(last);
    }
  }
  return ranges;
}

function openFates(db: Connection): Pick<Operations, "fates" | "uidsIn"> {
  const columns = `u.uid, u.state, u.reason, u.attempts, u.first_at, u.due_at, u.at, u.source, u.act, u.event, e.event_id
    FROM imap_uid u`;
  const asked = db.prepare<[string, number], UidRow>(
    `SELECT ${columns} LEFT JOIN event e ON e.seq = u.event
       WHERE u.uid IN (SELECT value FROM json_each(?)) AND u.folder = ? ORDER BY u.uid`,
  );
  const next = db.prepare<[number, number, string, number], UidRow>(
    `SELECT ${columns} LEFT JOIN event e ON e.seq = u.event
       WHERE u.folder = ? AND u.uid > ? AND u.state IN (SELECT value FROM json_each(?)) ORDER BY u.uid LIMIT ?`,
  );
  const nextOpen = db.prepare<[number, number, string, number], UidRow>(
    `SELECT ${columns} INDEXED BY imap_uid_open LEFT JOIN event e ON e.seq = u.event
       WHERE u.folder = ? AND u.uid > ? AND u.state IN ('waiting', 'quarantined')
         AND u.state IN (SELECT value FROM json_each(?)) ORDER BY u.uid LIMIT ?`,
  );
  const deliveries = db.prepare<[string], UidFate["deliveries"][number] & { readonly event: number }>(
    `SELECT d.event, d.lane, d.state, coalesce(d.detail, d.reason, d.rule) AS reason,
         (SELECT s.ref FROM step s WHERE s.delivery = d.id AND s.kind = 'activity' AND s.state = 'confirmed' LIMIT 1) AS activity
       FROM delivery d WHERE d.event IN (SELECT value FROM json_each(?)) ORDER BY d.event, d.lane`,
  );
  // A folder has a hundred thousand messages: one question for each is more than all else that an audit asks.
  const fatesOf = (rows: readonly UidRow[]): UidFate[] => {
    const events = new Set(rows.flatMap(({ event }) => event ?? []));
    const made = new Map<number, UidFate["deliveries"][number][]>([...events].map((event) => [event, []]));
    if (events.size > 0)
      for (const { event, ...delivery } of deliveries.all(JSON.stringify([...events]))) made.get(event)?.push(delivery);
    return rows.map((row) => ({
      uid: row.uid,
      state: row.state,
      reason: row.reason,
      attempts: row.attempts,
      at: row.at,
      source: row.source,
      pending: row.act,
      eventId: row.event_id,
      deliveries: row.event === null ? [] : (made.get(row.event) ?? []),
    }));
  };
  const isOpen = (states: readonly UidState[]): boolean =>
    states.every((state) => state === "waiting" || state === "quarantined");
  return {
    fates: (folder, uids) => fatesOf(asked.all(JSON.stringify(uids), folder)),
    uidsIn: ({ folder, states, after, limit }) =>
      fatesOf((isOpen(states) ? nextOpen : next).all(folder, after, JSON.stringify(states), limit)),
  };
}

function openTally(db: Connection, folders: (account: string) => readonly FolderRow[]): Operations["accountTally"] {
  const accounts = db.prepare<[], AccountRow>(
    "SELECT name, first_at, blocked_at, blocked_reason FROM imap_account ORDER BY name",
  );
  const open = db.prepare<[number], { waiting: number; quarantined: number }>(
    `SELECT coalesce(sum(state = 'waiting'), 0) AS waiting, coalesce(sum(state = 'quarantined'), 0) AS quarantined
       FROM imap_uid INDEXED BY imap_uid_open WHERE folder = ? AND state IN ('waiting', 'quarantined')`,
  );
  const pending = db
    .prepare<[number], number>(
      "SELECT count(*) FROM imap_uid INDEXED BY imap_uid_act WHERE folder = ? AND act IS NOT NULL",
    )
    .pluck();
  return () =>
    accounts.all().map(({ name, first_at, blocked_at, blocked_reason }) => ({
      account: name,
      firstAt: first_at,
      blockedAt: blocked_at,
      blockedReason: blocked_reason,
      folders: folders(name).map((row) => {
        const { waiting = 0, quarantined = 0 } = open.get(row.id) ?? {};
        return { folder: folderOf(row), waiting, quarantined, pending: pending.get(row.id) ?? 0 };
      }),
    }));
}
