-- What is archived holds no key and no natural key any more: the same contact, company or mail can be made again.
CREATE TABLE record_new (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('contact', 'company', 'deal', 'activity')),
  key TEXT NOT NULL,
  natural_key TEXT,
  created_at INTEGER NOT NULL,
  archived INTEGER NOT NULL DEFAULT 0,
  fields TEXT NOT NULL
) STRICT;
INSERT INTO record_new SELECT seq, tenant, kind, key, natural_key, created_at, archived, fields FROM record;
CREATE TABLE link_new (
  a INTEGER NOT NULL REFERENCES record_new (seq),
  b INTEGER NOT NULL REFERENCES record_new (seq),
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;
INSERT INTO link_new SELECT a, b FROM link;
DROP TABLE link;
DROP TABLE record;
ALTER TABLE record_new RENAME TO record;
ALTER TABLE link_new RENAME TO link;
CREATE UNIQUE INDEX record_key ON record (tenant, kind, key) WHERE archived = 0;
CREATE UNIQUE INDEX record_natural ON record (tenant, kind, natural_key) WHERE natural_key IS NOT NULL AND archived = 0;
CREATE INDEX record_kind ON record (kind, seq);
CREATE INDEX link_b ON link (b);
