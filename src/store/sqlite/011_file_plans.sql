-- What became of a message's files and is not in its plans yet. change: 0 nothing, else counts up with each change; plan_at: when to go on with it.
ALTER TABLE filing ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE filing ADD COLUMN plan_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX filing_plan ON filing (tenant, plan_at, event) WHERE change > 0;

-- Whoever was about to write such a plan has read one that is no more.
CREATE TRIGGER prepared_meanwhile AFTER UPDATE OF prepared_at ON event BEGIN
  UPDATE filing SET change = change + 1 WHERE event = new.seq AND change > 0;
END;
