/** GET /a/<id>: a file of a mail for whoever holds its link. Signature, row, audit, and only then a page or the bytes. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Stores } from "../../model/blob.ts";
import type { FileRow, Files as FileRows } from "../../model/files.ts";
import type { LinkParts, Links } from "../../model/links.ts";
import type { Clock, Log, Metrics } from "../../model/ports.ts";
import { isPicture, type PreviewOfFile } from "../../model/preview.ts";
import { addressOf, clientOf } from "../client.ts";
import { download, withoutFile } from "../files/download.ts";
import { busyPage, expiredPage, freshPage, statusPage, unknownPage, unreadablePage } from "../files/pages.ts";
import { preview } from "../files/preview.ts";
import { openSeats, type Seats } from "../files/seats.ts";
import type { StreamLimits } from "../files/stream.ts";
import { openLimiter } from "../operators/limiter.ts";
import type { Sessions } from "../operators/sessions.ts";

export interface FileOptions {
  readonly links: Links;
  readonly files: Pick<FileRows, "files" | "audit" | "auditOpening">;
  readonly stores: Pick<Stores, "of">;
  /** Whoever holds an expired link gets a fresh one while the file is younger than this; 0: nobody does. */
  readonly refreshMs: number;
  /** How long a fresh link is good. */
  readonly freshMs: number;
  /** Undefined where none are made. */
  readonly previewOf?: PreviewOfFile | undefined;
  /** Undefined where nobody can sign in. */
  readonly sessions: Sessions | undefined;
  /** Path of the public URL, without a slash at its end: what our own pages link below. */
  readonly base: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits?: Partial<FileLimits>;
}

export interface FileLimits extends StreamLimits {
  /** Downloads at once: a fraction of the connections that the door has (server.ts), so that slow readers leave room for all others. */
  readonly downloads: number;
  readonly downloadsForOne: number;
  /** Openings with a wrong signature that are written to the audit trail in a minute; a flood of them is counted, and no more. */
  readonly refusalsAudited: number;
  /** Openings of one client in a minute, of whatever files: each is a row on disk, and whoever holds one link could fill it. */
  readonly openingsForOne: number;
}

/** On a page that is open now. */
const pictureMs = 3600_000;

const defaultLimits: FileLimits = {
  downloads: 64,
  downloadsForOne: 16,
  stallMs: 30_000,
  leastBytesPerSecond: 16 * 1024,
  graceMs: 60_000,
  refusalsAudited: 60,
  openingsForOne: 300,
};

/** What one request is answered from. */
export interface Opening extends FileOptions {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly seats: Seats;
  readonly limits: FileLimits;
  /** Resolves when it is on disk. Rejects where it cannot be: then nothing may be served. */
  audit(what: "link.open" | "link.refresh", about: string, outcome: string): Promise<void>;
  /** The same for one that is to be served: how it stands by now, in the transaction that put it on record. */
  auditOpening(about: string, outcome: string): Promise<FileRow | undefined>;
  mayOpen(client: string): boolean;
}

export function files(options: FileOptions): FastifyPluginAsync {
  const limits = { ...defaultLimits, ...options.limits };
  const seats = openSeats(limits.downloads, limits.downloadsForOne);
  const mayAudit = perMinute(limits.refusalsAudited, options.clock);
  const opened = openLimiter(limits.openingsForOne, 60_000, options.clock);
  const mayOpen = (client: string): boolean => {
    if (opened.waitMs(client) > 0) return false;
    opened.failed(client);
    return true;
  };
  return async (app) => {
    const handler =
      (answer: (opening: Opening) => Promise<FastifyReply>) => async (request: FastifyRequest, reply: FastifyReply) => {
        const who = options.sessions?.read(request.headers.cookie)?.name ?? "link";
        const from = addressOf(request.ip);
        const count = (outcome: string) => options.metrics.count("file_openings_total", { outcome });
        const entry = (about: string, outcome: string) => ({ at: options.clock.now(), about, who, outcome, from });
        const audit: Opening["audit"] = async (what, about, outcome) => {
          count(outcome);
          await options.files.audit({ ...entry(about, outcome), what });
        };
        const auditOpening: Opening["auditOpening"] = async (about, outcome) => {
          const row = await options.files.auditOpening({ ...entry(about, outcome), what: "link.open" });
          count(row === undefined || row.status === "stored" ? outcome : row.status);
          return row;
        };
        return await answer({ ...options, request, reply, seats, limits, audit, auditOpening, mayOpen });
      };
    const shared = { method: ["GET", "HEAD"], exposeHeadRoute: false };
    app.route({ ...shared, url: "/a/:id", handler: handler((opening) => open(opening, mayAudit)) });
    app.route({ ...shared, url: "/a/:id/preview", handler: handler((opening) => openPreview(opening, mayAudit)) });
  };
}

