/** What a person says of a file; and the trail of what was done that must be answered for. */
import type { AuditEntry, FileDecided, FileDecision, FileStatus } from "../../model/files.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { openContents } from "./content.ts";
import { openTellPlans } from "./file-plan.ts";
import { openFileOf } from "./file-rows.ts";
import type { Operations } from "./operations.ts";

interface Row {
  seq: number;
  event: number;
  tenant: string;
  sha256: string;
  status: FileStatus;
  store_key: string | null;
}

export function openDecideFile(db: Connection): Operations["decideFile"] {
  const contents = openContents(db);
  const tellPlans = openTellPlans(db);
  const audit = openAudit(db).audit;
  const find = db.prepare<[string], Row>(
    `SELECT f.seq, f.event, f.tenant, f.sha256, f.status, c.store_key FROM file f
       LEFT JOIN content c ON c.sha256 = f.sha256 AND c.tenant = f.tenant WHERE f.id = ?`,
  );
  // One that was dropped before it was kept is not to be taken out of its message any more.
  const decide = db.prepare(
    `UPDATE file SET status = $status, reason = $reason, decided = $answer, by = $by, at = $now, note = $note,
       kept = iif($answer = 'drop', 1, kept) WHERE seq = $seq`,
  );

  function fits({ status, store_key }: Row, answer: FileDecision["answer"]): boolean {
    switch (status) {
      case "stored":
      case "quarantined":
        return answer === "drop" || store_key !== null;
      case "checking":
        return answer === "drop";
      case "stripped":
      case "refused":
      case "dropped":
      case "removed":
        return false;
      default:
        return status satisfies never;
    }
  }

  return ({ id, answer, by, note, now }): FileDecided => {
    const row = find.get(id);
    if (row === undefined) return "unknown";
    if (!fits(row, answer)) return "unfit";
    const status = answer === "release" ? "stored" : "dropped";
    const reason = answer === "release" ? null : "A person did not want it.";
    decide.run({
      seq: row.seq,
      status,
      reason,
      answer,
      by: clip(by),
      now,
      note: note === null ? null : clip(note),
    });
    contents.settle(row);
    const what = answer === "release" ? "a file was released by a person" : "a file was dropped by a person";
    const detail = [`${id} by ${by}`, ...(note === null ? [] : [note])].join(": ");
    // A release of what is served anyway changes nothing that anybody sees.
    if (row.status !== status) tellPlans(row.event, now, what, detail);
    audit({ at: now, what: `file.${answer}`, about: id, who: by, outcome: "done", from: null });
    return "done";
  };
}

interface AuditRow {
  id: number;
  at: number;
  what: string;
  about: string;
  who: string;
  outcome: string;
  come_from: string | null;
}

export function openAudit(db: Connection): Pick<Operations, "audit" | "auditOpening" | "auditTrail"> {
  const fileOf = openFileOf(db);
  const insert = db.prepare("INSERT INTO audit (at, what, about, who, outcome, come_from) VALUES (?, ?, ?, ?, ?, ?)");
  const about = db.prepare<[string, number, number], AuditRow>(
    "SELECT * FROM audit WHERE about = ? AND id < ? ORDER BY id DESC LIMIT ?",
  );
  const all = db.prepare<[number, number], AuditRow>("SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?");
  const entryOf = ({ come_from: from, ...row }: AuditRow): AuditEntry & { readonly id: number } => ({ ...row, from });
  const write = ({ at, what, about: thing, who, outcome, from }: AuditEntry): void => {
    insert.run(at, clip(what), clip(thing), clip(who), clip(outcome), from === null ? null : clip(from));
  };
  return {
    audit: write,
    auditOpening(entry) {
      const row = fileOf(entry.about);
      if (row === undefined) return undefined;
      const isCondemned = row.status === "stored" && row.scan.status === "infected" && row.decision === null;
      const status = isCondemned ? "checking" : row.status;
      write(status === "stored" ? entry : { ...entry, outcome: status });
      return { ...row, status };
    },
    auditTrail({ about: thing, limit, before = Number.MAX_SAFE_INTEGER }) {
      const rows = thing === undefined ? all.all(before, limit) : about.all(thing, before, limit);
      return rows.map(entryOf);
    },
  };
}
