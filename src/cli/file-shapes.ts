/** The shapes that `attachments` prints, and `explain` of a message's files; and how rows become them. */
import { z } from "zod";
import type { Ground } from "../main.ts";
import { type AuditEntry, type FileRow, fileStatuses, scanStatuses } from "../model/files.ts";
import type { EventRow } from "../model/ledger.ts";
import type { Links } from "../model/links.ts";
import { isPicture } from "../model/preview.ts";
import { plain } from "./plain.ts";
import { isoTime, isoTimeOrNull } from "./rows.ts";

const time = z.string().describe("RFC 3339, UTC.");

export const fileShape = z
  .object({
    id: z.string().describe("For attachments show, release and drop; computed from the mail alone."),
    event_id: z.string(),
    tenant: z.string(),
    received_at: time,
    filename: z.string().describe("A label, never a path."),
    content_type: z.string().describe("As declared."),
    detected_type: z.string().nullable().describe("What its content is; null where it does not say."),
    size: z.number().int(),
    sha256: z.string(),
    inline: z.boolean().describe("A picture of the text more than a file of its own."),
    status: z.enum(fileStatuses).describe("stored: its link serves it; nothing else is served."),
    reason: z.string().nullable().describe("Why it is not served."),
    findings: z
      .array(z.object({ code: z.string(), detail: z.string().nullable() }))
      .describe("What a look into it found."),
    scan: z.object({
      status: z.enum(scanStatuses),
      engine: z.string().nullable(),
      signatures: z.string().nullable(),
      at: z.string().nullable().describe("RFC 3339, UTC."),
      detail: z.string().nullable().describe("The signature's name, or why there was no verdict."),
    }),
    kept: z.boolean().describe("Whether its bytes are in the tenant's store."),
    by: z.string().describe("Who decided last: mailwright, or a person."),
    at: time,
    note: z.string().nullable(),
    url: z.string().nullable().describe("The link that the CRM is given; null without http.public_url."),
    preview_url: z
      .string()
      .nullable()
      .describe("The link to a small picture of it, made when it is opened; null where there is none to make."),
  })
  .meta({ id: "file", description: "An attachment, and what became of it." });
export type FileShape = z.infer<typeof fileShape>;

export const auditShape = z
  .object({
    at: time,
    what: z.string().describe("link.open, link.refresh, file.release, file.drop"),
    who: z.string().describe("A person, or `link`: whoever holds one."),
    outcome: z.string(),
    from: z.string().nullable().describe("The client's address."),
  })
  .describe("Something that was done to a file.");

/** What makes links; `previews`: whether small pictures are made. */
export interface Linking {
  readonly links: Links | undefined;
  readonly settings: { readonly previews: { readonly make: boolean } };
}

export function fileShapeOf(row: FileRow, { links, settings }: Linking): FileShape {
  const { scan } = row;
  return {
    id: row.id,
    event_id: row.eventId,
    tenant: row.tenant,
    received_at: isoTime(row.receivedAt),
    filename: row.filename,
    content_type: row.contentType,
    detected_type: row.detectedType ?? row.inspection?.detectedType ?? null,
    size: row.size,
    sha256: row.sha256,
    inline: row.inline,
    status: row.status,
    reason: row.reason,
    findings: (row.inspection?.findings ?? []).map(({ code, detail }) => ({ code, detail })),
    scan: { ...scan, at: isoTimeOrNull(scan.at) },
    kept: row.storeKey !== null,
    by: row.by,
    at: isoTime(row.at),
    note: row.note,
    url: links?.of(row.id, row.receivedAt) ?? null,
    preview_url:
      settings.previews.make && row.status === "stored" && isPicture(row)
        ? (links?.previewOf(row.id, row.receivedAt) ?? null)
        : null,
  };
}

export const auditShapeOf = ({ at, what, who, outcome, from }: AuditEntry): z.infer<typeof auditShape> => ({
  at: isoTime(at),
  what,
  who,
  outcome,
  from,
});

const mostFiles = 100_000;

export async function filesOf(ground: Ground, { eventId }: EventRow): Promise<FileShape[]> {
  const rows = await ground.ledger.files({ event: eventId, limit: mostFiles });
  return rows.map((row) => fileShapeOf(row, ground));
}

export function fileLine({ id, filename, content_type, size, status, reason }: FileShape): string {
  const because = reason === null ? "" : `: ${reason}`;
  return `${id}  ${plain(filename, 200)} (${plain(content_type, 80)}, ${size} bytes), ${status}${plain(because, 300)}`;
}
