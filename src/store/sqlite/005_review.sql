-- What waits for a person, and what persons decided. The triggers open and close the reviews of held deliveries, whatever holds or frees them.

-- detail: the reason, as a sentence. resolved_as: the answer, or 'released' where nobody had to decide any more.
CREATE TABLE review (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL REFERENCES event (seq),
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('held', 'thread', 'move')),
  detail TEXT NOT NULL,
  at INTEGER NOT NULL,
  resolved_at INTEGER,
  resolved_by TEXT,
  resolved_as TEXT,
  note TEXT,
  CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (resolved_as IS NULL))
) STRICT;
CREATE UNIQUE INDEX review_open ON review (event, kind) WHERE resolved_at IS NULL;
CREATE INDEX review_waiting ON review (tenant, kind, at) WHERE resolved_at IS NULL;
CREATE INDEX review_newest ON review (id) WHERE resolved_at IS NULL;
CREATE INDEX review_event ON review (event);

-- about: the question that was answered. Of the decisions about one question the newest stands; the others are history.
CREATE TABLE decision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL REFERENCES event (seq),
  about TEXT NOT NULL CHECK (about IN ('held', 'thread', 'move')),
  kind TEXT NOT NULL CHECK (kind IN ('join', 'new', 'trust', 'reject', 'done')),
  with_event INTEGER REFERENCES event (seq),
  by TEXT NOT NULL,
  at INTEGER NOT NULL,
  note TEXT,
  stands INTEGER NOT NULL CHECK (stands IN (0, 1)),
  CHECK ((with_event IS NOT NULL) = (kind = 'join'))
) STRICT;
CREATE UNIQUE INDEX decision_standing ON decision (event, about) WHERE stands = 1;
CREATE INDEX decision_with ON decision (with_event) WHERE stands = 1 AND with_event IS NOT NULL;
CREATE INDEX decision_event ON decision (event);

CREATE TRIGGER held_from_the_start AFTER INSERT ON delivery WHEN new.state = 'held'
BEGIN
  INSERT INTO review (event, tenant, kind, detail, at)
    SELECT new.event, e.tenant, 'held', coalesce(new.detail, 'held for review'), coalesce(new.settled_at, new.due_at)
      FROM event e WHERE e.seq = new.event
    ON CONFLICT (event, kind) WHERE resolved_at IS NULL DO UPDATE SET detail = excluded.detail;
END;

CREATE TRIGGER held AFTER UPDATE OF state, detail ON delivery WHEN new.state = 'held'
BEGIN
  INSERT INTO review (event, tenant, kind, detail, at)
    SELECT new.event, e.tenant, 'held', coalesce(new.detail, 'held for review'), coalesce(new.settled_at, new.due_at)
      FROM event e WHERE e.seq = new.event
    ON CONFLICT (event, kind) WHERE resolved_at IS NULL DO UPDATE SET detail = excluded.detail;
END;

CREATE TRIGGER held_no_longer AFTER UPDATE OF state ON delivery WHEN old.state = 'held' AND new.state <> 'held'
BEGIN
  UPDATE review SET resolved_at = coalesce(new.settled_at, new.due_at), resolved_by = 'mailwright', resolved_as = 'released'
    WHERE event = new.event AND kind = 'held' AND resolved_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = new.event AND d.state = 'held');
END;

INSERT INTO review (event, tenant, kind, detail, at)
  SELECT d.event, e.tenant, 'held', coalesce(d.detail, 'held for review'), coalesce(d.settled_at, d.due_at)
    FROM delivery d JOIN event e ON e.seq = d.event WHERE d.state = 'held'
  ON CONFLICT (event, kind) WHERE resolved_at IS NULL DO NOTHING;
