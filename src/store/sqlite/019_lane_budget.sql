-- What a lane has used of its vendor's day (JSON, as the pipeline keeps it); and why its old mail waits while live mail goes on.
ALTER TABLE lane ADD COLUMN budget TEXT;
ALTER TABLE lane ADD COLUMN old_until INTEGER;
ALTER TABLE lane ADD COLUMN old_reason TEXT;
