/** Who reads an IMAP account, and how far its folders were read: every change that is not the landing of a message. */
import type { FolderState } from "../../model/imap.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { openFence } from "./fence.ts";
import type { Operations } from "./operations.ts";

export interface FolderRow {
  id: number;
  account: string;
  path: string;
  mailbox_id: string | null;
  uid_validity: number;
  first_uid: number;
  old_below: number;
  since: number;
  last_uid: number;
  mod_seq: string | null;
  uid_next: number;
  seen_at: number;
  done_at: number;
}

export const folderOf = (row: FolderRow): FolderState => ({
  id: row.id,
  account: row.account,
  path: row.path,
  mailboxId: row.mailbox_id,
  uidValidity: row.uid_validity,
  firstUid: row.first_uid,
  oldBelow: row.old_below,
  since: row.since,
  lastUid: row.last_uid,
  modSeq: row.mod_seq,
  uidNext: row.uid_next,
  seenAt: row.seen_at,
  doneAt: row.done_at,
});

/** No lease reaches further ahead: one that does is of before the clock was set back. */
const longestLeaseMs = 600_000;

interface AccountRow {
  first_at: number;
  selectors: string;
  lease: string | null;
  lease_until: number | null;
}

type Written =
  | "holdAccount"
  | "releaseAccount"
  | "blockAccount"
  | "openFolder"
  | "renameFolder"
  | "folderNews"
  | "acted"
  | "giveUp"
  | "retryQuarantined";

export function openImap(db: Connection): Pick<Operations, Written> {
  const held = openHeld(db);
  return { ...openAccounts(db), ...openGenerations(db, held), ...openNews(db, held), ...openQuarantine(db) };
}

type Held = (lease: { readonly account: string; readonly token: string }) => boolean;

function openHeld(db: Connection): Held {
  const holds = db.prepare<[string, string], number>("SELECT 1 FROM imap_account WHERE name = ? AND lease = ?").pluck();
  return ({ account, token }) => holds.get(account, token) !== undefined;
}

function openAccounts(db: Connection): Pick<Operations, "holdAccount" | "releaseAccount" | "blockAccount"> {
  const fence = openFence(db);
  const one = db.prepare<[string], AccountRow>(
    "SELECT first_at, selectors, lease, lease_until FROM imap_account WHERE name = ?",
  );
  const hold = db.prepare(
    `INSERT INTO imap_account (name, first_at, selectors, lease, lease_until) VALUES ($account, $now, iif($opened, $selectors, ''), $token, $until)
       ON CONFLICT DO UPDATE SET selectors = iif($opened, $selectors, selectors), lease = $token, lease_until = $until`,
  );
  const release = db.prepare(
    "UPDATE imap_account SET lease = NULL, lease_until = NULL WHERE name = $account AND lease = $token",
  );
  const block = db.prepare(
    "UPDATE imap_account SET blocked_at = coalesce(blocked_at, $at), blocked_reason = $reason WHERE name = $account",
  );
  const unblock = db.prepare("UPDATE imap_account SET blocked_at = NULL, blocked_reason = NULL WHERE name = ?");
  return {
    holdAccount({ account, token, now, until, selectors, opened = false }) {
      const known = one.get(account);
      const mine = known?.lease != null && known.lease === token;
      const left = (known?.lease_until ?? now) - now;
      if (!mine && left > 0 && left <= longestLeaseMs) return undefined;
      const given = mine && token !== undefined ? token : fence();
      hold.run({ account, now, selectors, token: given, until, opened: opened ? 1 : 0 });
      return {
        account,
        token: given,
        firstAt: known?.first_at ?? now,
        sameSelectors: known !== undefined && known.selectors === selectors,
      };
    },
    releaseAccount: ({ account, token }) => void release.run({ account, token }),
    blockAccount({ account, at, reason }) {
      if (reason === null) unblock.run(account);
      else block.run({ account, at, reason: clip(reason) });
    },
  };
}

