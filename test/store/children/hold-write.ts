/** Holds the write lock of a database until it is killed. */
import Database from "better-sqlite3";

const db = new Database(process.argv[2] ?? "");
db.exec("BEGIN IMMEDIATE");
process.stdout.write("held\n");
setInterval(() => db.inTransaction, 60_000);
