-- The attachments of messages. Names, sizes and verdicts are here; bytes are in a tenant's store, each content of a tenant once.

-- kept: nothing is to be taken out of the raw message for it any more. decided: a person's word, which stands. inspection: of its content under
-- its own name and type, where it was looked into itself; one that came under the same before is judged by that.
CREATE TABLE file (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  event INTEGER NOT NULL REFERENCES event (seq),
  position INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  part_id TEXT NOT NULL,
  filename TEXT NOT NULL,
  content_type TEXT NOT NULL,
  detected_type TEXT,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  inline INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  status TEXT NOT NULL
    CHECK (status IN ('checking', 'stored', 'quarantined', 'stripped', 'refused', 'dropped', 'removed')),
  reason TEXT,
  inspection TEXT,
  kept INTEGER NOT NULL CHECK (kept IN (0, 1)),
  decided TEXT CHECK (decided IN ('release', 'drop')),
  by TEXT NOT NULL,
  at INTEGER NOT NULL,
  note TEXT
) STRICT;
CREATE INDEX file_event ON file (event, position);
CREATE INDEX file_content ON file (sha256, tenant);
CREATE INDEX file_inspected ON file (sha256, tenant, filename, content_type) WHERE inspection IS NOT NULL;
CREATE INDEX file_status ON file (status);
CREATE INDEX file_since ON file (tenant, status, at);

-- A message with files. turn: 0 they are to be brought in line now, 1 at due_at, 2 leased, 3 nothing to do.
-- again: something became known of one while it was leased.
CREATE TABLE filing (
  event INTEGER PRIMARY KEY REFERENCES event (seq),
  tenant TEXT NOT NULL,
  turn INTEGER NOT NULL CHECK (turn IN (0, 1, 2, 3)),
  due_at INTEGER NOT NULL,
  lease TEXT,
  lease_until INTEGER,
  attempts INTEGER NOT NULL,
  again INTEGER NOT NULL,
  CHECK ((lease IS NULL) = (turn <> 2) AND (lease IS NULL) = (lease_until IS NULL))
) STRICT;
CREATE INDEX filing_ready ON filing (tenant, event) WHERE turn = 0;
CREATE INDEX filing_waiting ON filing (due_at) WHERE turn = 1;
CREATE INDEX filing_leased ON filing (lease_until) WHERE lease IS NOT NULL;

-- What is known of a content; store_key: where its bytes are, null where they are not. turn: as above, of its scan.
CREATE TABLE content (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  store_key TEXT,
  stored_at INTEGER,
  newest_at INTEGER NOT NULL,
  scan TEXT NOT NULL CHECK (scan IN ('pending', 'clean', 'infected', 'unscanned', 'skipped')),
  engine TEXT,
  signatures TEXT,
  scanned_at INTEGER,
  scan_detail TEXT,
  turn INTEGER NOT NULL CHECK (turn IN (0, 1, 2, 3)),
  due_at INTEGER NOT NULL,
  lease TEXT,
  lease_until INTEGER,
  attempts INTEGER NOT NULL,
  UNIQUE (sha256, tenant),
  CHECK ((lease IS NULL) = (turn <> 2) AND (lease IS NULL) = (lease_until IS NULL)),
  CHECK (turn = 3 OR store_key IS NOT NULL),
  CHECK ((store_key IS NULL) = (stored_at IS NULL))
) STRICT;
CREATE INDEX content_ready ON content (tenant, id) WHERE turn = 0;
CREATE INDEX content_waiting ON content (due_at) WHERE turn = 1;
CREATE INDEX content_leased ON content (lease_until) WHERE lease IS NOT NULL;
CREATE INDEX content_scanned ON content (tenant, scanned_at) WHERE turn = 3 AND store_key IS NOT NULL;
CREATE INDEX content_age ON content (tenant, newest_at) WHERE store_key IS NOT NULL;

-- Bytes that nobody needs any more and that are still to be deleted.
CREATE TABLE doomed (
  store_key TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE file_tally (
  tenant TEXT NOT NULL,
  status TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (tenant, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER file_counted AFTER INSERT ON file BEGIN
  INSERT INTO file_tally VALUES (new.tenant, new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER file_recounted AFTER UPDATE OF status ON file WHEN old.status <> new.status BEGIN
  UPDATE file_tally SET n = n - 1 WHERE tenant = old.tenant AND status = old.status;
  INSERT INTO file_tally VALUES (new.tenant, new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- What somebody did that must be answered for later.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  about TEXT NOT NULL,
  who TEXT NOT NULL,
  outcome TEXT NOT NULL,
  come_from TEXT
) STRICT;
CREATE INDEX audit_about ON audit (about);
