-- Replays of stored mail: they leave live mail its turn, and runs of them can be told, gone on with, and taken back.

-- replay: asked for in bulk; live mail goes before. run: that plans it now, null where none does. pinned: the mapping that decides about it,
-- whatever is in force.
ALTER TABLE event ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN run INTEGER;
ALTER TABLE event ADD COLUMN pinned INTEGER;
DROP INDEX event_ready;
CREATE INDEX event_ready ON event (tenant, replay, priority, seq) WHERE stage = 'accepted' AND turn = 0;

ALTER TABLE delivery ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
DROP INDEX delivery_ready;
CREATE INDEX delivery_ready ON delivery (lane, replay, due_at, id) WHERE state = 'pending' AND head = 1 AND turn = 0;

ALTER TABLE revision ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN run INTEGER;

-- run: whose plan asked for the step first. snapshot: sealed; what the CRM held before or after it. undone: the run that took it back.
ALTER TABLE step ADD COLUMN run INTEGER;
ALTER TABLE step ADD COLUMN snapshot BLOB;
ALTER TABLE step ADD COLUMN undone INTEGER;
CREATE INDEX step_run ON step (run, ref) WHERE run IS NOT NULL;

-- Whose plan asked for it.
ALTER TABLE deal ADD COLUMN run INTEGER;

-- of: what an undo takes back. cohort: JSON. ended_at: when nothing was left to hand out.
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('apply', 'undo')),
  of INTEGER REFERENCES run (id),
  mapping_version INTEGER NOT NULL,
  cohort TEXT NOT NULL,
  by TEXT NOT NULL,
  note TEXT,
  at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('choosing', 'running', 'stopped', 'done')),
  ended_at INTEGER,
  CHECK ((of IS NOT NULL) = (kind = 'undo'))
) STRICT;
CREATE INDEX run_of ON run (of) WHERE of IS NOT NULL;
CREATE INDEX run_open ON run (tenant, id) WHERE state <> 'done';

-- pinned: the mapping that was pinned before. unable: nothing is left to plan from.
CREATE TABLE run_event (
  run INTEGER NOT NULL REFERENCES run (id),
  event INTEGER NOT NULL REFERENCES event (seq),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'given', 'planned', 'unable')),
  pinned INTEGER,
  PRIMARY KEY (run, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_event_waiting ON run_event (run, event) WHERE state = 'waiting';
CREATE INDEX run_event_given ON run_event (run, event) WHERE state = 'given';
CREATE INDEX run_event_of ON run_event (event);

-- What a run found of a delivery, and what it made of it. before, outcome: JSON; before is null where the run made the delivery.
CREATE TABLE run_delivery (
  run INTEGER NOT NULL REFERENCES run (id),
  delivery INTEGER NOT NULL REFERENCES delivery (id),
  before TEXT,
  plan BLOB,
  outcome TEXT NOT NULL,
  PRIMARY KEY (run, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_delivery_of ON run_delivery (delivery);

-- How often a record of ours was taken back at a CRM: its key is used up there, and the next one carries another.
CREATE TABLE undone (
  lane TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (lane, kind, key)
) STRICT, WITHOUT ROWID;

-- Messages that a person is asked to compare with what the CRM holds.
CREATE TABLE sample (
  event INTEGER PRIMARY KEY REFERENCES event (seq),
  tenant TEXT NOT NULL,
  at INTEGER NOT NULL,
  resolved_at INTEGER,
  resolved_by TEXT,
  resolved_as TEXT CHECK (resolved_as IN ('right', 'wrong')),
  note TEXT,
  CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (resolved_as IS NULL))
) STRICT;
CREATE INDEX sample_open ON sample (event) WHERE resolved_at IS NULL;