async function open(opening: Opening, mayAudit: () => boolean): Promise<FastifyReply> {
  const { request, reply, clock, links, files } = opening;
  const { id } = request.params as { id: string };
  const link = links.read({ id, ...queryOf(request) }, clock.now());
  // Also for a link that is not ours, so that both take as long: an answer must not tell which files there are.
  const row = /^[0-9a-f]{32}$/.test(id) ? (await files.files({ id, limit: 1 }))[0] : undefined;
  if (link.kind !== "forged" && row !== undefined && !opening.mayOpen(clientOf(request.ip))) {
    opening.metrics.count("file_openings_total", { outcome: "busy" });
    return await busyPage(reply);
  }
  switch (link.kind) {
    case "forged":
      return await refuse(row, opening, mayAudit);
    case "expired":
      return row === undefined ? await unknownPage(reply) : await openExpired(row, opening);
    case "valid":
      return row === undefined ? await unknownPage(reply) : await openValid(row, opening);
    default:
      return link satisfies never;
  }
}

/** Whoever has no link learns nothing; whose file it would have been is on record. */
async function refuse(
  row: FileRow | undefined,
  { reply, log, audit }: Opening,
  mayAudit: () => boolean,
): Promise<FastifyReply> {
  // Not waited for: an answer must not tell which files there are.
  if (row !== undefined && mayAudit())
    audit("link.open", row.id, "wrong_signature").catch((err: Error) =>
      log.error({ err }, "http: the audit trail cannot be written"),
    );
  return await unknownPage(reply);
}

/** The same words as for a file. */
async function openPreview(opening: Opening, mayAudit: () => boolean): Promise<FastifyReply> {
  const { request, reply, clock, links, files, previewOf } = opening;
  const { id } = request.params as { id: string };
  const link = links.read({ id, preview: true, ...queryOf(request) }, clock.now());
  const row = /^[0-9a-f]{32}$/.test(id) ? (await files.files({ id, limit: 1 }))[0] : undefined;
  if (link.kind === "forged" || row === undefined) return await refuse(row, opening, mayAudit);
  if (!opening.mayOpen(clientOf(request.ip))) return await busyPage(reply);
  if (previewOf === undefined || link.kind === "expired") {
    await opening.audit("link.open", row.id, link.kind === "expired" ? "expired" : "no_preview");
    return link.kind === "expired" ? await expiredPage(reply, undefined) : await unknownPage(reply);
  }
  return await preview(row, previewOf, opening);
}

/** Each once: a name that is given twice is nobody's link. */
function queryOf({ query }: FastifyRequest): Omit<LinkParts, "id"> {
  const given = query as Readonly<Record<string, unknown>>;
  const of = (name: string): string | undefined => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  return { expiry: of("e"), keyId: of("k"), signature: of("s") };
}

async function openExpired(row: FileRow, opening: Opening): Promise<FastifyReply> {
  const { reply, request, clock, links, sessions, refreshMs, freshMs, audit, base } = opening;
  const now = clock.now();
  const operator = sessions?.read(request.headers.cookie);
  const isYoung = now < row.receivedAt + refreshMs;
  if (operator === undefined && !isYoung) {
    await audit("link.open", row.id, "expired");
    return await expiredPage(
      reply,
      sessions === undefined ? undefined : `${base}/sign-in?to=${encodeURIComponent(request.url)}`,
    );
  }
  // What anybody may get does not outlive the time in which anybody may.
  const until = operator === undefined ? Math.min(now + freshMs, row.receivedAt + refreshMs) : now + freshMs;
  await audit("link.refresh", row.id, "fresh");
  const shown = operator !== undefined && opening.previewOf !== undefined && row.status === "stored" && isPicture(row);
  const picture = shown ? links.previewUntil(row.id, Math.min(until, now + pictureMs)) : undefined;
  return await freshPage(reply, { url: links.until(row.id, until), until, operator: operator?.name, picture });
}

async function openValid(row: FileRow, opening: Opening): Promise<FastifyReply> {
  const { reply, request, seats, audit, log } = opening;
  if (row.status !== "stored") {
    await audit("link.open", row.id, row.status);
    return await statusPage(reply, row);
  }
  const seat = request.method === "HEAD" ? { leave: () => undefined } : seats.take(request.ip);
  if (seat === undefined) {
    await audit("link.open", row.id, "busy");
    return await busyPage(reply);
  }
  // Whatever comes of it, and however it ends. Of whoever has gone while the row was read, nothing is heard any more.
  if (reply.raw.destroyed) seat.leave();
  else reply.raw.once("close", () => seat.leave());
  try {
    return await download(row, opening);
  } catch (error) {
    const err = error instanceof Error ? error : new Error(String(error));
    log.error({ err, event_id: row.eventId }, "http: a stored file could not be read");
    // Where it is the trail that cannot be written, the log has said all.
    await audit("link.open", row.id, "unreadable").catch(() => undefined);
    return await unreadablePage(withoutFile(reply));
  }
}

/** True as often as that in each minute. */
function perMinute(most: number, clock: Pick<Clock, "now">): () => boolean {
  let minute = Number.NaN;
  let count = 0;
  return () => {
    const now = Math.floor(clock.now() / 60_000);
    if (now !== minute) [minute, count] = [now, 0];
    return ++count <= most;
  };
}
