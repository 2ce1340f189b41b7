/** Writes down the attachments that an event lists, in the transaction of the event: no file is ever without a row that knows it. */
import type { NewFile } from "../../model/files.ts";
import type { Connection } from "./connection.ts";
import { mark } from "./displace.ts";
import { openTellPlans } from "./file-plan.ts";

/** `event` and `now` are those of the message that was prepared. Rows that are there already stay as they are. */
export type ListFiles = (event: number, now: number, files: readonly NewFile[]) => void;

export function openListFiles(db: Connection): ListFiles {
  const insert = db.prepare(
    `INSERT INTO file (id, event, position, tenant, part_id, filename, content_type, detected_type, size, sha256, inline, received_at,
       status, reason, kept, decided, by, at, note)
       SELECT $id, e.seq, $position, e.tenant, $partId, $filename, $contentType, $detectedType, $size, $sha256, $inline, e.received_at,
         'checking', NULL, 0, NULL, 'mailwright', $now, NULL FROM event e WHERE e.seq = $event
       ON CONFLICT (id) DO NOTHING`,
  );
  // A mail whose unbelieved copy came first has the very same files, under the same ids: they are that mail's from now on.
  const takeOver = db
    .prepare<[{ id: string; event: number; position: number }], string>(
      `UPDATE file SET event = $event, position = $position, received_at = (SELECT received_at FROM event WHERE seq = $event)
         WHERE id = $id AND event <> $event AND EXISTS (SELECT 1 FROM event e WHERE e.seq = file.event AND instr(e.digest, '${mark}') > 0)
           AND NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = $event AND instr(e.digest, '${mark}') > 0) RETURNING status`,
    )
    .pluck();
  // Or retention could take it away under a message that has just come.
  const mentioned = db.prepare(
    `UPDATE content SET newest_at = max(newest_at, (SELECT received_at FROM event WHERE seq = $event))
       WHERE sha256 = $sha256 AND tenant = (SELECT tenant FROM event WHERE seq = $event)`,
  );
  const due = openDue(db);
  const tellPlans = openTellPlans(db);
  return (event, now, files) => {
    let added = 0;
    let isNews = false;
    for (const [position, file] of files.entries()) {
      const inline = file.inline ? 1 : 0;
      const { changes } = insert.run({ ...file, inline, event, position, now });
      const status = changes > 0 ? undefined : takeOver.get({ id: file.id, event, position });
      if (changes === 0 && status === undefined) continue;
      added++;
      isNews ||= status !== undefined && status !== "checking";
      mentioned.run({ event, sha256: file.sha256 });
    }
    if (added > 0) due(event);
    if (isNews) tellPlans(event, now, "its files were checked", "with a copy of it that came first");
  };
}

/** The files of a message are to be brought in line now; once more where they are in work. */
export function openDue(db: Connection): (event: number) => void {
  const due = db.prepare(
    `INSERT INTO filing (event, tenant, turn, due_at, attempts, again) SELECT seq, tenant, 0, 0, 0, 0 FROM event WHERE seq = ?
       ON CONFLICT (event) DO UPDATE SET attempts = iif(lease IS NULL, 0, attempts), again = iif(lease IS NULL, 0, 1),
         turn = iif(lease IS NULL, 0, turn), due_at = 0`,
  );
  return (event) => void due.run(event);
}
