/** Buckets that speak S3: AWS, MinIO, R2, Ceph, Swift. */
import type { Readable } from "node:stream";
import { blobClasses } from "../model/blob.ts";
import { Refused } from "../model/outcome.ts";
import type { Bucket, ByteRange, Download } from "./bucket.ts";
import { disposition } from "./disposition.ts";
import { pulled } from "./pulled.ts";
import type { RemoteBucket } from "./remote.ts";
import { callMs, loadS3, notInstalled, type S3 } from "./s3/client.ts";
import { isCalled, isNoSuchKey, refusedOf, statusOf } from "./s3/errors.ts";
import { applyLifecycle } from "./s3/lifecycle.ts";
import { putObject } from "./s3/put.ts";
import { abortOld } from "./s3/uploads.ts";
import { openSlots } from "./slots.ts";
import { type S3Storage, storeIdOf } from "./storage.ts";

/** Each has a part in memory. */
const putsAtOnce = 4;

type Load = Parameters<typeof loadS3>[1];

/** Calls nobody: the library is loaded and the bucket asked with the first use. */
export function openS3(storage: S3Storage, load?: Load): RemoteBucket {
  const { bucket: Bucket } = storage;
  const title = `the bucket ${Bucket} (${storeIdOf(storage)}${storage.endpoint === undefined ? "" : `, ${storage.endpoint}`})`;
  const inTurn = openSlots(putsAtOnce);
  let opening: Promise<S3> | undefined;

  async function withS3<T>(work: (s3: S3) => Promise<T>): Promise<T> {
    try {
      opening ??= loadS3(storage, load);
      return await work(await opening);
    } catch (error) {
      throw refusedOf(error, title);
    }
  }

  const soon = () => ({ abortSignal: AbortSignal.timeout(callMs) });

  async function head(s3: S3, Key: string): Promise<number | undefined> {
    try {
      const { ContentLength = 0 } = await s3.calls.send(new s3.sdk.HeadObjectCommand({ Bucket, Key }), soon());
      return ContentLength;
    } catch (error) {
      if (isNoSuchKey(error)) return undefined;
      throw error;
    }
  }

  async function read(s3: S3, Key: string, range: ByteRange | undefined): ReturnType<Bucket["read"]> {
    const part = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
    try {
      const { Body, ContentLength, ContentRange } = await s3.reads.send(
        new s3.sdk.GetObjectCommand({ Bucket, Key, ...part }),
      );
      const body = Body as unknown as Readable;
      const total = range === undefined ? ContentLength : totalOf(ContentRange);
      if (total === undefined) {
        body.destroy();
        throw unfit(
          title,
          range === undefined ? "does not say how long an object is" : "does not give parts of objects",
        );
      }
      return { bytes: pulled(body, title, (error) => refusedOf(error, title)), total };
    } catch (error) {
      if (isNoSuchKey(error)) return undefined;
      if (range === undefined || !(isCalled(error, "InvalidRange") || statusOf(error) === 416)) throw error;
      const total = await head(s3, Key);
      return total === undefined ? undefined : { bytes: ReadableStream.from<Uint8Array>([]), total };
    }
  }

  async function* list(Prefix: string) {
    for (let token: string | undefined, more = true; more; ) {
      const ContinuationToken = token;
      const page = await withS3(({ sdk, calls }) =>
        calls.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }), soon()),
      );
      for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key, bytes: Size, at: LastModified?.getTime() ?? 0 };
      }
      token = page.NextContinuationToken;
      more = page.IsTruncated === true && token !== undefined;
    }
  }

  return {
    title,
    put: (Key, bytes) => inTurn(() => withS3((s3) => putObject(s3, storage, { Bucket, Key }, bytes))),
    read: (key, range) => withS3((s3) => read(s3, key, range)),
    list,
    delete: (Key) =>
      withS3(async (s3) => {
        const size = await head(s3, Key);
        // Also where nothing is: a HEAD cannot tell a missing object from a missing bucket, and this does.
        await s3.calls.send(new s3.sdk.DeleteObjectCommand({ Bucket, Key }), soon());
        return size !== undefined;
      }),
    presign: (key, download) => withS3((s3) => presigned(s3, { Bucket, Key: key }, download)),
    async sweepDrafts(olderThan) {
      let aborted = 0;
      // The bucket may be others' too: only below what is ours.
      for (const name of blobClasses) {
        aborted += await withS3((s3) => abortOld(s3, { Bucket, Prefix: `${storage.prefix}${name}/` }, olderThan));
      }
      return aborted;
    },
    applyLifecycle: (prefix, rules, dryRun) =>
      withS3((s3) => applyLifecycle(s3, Bucket, { prefix, rules, dryRun, title })),
    remarks: () => withS3((s3) => remarksOn(s3, Bucket)),
    close() {
      opening?.then(
        (s3) => s3.close(),
        () => undefined,
      );
      opening = undefined;
    },
  };
}

function unfit(title: string, what: string): Refused {
  return new Refused({ kind: "blocked", reason: `${title} ${what}: it cannot be used as a store` });
}

/** `bytes 0-99/1234`. */
function totalOf(contentRange: string | undefined): number | undefined {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(contentRange ?? "")?.[1];
  return total === undefined ? undefined : Number(total);
}

/** Signed here, without a call. */
async function presigned(s3: S3, target: { Bucket: string; Key: string }, download: Download): Promise<string> {
  const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner").catch((error: unknown) => {
    throw notInstalled(error);
  });
  const command = new s3.sdk.GetObjectCommand({
    ...target,
    ResponseContentDisposition: disposition(download.filename),
    ResponseContentType: download.contentType,
  });
  return await getSignedUrl(s3.calls, command, { expiresIn: download.seconds });
}

async function remarksOn({ sdk, calls }: S3, Bucket: string): Promise<readonly string[]> {
  try {
    const { Status } = await calls.send(new sdk.GetBucketVersioningCommand({ Bucket }), {
      abortSignal: AbortSignal.timeout(callMs),
    });
    return Status === "Enabled"
      ? [
          "it keeps old versions: what is deleted there stays until a lifecycle rule takes it (mailwright storage apply-lifecycle)",
        ]
      : [];
  } catch {
    // Not allowed, or not known to this service: then there is nothing to say.
    return [];
  }
}
