-- Small pictures of contents. A row is there before any byte of one is put, and names where: no bytes are ever without a row that knows them.
CREATE TABLE preview (
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('making', 'made', 'none')),
  store_key TEXT NOT NULL,
  reason TEXT,
  attempts INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (sha256, tenant),
  CHECK ((reason IS NULL) = (state <> 'none'))
) STRICT, WITHOUT ROWID;
CREATE INDEX preview_age ON preview (at);

-- Whatever takes the original away takes its preview too.
CREATE TRIGGER preview_follows AFTER UPDATE OF store_key ON content WHEN old.store_key IS NOT NULL AND new.store_key IS NULL BEGIN
  INSERT OR IGNORE INTO doomed (store_key, tenant, sha256)
    SELECT store_key, tenant, sha256 FROM preview WHERE sha256 = old.sha256 AND tenant = old.tenant;
  DELETE FROM preview WHERE sha256 = old.sha256 AND tenant = old.tenant;
END;
