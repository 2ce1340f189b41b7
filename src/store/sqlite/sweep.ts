/** Tells objects of a store that no row names, and has them deleted in the same transaction; and forgets old entries of the audit trail. */
import type { StoredObject, Strays } from "../../model/sweep.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

type Verdict = keyof Strays | "needed";

interface RawRow {
  raw_kind: string;
  raw_name: string | null;
  closed: number;
}

export function openSweep(db: Connection): Pick<Operations, "strays" | "auditRemoved"> {
  const verdictOn = openVerdictOn(db);
  const doom = db.prepare("INSERT OR IGNORE INTO doomed (store_key, tenant, sha256) VALUES (?, ?, ?)");
  const old = db.prepare<[number], number>("SELECT count(*) FROM audit WHERE at < ?").pluck();
  const forget = db.prepare("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)");
  return {
    strays({ objects, doom: isDoomed }) {
      const found: Record<keyof Strays, string[]> = { unneeded: [], unknownMail: [], openMail: [] };
      for (const object of objects) {
        const verdict = verdictOn(object);
        if (verdict === "needed") continue;
        found[verdict].push(object.storeKey);
        if (verdict === "unneeded" && isDoomed) doom.run(object.storeKey, object.tenant, object.name);
      }
      return found;
    },
    auditRemoved: ({ before, limit, dryRun }) =>
      dryRun ? Math.min(limit, old.get(before) ?? 0) : forget.run(before, limit).changes,
  };
}

function openVerdictOn(db: Connection): (object: StoredObject) => Verdict {
  const doomed = db.prepare<[string], number>("SELECT 1 FROM doomed WHERE store_key = ?").pluck();
  const named = (table: "content" | "preview") =>
    db.prepare<[string, string], number>(`SELECT 1 FROM ${table} WHERE sha256 = ? AND store_key = ?`).pluck();
  const [content, preview] = [named("content"), named("preview")];
  const raw = db.prepare<[string], RawRow>(
    `SELECT e.raw_kind, e.raw_name, e.stage = 'prepared' AND e.open = 0 AND NOT EXISTS (SELECT 1 FROM delivery d
         WHERE d.event = e.seq AND (d.state = 'held' OR d.state = 'failed' AND d.reason <> 'dropped'))
       AND NOT EXISTS (SELECT 1 FROM review r WHERE r.event = e.seq AND r.resolved_at IS NULL) AS closed
       FROM event e WHERE e.event_id = ?`,
  );

  function ofMail({ storeKey, name }: StoredObject): Verdict {
    const row = raw.get(name);
    if (row === undefined) return "unknownMail";
    switch (row.raw_kind) {
      // A put whose row was never written: it is put there again, under the same name.
      case "inline":
      case "spool":
        return "needed";
      case "blob":
        // By another name it may be the same object (one store is asked by several names), or the only copy after a restore: it goes with the mail.
        if (row.raw_name !== storeKey) return "needed";
        return row.closed === 1 ? "needed" : "openMail";
      default:
        return "unneeded";
    }
  }

  return (object) => {
    const { class: kind, name, storeKey } = object;
    if (doomed.get(storeKey) !== undefined) return "needed";
    switch (kind) {
      case "raw":
        return ofMail(object);
      case "attachment":
        return content.get(name, storeKey) === undefined ? "unneeded" : "needed";
      case "preview":
        return preview.get(name, storeKey) === undefined ? "unneeded" : "needed";
      default:
        return kind satisfies never;
    }
  };
}
