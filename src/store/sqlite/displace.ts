/** Makes room for a mail whose forged or broken copy came first and is held: what nobody believed must not keep the real mail out. */
import type { NewMessage } from "../../model/ledger.ts";
import type { Connection } from "./connection.ts";
import { openStory } from "./story.ts";

/** Between a digest and the number of the mail that gave up its place; no digest has it. */
export const mark = "~";
/** Somebody who sends forged copies of one mail again and again fills the review with so many. */
const mostDisplaced = 8;

/** What the digest of a row says of its content. */
export const contentDigest = (digest: string): string => digest.split(mark, 1)[0] ?? digest;

interface Held {
  readonly seq: number;
  readonly stage: "accepted" | "prepared";
  readonly lease: string | null;
  readonly raw_sha256: string;
  readonly envelope: string;
}

/** Answers true when the mail that is here stepped aside, so that `item` is taken in as one of its own. */
export function openDisplace(db: Connection): (known: Held, item: NewMessage) => boolean {
  const tell = openStory(db);
  const isHeldAlone = db
    .prepare<[number, number], number>(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM delivery WHERE event = ? AND state = 'held' AND rule = 'trust.suspicious')
         AND NOT EXISTS (SELECT 1 FROM delivery WHERE event = ? AND state IN ('pending', 'processed'))`,
    )
    .pluck();
  const displaced = db
    .prepare<[string, string, string, string], number>(
      "SELECT count(*) FROM event WHERE message_id = ? AND tenant = ? AND digest > ? AND digest < ?",
    )
    .pluck();
  const stepAside = db.prepare<[string, number]>("UPDATE event SET digest = digest || ? WHERE seq = ?");
  return (known, item) => {
    // Without an id the digest is that of all bytes: such a copy is no other.
    if (item.messageId === null || known.stage !== "prepared" || known.lease !== null) return false;
    if (known.raw_sha256 === item.rawSha256 && peerOf(known.envelope) === item.envelope.smtp?.remote_ip) return false;
    if (isHeldAlone.get(known.seq, known.seq) === undefined) return false;
    const from = `${item.digest}${mark}`;
    if ((displaced.get(item.messageId, item.tenant, from, `${from}:`) ?? 0) >= mostDisplaced) return false;
    stepAside.run(`${mark}${known.seq}`, known.seq);
    tell(
      known.seq,
      item.receivedAt,
      "the same message came by another way",
      `it is judged by itself, as ${item.eventId}`,
    );
    return true;
  };
}

const peerOf = (envelope: string): string | undefined =>
  (JSON.parse(envelope) as { smtp?: { remote_ip?: string } }).smtp?.remote_ip;
