/** Copies a ledger, or the tables of the built-in CRM, while a daemon works on it, and proves that the copy is whole before it gets its name. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { refuse, storeFailed } from "./failed.ts";
import { crmKind } from "./local-crm.ts";
import { versionOf } from "./migrate.ts";
import { syncFolder } from "./presence.ts";
import { type FileKind, findDamage } from "./sqlite/connection.ts";
import { ledgerKind } from "./sqlite.ts";

export interface BackedUp {
  readonly file: string;
  readonly bytes: number;
  readonly messages: number;
}

/** All pages in one step: a copy made in slices begins anew with every commit of the daemon, and would never end beside a busy one. */
const allPages = 0x7fffffff;

/**
 * Rejects with StoreFailed when `toFile` is there already, or when the ledger (or its copy) is damaged; then no file is left behind.
 * The copy is one snapshot, made through a connection of its own; the calling thread is busy meanwhile.
 */
export async function backupLedger(from: string, toFile: string): Promise<BackedUp> {
  const { bytes, rows: messages } = await backupFile(from, toFile, verifyLedger);
  return { file: toFile, bytes, messages };
}

/** The same for the file of the built-in CRM. */
export async function backupLocalRecords(from: string, toFile: string): Promise<{ bytes: number; rows: number }> {
  return await backupFile(from, toFile, (file) => verifyFile(file, crmKind, "record"));
}

async function backupFile(
  from: string,
  toFile: string,
  verify: (file: string) => number,
): Promise<{ bytes: number; rows: number }> {
  if (!existsSync(from)) throw refuse("missing", `There is no file ${from} to back up.`);
  if (existsSync(toFile))
    throw refuse("misuse", `${toFile} is there already; a backup never overwrites one. Choose another name.`);
  const draft = `${toFile}.part`;
  rmSync(draft, { force: true });
  try {
    closeSync(openSync(draft, "wx", 0o600));
    await copy(from, draft);
    const rows = verify(draft);
    syncFile(draft);
    renameSync(draft, toFile);
    syncFolder(dirname(toFile));
    return { bytes: statSync(toFile).size, rows };
  } catch (error) {
    for (const left of [draft, `${draft}-wal`, `${draft}-shm`, `${draft}-journal`]) rmSync(left, { force: true });
    throw storeFailed(error, from, false);
  }
}

async function copy(from: string, draft: string): Promise<void> {
  const source = new Database(from, { readonly: true, fileMustExist: true, timeout: 5_000 });
  try {
    await source.backup(draft, { progress: () => allPages });
  } finally {
    source.close();
  }
  // One file without companions: it can be copied by anything.
  const copied = new Database(draft, { fileMustExist: true });
  try {
    copied.pragma("journal_mode = DELETE");
  } finally {
    copied.close();
  }
  chmodSync(draft, 0o600);
}

/** Throws StoreFailed when the file is not a whole ledger that this program can read; returns the number of messages in it. */
export const verifyLedger = (file: string): number => verifyFile(file, ledgerKind, "event");

function verifyFile(file: string, kind: FileKind, table: "event" | "record"): number {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const applicationId = db.pragma("application_id", { simple: true });
    if (applicationId !== kind.applicationId) {
      throw refuse(
        "foreign",
        `${file} is not a Mailwright ${kind.name}: its application id is ${String(applicationId)}.`,
      );
    }
    const newest = kind.migrations.length;
    if (versionOf(db) > newest) {
      throw refuse(
        "newer",
        `${file} was written by a newer Mailwright: version ${versionOf(db)}, this program knows up to ${newest}.`,
      );
    }
    const found = findDamage(db, "integrity");
    if (found.length > 0) throw refuse("damaged", `${file} is damaged: ${found.join("; ")}.`);
    return db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;
  } catch (error) {
    throw storeFailed(error, file, false);
  } finally {
    db.close();
  }
}

function syncFile(file: string): void {
  const fd = openSync(file, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
