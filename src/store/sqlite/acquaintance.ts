/** Remembers whom a tenant has dealt with and whom a person trusts, and finds the other messages that bear a message's id. */
import type {
  Acquaintance,
  AcquaintanceKind,
  AcquaintanceQuestion,
  Acquainted,
  Lesson,
  Namesake,
  SenderDecision,
} from "../../model/acquaintance.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { contentDigest } from "./displace.ts";
import type { Operations } from "./operations.ts";

/** Some 50,000 senders of a tenant, in some 60 MB. Beyond it the longest unseen are forgotten, so that a flood of new senders has an end. */
const mostFeatures = 300_000;
const forgottenAtOnce = 1_000;
const mostOfLesson = 16;
const mostHashes = 200;
const mostOfHash = 4;
const mostNamesakes = 8;

/** Takes in what a message teaches, in the transaction of its prepare. */
export type Teach = (tenant: string, eventId: string, lesson: Lesson) => void;

export function openTeach(db: Connection, most = mostFeatures): Teach {
  const again = db.prepare<{ tenant: string; hash: string; owner: string; eventId: string; at: number; trust: string }>(
    `UPDATE acquaintance SET first_at = min(first_at, $at), last_at = max(last_at, $at),
       trust = iif($trust = 'verified', 'verified', trust), taught_by_others = max(taught_by_others, event_id <> $eventId)
     WHERE tenant = $tenant AND hash = $hash AND owner = $owner`,
  );
  const insert = db.prepare(
    `INSERT INTO acquaintance (tenant, hash, owner, kind, trust, first_at, last_at, event_id, taught_by_others)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
  );
  const count = db
    .prepare<[string, number], number>(
      `INSERT INTO acquaintance_tally (tenant, n) VALUES (?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n RETURNING n`,
    )
    .pluck();
  const forget = db.prepare(
    `DELETE FROM acquaintance WHERE (tenant, hash, owner) IN
       (SELECT tenant, hash, owner FROM acquaintance WHERE tenant = ? ORDER BY last_at LIMIT ?)`,
  );

  return (tenant, eventId, { at, trust, features }) => {
    let added = 0;
    for (const { kind, hash, of: owner } of features.slice(0, mostOfLesson)) {
      if (again.run({ tenant, hash, owner, eventId, at, trust }).changes > 0) continue;
      insert.run(tenant, hash, owner, kind, trust, at, at, eventId);
      added++;
    }
    if (added === 0) return;
    const known = count.get(tenant, added) ?? 0;
    if (known <= most) return;
    const gone = forget.run(tenant, Math.min(known, known - most + forgottenAtOnce)).changes;
    count.get(tenant, -gone);
  };
}

interface Row {
  kind: AcquaintanceKind;
  hash: string;
  owner: string;
  event_id: string;
  first_at: number;
  last_at: number;
  trust: Lesson["trust"];
}

export function openAcquainted(db: Connection): Pick<Operations, "acquainted" | "decideSender" | "namesakes"> {
  // A mail asks for some twenty, of which a stranger has none and a customer his own six.
  const isKnown = db
    .prepare<[string, string], string>(
      "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM acquaintance WHERE tenant = ? AND hash = value)",
    )
    .pluck();
  const byHash = db.prepare<[string, string, string, number], Row>(
    `SELECT kind, hash, owner, event_id, first_at, last_at, trust FROM acquaintance
     WHERE tenant = ? AND hash = ? AND NOT (event_id = ? AND taught_by_others = 0) ORDER BY owner LIMIT ?`,
  );
  const trusted = db
    .prepare<[string, string], string>(
      "SELECT domain FROM sender_decision WHERE tenant = ? AND address = ? AND kind = 'trust'",
    )
    .pluck();
  const decide = db.prepare(
    `INSERT INTO sender_decision (tenant, address, domain, kind, event_id, decided_by, at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET kind = excluded.kind, event_id = excluded.event_id, decided_by = excluded.decided_by, at = excluded.at`,
  );

  function answer({ tenant, eventId, hashes, address }: AcquaintanceQuestion): Acquainted {
    const features = isKnown
      .all(JSON.stringify(hashes.slice(0, mostHashes)), tenant)
      .flatMap((hash) => byHash.all(tenant, hash, eventId, mostOfHash).map(acquaintanceOf));
    return { features, trusted: address === null ? [] : trusted.all(tenant, address) };
  }

  return {
    acquainted: (questions) => questions.map(answer),
    decideSender(decisions) {
      for (const each of decisions) decide.run(...valuesOf(each));
    },
    namesakes: openNamesakes(db),
  };
}

const acquaintanceOf = ({ kind, hash, owner, event_id, first_at, last_at, trust }: Row): Acquaintance => ({
  kind,
  hash,
  of: owner,
  eventId: event_id,
  firstAt: first_at,
  lastAt: last_at,
  trust,
});

const valuesOf = ({ tenant, address, domain, kind, eventId, by, at }: SenderDecision) =>
  [tenant, address, domain, kind, eventId, clip(by), at] as const;

interface Other {
  seq: number;
  event_id: string;
  stage: "accepted" | "prepared";
  earlier: number;
  digest: string;
  own_digest: string;
  sealed: Uint8Array | null;
}

function openNamesakes(db: Connection): Operations["namesakes"] {
  const others = db.prepare<[string, number], Other>(
    `SELECT other.seq, other.event_id, other.stage, other.seq < one.seq AS earlier, other.digest,
       one.digest AS own_digest, body.sealed
     FROM event one JOIN event other ON other.message_id = one.message_id AND other.tenant = one.tenant AND other.seq <> one.seq
       LEFT JOIN body ON body.event = other.seq
     WHERE one.event_id = ? ORDER BY other.seq LIMIT ?`,
  );
  const lanes = db
    .prepare<[number], string>("SELECT lane FROM delivery WHERE event = ? AND decision = 'steps' ORDER BY lane")
    .pluck();
  return (eventId) =>
    others.all(eventId, mostNamesakes).map(
      ({ seq, event_id, stage, earlier, digest, own_digest, sealed }): Namesake => ({
        eventId: event_id,
        earlier: earlier === 1,
        sameContent: contentDigest(digest) === contentDigest(own_digest),
        sealedEvent: sealed ?? undefined,
        lanes: lanes.all(seq),
        waiting: stage === "accepted",
      }),
    );
}
