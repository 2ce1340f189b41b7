/** The columns of a message that both its parse and its history read, as SQLite gives them. */
export interface MessageColumns {
  seq: number;
  event_id: string;
  tenant: string;
  message_id: string | null;
  digest: string;
  conflict: number;
  received_at: number;
  envelope: string;
  routes: string;
  raw_sha256: string;
  raw_size: number;
  raw_kind: string;
  raw_name: string | null;
  parse_attempts: number;
  prepared_at: number | null;
  run: number | null;
  pinned: number | null;
}
