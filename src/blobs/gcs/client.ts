/** Google's library, loaded when the first bucket is used, and set so that no call hangs. */
import type * as Sdk from "@google-cloud/storage";
import { Refused } from "../../model/outcome.ts";
import type { GcsStorage } from "../storage.ts";
import { isNotInstalled, property } from "../words.ts";

export interface Gcs {
  /** Whose question and answer are small. */
  readonly calls: Sdk.Bucket;
  /** For bytes: the library's time limit is one on the whole of a transfer, so here we look ourselves whether anything moves. */
  readonly moves: Sdk.Bucket;
}

const callMs = 9_000;
const retries = 2;

export async function loadGcs(storage: GcsStorage): Promise<Gcs> {
  const sdk = await import("@google-cloud/storage").catch((error: unknown) => {
    throw notInstalled(error);
  });
  const { bucket, endpoint, project_id: projectId, key_file: keyFilename, credentials } = storage;
  const common: Sdk.StorageOptions = {
    // A token must not travel in the open: without TLS there are stand-ins on this machine, which want none.
    ...(endpoint === undefined
      ? {}
      : { apiEndpoint: endpoint, useAuthWithCustomEndpoint: endpoint.startsWith("https:") }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(keyFilename === undefined ? {} : { keyFilename }),
    ...(credentials === undefined ? {} : { credentials: accountOf(credentials) }),
    retryOptions: {
      autoRetry: true,
      maxRetries: retries,
      maxRetryDelay: 2,
      totalTimeout: 28,
      // What is put has the name of its content, and what is deleted may be deleted twice.
      idempotencyStrategy: sdk.IdempotencyStrategy.RetryAlways,
    },
  };
  const open = (timeout: number) => new sdk.Storage({ ...common, timeout }).bucket(bucket);
  return { calls: open(callMs), moves: open(0) };
}

function notInstalled(error: unknown): unknown {
  if (!isNotInstalled(error)) return error;
  const reason =
    "storage of type gcs needs a library that is not installed; run: npm install --save-prod @google-cloud/storage";
  return new Refused({ kind: "blocked", reason }, { cause: error });
}

function accountOf(text: string): { client_email: string; private_key: string } {
  const account = jsonOf(text);
  const email = property(account, "client_email");
  const key = property(account, "private_key");
  if (typeof email === "string" && typeof key === "string") return { client_email: email, private_key: key };
  const reason =
    "the credentials of a storage of type gcs are not the JSON of a service account's key: mend `credentials`";
  throw new Refused({ kind: "blocked", reason });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