function openGenerations(db: Connection, held: Held): Pick<Operations, "openFolder" | "renameFolder"> {
  const before = db
    .prepare<[string, string], number>(
      "SELECT since FROM imap_folder INDEXED BY imap_folder_path WHERE account = ? AND path = ? ORDER BY id DESC LIMIT 1",
    )
    .pluck();
  const end = db.prepare(
    "UPDATE imap_folder SET ended_at = $now WHERE account = $account AND path = $path AND ended_at IS NULL",
  );
  const begin = db.prepare<[object], FolderRow>(
    `INSERT INTO imap_folder (account, path, mailbox_id, uid_validity, first_uid, old_below, since, last_uid, mod_seq, uid_next, seen_at, done_at)
       VALUES ($account, $path, $mailboxId, $uidValidity, $firstUid, $oldBelow, $since, $firstUid - 1, NULL, $uidNext, $now, $now) RETURNING *`,
  );
  const rename = db.prepare(
    `UPDATE imap_folder SET path = $path WHERE id = $folder AND account = $account AND ended_at IS NULL AND NOT EXISTS
       (SELECT 1 FROM imap_folder o WHERE o.account = $account AND o.path = $path AND o.ended_at IS NULL)`,
  );
  return {
    openFolder({ account, token, path, mailboxId, uidValidity, uidNext, firstUid, since, now }) {
      if (!held({ account, token })) return undefined;
      const earlier = before.get(account, path);
      end.run({ now, account, path });
      const row = begin.get({
        account,
        path,
        mailboxId,
        uidValidity,
        firstUid: earlier === undefined ? firstUid : 1,
        oldBelow: uidNext,
        since: earlier ?? since,
        uidNext,
        now,
      });
      return row === undefined ? undefined : folderOf(row);
    },
    renameFolder: ({ account, token, folder, path }) =>
      held({ account, token }) && rename.run({ path, folder, account }).changes > 0,
  };
}

function openNews(db: Connection, held: Held): Pick<Operations, "folderNews" | "acted"> {
  const news = db.prepare(
    `UPDATE imap_folder SET uid_next = $uidNext, seen_at = $at, last_uid = max(last_uid, $lastUid),
         mod_seq = iif($complete, $modSeq, mod_seq), done_at = iif($complete, $at, done_at)
       WHERE id = $folder AND account = $account AND ended_at IS NULL`,
  );
  const pass = db.prepare(
    `INSERT INTO imap_uid (folder, uid, state, event, source, reason, attempts, first_at, due_at, at, act, acted_at)
       VALUES ($folder, $uid, $state, NULL, NULL, $reason, $tried, $at, $dueAt, $at, NULL, NULL)
       ON CONFLICT DO UPDATE SET state = $state, reason = $reason, attempts = attempts + $tried, due_at = $dueAt, at = $at
         WHERE state <> 'landed'`,
  );
  const done = db.prepare(
    `UPDATE imap_uid SET act = NULL, acted_at = $at WHERE folder = (SELECT id FROM imap_folder WHERE id = $folder AND account = $account)
       AND uid = $uid AND act IS NOT NULL`,
  );
  return {
    folderNews({ account, token, folder, at, uidNext, modSeq, passed = [], lastUid = 0, complete = false }) {
      if (!held({ account, token })) return false;
      const values = { folder, account, at, uidNext, modSeq, lastUid, complete: complete ? 1 : 0 };
      if (news.run(values).changes === 0) return false;
      for (const { uid, state, reason, dueAt } of passed) {
        const waits = state === "waiting";
        const tried = waits || state === "quarantined" ? 1 : 0;
        pass.run({ folder, uid, state, reason: clip(reason), tried, dueAt: waits ? (dueAt ?? at) : null, at });
      }
      return true;
    },
    acted({ account, token, folder, uids, at }) {
      if (!held({ account, token })) return false;
      for (const uid of uids) done.run({ at, folder, account, uid });
      return true;
    },
  };
}

function openQuarantine(db: Connection): Pick<Operations, "giveUp" | "retryQuarantined"> {
  const give = db.prepare(
    `INSERT INTO imap_uid (folder, uid, state, event, source, reason, attempts, first_at, due_at, at, act, acted_at)
       SELECT id, $uid, 'quarantined', NULL, NULL, $reason, $attempts, $at, NULL, $at, NULL, NULL FROM imap_folder WHERE id = $folder AND ended_at IS NULL
       ON CONFLICT DO UPDATE SET state = 'quarantined', reason = $reason, attempts = $attempts, due_at = NULL, at = $at WHERE state <> 'landed'`,
  );
  const asked = `folder = $folder AND state IN ('waiting', 'quarantined') AND state = 'quarantined'
         AND ($uids IS NULL OR uid IN (SELECT value FROM json_each($uids)))`;
  const first = "(SELECT first_uid FROM imap_folder WHERE id = $folder)";
  const again = db.prepare(
    `UPDATE imap_uid INDEXED BY imap_uid_open SET state = 'waiting', attempts = 0, first_at = $now, due_at = $now
       WHERE ${asked} AND uid >= ${first}`,
  );
  const forget = db.prepare(`DELETE FROM imap_uid INDEXED BY imap_uid_open WHERE ${asked} AND uid < ${first}`);
  return {
    giveUp: ({ folder, uid, reason, attempts, at }) =>
      give.run({ folder, uid, reason: clip(reason), attempts, at }).changes > 0,
    retryQuarantined(folder, now, uids) {
      const which = { folder, uids: uids === undefined ? null : JSON.stringify(uids) };
      return { live: again.run({ ...which, now }).changes, old: forget.run(which).changes };
    },
  };
}
