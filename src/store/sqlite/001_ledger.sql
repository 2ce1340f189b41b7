-- The ledger, version 1. Times are epoch ms handed in by the caller; nothing here knows the time by itself.
-- Large values (raw, body, plan) have tables of their own, so that a walk over events or deliveries reads small rows only.

-- One row: running totals (kept by the triggers below) and counters.
CREATE TABLE ledger (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  messages INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  unarchived INTEGER NOT NULL,
  -- The last lease token given out.
  fence INTEGER NOT NULL,
  -- Written by probes, and read back.
  probe INTEGER NOT NULL
) STRICT;
INSERT INTO ledger VALUES (1, 0, 0, 0, 0, 0);

-- turn: 0 ready, 1 waits for due_at, 2 leased.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  message_id TEXT,
  digest TEXT NOT NULL,
  conflict INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  envelope TEXT NOT NULL,
  routes TEXT NOT NULL,
  raw_sha256 TEXT NOT NULL,
  raw_size INTEGER NOT NULL,
  raw_kind TEXT NOT NULL CHECK (raw_kind IN ('inline', 'spool', 'blob', 'gone')),
  raw_name TEXT,
  priority INTEGER NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('accepted', 'prepared')),
  turn INTEGER NOT NULL CHECK (turn IN (0, 1, 2)),
  due_at INTEGER NOT NULL,
  lease TEXT,
  lease_until INTEGER,
  parse_attempts INTEGER NOT NULL,
  -- A route was merged while a parse was under way: that parse knew nothing of it, so it is planned once more.
  again INTEGER NOT NULL,
  -- An operator asked for the whole road again: dead letters come back too.
  reprocess INTEGER NOT NULL,
  prepared_at INTEGER,
  parse_status TEXT,
  schema_version INTEGER,
  mapping_version INTEGER,
  thread TEXT,
  has_body INTEGER NOT NULL,
  -- Pending deliveries, kept by the triggers below.
  open INTEGER NOT NULL,
  CHECK ((lease IS NULL) = (turn <> 2) AND (lease IS NULL) = (lease_until IS NULL))
) STRICT;
-- Identity. message_id leads, so that a look-up by Message-ID alone uses it as well.
CREATE UNIQUE INDEX event_identity ON event (message_id, tenant, digest) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX event_identity_without_id ON event (tenant, digest) WHERE message_id IS NULL;
CREATE INDEX event_ready ON event (tenant, priority, seq) WHERE stage = 'accepted' AND turn = 0;
CREATE INDEX event_waiting ON event (due_at) WHERE stage = 'accepted' AND turn = 1;
CREATE INDEX event_leased ON event (lease_until) WHERE lease IS NOT NULL;
CREATE INDEX event_received ON event (seq) WHERE stage = 'accepted';
CREATE INDEX event_unarchived ON event (seq) WHERE stage = 'prepared' AND open = 0 AND raw_kind IN ('inline', 'spool');
CREATE INDEX event_spooled ON event (seq) WHERE raw_kind = 'spool';
CREATE INDEX event_raw_age ON event (received_at, seq) WHERE raw_kind <> 'gone';
CREATE INDEX event_body_age ON event (received_at, seq) WHERE has_body = 1;

CREATE TABLE raw (
  event INTEGER PRIMARY KEY REFERENCES event (seq),
  sealed BLOB NOT NULL
) STRICT;

CREATE TABLE body (
  event INTEGER PRIMARY KEY REFERENCES event (seq),
  sealed BLOB NOT NULL
) STRICT;

CREATE TABLE lane (
  name TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  paused_until INTEGER,
  pause_reason TEXT,
  blocked_at INTEGER,
  blocked_reason TEXT
) STRICT;

-- head: the one delivery of its thread and lane whose turn it is. Exactly one pending delivery of each thread and lane is head.
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL REFERENCES event (seq),
  lane TEXT NOT NULL REFERENCES lane (name),
  thread TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('steps', 'skip', 'hold')),
  rule TEXT,
  state TEXT NOT NULL CHECK (state IN ('pending', 'processed', 'failed', 'skipped', 'held')),
  reason TEXT,
  detail TEXT,
  attempts INTEGER NOT NULL,
  head INTEGER NOT NULL CHECK (head = 0 OR state = 'pending'),
  turn INTEGER NOT NULL CHECK (turn IN (0, 1, 2)),
  due_at INTEGER NOT NULL,
  lease TEXT,
  lease_until INTEGER,
  mapping_version INTEGER NOT NULL,
  prepared_at INTEGER NOT NULL,
  settled_at INTEGER,
  UNIQUE (event, lane),
  CHECK ((lease IS NULL) = (turn <> 2) AND (lease IS NULL) = (lease_until IS NULL)),
  CHECK (lease IS NULL OR state = 'pending')
) STRICT;
CREATE UNIQUE INDEX delivery_head ON delivery (lane, thread) WHERE state = 'pending' AND head = 1;
CREATE INDEX delivery_thread ON delivery (lane, thread, event) WHERE state = 'pending';
CREATE INDEX delivery_ready ON delivery (lane, due_at, id) WHERE state = 'pending' AND head = 1 AND turn = 0;
CREATE INDEX delivery_waiting ON delivery (lane, due_at) WHERE state = 'pending' AND head = 1 AND turn = 1;
CREATE INDEX delivery_leased ON delivery (lane, lease_until) WHERE lease IS NOT NULL;
CREATE INDEX delivery_dead ON delivery (id) WHERE state = 'failed' AND reason <> 'dropped';
CREATE INDEX delivery_state ON delivery (state, lane, event);

