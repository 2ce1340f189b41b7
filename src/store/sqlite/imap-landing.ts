/** Writes where a message lies on its IMAP server, in the transaction of the message itself. */
import type { Landing } from "../../model/imap.ts";
import type { Connection } from "./connection.ts";

export interface LandingRows {
  /** The folder's UIDs mean what the landing says, and whoever says it holds the account. */
  stands(landing: Landing, tenant: string): boolean;
  /** It has landed before, as this event. */
  holds(landing: Landing, event: number): boolean;
  land(landing: Landing, event: number, at: number): void;
}

interface Place {
  account: string;
  path: string;
  lease: string | null;
}

export function openLanding(db: Connection): LandingRows {
  const place = db.prepare<[number, number], Place>(
    `SELECT f.account, f.path, a.lease FROM imap_folder f JOIN imap_account a ON a.name = f.account
       WHERE f.id = ? AND f.uid_validity = ? AND f.ended_at IS NULL`,
  );
  const landed = db
    .prepare<[number, number], number | null>("SELECT event FROM imap_uid WHERE folder = ? AND uid = ?")
    .pluck();
  const insert = db.prepare(
    `INSERT INTO imap_uid (folder, uid, state, event, source, reason, attempts, first_at, due_at, at, act, acted_at)
       VALUES ($folder, $uid, 'landed', $event, $source, NULL, 0, $at, NULL, $at, $act, NULL)
       ON CONFLICT DO UPDATE SET state = 'landed', event = $event, source = $source, reason = NULL, due_at = NULL, at = $at, act = $act
         WHERE state <> 'landed'`,
  );
  const advance = db.prepare("UPDATE imap_folder SET last_uid = $uid WHERE id = $folder AND last_uid = $from");
  const actedBefore = db
    .prepare<[number, number, number], number>(
      `SELECT 1 FROM imap_uid u JOIN imap_folder f ON f.id = u.folder JOIN imap_folder here ON here.id = ?
         WHERE u.event = ? AND u.acted_at IS NOT NULL AND f.id <> ? AND f.account = here.account AND f.path = here.path LIMIT 1`,
    )
    .pluck();

  return {
    stands({ folder, uidValidity, lease, source }, tenant) {
      const found = place.get(folder, uidValidity);
      if (found === undefined || !found.account.startsWith(`${tenant}/`)) return false;
      return lease === undefined ? source === "backfill" : found.lease === lease;
    },
    holds: ({ folder, uid }, event) => landed.get(folder, uid) === event,
    land({ folder, uid, source, from, after }, event, at) {
      const act = after === "none" || actedBefore.get(folder, event, folder) !== undefined ? null : after;
      insert.run({ folder, uid, event, source, at, act });
      if (from !== undefined) advance.run({ folder, uid, from });
    },
  };
}
