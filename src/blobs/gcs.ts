/** Buckets of Google Cloud Storage. */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { BucketMetadata } from "@google-cloud/storage";
import { Refused } from "../model/outcome.ts";
import type { Clock } from "../model/ports.ts";
import type { Bucket, ByteRange } from "./bucket.ts";
import { disposition } from "./disposition.ts";
import { type Gcs, loadGcs } from "./gcs/client.ts";
import { codeOf, isNoSuchObject, refusedOf } from "./gcs/errors.ts";
import { applyLifecycle } from "./gcs/lifecycle.ts";
import { putObject } from "./gcs/put.ts";
import { pulled } from "./pulled.ts";
import type { RemoteBucket } from "./remote.ts";
import { openSlots } from "./slots.ts";
import { type GcsStorage, storeIdOf } from "./storage.ts";

/** Each has chunks in memory. */
const putsAtOnce = 3;
const answerMs = 20_000;

/** Calls nobody: the library is loaded and the bucket asked with the first use. */
export function openGcs(storage: GcsStorage, clock: Pick<Clock, "now">): RemoteBucket {
  const elsewhere = storage.endpoint === undefined ? "" : `, ${storage.endpoint}`;
  const title = `the bucket ${storage.bucket} (${storeIdOf(storage)}${elsewhere})`;
  const inTurn = openSlots(putsAtOnce);
  let opening: Promise<Gcs> | undefined;

  async function withGcs<T>(work: (gcs: Gcs) => Promise<T>): Promise<T> {
    try {
      opening ??= loadGcs(storage);
      return await work(await opening);
    } catch (error) {
      throw refusedOf(error, title);
    }
  }

  async function* list(prefix: string) {
    for (let pageToken: string | undefined, more = true; more; more = pageToken !== undefined) {
      const query = {
        prefix,
        autoPaginate: false,
        maxResults: 1_000,
        ...(pageToken === undefined ? {} : { pageToken }),
      };
      const [files, next] = await withGcs(({ calls }) => calls.getFiles(query));
      for (const { name, metadata } of files) {
        yield { key: name, bytes: Number(metadata.size ?? 0), at: Date.parse(metadata.timeCreated ?? "") || 0 };
      }
      pageToken = (next as { pageToken?: string } | null)?.pageToken;
    }
  }

  return {
    title,
    put: (key, bytes) => inTurn(() => withGcs(({ moves }) => putObject(moves, key, bytes, title))),
    read: (key, range) => withGcs((gcs) => readObject(gcs, key, range, title)),
    list,
    delete: (key) =>
      withGcs(async ({ calls }) => {
        try {
          await calls.file(key).delete();
          return true;
        } catch (error) {
          if (isNoSuchObject(error)) return false;
          throw error;
        }
      }),
    presign: (key, { filename, contentType, seconds }) =>
      withGcs(async ({ calls }) => {
        const [url] = await calls.file(key).getSignedUrl({
          version: "v4",
          action: "read",
          accessibleAt: new Date(clock.now()),
          expires: new Date(clock.now() + seconds * 1_000),
          responseDisposition: disposition(filename),
          responseType: contentType,
        });
        return url;
      }),
    // A session that was not ended leaves nothing that can be seen, and Google forgets it in a week.
    sweepDrafts: async () => 0,
    applyLifecycle: (prefix, rules, dryRun) => withGcs(({ calls }) => applyLifecycle(calls, prefix, rules, dryRun)),
    remarks: () => withGcs(({ calls }) => remarksOn(calls)),
    close() {
      opening = undefined;
    },
  };
}

async function readObject(
  { calls, moves }: Gcs,
  key: string,
  range: ByteRange | undefined,
  title: string,
): ReturnType<Bucket["read"]> {
  const body = moves.file(key).createReadStream({ decompress: false, ...(range ?? {}) });
  try {
    const { statusCode, headers } = await answerTo(body, title);
    const total =
      range === undefined ? headers["content-length"] : /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1];
    if (total === undefined || statusCode !== (range === undefined ? 200 : 206)) {
      const reason = `${title} does not say how long an object is: it cannot be used as a store`;
      throw new Refused({ kind: "blocked", reason });
    }
    return { bytes: pulled(body, title, (error) => refusedOf(error, title)), total: Number(total) };
  } catch (error) {
    body.destroy();
    if (isNoSuchObject(error)) return undefined;
    if (codeOf(error) !== 416) throw error;
    const [{ size }] = await calls.file(key).getMetadata();
    return { bytes: ReadableStream.from<Uint8Array>([]), total: Number(size) };
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
}

/** The library begins when the stream is read; an error comes as one of the stream, after the answer that it is about. */
async function answerTo(body: Readable, title: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const reason = `${title} gave no answer within ${answerMs / 1000} s`;
  const timer = setTimeout(() => reject(new Refused({ kind: "retryable", reason })), answerMs);
  body.once("error", reject);
  body.once("response", (answer: Answer) => {
    if (answer.statusCode < 300) resolve(answer);
  });
  body.read(0);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function remarksOn(bucket: Gcs["calls"]): Promise<readonly string[]> {
  const [{ versioning, softDeletePolicy }] = await bucket.getMetadata().catch(() => [{}] as [Partial<BucketMetadata>]);
  const days = Math.round(Number(softDeletePolicy?.retentionDurationSeconds ?? 0) / 86_400);
  return [
    ...(versioning?.enabled === true ? ["it keeps old versions: what is deleted there stays as one"] : []),
    ...(days > 0 ? [`it keeps what was deleted for ${days} days more (soft delete)`] : []),
  ];
}
