/** Brings a database file from the version it has to the newest one, forward only, one transaction per step. */
import { readdirSync, readFileSync } from "node:fs";
import type { Database } from "better-sqlite3";

export interface Migration {
  /** What `user_version` says once it has run: 1, 2, 3... */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The `NNN_name.sql` files of a folder, in order. Throws when a number is missing or twice there. */
export function readMigrations(folder: URL): readonly Migration[] {
  const names = readdirSync(folder)
    .filter((name) => /^\d{3}_[a-z0-9_]+\.sql$/.test(name))
    .sort();
  return names.map((name, index) => {
    const version = Number(name.slice(0, 3));
    if (version !== index + 1) throw new TypeError(`migration ${name} should be number ${index + 1}`);
    return { version, name, sql: readFileSync(new URL(name, folder), "utf8") };
  });
}

export const newestVersion = (migrations: readonly Migration[]): number => migrations.at(-1)?.version ?? 0;

/** A step that fails leaves the file at the version before it. Another process may be doing the same: each step looks again under the lock. */
export function migrate(db: Database, migrations: readonly Migration[], applicationId: number): void {
  for (const { version, sql } of migrations) {
    const step = db.transaction(() => {
      if (versionOf(db) >= version) return;
      db.exec(sql);
      db.pragma(`application_id = ${applicationId}`);
      db.pragma(`user_version = ${version}`);
    });
    step.immediate();
  }
}

export const versionOf = (db: Database): number => Number(db.pragma("user_version", { simple: true }));
