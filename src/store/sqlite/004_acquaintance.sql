-- Whom a tenant has dealt with, as keyed hashes: addresses, companies, how their domains look, display names. Bounded: the longest unseen go.
CREATE TABLE acquaintance (
  tenant TEXT NOT NULL,
  hash TEXT NOT NULL,
  -- Whose it is: an organisation, or an address where there is none.
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  trust TEXT NOT NULL CHECK (trust IN ('aligned-weak', 'verified')),
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- The message that taught it first; `taught_by_others` once a second one did.
  event_id TEXT NOT NULL,
  taught_by_others INTEGER NOT NULL,
  PRIMARY KEY (tenant, hash, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX acquaintance_age ON acquaintance (tenant, last_at);

CREATE TABLE acquaintance_tally (
  tenant TEXT PRIMARY KEY,
  n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people decided about senders: an address, with a domain that vouches for it. A decision that was taken back stays, as history.
CREATE TABLE sender_decision (
  tenant TEXT NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('trust', 'revoke')),
  event_id TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant, address, domain)
) STRICT, WITHOUT ROWID;
