-- An undo goes over its messages a few times: what hangs on others first.
ALTER TABLE run ADD COLUMN pass INTEGER NOT NULL DEFAULT 1;
