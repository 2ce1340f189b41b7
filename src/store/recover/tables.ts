/** Which tables hold what cannot be derived again, in the order in which their rows can be written back. */
import type { Connection } from "../sqlite/connection.ts";

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Those that older ledgers do not have. */
  readonly later?: readonly string[];
  /** Columns of the primary key where rows have no number of their own, by which the walk could step over what is damaged. */
  readonly key?: readonly string[];
  /** What a value becomes: counters that triggers keep, leases that nobody holds any more. */
  readonly fix?: Readonly<Record<string, (value: unknown) => string | number | null>>;
}

const zero = () => 0;

/** `ledger`, `lane_tally`, `file_tally` and `run_tally` are counted anew as the rows come in; `doomed` stays behind, since bytes too many harm
 * nobody; `revision` was a plan that is made again; `thread_key` follows from `threaded`. */
export const tables: readonly Table[] = [
  {
    name: "event",
    columns: [
      "seq",
      "event_id",
      "tenant",
      "message_id",
      "digest",
      "conflict",
      "received_at",
      "envelope",
      "routes",
      "raw_sha256",
      "raw_size",
      "raw_kind",
      "raw_name",
      "priority",
      "stage",
      "turn",
      "due_at",
      "parse_attempts",
      "again",
      "reprocess",
      "prepared_at",
      "parse_status",
      "schema_version",
      "mapping_version",
      "thread",
      "has_body",
      "open",
    ],
    later: ["pinned"],
    fix: { turn: zero, due_at: zero, open: zero },
  },
  // Before the deliveries: a held one opens a review where it finds none.
  {
    name: "review",
    columns: ["id", "event", "tenant", "kind", "detail", "at", "resolved_at", "resolved_by", "resolved_as", "note"],
  },
  { name: "decision", columns: ["id", "event", "about", "kind", "with_event", "by", "at", "note", "stands"] },
  { name: "raw", columns: ["event", "sealed"] },
  { name: "body", columns: ["event", "sealed"] },
  {
    name: "lane",
    columns: ["name", "tenant", "paused_until", "pause_reason", "blocked_at", "blocked_reason"],
    // Ids belong to one account: those of one that was left must not be taken for ids of the next.
    later: ["budget", "account", "binding"],
  },
  {
    name: "delivery",
    columns: [
      "id",
      "event",
      "lane",
      "thread",
      "decision",
      "rule",
      "state",
      "reason",
      "detail",
      "attempts",
      "head",
      "turn",
      "due_at",
      "mapping_version",
      "prepared_at",
      "settled_at",
    ],
    later: ["binding"],
    fix: { head: zero, turn: zero },
  },
  { name: "plan", columns: ["delivery", "sealed"] },
  {
    name: "step",
    columns: [
      "id",
      "delivery",
      "position",
      "kind",
      "key",
      "why",
      "state",
      "sends",
      "empty_reads",
      "deadline",
      "ref",
      "adopted",
      "reason",
      "note",
      "sent_at",
      "settled_at",
    ],
    later: ["run", "snapshot", "undone"],
    fix: { state: (value) => (value === "sent" ? "unknown" : String(value)) },
  },
  { name: "record", key: ["lane", "kind", "key"], columns: ["lane", "kind", "key", "ref"] },
  { name: "threaded", columns: ["message", "placed", "thread", "begins", "written_at", "facts"] },
  { name: "thread_alias", key: ["alias"], columns: ["alias", "thread"] },
  {
    name: "acquaintance",
    key: ["tenant", "hash", "owner"],
    columns: ["tenant", "hash", "owner", "kind", "trust", "first_at", "last_at", "event_id", "taught_by_others"],
  },
  { name: "acquaintance_tally", key: ["tenant"], columns: ["tenant", "n"] },
  {
    name: "sender_decision",
    key: ["tenant", "address", "domain"],
    columns: ["tenant", "address", "domain", "kind", "event_id", "decided_by", "at"],
  },
  { name: "mapping", columns: ["version", "tenant", "sha256", "text", "at"] },
  { name: "deal", columns: ["event", "key", "pipeline", "stage"], later: ["run"] },
  {
    name: "run",
    columns: ["id", "tenant", "kind", "of", "mapping_version", "cohort", "by", "note", "at", "state", "ended_at"],
    later: ["pass"],
  },
  // What was given out is given out once more: its event is planned again as if nobody had asked.
  {
    name: "run_event",
    key: ["run", "event"],
    columns: ["run", "event", "state", "pinned"],
    later: ["reason"],
    fix: { state: (value) => (value === "given" ? "waiting" : String(value)) },
  },
  {
    name: "run_delivery",
    key: ["run", "delivery"],
    columns: ["run", "delivery", "before", "plan", "outcome"],
    later: ["open"],
  },
  { name: "undone", key: ["lane", "kind", "key"], columns: ["lane", "kind", "key", "times"] },
  { name: "sample", columns: ["event", "tenant", "at", "resolved_at", "resolved_by", "resolved_as", "note"] },
  {
    name: "file",
    columns: [
      "seq",
      "id",
      "event",
      "position",
      "tenant",
      "part_id",
      "filename",
      "content_type",
      "detected_type",
      "size",
      "sha256",
      "inline",
      "received_at",
      "status",
      "reason",
      "inspection",
      "kept",
      "decided",
      "by",
      "at",
      "note",
    ],
  },
  // All are brought in line once more: what was known of a content may be among what was lost.
  {
    name: "filing",
    columns: ["event", "tenant", "turn", "due_at", "attempts", "again"],
    fix: { turn: zero, due_at: zero },
  },
  {
    name: "content",
    columns: [
      "id",
      "tenant",
      "sha256",
      "size",
      "store_key",
      "stored_at",
      "newest_at",
      "scan",
      "engine",
      "signatures",
      "scanned_at",
      "scan_detail",
      "turn",
      "due_at",
      "attempts",
    ],
    fix: { turn: (value) => (value === 3 ? 3 : 0), due_at: zero },
  },
  // What lies in a folder is matched with what is here anew: a message that was known may be among what was lost. So its UIDs stay behind.
  { name: "imap_account", key: ["name"], columns: ["name", "first_at", "selectors", "blocked_at", "blocked_reason"] },
  {
    name: "imap_folder",
    columns: [
      "id",
      "account",
      "path",
      "mailbox_id",
      "uid_validity",
      "first_uid",
      "old_below",
      "since",
      "last_uid",
      "mod_seq",
      "uid_next",
      "seen_at",
      "done_at",
      "ended_at",
    ],
    fix: { ended_at: (value) => Number(value ?? 0) },
  },
  { name: "token", key: ["account"], columns: ["account", "sealed", "revision"] },
  // Bytes that a lost row knew are found by the sweep over the stores.
  {
    name: "preview",
    key: ["sha256", "tenant"],
    columns: ["sha256", "tenant", "state", "store_key", "reason", "attempts", "at"],
  },
  { name: "audit", columns: ["id", "at", "what", "about", "who", "outcome", "come_from"] },
  { name: "story", key: ["event", "n"], columns: ["event", "n", "at", "what", "detail"] },
];

/** The ledger's tables that the file still knows of. Throws when not even that can be read. */
export function readable(source: Connection): string[] {
  const names = source.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  return tables.map(({ name }) => name).filter((name) => names.includes(name));
}

/** With the later columns that the file has. */
export function asFound(source: Connection, table: Table): Table {
  const { name, columns, later = [] } = table;
  if (later.length === 0) return table;
  const found = source.prepare<[string], string>("SELECT name FROM pragma_table_info(?)").pluck().all(name);
  return { ...table, columns: [...columns, ...later.filter((column) => found.includes(column))] };
}
