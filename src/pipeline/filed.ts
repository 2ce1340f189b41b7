/** The attachments of an event as files that are kept: which rows they have, and what became of them by now. */
import { stepKey } from "../mapping/keys.ts";
import type { Attachment, CanonicalEvent } from "../model/event.ts";
import type { FileRow, NewFile, Scan } from "../model/files.ts";

/** Of one message; its parser gives up long before. */
export const mostFiles = 100_000;

type Mail = Pick<CanonicalEvent, "tenant"> & { readonly message: Pick<CanonicalEvent["message"], "message_id"> };

/** From the mail alone: a link outlives a rebuilt ledger. */
export function fileId(
  { tenant, message }: Mail,
  digest: string,
  { part_id, sha256 }: Pick<Attachment, "part_id" | "sha256">,
): string {
  return stepKey(tenant, "file", [message.message_id ?? "", digest, part_id, sha256]).slice(0, 32);
}

/** The rows that its attachments are to have. */
export function newFiles(event: CanonicalEvent, digest: string): NewFile[] {
  return event.message.attachments.map((attachment) => ({
    id: fileId(event, digest, attachment),
    partId: attachment.part_id,
    filename: attachment.filename,
    contentType: attachment.content_type,
    detectedType: attachment.detected_type,
    size: attachment.size,
    sha256: attachment.sha256,
    inline: attachment.inline,
  }));
}

/** The event, with what became of each of its files; one without a row is new, and being checked. */
export function withFiles(event: CanonicalEvent, digest: string, rows: readonly FileRow[]): CanonicalEvent {
  const { message } = event;
  if (message.attachments.length === 0) return event;
  const known = new Map(rows.map((row) => [row.id, row]));
  const attachments = message.attachments.map((attachment): Attachment => {
    const file_id = fileId(event, digest, attachment);
    const row = known.get(file_id);
    return {
      ...attachment,
      file_id,
      status: row?.status ?? "checking",
      status_reason: row?.reason ?? null,
      av: row === undefined ? notAsked : verdictOf(row.scan),
      storage_ref: row?.storeKey ?? null,
    };
  });
  return { ...event, message: { ...message, attachments } };
}

const notAsked = { status: "pending", engine: null, signature_db: null, at: null } as const;

const verdictOf = ({ status, engine, signatures, at }: Scan): NonNullable<Attachment["av"]> => ({
  status,
  engine,
  signature_db: signatures,
  at: at === null ? null : new Date(at).toISOString(),
});
