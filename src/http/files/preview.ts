/** The small picture of a file as an answer: an image that can do nothing, or a page that says why there is none. */
import type { FastifyReply } from "fastify";
import type { FileRow } from "../../model/files.ts";
import { noPreviewReasons, type PreviewOfFile, previewContentType } from "../../model/preview.ts";
import type { Opening } from "../routes/files.ts";
import { noPreviewPage, statusPage, unknownPage, unreadablePage } from "./pages.ts";

/** Never rejects. On record before a byte leaves, as with the file itself; and shown only while the file may be. */
export async function preview(row: FileRow, previewOf: PreviewOfFile, opening: Opening): Promise<FastifyReply> {
  const { reply, log, audit, auditOpening } = opening;
  if (row.status !== "stored") {
    await audit("link.open", row.id, row.status);
    return await statusPage(reply, row);
  }
  try {
    const made = await previewOf(row);
    const now = await auditOpening(row.id, made?.kind === "made" ? "preview" : "no_preview");
    if (now === undefined) return await unknownPage(reply);
    if (now.status !== "stored") return await statusPage(reply, now);
    if (made === undefined) return await unreadablePage(reply);
    if (made.kind === "none") return await noPreviewPage(reply, noPreviewReasons[made.reason]);
    return await reply
      .headers({
        "cache-control": "private, no-store",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "content-disposition": 'inline; filename="preview.webp"',
        "content-length": String(made.bytes.length),
        "x-robots-tag": "noindex, nofollow",
      })
      .type(previewContentType)
      .send(opening.request.method === "HEAD" ? undefined : Buffer.from(made.bytes));
  } catch (error) {
    const err = error instanceof Error ? error : new Error(String(error));
    log.error({ err, event_id: row.eventId }, "http: a preview could not be shown");
    await audit("link.open", row.id, "unreadable").catch(() => undefined);
    return await unreadablePage(reply);
  }
}