-- The sealed plan of a delivery.
CREATE TABLE plan (
  delivery INTEGER PRIMARY KEY REFERENCES delivery (id),
  sealed BLOB NOT NULL
) STRICT;

-- A newer plan for a delivery that a lane was working when it was made; takes effect when that work ends.
CREATE TABLE revision (
  delivery INTEGER PRIMARY KEY REFERENCES delivery (id),
  at INTEGER NOT NULL,
  thread TEXT NOT NULL,
  reprocess INTEGER NOT NULL,
  mapping_version INTEGER NOT NULL,
  decision TEXT NOT NULL,
  sealed BLOB
) STRICT;

-- position: place in the plan; null for a step that is no longer planned and stays as history.
CREATE TABLE step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  delivery INTEGER NOT NULL REFERENCES delivery (id),
  position INTEGER,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  why TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'sent', 'confirmed', 'unknown', 'refused')),
  sends INTEGER NOT NULL DEFAULT 0,
  empty_reads INTEGER NOT NULL DEFAULT 0,
  deadline INTEGER,
  ref TEXT,
  adopted INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  note TEXT,
  sent_at INTEGER,
  settled_at INTEGER,
  CHECK (state <> 'confirmed' OR ref IS NOT NULL)
) STRICT;
CREATE INDEX step_delivery ON step (delivery);
CREATE INDEX step_sent ON step (id) WHERE state = 'sent';

-- What a lane knows to exist at its vendor, from all messages.
CREATE TABLE record (
  lane TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  ref TEXT NOT NULL,
  PRIMARY KEY (lane, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE story (
  event INTEGER NOT NULL REFERENCES event (seq),
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  detail TEXT,
  PRIMARY KEY (event, n)
) STRICT, WITHOUT ROWID;

-- Deliveries by lane and state; a dropped dead letter counts as 'dropped'.
CREATE TABLE lane_tally (
  lane TEXT NOT NULL,
  state TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (lane, state)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_counted AFTER INSERT ON event BEGIN
  UPDATE ledger SET messages = messages + 1,
    accepted = accepted + (new.stage = 'accepted'),
    unarchived = unarchived + (new.stage = 'prepared' AND new.open = 0 AND new.raw_kind IN ('inline', 'spool'));
END;

CREATE TRIGGER event_recounted AFTER UPDATE OF stage, open, raw_kind ON event
WHEN old.stage <> new.stage OR (old.open = 0) <> (new.open = 0) OR old.raw_kind <> new.raw_kind
BEGIN
  UPDATE ledger SET
    accepted = accepted + (new.stage = 'accepted') - (old.stage = 'accepted'),
    unarchived = unarchived
      + (new.stage = 'prepared' AND new.open = 0 AND new.raw_kind IN ('inline', 'spool'))
      - (old.stage = 'prepared' AND old.open = 0 AND old.raw_kind IN ('inline', 'spool'));
END;

CREATE TRIGGER delivery_counted AFTER INSERT ON delivery BEGIN
  INSERT INTO lane_tally VALUES (new.lane, iif(new.reason IS 'dropped', 'dropped', new.state), 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE event SET open = open + 1 WHERE new.state = 'pending' AND seq = new.event;
END;

CREATE TRIGGER delivery_recounted AFTER UPDATE OF state, reason ON delivery
WHEN old.state <> new.state OR (old.reason IS 'dropped') <> (new.reason IS 'dropped')
BEGIN
  UPDATE lane_tally SET n = n - 1 WHERE lane = old.lane AND state = iif(old.reason IS 'dropped', 'dropped', old.state);
  INSERT INTO lane_tally VALUES (new.lane, iif(new.reason IS 'dropped', 'dropped', new.state), 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE event SET open = open + (new.state = 'pending') - (old.state = 'pending')
    WHERE (new.state = 'pending') <> (old.state = 'pending') AND seq = new.event;
END;
