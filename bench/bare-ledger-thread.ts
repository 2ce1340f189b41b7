/** The thread of `bare-ledger.ts`: a commit for each list of calls, and what they gave. */
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { BareCall } from "./bare-ledger.ts";

const db = new Database(String(workerData));
for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000", "cache_size = -32000"])
  db.pragma(pragma);
db.exec(
  `CREATE TABLE message (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, ref TEXT) STRICT;
   CREATE TABLE raw (n INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
   CREATE TABLE body (n INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;`,
);
const keepRow = db.prepare("INSERT INTO message VALUES (?, ?, 'accepted', NULL)");
const keepRaw = db.prepare("INSERT INTO raw VALUES (?, ?)");
const keepBody = db.prepare("INSERT INTO body VALUES (?, ?)");
const mark = db.prepare("UPDATE message SET state = ?, ref = ? WHERE n = ?");
const raw = db.prepare<[number], Uint8Array>("SELECT sealed FROM raw WHERE n = ?").pluck();

function answerTo(call: BareCall): Uint8Array | undefined {
  switch (call.what) {
    case "keep":
      keepRow.run(call.n, call.key);
      keepRaw.run(call.n, call.sealed);
      return undefined;
    case "take":
      mark.run("taken", null, call.n);
      return raw.get(call.n);
    case "prepare":
      keepBody.run(call.n, call.sealed);
      mark.run("prepared", null, call.n);
      return undefined;
    case "note":
      mark.run(call.state, call.ref, call.n);
      return undefined;
    default:
      return call satisfies never;
  }
}

parentPort?.on("message", (calls: readonly BareCall[]) => {
  db.exec("BEGIN IMMEDIATE");
  const answers = calls.map(answerTo);
  db.exec("COMMIT");
  parentPort?.postMessage(answers);
});
