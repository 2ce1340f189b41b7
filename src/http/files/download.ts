/** A stored file as an answer: a short address in the bucket where it has one, else its bytes, whole or the range that was asked for. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Store, Stores } from "../../model/blob.ts";
import type { FileRow } from "../../model/files.ts";
import type { Clock, Log } from "../../model/ports.ts";
import { contentTypeOf, dispositionOf, labelOf, type Range, rangeOf } from "./headers.ts";
import { statusPage, unknownPage, unreadablePage } from "./pages.ts";
import { paced, type StreamLimits } from "./stream.ts";

export interface DownloadPorts {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly stores: Pick<Stores, "of">;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: StreamLimits;
  audit(what: "link.open", about: string, outcome: string): Promise<void>;
  auditOpening(about: string, outcome: string): Promise<FileRow | undefined>;
}

/** A bucket's own link is followed at once; it is of no use to whoever finds it later. */
const presignedSeconds = 60;

/** Rejects where the file cannot be read, before anything was answered. */
export async function download(row: FileRow, ports: DownloadPorts): Promise<FastifyReply> {
  const { request, reply, stores } = ports;
  const store = stores.of(row.tenant);
  const { storeKey: ref, size } = row;
  if (ref === null) throw new TypeError(`the file ${row.id} is stored, and nothing says where`);
  const type = contentTypeOf(row.detectedType ?? row.inspection?.detectedType ?? null);
  const isHead = request.method === "HEAD";
  const elsewhere = isHead ? undefined : await presigned(store, ref, row, type);
  if (elsewhere !== undefined) {
    return (await withheld(row, "redirected", ports)) ?? (await reply.redirect(elsewhere, 302));
  }
  // Only ever lower-case hex: it can end no header.
  const etag = `"${/^[0-9a-f]{64}$/.test(row.sha256) ? row.sha256 : "none"}"`;
  const range = rangeOf({ range: one(request.headers.range), if_range: one(request.headers["if-range"]) }, size, etag);
  reply.headers({
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "x-robots-tag": "noindex, nofollow",
    etag,
  });
  if (range === "unsatisfiable") {
    const page = await withheld(row, "range_unsatisfiable", ports);
    return page ?? (await reply.code(416).header("content-range", `bytes */${size}`).send());
  }
  reply.headers({ "content-disposition": dispositionOf(row.filename), "content-type": type });
  const length = range === undefined ? size : range.end - range.start + 1;
  reply.header("content-length", String(length));
  if (range !== undefined) reply.code(206).header("content-range", `bytes ${range.start}-${range.end}/${size}`);
  if (isHead) return (await withheld(row, "head", ports)) ?? (await reply.send());
  return await stream(row, ref, store, range, length, ports);
}

/**
 * Puts the opening on record before anything of the file leaves, and looks at the file again in that transaction: it may have been dropped
 * or found to be bad since its row was read. Answers the page to show in its place, undefined where it may be served.
 */
async function withheld(
  { id }: FileRow,
  outcome: string,
  { reply, auditOpening }: Pick<DownloadPorts, "reply" | "auditOpening">,
): Promise<FastifyReply | undefined> {
  const now = await auditOpening(id, outcome);
  if (now?.status === "stored") return undefined;
  const answer = withoutFile(reply);
  return await (now === undefined ? unknownPage(answer) : statusPage(answer, now));
}

/** Back to an answer that says nothing of the file yet. */
export function withoutFile(reply: FastifyReply): FastifyReply {
  for (const name of ["accept-ranges", "content-disposition", "content-length", "content-range", "etag"])
    reply.removeHeader(name);
  return reply;
}

const one = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

async function presigned(store: Store, ref: string, row: FileRow, contentType: string): Promise<string | undefined> {
  const filename = labelOf(row.filename);
  return await store.presign?.(ref, { filename, contentType, seconds: presignedSeconds });
}

async function stream(
  row: FileRow,
  ref: string,
  store: Store,
  range: Range | undefined,
  length: number,
  ports: DownloadPorts,
): Promise<FastifyReply> {
  const { reply, clock, log, limits, audit } = ports;
  const { raw } = reply;
  const closed = new AbortController();
  if (raw.destroyed) closed.abort();
  else raw.once("close", () => closed.abort());
  const opened = await store.open(ref, range);
  try {
    const isOther = opened !== undefined && opened.size !== null && opened.size !== row.size;
    if (opened === undefined || isOther) {
      log.error(
        { event_id: row.eventId, found: opened !== undefined },
        "http: a stored file is not in its store as its row says",
      );
      await audit("link.open", row.id, "missing");
      return await unreadablePage(withoutFile(reply));
    }
    const page = await withheld(row, range === undefined ? "served" : "served_part", ports);
    if (page !== undefined) {
      await opened.plain.cancel();
      return page;
    }
    const body = paced(opened.plain, length, {
      outlet: { closed: closed.signal, unsent: () => raw.writableLength, cut: () => raw.destroy() },
      limits,
      clock,
      failed: (error) =>
        log.error(
          { err: error instanceof Error ? error : new Error(String(error)), event_id: row.eventId },
          "http: a download broke off",
        ),
    });
    return await reply.send(body);
  } catch (error) {
    await opened?.plain.cancel().catch(() => undefined);
    throw error;
  }
}
