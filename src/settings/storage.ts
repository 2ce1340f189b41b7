/** The `storage` block: where raw mails and the files of mails are kept once they have left the ledger. */
import { z } from "zod";
import type { Path } from "./problems.ts";

const storeId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/, {
  error: "letters, digits, dots, hyphens and underscores, beginning with a letter or digit",
});
const bucketName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,221}$/, {
  error: "the name of a bucket (acme-mail)",
});
const keyPrefix = z.string().regex(/^(?:[A-Za-z0-9_][A-Za-z0-9._=-]{0,99}\/){0,3}$/, {
  error: "nothing, or up to three folders of letters, digits and ._=-, each with a slash at its end (mailwright/)",
});
const endpoint = z.url({ protocol: /^https?$/, error: "a URL (https://minio.example.com:9000)" });
const secret = z.string().min(1).meta({ secret: true });

const id = storeId
  .optional()
  .describe(
    "Name of this store, by which the ledger finds again what lies in it. Without it, the bucket's name; give one where two stores have buckets of one name. Changing it makes what is there unreachable.",
  );
const prefix = keyPrefix
  .default("")
  .describe(
    "What the names of our objects in the bucket begin with, a slash at its end: `mailwright/`. Needed where the bucket is not Mailwright's alone.",
  );
const sealed = z
  .boolean()
  .default(true)
  .describe(
    "Seal files before they leave this machine, so that the bucket's owner cannot read them. false: they are put as they are, for a bucket that encrypts by itself; then links can lead to the bucket directly. Raw mails are always sealed.",
  );

const files = z.strictObject({
  type: z.literal("files").describe("Where: in data_dir/blobs, sealed."),
});

const s3 = z.strictObject({
  type: z
    .literal("s3")
    .describe(
      "Where: in a bucket that speaks S3 (AWS, MinIO, R2, Ceph, Swift). Needs `npm install --save-prod @aws-sdk/client-s3 @aws-sdk/s3-request-presigner`.",
    ),
  id,
  bucket: bucketName.describe("The bucket. Mailwright does not make it."),
  prefix,
  region: z.string().min(1).default("us-east-1").describe("Region of the bucket; what others than AWS call it, too."),
  endpoint: endpoint.optional().describe("Address of the service, where it is not AWS."),
  path_style: z
    .boolean()
    .optional()
    .describe(
      "Name the bucket in the path (https://host/bucket/key) and not in the host (https://bucket.host/key). Without it: true where there is an endpoint.",
    ),
  access_key_id: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Access key, together with secret_access_key. Without both, what AWS's library finds: the environment, ~/.aws, the machine's role.",
    ),
  secret_access_key: secret.optional().describe("Secret of the access key, best as ${env:...} or ${file:...}."),
  session_token: secret.optional().describe("Session token of temporary credentials."),
  sse: z
    .enum(["none", "AES256", "aws:kms"])
    .default("none")
    .describe(
      "Encryption that the bucket is asked for with every object, beside our own seal. none: what it does by itself.",
    ),
  kms_key_id: z.string().min(1).optional().describe("Key for `sse: aws:kms`; without it, the bucket's own."),
  checksums: z
    .enum(["when_required", "when_supported"])
    .optional()
    .describe(
      "Whether each object travels with a checksum. Some services refuse those of newer libraries. Without it: when_required where there is an endpoint, else when_supported.",
    ),
  sealed,
});

const gcs = z.strictObject({
  type: z
    .literal("gcs")
    .describe("Where: in a bucket of Google Cloud Storage. Needs `npm install --save-prod @google-cloud/storage`."),
  id,
  bucket: bucketName.describe("The bucket. Mailwright does not make it."),
  prefix,
  endpoint: endpoint.optional().describe("Address of the service, where it is not Google's own."),
  project_id: z.string().min(1).optional().describe("Project of the bucket; without it, that of the credentials."),
  key_file: z
    .string()
    .min(1)
    .meta({ path: true })
    .optional()
    .describe("File with the key of a service account, as JSON. Without it, what Google's library finds by itself."),
  credentials: secret.optional().describe("The key of a service account itself, as JSON, in place of key_file."),
  sealed,
});

export const storage = z.discriminatedUnion("type", [files, s3, gcs]);
export type StorageEntry = z.output<typeof storage>;

interface Storing {
  readonly storage: StorageEntry;
  readonly former_storage: readonly StorageEntry[];
  readonly tenants: readonly { readonly storage?: StorageEntry | undefined }[];
}

interface Clash {
  readonly path: Path;
  readonly found: string;
  readonly expected: string;
}

/** What no single key of a storage block shows. */
export function storageClashes({ storage: first, former_storage, tenants }: Storing): readonly Clash[] {
  const entries: { readonly path: Path; readonly entry: StorageEntry }[] = [
    { path: ["storage"], entry: first },
    ...tenants.flatMap(({ storage: entry }, index) =>
      entry === undefined ? [] : [{ path: ["tenants", index, "storage"], entry }],
    ),
    ...former_storage.map((entry, index) => ({ path: ["former_storage", index], entry })),
  ];
  return [...entries.flatMap(({ path, entry }) => incomplete(path, entry)), ...mixedUp(entries)];
}

function incomplete(path: Path, entry: StorageEntry): readonly Clash[] {
  switch (entry.type) {
    case "files":
      return [];
    case "gcs":
      return entry.key_file !== undefined && entry.credentials !== undefined
        ? [{ path, found: "both key_file and credentials", expected: "one of the two" }]
        : [];
    case "s3": {
      const hasHalf = (entry.access_key_id === undefined) !== (entry.secret_access_key === undefined);
      const expected = "access_key_id and secret_access_key together, or neither";
      return [
        ...(hasHalf ? [{ path, found: "half of the credentials", expected }] : []),
        ...(entry.kms_key_id !== undefined && entry.sse !== "aws:kms"
          ? [{ path: [...path, "kms_key_id"], found: `kms_key_id with sse: ${entry.sse}`, expected: "sse: aws:kms" }]
          : []),
      ];
    }
    default:
      return entry satisfies never;
  }
}

/** One id is one bucket, reached in one way: else nobody could say where a reference leads. */
function mixedUp(entries: readonly { readonly path: Path; readonly entry: StorageEntry }[]): readonly Clash[] {
  const known = new Map<string, string>();
  return entries.flatMap(({ path, entry }) => {
    if (entry.type === "files") return [];
    const { prefix: _prefix, sealed: _sealed, id: given, ...connection } = entry;
    const name = `${entry.type}:${given ?? entry.bucket}`;
    const text = JSON.stringify(Object.entries(connection).sort(([a], [b]) => (a < b ? -1 : 1)));
    const before = known.get(name);
    known.set(name, before ?? text);
    if (before === undefined || before === text) return [];
    return [{ path, found: `the store ${name} a second time, reached in another way`, expected: "an `id` of its own" }];
  });
}
