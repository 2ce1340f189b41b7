-- Accounts that are read by IMAP: who reads one now, how far each folder was read, and what became of every message in it.

-- name: tenant/account. lease: of the one that reads it. first_at: when it was first held; selectors: which folders were asked for last.
CREATE TABLE imap_account (
  name TEXT PRIMARY KEY,
  first_at INTEGER NOT NULL,
  selectors TEXT NOT NULL,
  lease TEXT,
  lease_until INTEGER,
  blocked_at INTEGER,
  blocked_reason TEXT,
  CHECK ((lease IS NULL) = (lease_until IS NULL) AND (blocked_at IS NULL) = (blocked_reason IS NULL))
) STRICT, WITHOUT ROWID;

-- One generation of a folder: ended_at is set when its UIDs mean something else. Messages from first_uid on are ours; of those below old_below,
-- which were there when the generation began, only the ones that are younger than since. last_uid: at or below it, all of ours are accounted for. uid_next, seen_at: what the server said last, and
-- when. done_at: when nothing was left to do.
CREATE TABLE imap_folder (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL REFERENCES imap_account (name),
  path TEXT NOT NULL,
  mailbox_id TEXT,
  uid_validity INTEGER NOT NULL,
  first_uid INTEGER NOT NULL,
  old_below INTEGER NOT NULL,
  since INTEGER NOT NULL,
  last_uid INTEGER NOT NULL,
  mod_seq TEXT,
  uid_next INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  done_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX imap_folder_live ON imap_folder (account, path) WHERE ended_at IS NULL;
CREATE INDEX imap_folder_path ON imap_folder (account, path, id);

-- One message of one generation. landed: in the ledger, as event. waiting: it failed, and is tried again at due_at. Else reason says why there is
-- none: gone before it could be read, before the folder was watched, or given up (quarantined). source: live or backfill.
-- act: what is to be done to it on the server, until it is done; acted_at: when that was seen to hold.
CREATE TABLE imap_uid (
  folder INTEGER NOT NULL REFERENCES imap_folder (id),
  uid INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('landed', 'waiting', 'gone', 'before', 'quarantined')),
  event INTEGER REFERENCES event (seq),
  source TEXT,
  reason TEXT,
  attempts INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  due_at INTEGER,
  at INTEGER NOT NULL,
  act TEXT CHECK (act IN ('keyword', 'seen', 'move')),
  acted_at INTEGER,
  PRIMARY KEY (folder, uid),
  CHECK ((state = 'landed') = (event IS NOT NULL) AND (event IS NULL) = (source IS NULL)),
  CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
  CHECK (act IS NULL OR event IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX imap_uid_act ON imap_uid (folder, uid) WHERE act IS NOT NULL;
CREATE INDEX imap_uid_open ON imap_uid (folder, uid) WHERE state IN ('waiting', 'quarantined');
CREATE INDEX imap_uid_event ON imap_uid (event) WHERE event IS NOT NULL;
