-- Where messages stand in conversations, and what they are found by. Ids, addresses and subjects are here as keyed hashes only; the rows stay
-- when mail is deleted by age, so that what comes later still finds its thread.

-- placed: the order in which messages got their first place. begins: the name of the thread that it would begin. facts: JSON.
CREATE TABLE threaded (
  message INTEGER PRIMARY KEY REFERENCES event (seq),
  placed INTEGER NOT NULL UNIQUE,
  thread TEXT NOT NULL,
  begins TEXT NOT NULL,
  written_at INTEGER NOT NULL,
  facts TEXT NOT NULL
) STRICT;
CREATE INDEX threaded_thread ON threaded (thread, written_at, placed);
CREATE INDEX threaded_begins ON threaded (begins);

-- at: when the message was written. near: who outside names this id as what he answers; empty for colleagues, null for other ids and keys.
CREATE TABLE thread_key (
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  message INTEGER NOT NULL REFERENCES threaded (message),
  near TEXT,
  PRIMARY KEY (key, at, message)
) STRICT, WITHOUT ROWID;

-- Names of threads that are part of another one now.
CREATE TABLE thread_alias (
  alias TEXT PRIMARY KEY,
  thread TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_alias_of ON thread_alias (thread);
