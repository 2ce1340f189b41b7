/** AWS's library, loaded when the first bucket is used, and set so that no call hangs. */
import type * as Sdk from "@aws-sdk/client-s3";
import { Refused } from "../../model/outcome.ts";
import type { S3Storage } from "../storage.ts";
import { isNotInstalled } from "../words.ts";

export interface S3 {
  readonly sdk: typeof Sdk;
  /** For what is sent: gives up when nothing moves on the socket. */
  readonly calls: Sdk.S3Client;
  /** For what is fetched: gives up when no answer begins. Its reader may be slow, so an idle socket means nothing there. */
  readonly reads: Sdk.S3Client;
  close(): void;
}

/** Three tries of these, with the pauses between them, stay below 30 s. The library looks at the socket only after 3 s. */
const connectMs = 4_000;
const idleMs = 6_000;
const answerMs = 9_000;
const attempts = 3;
/** For calls whose question and answer are small. */
export const callMs = 30_000;

export async function loadS3(storage: S3Storage, load: () => Promise<typeof Sdk> = loadSdk): Promise<S3> {
  const sdk = await load();
  const common = clientOptions(storage);
  const calls = new sdk.S3Client({
    ...common,
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs },
  });
  const reads = new sdk.S3Client({
    ...common,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: 0,
    },
  });
  return {
    sdk,
    calls,
    reads,
    close() {
      calls.destroy();
      reads.destroy();
    },
  };
}

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import("@aws-sdk/client-s3");
  } catch (error) {
    throw notInstalled(error);
  }
}

export function notInstalled(error: unknown): unknown {
  if (!isNotInstalled(error)) return error;
  const reason =
    "storage of type s3 needs a library that is not installed; run: npm install --save-prod @aws-sdk/client-s3 @aws-sdk/s3-request-presigner";
  return new Refused({ kind: "blocked", reason }, { cause: error });
}

/** Checksums that nobody asked for are refused by several services that are not AWS (R2, B2, GCS interop, ECS). */
export function travelsWithChecksums({ checksums, endpoint }: S3Storage): boolean {
  return (checksums ?? (endpoint === undefined ? "when_supported" : "when_required")) === "when_supported";
}

/** What of the configuration the library has to know. */
export function clientOptions(storage: S3Storage): Sdk.S3ClientConfig {
  const { region, endpoint, access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token } = storage;
  const isElsewhere = endpoint !== undefined;
  const when = travelsWithChecksums(storage) ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  const token = session_token === undefined ? {} : { sessionToken: session_token };
  return {
    region,
    forcePathStyle: storage.path_style ?? isElsewhere,
    requestChecksumCalculation: when,
    responseChecksumValidation: when,
    maxAttempts: attempts,
    ...(isElsewhere ? { endpoint } : {}),
    ...(hasKeys ? { credentials: { accessKeyId, secretAccessKey, ...token } } : {}),
  };
}
