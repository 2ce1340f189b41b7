/** Puts a stream of unknown length: in one call where it fits a part, else part by part; nothing of it is visible before its end. */
import type * as Sdk from "@aws-sdk/client-s3";
import { parts } from "../parts.ts";
import type { S3Storage } from "../storage.ts";
import { callMs, type S3, travelsWithChecksums } from "./client.ts";

/** S3 wants at least 5 MiB of every part but the last, and takes 10,000 parts. */
export const partBytes = 8 * 1024 * 1024;

interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

export async function putObject(
  s3: S3,
  storage: S3Storage,
  target: Target,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number }> {
  const { sdk, calls } = s3;
  const about = { ...properties(storage), ...target };
  let upload: Upload | undefined;
  let total = 0;
  try {
    for await (const part of parts(bytes, partBytes)) {
      total += part.bytes.length;
      if (part.last && upload === undefined) {
        // The length is known, so that the library can sign it and try again.
        await calls.send(new sdk.PutObjectCommand({ ...about, Body: part.bytes, ContentLength: part.bytes.length }));
        return { bytes: total };
      }
      upload ??= await beginUpload(s3, { ...about, ...sumsOf(storage) }, target);
      if (part.bytes.length > 0) await upload.add(part.bytes);
    }
    await upload?.complete();
    return { bytes: total };
  } catch (error) {
    await upload?.abort();
    throw error;
  }
}

type Properties = Pick<
  Sdk.PutObjectCommandInput,
  "ContentType" | "ContentDisposition" | "ServerSideEncryption" | "SSEKMSKeyId"
>;

/** Nobody is ever to see an object of ours in a page, whatever leads there. */
function properties({ sse, kms_key_id }: S3Storage): Properties {
  const common = { ContentType: "application/octet-stream", ContentDisposition: "attachment" };
  switch (sse) {
    case "none":
      return common;
    case "AES256":
      return { ...common, ServerSideEncryption: "AES256" };
    case "aws:kms":
      return {
        ...common,
        ServerSideEncryption: "aws:kms",
        ...(kms_key_id === undefined ? {} : { SSEKMSKeyId: kms_key_id }),
      };
    default:
      return sse satisfies never;
  }
}

interface Upload {
  add(bytes: Buffer): Promise<void>;
  complete(): Promise<void>;
  /** What it cannot clear away, a sweep or the bucket's rule does. */
  abort(): Promise<void>;
}

/**
 * The library adds CRC-32 to each part by itself, and not to the call that begins the upload: AWS takes no part with a checksum of an upload that was
 * begun without ("Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32").
 */
const sumsOf = (storage: S3Storage): Pick<Sdk.CreateMultipartUploadCommandInput, "ChecksumAlgorithm"> =>
  travelsWithChecksums(storage) ? { ChecksumAlgorithm: "CRC32" } : {};

async function beginUpload(
  { sdk, calls }: S3,
  about: Sdk.CreateMultipartUploadCommandInput,
  target: Target,
): Promise<Upload> {
  const { UploadId } = await calls.send(new sdk.CreateMultipartUploadCommand(about), {
    abortSignal: AbortSignal.timeout(callMs),
  });
  if (UploadId === undefined) throw new TypeError("the store began an upload and gave it no name");
  const done: Sdk.CompletedPart[] = [];
  return {
    async add(bytes) {
      const PartNumber = done.length + 1;
      const part = { ...target, UploadId, PartNumber, Body: bytes, ContentLength: bytes.length };
      const answer = await calls.send(new sdk.UploadPartCommand(part));
      done.push({ PartNumber, ETag: answer.ETag, ...checksumsOf(answer) });
    },
    async complete() {
      const whole = { ...target, UploadId, MultipartUpload: { Parts: done } };
      await calls.send(new sdk.CompleteMultipartUploadCommand(whole), { abortSignal: AbortSignal.timeout(2 * callMs) });
    },
    async abort() {
      const aborted = new sdk.AbortMultipartUploadCommand({ ...target, UploadId });
      await calls.send(aborted, { abortSignal: AbortSignal.timeout(callMs) }).catch(() => undefined);
    },
  };
}

/** Where parts travel with checksums, the whole is put together by them. */
function checksumsOf(answer: Sdk.UploadPartCommandOutput): Partial<Sdk.CompletedPart> {
  const { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = answer;
  return { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 };
}
