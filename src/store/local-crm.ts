/** The tables of the built-in CRM: a database file of its own, as durable as the ledger. */
import type { LocalRecord, LocalRecords, RecordKind } from "../model/records.ts";
import { readMigrations } from "./migrate.ts";
import { opened } from "./read-only.ts";
import { type Connection, type FileKind, openConnection } from "./sqlite/connection.ts";

/** "MWCR" in the header. */
export const crmKind: FileKind = {
  applicationId: 0x4d574352,
  name: "local CRM",
  migrations: readMigrations(new URL("./crm/", import.meta.url)),
};

interface Row {
  seq: number;
  tenant: string;
  kind: RecordKind;
  key: string;
  natural_key: string | null;
  created_at: number;
  archived: number;
  fields: string;
}

/** Ids as a person meets them: `contact-12`. The number is what counts. */
const idOf = (kind: RecordKind, seq: number): string => `${kind}-${seq}`;
function seqOf(id: string): number | undefined {
  const found = /^(?:contact|company|deal|activity)-(\d{1,15})$/.exec(id);
  return found === null ? undefined : Number(found[1]);
}

/** Synchronous: each call is one transaction that is durable when it returns. Throws StoreFailed with a sentence when the file is not fit. */
export const openLocalRecords = (path: string): LocalRecords =>
  recordsOn(openConnection({ path, kind: crmKind, check: "quick", busyTimeoutMs: 5_000 }), path);

/** For a preview: whatever would write is refused by the file's own connection. */
export const openLocalRecordsToRead = (path: string): LocalRecords =>
  opened(path, crmKind, (db) => recordsOn(db, path));

function recordsOn(db: Connection, path: string): LocalRecords {
  const reading = openReading(db);
  const insert = db.prepare<[string, string, string, string | null, number, string]>(
    "INSERT INTO record (tenant, kind, key, natural_key, created_at, fields) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const addLink = db.prepare<[{ a: number; b: number }]>(
    "INSERT INTO link (a, b) VALUES (min($a, $b), max($a, $b)) ON CONFLICT DO NOTHING",
  );
  const dropLink = db.prepare<[{ a: number; b: number }]>("DELETE FROM link WHERE a = min($a, $b) AND b = max($a, $b)");
  const archive = db.prepare<[number]>("UPDATE record SET archived = 1 WHERE seq = ?");

  const setFields = db.prepare<[string, number]>("UPDATE record SET fields = ? WHERE seq = ?");

  const present = (id: string): number => {
    const seq = reading.seq(id);
    if (seq === undefined) throw new RangeError(`the local CRM has no record ${id}`);
    return seq;
  };

  function link(from: string, to: string): void {
    const [a, b] = [present(from), present(to)];
    if (a !== b) addLink.run({ a, b });
  }

  const create: LocalRecords["create"] = ({ tenant, kind, key, natural, createdAt, fields, links }) => {
    const known =
      reading.byKey(tenant, kind, key) ?? (natural === null ? undefined : reading.byNatural(tenant, kind, natural));
    if (known !== undefined) return { record: known, created: false };
    const { lastInsertRowid } = insert.run(tenant, kind, key, natural, createdAt, JSON.stringify(fields));
    const id = idOf(kind, Number(lastInsertRowid));
    for (const target of links) link(id, target);
    const record = reading.get(id);
    if (record === undefined) throw new TypeError(`the local CRM lost record ${id} as it was made`);
    return { record, created: true };
  };

  const amend: LocalRecords["amend"] = (id, fields) => {
    const record = reading.get(id);
    if (record === undefined) throw new RangeError(`the local CRM has no record ${id}`);
    setFields.run(JSON.stringify({ ...record.fields, ...fields }), present(id));
  };

  const id = db.prepare<[], string>("SELECT id FROM identity").pluck().get();
  if (id === undefined) throw new TypeError(`the local CRM ${path} does not say which one it is`);
  return {
    id,
    findByKey: reading.byKey,
    findByNatural: reading.byNatural,
    get: reading.get,
    create: db.transaction(create).immediate,
    amend: db.transaction(amend).immediate,
    link: db.transaction(link).immediate,
    unlink(from, to) {
      const [a, b] = [reading.seq(from), reading.seq(to)];
      if (a !== undefined && b !== undefined) dropLink.run({ a, b });
    },
    archive(id) {
      archive.run(present(id));
    },
    list: reading.list,
    close() {
      db.close();
    },
  };
}

function openReading(db: Connection) {
  const byKey = db.prepare<[string, string, string], Row>(
    "SELECT * FROM record WHERE tenant = ? AND kind = ? AND key = ? AND archived = 0",
  );
  const byNatural = db.prepare<[string, string, string], Row>(
    "SELECT * FROM record WHERE tenant = ? AND kind = ? AND natural_key = ? AND archived = 0",
  );
  const bySeq = db.prepare<[number], Row>("SELECT * FROM record WHERE seq = ?");
  const linked = db.prepare<[{ seq: number }], { kind: RecordKind; seq: number }>(
    `SELECT kind, seq FROM record WHERE seq IN (SELECT b FROM link WHERE a = $seq UNION ALL SELECT a FROM link WHERE b = $seq) ORDER BY seq`,
  );
  const page = db.prepare<[{ kind: string; tenant: string | null; after: number; limit: number }], Row>(
    "SELECT * FROM record WHERE kind = $kind AND seq > $after AND ($tenant IS NULL OR tenant = $tenant) ORDER BY seq LIMIT $limit",
  );

  const recordOf = (row: Row): LocalRecord => ({
    id: idOf(row.kind, row.seq),
    kind: row.kind,
    tenant: row.tenant,
    key: row.key,
    natural: row.natural_key,
    createdAt: row.created_at,
    archived: row.archived === 1,
    fields: JSON.parse(row.fields) as Record<string, unknown>,
    links: linked.all({ seq: row.seq }).map(({ kind, seq }) => idOf(kind, seq)),
  });
  const optional = (row: Row | undefined): LocalRecord | undefined => (row === undefined ? undefined : recordOf(row));

  function get(id: string): LocalRecord | undefined {
    const seq = seqOf(id);
    const row = seq === undefined ? undefined : bySeq.get(seq);
    return row !== undefined && idOf(row.kind, row.seq) === id ? recordOf(row) : undefined;
  }

  return {
    get,
    byKey: (tenant: string, kind: RecordKind, key: string) => optional(byKey.get(tenant, kind, key)),
    byNatural: (tenant: string, kind: RecordKind, natural: string) => optional(byNatural.get(tenant, kind, natural)),
    /** Undefined when there is no such record. */
    seq: (id: string): number | undefined => (get(id) === undefined ? undefined : seqOf(id)),
    list: (
      kind: RecordKind,
      { tenant, limit, after }: { tenant?: string; limit: number; after?: string },
    ): LocalRecord[] =>
      page
        .all({ kind, tenant: tenant ?? null, limit, after: after === undefined ? 0 : (seqOf(after) ?? 0) })
        .map(recordOf),
  };
}
