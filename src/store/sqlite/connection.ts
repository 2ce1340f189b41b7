/** Opens one SQLite file with the settings that make a commit durable, after proving that it is ours, whole and not newer than this program. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { damaged, isDamage, refuse, sqliteCode, storeFailed } from "../failed.ts";
import { type Migration, migrate, newestVersion, versionOf } from "../migrate.ts";

export type Connection = Database.Database;

/** What kind of file this is. `applicationId` stands in the header of every file of the kind. */
export interface FileKind {
  readonly applicationId: number;
  /** As a person would call it: "ledger". */
  readonly name: string;
  readonly migrations: readonly Migration[];
}

export interface OpenOptions {
  readonly path: string;
  readonly kind: FileKind;
  /** quick: every page is read (PRAGMA quick_check). none: for a reopening, or beside a daemon that has checked. */
  readonly check: "quick" | "none";
  /** How long a commit waits for another process, in ms. */
  readonly busyTimeoutMs: number;
}

/** Pages in the WAL before a commit also checkpoints: 16 MiB. */
const walPages = 4_000;
const cacheKiB = 32_000;

export const inMemory = (path: string): boolean => path === ":memory:";

/** Throws StoreFailed with a sentence; never makes a new file in place of one that is there. */
export function openConnection(options: OpenOptions): Connection {
  const { path } = options;
  const fresh = inMemory(path) || prepareFile(path);
  let db: Connection | undefined;
  try {
    db = compiledOnce(new Database(path, { timeout: options.busyTimeoutMs }));
    if (fresh) db.pragma("auto_vacuum = INCREMENTAL");
    else refuseForeign(db, options);
    configure(db, path);
    if (!fresh && options.check === "quick") refuseDamage(db, path);
    migrate(db, options.kind.migrations, options.kind.applicationId);
    return db;
  } catch (error) {
    db?.close();
    throw storeFailed(error, path, false);
  }
}

/**
 * SQLite looks at the value of a bare parameter while it plans (a LIMIT; whether a condition asks for 0 or 1), and compiles such a statement
 * anew each time its parameters are let go, which better-sqlite3 does after every run. Most statements of ours were such: a fifth of the
 * ledger's time. A value with a plus before it, which does nothing else, is not looked at.
 */
function compiledOnce(db: Connection): Connection {
  const prepare = db.prepare.bind(db) as (sql: string) => Database.Statement;
  return Object.assign(db, {
    prepare: (sql: string) => new AtFirstUse(() => prepare(sql.replaceAll(parameter, "+$&"))),
  });
}

/** A statement that is compiled when it is first run: of the four hundred that a ledger knows, a command needs ten, and compiling all takes as long as its work. */
class AtFirstUse {
  readonly #compile: () => Database.Statement;
  #compiled: Database.Statement | undefined;
  #plucks = false;

  constructor(compile: () => Database.Statement) {
    this.#compile = compile;
  }

  get source(): string {
    return this.#statement().source;
  }

  pluck(): this {
    this.#plucks = true;
    return this;
  }

  run(...given: unknown[]): Database.RunResult {
    return this.#statement().run(...given);
  }

  get(...given: unknown[]): unknown {
    return this.#statement().get(...given);
  }

  all(...given: unknown[]): unknown[] {
    return this.#statement().all(...given);
  }

  iterate(...given: unknown[]): IterableIterator<unknown> {
    return this.#statement().iterate(...given);
  }

  #statement(): Database.Statement {
    if (this.#compiled !== undefined) return this.#compiled;
    this.#compiled = this.#compile();
    if (this.#plucks) this.#compiled.pluck();
    return this.#compiled;
  }
}

/** In statements of ours, which hold no question mark or dollar sign in a text. */
const parameter = /(?<!\+)(?:\?|\$\w+)/g;

/** True when the file is new. Made by us first, so that it (and the -wal and -shm that follow its mode) is nobody else's to read. */
function prepareFile(path: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, "ax", 0o600));
  const { size, mode } = statSync(path);
  if ((mode & 0o077) !== 0) chmodSync(path, 0o600);
  // Empty: made just now, or by a process that was killed before its first write.
  return size === 0 && !(existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0);
}

function refuseForeign(db: Connection, { path, kind }: OpenOptions): void {
  const newest = newestVersion(kind.migrations);
  let applicationId: number;
  let version: number;
  try {
    applicationId = Number(db.pragma("application_id", { simple: true }));
    version = versionOf(db);
  } catch (error) {
    if (sqliteCode(error) !== "SQLITE_NOTADB") throw error;
    throw damaged(path, "its header is not that of a database", { cause: error });
  }
  if (version === 0 && applicationId === 0 && isEmpty(db)) return;
  if (applicationId !== kind.applicationId) {
    throw refuse(
      "foreign",
      `${path} is a database of another program (application id ${applicationId}, a Mailwright ${kind.name} has ` +
        `${kind.applicationId}; version ${version}, this program knows up to ${newest}). Move it away, or set another data_dir.`,
    );
  }
  if (version > newest) {
    throw refuse(
      "newer",
      `${path} was written by a newer Mailwright: its ${kind.name} has version ${version}, this program knows up to ` +
        `${newest}. Run the newer program, or restore a backup made before the upgrade.`,
    );
  }
}

const isEmpty = (db: Connection): boolean =>
  db.prepare<[], number>("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;

/** WAL keeps readers out of the writer's way; with FULL every commit is synced before it returns (NORMAL is not durable per commit). */
function configure(db: Connection, path: string): void {
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("foreign_keys = ON");
  db.pragma("trusted_schema = OFF");
  db.pragma("cell_size_check = ON");
  db.pragma(`wal_autocheckpoint = ${walPages}`);
  db.pragma(`cache_size = -${cacheKiB}`);
  db.pragma("temp_store = MEMORY");
  for (const [name, wanted] of pragmasOf(path)) {
    const found = db.pragma(name, { simple: true });
    if (found !== wanted) {
      throw refuse(
        "misuse",
        `SQLite did not take ${name}=${wanted} for ${path}: it says ${String(found)}. ${unsupported}`,
      );
    }
  }
}

const unsupported =
  "The file system may not support what durable commits need (shared memory, locks): use a local disk.";

/** What must read back as set. `synchronous` 2 is FULL, `auto_vacuum` 2 is INCREMENTAL. */
export function pragmasOf(path: string): readonly (readonly [string, string | number])[] {
  return [
    ["journal_mode", inMemory(path) ? "memory" : "wal"],
    ["synchronous", 2],
    ["foreign_keys", 1],
    ["trusted_schema", 0],
    ["cell_size_check", 1],
    ["auto_vacuum", 2],
  ];
}

/** Overwritten pages open, and even take a write: only reading every page finds them before a message is promised on top of them. */
function refuseDamage(db: Connection, path: string): void {
  const found = findDamage(db, "quick");
  if (found.length > 0) throw damaged(path, found.join("; "));
}

/** What SQLite's own check says against the file, at most ten lines; empty when it is whole. */
export function findDamage(db: Connection, depth: "quick" | "integrity"): readonly string[] {
  try {
    const lines = db.prepare<[], string>(`PRAGMA ${depth}_check(10)`).pluck().all();
    return lines.filter((line) => line !== "ok");
  } catch (error) {
    if (isDamage(sqliteCode(error))) return [error instanceof Error ? error.message : String(error)];
    throw error;
  }
}
