-- How far a run is, without reading it: a run may have a million messages.

-- Why a message was given up.
ALTER TABLE run_event ADD COLUMN reason TEXT;

CREATE TABLE run_tally (
  run INTEGER NOT NULL REFERENCES run (id),
  state TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (run, state)
) STRICT, WITHOUT ROWID;
INSERT INTO run_tally SELECT run, state, count(*) FROM run_event GROUP BY run, state;

CREATE TRIGGER run_event_counted AFTER INSERT ON run_event BEGIN
  INSERT INTO run_tally VALUES (new.run, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER run_event_recounted AFTER UPDATE OF state ON run_event WHEN old.state <> new.state BEGIN
  UPDATE run_tally SET n = n - 1 WHERE run = old.run AND state = old.state;
  INSERT INTO run_tally VALUES (new.run, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- open: its delivery is pending.
ALTER TABLE run_delivery ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
UPDATE run_delivery SET open = 1 WHERE delivery IN (SELECT id FROM delivery WHERE state = 'pending');
CREATE INDEX run_delivery_open ON run_delivery (run) WHERE open = 1;
CREATE TRIGGER run_delivery_told AFTER UPDATE OF state ON delivery WHEN (old.state = 'pending') <> (new.state = 'pending') BEGIN
  UPDATE run_delivery SET open = new.state = 'pending' WHERE delivery = new.id;
END;
