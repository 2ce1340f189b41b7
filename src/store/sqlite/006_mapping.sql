-- The mapping files that were in force, and the deals that conversations belong to.

-- Numbers below 100 are built-in rules.
CREATE TABLE mapping (
  version INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  text TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mapping_text ON mapping (tenant, sha256);
INSERT INTO mapping VALUES (99, '', '', '', 0);
DELETE FROM mapping;

-- Asked for by this message first, and so fixed for its conversation.
CREATE TABLE deal (
  event INTEGER PRIMARY KEY REFERENCES event (seq),
  key TEXT NOT NULL,
  pipeline TEXT,
  stage TEXT NOT NULL
) STRICT;
