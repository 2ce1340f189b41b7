-- New contents in their order, and those that gave no verdict yet in that in which they came due: neither waits behind all of the other.
DROP INDEX content_ready;
CREATE INDEX content_new ON content (tenant, id) WHERE turn = 0 AND attempts = 0;
CREATE INDEX content_retried ON content (tenant, due_at, id) WHERE turn = 0 AND attempts > 0;
