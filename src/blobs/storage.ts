/** The stores that can be configured, as this room needs to know them; settings/storage.ts says the same to people. */

export interface FilesStorage {
  readonly type: "files";
}

interface BucketStorage {
  /** Names the store in references, for as long as anything lies in it; the bucket's name where it is not given. */
  readonly id?: string | undefined;
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly sealed: boolean;
}

export interface S3Storage extends BucketStorage {
  readonly type: "s3";
  readonly region: string;
  readonly path_style?: boolean | undefined;
  readonly access_key_id?: string | undefined;
  readonly secret_access_key?: string | undefined;
  readonly session_token?: string | undefined;
  readonly sse: "none" | "AES256" | "aws:kms";
  readonly kms_key_id?: string | undefined;
  readonly checksums?: "when_required" | "when_supported" | undefined;
}

export interface GcsStorage extends BucketStorage {
  readonly type: "gcs";
  readonly project_id?: string | undefined;
  readonly key_file?: string | undefined;
  readonly credentials?: string | undefined;
}

export type Storage = FilesStorage | S3Storage | GcsStorage;
export type RemoteStorage = Exclude<Storage, FilesStorage>;

/** `s3:mail`; undefined for local files. */
export function storeIdOf(storage: Storage): string | undefined {
  return storage.type === "files" ? undefined : `${storage.type}:${storage.id ?? storage.bucket}`;
}

/** Two entries with one id have to agree in all of this. */
export function connectionOf(storage: RemoteStorage): string {
  const { prefix: _prefix, sealed: _sealed, id: _id, ...connection } = storage;
  return JSON.stringify(Object.entries(connection).sort(([a], [b]) => (a < b ? -1 : 1)));
}
