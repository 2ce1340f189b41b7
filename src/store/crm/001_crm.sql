-- The built-in CRM, version 1.
CREATE TABLE record (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('contact', 'company', 'deal', 'activity')),
  key TEXT NOT NULL,
  natural_key TEXT,
  created_at INTEGER NOT NULL,
  archived INTEGER NOT NULL DEFAULT 0,
  fields TEXT NOT NULL,
  UNIQUE (tenant, kind, key)
) STRICT;
CREATE UNIQUE INDEX record_natural ON record (tenant, kind, natural_key) WHERE natural_key IS NOT NULL;
CREATE INDEX record_kind ON record (kind, seq);

-- An association has no direction; the smaller seq stands first.
CREATE TABLE link (
  a INTEGER NOT NULL REFERENCES record (seq),
  b INTEGER NOT NULL REFERENCES record (seq),
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_b ON link (b);
