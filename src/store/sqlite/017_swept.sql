-- What a reference begins with: the store that it leads to. While one is away, what lies in it is stepped over and not read through.
ALTER TABLE content ADD COLUMN store TEXT GENERATED ALWAYS AS (substr(store_key, 1, instr(store_key, '/'))) VIRTUAL;
CREATE INDEX content_store ON content (tenant, store) WHERE store_key IS NOT NULL;
DROP INDEX content_new;
DROP INDEX content_retried;
DROP INDEX content_skipped;
DROP INDEX content_scanned;
CREATE INDEX content_new ON content (tenant, store, id) WHERE turn = 0 AND attempts = 0;
CREATE INDEX content_retried ON content (tenant, store, due_at, id) WHERE turn = 0 AND attempts > 0;
CREATE INDEX content_skipped ON content (tenant, store, id) WHERE turn = 3 AND scan = 'skipped' AND store_key IS NOT NULL;
CREATE INDEX content_scanned ON content (tenant, store, scanned_at) WHERE turn = 3 AND store_key IS NOT NULL;

-- When the next plan of files is due, whosever it is.
CREATE INDEX filing_plan_at ON filing (plan_at) WHERE change > 0;

-- A trail is kept for a time.
CREATE INDEX audit_at ON audit (at);

-- Which messages of a conversation asked for a deal, however many others there are.
ALTER TABLE threaded ADD COLUMN deal INTEGER NOT NULL DEFAULT 0;
UPDATE threaded SET deal = 1 WHERE message IN (SELECT event FROM deal);
CREATE INDEX threaded_deal ON threaded (thread, written_at, placed) WHERE deal = 1;
CREATE TRIGGER deal_marked AFTER INSERT ON deal BEGIN
  UPDATE threaded SET deal = 1 WHERE message = new.event;
END;
CREATE TRIGGER deal_unmarked AFTER DELETE ON deal BEGIN
  UPDATE threaded SET deal = 0 WHERE message = old.event;
END;
CREATE TRIGGER threaded_marked AFTER INSERT ON threaded WHEN EXISTS (SELECT 1 FROM deal WHERE event = new.message) BEGIN
  UPDATE threaded SET deal = 1 WHERE message = new.message;
END;
