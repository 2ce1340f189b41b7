/** A connection to the ledger that cannot write, beside a daemon that does: for walks over everything that is stored. */
import Database from "better-sqlite3";
import type { Envelope } from "../model/envelope.ts";
import type { Remembered, StoredMail, StoredMails, Walk } from "../model/reading.ts";
import { refuse, storeFailed } from "./failed.ts";
import { newestVersion, versionOf } from "./migrate.ts";
import type { FileKind } from "./sqlite/connection.ts";
import { openVerdict } from "./sqlite/decisions.ts";
import { contentDigest } from "./sqlite/displace.ts";
import { openMappings } from "./sqlite/mappings.ts";
import { openRemembered as openRefs } from "./sqlite/remembered.ts";
import { ledgerKind } from "./sqlite/session.ts";
import { openTokenRows } from "./sqlite/tokens.ts";

interface Row {
  readonly seq: number;
  readonly event_id: string;
  readonly message_id: string | null;
  readonly tenant: string;
  readonly digest: string;
  readonly received_at: number;
  readonly envelope: string;
  readonly routes: string;
  readonly stage: string;
  readonly sealed: Uint8Array | null;
  readonly copy: number;
}

const busyTimeoutMs = 5_000;
/** Pages of bodies are read once and never again. */
const cacheKiB = 8_000;

/** Throws StoreFailed with a sentence. Nothing is checked page by page, and nothing brought up to date: both take a writer. */
export const openStoredMails = (path: string): StoredMails =>
  opened(path, ledgerKind, (db) => guarded(mailsOn(db), path));

/** For a preview. Throws as `openStoredMails` does. */
export const openRemembered = (path: string): Remembered =>
  opened(path, ledgerKind, (db) => guarded(rememberedOn(db), path));

/** A connection that cannot write, given to `use` with its file proven to be ours and of this version. */
export function opened<T>(path: string, kind: FileKind, use: (db: Database.Database) => T): T {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    refuseOther(db, path, kind);
    db.pragma(`cache_size = -${cacheKiB}`);
    return use(db);
  } catch (error) {
    db?.close();
    throw storeFailed(error, path, false);
  }
}

function refuseOther(db: Database.Database, path: string, kind: FileKind): void {
  const id = Number(db.pragma("application_id", { simple: true }));
  if (id !== kind.applicationId) throw refuse("foreign", `${path} is no Mailwright ${kind.name}.`);
  const [found, known] = [versionOf(db), newestVersion(kind.migrations)];
  if (found > known) {
    throw refuse(
      "newer",
      `${path} was written by a newer Mailwright (version ${found}, this one knows ${known}): run that.`,
    );
  }
  if (found < known) {
    const how = "start the daemon, or run `mailwright doctor`, which brings it up to date";
    throw refuse(
      "older",
      `${path} was written by an older Mailwright (version ${found}, this one has ${known}): ${how}.`,
    );
  }
}

function mailsOn(db: Database.Database): StoredMails {
  const newest = db.prepare<[], number>("SELECT coalesce(max(seq), 0) FROM event").pluck();
  const page = db.prepare<[number, number, string, number, number], Row>(
    `SELECT e.seq, e.event_id, e.message_id, e.tenant, e.digest, e.received_at, e.envelope, e.routes, e.stage, b.sealed,
        EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.seq AND d.rule = 'duplicate.variant')
          AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.seq AND d.rule IS NOT 'duplicate.variant') AS copy
      FROM event e LEFT JOIN body b ON b.event = e.seq
      WHERE e.seq > ? AND e.seq <= ? AND e.tenant = ? AND e.received_at >= ? ORDER BY e.seq LIMIT ?`,
  );
  const count = db
    .prepare<[number, string, number], number>(
      "SELECT count(*) FROM event WHERE seq <= ? AND tenant = ? AND received_at >= ?",
    )
    .pluck();
  const verdictOn = openVerdict(db);
  const { dealsOf, mappings, mappingText } = openMappings(db);
  return {
    newest: () => newest.get() ?? 0,
    page: ({ tenant, since = 0, after, until, limit }: Walk) =>
      page.all(after, until, tenant, since, limit).map((row) => mailOf(row, verdictOn)),
    count: ({ tenant, since = 0, until }) => count.get(until, tenant, since) ?? 0,
    dealOf: (thread) => dealsOf([thread])[0] ?? null,
    mappings,
    mappingText,
    close: () => void db.close(),
  };
}

function rememberedOn(db: Database.Database): Remembered {
  const { dealsOf, mappings } = openMappings(db);
  return {
    dealOf: (thread) => dealsOf([thread])[0] ?? null,
    mappings,
    refs: openRefs(db),
    tokenRow: openTokenRows(db).tokenRow,
    close: () => void db.close(),
  };
}

function mailOf(row: Row, verdictOn: ReturnType<typeof openVerdict>): StoredMail {
  const verdict = verdictOn(row.seq);
  return {
    seq: row.seq,
    eventId: row.event_id,
    messageId: row.message_id,
    tenant: row.tenant,
    digest: contentDigest(row.digest),
    receivedAt: row.received_at,
    envelope: JSON.parse(row.envelope) as Envelope,
    routes: JSON.parse(row.routes) as string[],
    prepared: row.stage === "prepared",
    ...(row.sealed === null ? {} : { sealedEvent: row.sealed }),
    ...(verdict === undefined ? {} : { verdict }),
    copy: row.copy === 1,
  };
}

/** Each read says in a sentence what kept it from answering. */
function guarded<T extends object>(reads: T, path: string): T {
  const said =
    <A extends readonly unknown[], R>(read: (...args: A) => R) =>
    (...args: A): R => {
      try {
        return read(...args);
      } catch (error) {
        throw storeFailed(error, path, false);
      }
    };
  return Object.fromEntries(Object.entries(reads).map(([name, read]) => [name, said(read)])) as T;
}
