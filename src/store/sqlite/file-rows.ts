/** Reads the rows of attachments: for whoever plans, lists or serves them. */
import type { FileQuery, FileRow, FileStatus, FileTally, Inspection, Scan, ScanStatus } from "../../model/files.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

export interface ScanColumns {
  scan: ScanStatus | null;
  engine: string | null;
  signatures: string | null;
  scanned_at: number | null;
  scan_detail: string | null;
}

interface Row extends ScanColumns {
  id: string;
  event_id: string;
  tenant: string;
  part_id: string;
  filename: string;
  content_type: string;
  detected_type: string | null;
  size: number;
  sha256: string;
  inline: number;
  received_at: number;
  status: FileStatus;
  reason: string | null;
  store_key: string | null;
  stored_at: number | null;
  inspection: string | null;
  decided: FileRow["decision"];
  by: string;
  at: number;
  note: string | null;
}

/** What a store holds for: those of a file that is served, may be served, or waits for a verdict. */
export const living = "('checking', 'stored', 'quarantined')";
export const lives = (status: FileStatus): boolean =>
  status === "checking" || status === "stored" || status === "quarantined";

const from = `SELECT f.id, e.event_id, f.tenant, f.part_id, f.filename, f.content_type, f.detected_type, f.size, f.sha256, f.inline,
    f.received_at, f.status, f.reason, c.store_key, c.stored_at, c.scan, c.engine, c.signatures, c.scanned_at, c.scan_detail,
    f.decided, f.by, f.at, f.note,
    coalesce(f.inspection, (SELECT o.inspection FROM file o WHERE o.sha256 = f.sha256 AND o.tenant = f.tenant AND o.filename = f.filename
      AND o.content_type = f.content_type AND o.inspection IS NOT NULL LIMIT 1)) AS inspection
  FROM file f JOIN event e ON e.seq = f.event LEFT JOIN content c ON c.sha256 = f.sha256 AND c.tenant = f.tenant`;

/** Those of a message that may still change, in its order. */
export function openFilesOf(db: Connection): (event: number) => FileRow[] {
  const rows = db.prepare<[number], Row>(
    `${from} WHERE f.event = ? AND f.decided IS NULL AND f.status NOT IN ('refused', 'dropped', 'removed') ORDER BY f.position`,
  );
  return (event) => rows.all(event).map(rowOf);
}

/** By its id. */
export function openFileOf(db: Connection): (id: string) => FileRow | undefined {
  const one = db.prepare<[string], Row>(`${from} WHERE f.id = ?`);
  return (id) => {
    const row = one.get(id);
    return row === undefined ? undefined : rowOf(row);
  };
}

interface Filter {
  tenant: string | null;
  status: string | null;
  sha256: string | null;
  before: number;
  limit: number;
}

export function openFileList(db: Connection): Pick<Operations, "files" | "fileTally"> {
  const select = (where: string) =>
    db.prepare<[Filter], Row>(
      `${from} WHERE ${where} AND f.seq < $before AND ($tenant IS NULL OR f.tenant = $tenant)
         AND ($status IS NULL OR f.status = $status) AND ($sha256 IS NULL OR f.sha256 = $sha256) ORDER BY f.seq DESC LIMIT $limit`,
    );
  const one = db.prepare<[string], Row>(`${from} WHERE f.id = ?`);
  const ofEvent = db.prepare<[string], Row>(
    `${from} WHERE f.event = (SELECT seq FROM event WHERE event_id = ?) ORDER BY f.position`,
  );
  const seqOf = db.prepare<[string], number>("SELECT seq FROM file WHERE id = ?").pluck();
  const ofContent = select("f.sha256 = $sha256");
  const ofStatus = select("f.status = $status");
  const all = select("1");
  const tally = openTally(db);

  function listed(query: FileQuery): readonly Row[] {
    if (query.id !== undefined) return one.all(query.id);
    if (query.event !== undefined) return ofEvent.all(query.event);
    const before = query.before === undefined ? undefined : seqOf.get(query.before);
    const filter: Filter = {
      tenant: query.tenant ?? null,
      status: query.status ?? null,
      sha256: query.sha256 ?? null,
      before: before ?? Number.MAX_SAFE_INTEGER,
      limit: query.limit,
    };
    if (query.sha256 !== undefined) return ofContent.all(filter);
    return (query.status !== undefined ? ofStatus : all).all(filter);
  }

  return {
    files: (query) =>
      listed(query)
        .map(rowOf)
        .filter(
          ({ tenant, status, sha256 }) =>
            (query.tenant ?? tenant) === tenant &&
            (query.status ?? status) === status &&
            (query.sha256 ?? sha256) === sha256,
        )
        .slice(0, query.limit),
    fileTally: () => tally(),
  };
}

/** Counted as they come and go; since when the oldest is so is one look-up each. */
function openTally(db: Connection): () => FileTally[] {
  const counts = db.prepare<[], { tenant: string; status: FileStatus; n: number }>(
    "SELECT tenant, status, n FROM file_tally WHERE n > 0 ORDER BY tenant, status",
  );
  const oldest = db
    .prepare<[string, string], number>(
      "SELECT at FROM file INDEXED BY file_since WHERE tenant = ? AND status = ? ORDER BY at LIMIT 1",
    )
    .pluck();
  return () =>
    counts
      .all()
      .map(({ tenant, status, n }) => ({ tenant, status, files: n, oldestAt: oldest.get(tenant, status) ?? 0 }));
}

function rowOf(row: Row): FileRow {
  return {
    id: row.id,
    eventId: row.event_id,
    tenant: row.tenant,
    partId: row.part_id,
    filename: row.filename,
    contentType: row.content_type,
    detectedType: row.detected_type,
    size: row.size,
    sha256: row.sha256,
    inline: row.inline === 1,
    receivedAt: row.received_at,
    status: row.status,
    reason: row.reason,
    storeKey: lives(row.status) ? row.store_key : null,
    storedAt: lives(row.status) ? row.stored_at : null,
    inspection: row.inspection === null ? null : (JSON.parse(row.inspection) as Inspection),
    scan: scanOf(row),
    decision: row.decided,
    by: row.by,
    at: row.at,
    note: row.note,
  };
}

export const scanOf = ({ scan, engine, signatures, scanned_at, scan_detail }: ScanColumns): Scan => ({
  status: scan ?? "pending",
  engine,
  signatures,
  at: scanned_at,
  detail: scan_detail,
});
