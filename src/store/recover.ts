/** Saves what can be read of a damaged ledger into a new one, row by row, and says what could not be. */
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { refuse, storeFailed } from "./failed.ts";
import { mend } from "./recover/mend.ts";
import { asFound, readable, type Table, tables } from "./recover/tables.ts";
import { salvage } from "./recover/walk.ts";
import { type Connection, openConnection } from "./sqlite/connection.ts";
import { ledgerKind } from "./sqlite.ts";

export interface TableReport {
  readonly table: string;
  readonly saved: number;
  /** Rows that certainly were there and could not be read, or that belong to a message that could not. */
  readonly lost: number;
}

export interface Recovered {
  readonly tables: readonly TableReport[];
  /** Sealed raw bytes whose message row is lost, as files: each says in its seal what it is, and can be taken in again. */
  readonly orphans: readonly string[];
  /** Messages that are parsed and planned once more, because part of what was planned for them is lost. */
  readonly replanned: number;
  /** Messages whose raw bytes are lost. */
  readonly rawLost: number;
}

/**
 * The damaged file is read through a copy and stays as it is. Rejects with StoreFailed when `newFile` is there already, or when nothing at
 * all can be read. `report` hears of each table as it is done.
 */
export async function recoverLedger(
  damagedFile: string,
  newFile: string,
  report: (done: TableReport) => void = () => undefined,
): Promise<Recovered> {
  if (!existsSync(damagedFile)) throw refuse("missing", `There is no file ${damagedFile} to recover from.`);
  if (existsSync(newFile))
    throw refuse("misuse", `${newFile} is there already; recovering never overwrites a file. Choose another name.`);
  const work = `${newFile}.work`;
  const orphanFolder = `${newFile}.orphans`;
  try {
    copyForReading(damagedFile, work);
    const source = openDamaged(work, damagedFile);
    try {
      return intoNew(source, newFile, orphanFolder, report);
    } finally {
      source.close();
    }
  } catch (error) {
    removeDatabase(newFile);
    throw storeFailed(error, damagedFile, false);
  } finally {
    removeDatabase(work);
  }
}

/** The write-ahead log goes with it: it may hold the only good copy of a page. */
function copyForReading(from: string, to: string): void {
  removeDatabase(to);
  closeSync(openSync(to, "w", 0o600));
  copyFileSync(from, to);
  if (existsSync(`${from}-wal`) && statSync(`${from}-wal`).size > 0) copyFileSync(`${from}-wal`, `${to}-wal`);
}

function removeDatabase(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) rmSync(file, { force: true });
}

function openDamaged(work: string, original: string): Connection {
  const source = new Database(work, { fileMustExist: true });
  try {
    // A page whose cells do not fit must fail when it is read, instead of giving rows that never were.
    source.pragma("cell_size_check = ON");
    if (readable(source).length === 0)
      throw refuse("damaged", nothingLeft(original, "it has none of the ledger's tables"));
    return source;
  } catch (error) {
    source.close();
    if (error instanceof Error && "code" in error && error.code === "damaged") throw error;
    throw refuse("damaged", nothingLeft(original, error instanceof Error ? error.message : String(error)));
  }
}

const nothingLeft = (file: string, why: string): string =>
  `Nothing can be read from ${file}: ${why}. Restore a backup (\`mailwright restore\`); mail kept as files in spool/ and blobs/ is untouched.`;

function intoNew(
  source: Connection,
  newFile: string,
  orphanFolder: string,
  report: (done: TableReport) => void,
): Recovered {
  const target = openConnection({ path: newFile, kind: ledgerKind, check: "none", busyTimeoutMs: 5_000 });
  const orphans: string[] = [];
  const keepOrphan = (seq: number, sealed: Uint8Array) => {
    mkdirSync(orphanFolder, { recursive: true, mode: 0o700 });
    const file = join(orphanFolder, `${seq}.sealed`);
    writeFileSync(file, sealed, { mode: 0o600, flush: true });
    orphans.push(file);
  };
  try {
    // Totals are counted by the triggers as rows come in; a row whose parent is lost is refused by its foreign key.
    const there = new Set(readable(source));
    const reports = tables.map((known) => {
      const table = there.has(known.name) ? asFound(source, known) : known;
      const done = there.has(table.name)
        ? oneTable(source, target, table, keepOrphan)
        : { table: table.name, saved: 0, lost: 0 };
      report(done);
      return done;
    });
    const gaps = reports.some(({ table, lost }) => lost > 0 && derived.has(table));
    const { replanned, rawLost } = mend(target, gaps);
    target.pragma("wal_checkpoint(TRUNCATE)");
    return { tables: reports, orphans, replanned, rawLost };
  } finally {
    target.close();
  }
}

/** What planning a message again brings back. */
const derived: ReadonlySet<string> = new Set(["delivery", "step", "threaded"]);

const rowsPerCommit = 5_000;

function oneTable(
  source: Connection,
  target: Connection,
  table: Table,
  keepOrphan: (seq: number, sealed: Uint8Array) => void,
): TableReport {
  const names = table.columns.join(", ");
  const insert = target.prepare(
    `INSERT OR IGNORE INTO ${table.name} (${names}) VALUES (${table.columns.map(() => "?").join(", ")})`,
  );
  const addLane = target.prepare("INSERT OR IGNORE INTO lane (name, tenant) VALUES (?, ?)");
  let saved = 0;
  let refused = 0;
  let inBatch = 0;
  target.exec("BEGIN IMMEDIATE");
  const { lost } = salvage(source, table, (row) => {
    const values = table.columns.map((column) => table.fix?.[column]?.(row[column]) ?? row[column] ?? null);
    try {
      if (table.name === "delivery") addLane.run(row.lane, String(row.lane).split("/", 1)[0]);
      if (insert.run(...values).changes === 0) throw new TypeError("not a row that a ledger can hold");
      saved++;
    } catch {
      // Its parent is lost, or damage has put something into it that the ledger would never hold.
      refused++;
      if (table.name === "raw" && row.sealed instanceof Uint8Array) keepOrphan(Number(row.event), row.sealed);
    }
    if (++inBatch >= rowsPerCommit) {
      target.exec("COMMIT");
      target.exec("BEGIN IMMEDIATE");
      inBatch = 0;
    }
  });
  target.exec("COMMIT");
  return { table: table.name, saved, lost: lost + refused };
}
