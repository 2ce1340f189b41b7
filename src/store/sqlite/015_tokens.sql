-- OAuth tokens, sealed. Whoever asks the vendor for the next one holds the turn meanwhile: a refresh token that rotates works once.
CREATE TABLE token (
  account TEXT PRIMARY KEY,
  sealed BLOB,
  revision INTEGER NOT NULL,
  holder TEXT,
  held_from INTEGER NOT NULL DEFAULT 0,
  held_until INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
