/**
 * A small S3 on loopback that checks every signature, digest and part, for tests. What it answers is documented by Amazon; where services differ
 * (Swift, R2), the tests say so with `refuse`.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";
import type { S3Storage } from "../../src/blobs/storage.ts";
import { type Account, partsOf, sha256, signatureError } from "./s3-signature.ts";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

interface Stored {
  readonly bytes: Buffer;
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Upload {
  readonly key: string;
  readonly at: number;
  readonly parts: Map<number, { bytes: Buffer; etag: string }>;
  /** The checksum that it was begun with. */
  readonly sums: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** `[status, code]` answers so; `drop` closes the socket; `hang` never answers; `half` sends half of the body and closes. */
export type Trouble = readonly [number, string] | "drop" | "hang" | "half";

export interface S3Server {
  readonly url: string;
  readonly account: Account;
  readonly bucket: string;
  readonly objects: Map<string, Stored>;
  readonly uploads: ReadonlyMap<string, Upload>;
  readonly seen: Seen[];
  lifecycle: string | undefined;
  versioning: boolean;
  now: () => number;
  /** Asked before each request is worked. */
  trouble: (seen: Seen) => Trouble | undefined;
  /** Keeps digests in place of bytes: for what would not fit in memory. */
  forget: boolean;
  pageSize: number;
  stop(): Promise<void>;
}

class Fault extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const statusOf: Readonly<Record<string, number>> = {
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
};
const minPart = 5 * 1024 * 1024;

export async function startS3(given: Partial<Account> = {}): Promise<S3Server> {
  const account = { accessKeyId: "AKIATEST", secretAccessKey: "a secret of the test", region: "us-east-1", ...given };
  const uploads = new Map<string, Upload>();
  const server = createServer();
  const s3: S3Server = {
    url: "",
    account,
    bucket: "acme-mail",
    objects: new Map(),
    uploads,
    seen: [],
    lifecycle: undefined,
    versioning: false,
    now: () => Date.now(),
    trouble: () => undefined,
    forget: false,
    pageSize: 1_000,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", (request, response) => {
    void serve(s3, uploads, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(s3, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function serve(s3: S3Server, uploads: Map<string, Upload>, request: IncomingMessage, response: ServerResponse) {
  const seen = { method: request.method ?? "", url: request.url ?? "", headers: request.headers };
  s3.seen.push(seen);
  const trouble = s3.trouble(seen);
  try {
    if (trouble === "hang") return;
    if (trouble === "drop") {
      request.destroy();
      return;
    }
    const wrong = signatureError(seen, s3.account, s3.now());
    const body = await bodyOf(request);
    if (wrong !== undefined) throw new Fault(statusOf[wrong] ?? 403, wrong);
    if (Array.isArray(trouble)) throw new Fault(Number(trouble[0]), String(trouble[1]));
    checkDigests(request, body);
    answer(s3, uploads, seen, body, response, trouble === "half");
  } catch (error) {
    if (response.destroyed || response.headersSent) return;
    const fault = error instanceof Fault ? error : new Fault(500, "InternalError");
    const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${fault.code}</Code><Message>said the test</Message></Error>`;
    response.writeHead(fault.status, { "content-type": "application/xml" });
    response.end(request.method === "HEAD" ? undefined : text);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

function checkDigests(request: IncomingMessage, body: Buffer): void {
  const { "content-length": length, "x-amz-content-sha256": digest, "x-amz-checksum-crc32": sum } = request.headers;
  if (length !== undefined && Number(length) !== body.length) throw new Fault(400, "IncompleteBody");
  if (digest !== undefined && digest !== "UNSIGNED-PAYLOAD" && digest !== sha256(body))
    throw new Fault(400, "XAmzContentSHA256Mismatch");
  if (sum !== undefined && sum !== crcOf(body)) throw new Fault(400, "BadDigest");
}

function crcOf(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString("base64");
}

const etagOf = (bytes: Uint8Array): string => `"${createHash("md5").update(bytes).digest("hex")}"`;

function answer(
  s3: S3Server,
  uploads: Map<string, Upload>,
  { method, url, headers }: Seen,
  body: Buffer,
  response: ServerResponse,
  half: boolean,
): unknown {
  const { path, query } = partsOf(url);
  const [, bucket = "", ...rest] = path.split("/").map(decodeURIComponent);
  const key = rest.join("/");
  if (bucket !== s3.bucket) throw new Fault(404, "NoSuchBucket");
  const put = (bytes: Buffer, about: Readonly<Record<string, string>>) =>
    s3.objects.set(key, { bytes: s3.forget ? Buffer.from(sha256(bytes)) : bytes, at: s3.now(), headers: about });
  const kept = Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^(content-(type|disposition)|x-amz-server-side-.*)$/.test(name)),
  ) as Record<string, string>;
  const ok = (text = "", more: Readonly<Record<string, string>> = {}, status = 200) =>
    response.writeHead(status, { "content-type": "application/xml", ...more }).end(text);
  const upload = uploads.get(query.get("uploadId") ?? "");

  if (key === "") return ofBucket(s3, uploads, method, query, body, ok);
  if (query.has("uploadId") && upload?.key !== key) throw new Fault(404, "NoSuchUpload");
  switch (true) {
    case method === "POST" && query.has("uploads"): {
      const id = `upload-${uploads.size + 1}-${sha256(key).slice(0, 8)}`;
      const sums = headers["x-amz-checksum-algorithm"]?.toString();
      uploads.set(id, { key, at: s3.now(), parts: new Map(), sums, headers: kept });
      return ok(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    case method === "PUT" && upload !== undefined: {
      const etag = etagOf(body);
      upload.parts.set(Number(query.get("partNumber")), { bytes: s3.forget ? body.subarray(0, 0) : body, etag });
      const sum = headers["x-amz-checksum-crc32"];
      // "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32".
      if ((sum === undefined ? undefined : "CRC32") !== upload.sums) throw new Fault(400, "InvalidRequest");
      return ok("", { etag, ...(typeof sum === "string" ? { "x-amz-checksum-crc32": sum } : {}) });
    }
    case method === "POST" && upload !== undefined: {
      const named = [...String(body).matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = ""]) => ({
        number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
        etag: /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll("&quot;", '"'),
        sum: /<ChecksumCRC32>(.*?)</.exec(part)?.[1],
      }));
      const bytes = named.map(({ number, etag, sum }, index) => {
        const part = upload.parts.get(number);
        if (part === undefined || part.etag !== etag) throw new Fault(400, "InvalidPart");
        // "The upload was created using a crc32 checksum. The complete request must include the checksum for each part."
        if (upload.sums === "CRC32" && sum === undefined) throw new Fault(400, "InvalidRequest");
        if (!s3.forget && index < named.length - 1 && part.bytes.length < minPart)
          throw new Fault(400, "EntityTooSmall");
        return part.bytes;
      });
      if (bytes.length === 0) throw new Fault(400, "MalformedXML");
      put(Buffer.concat(bytes), upload.headers);
      uploads.delete(query.get("uploadId") ?? "");
      return ok("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
    }
    case method === "DELETE" && upload !== undefined:
      uploads.delete(query.get("uploadId") ?? "");
      return ok("", {}, 204);
    case method === "PUT":
      put(body, kept);
      return ok("", { etag: etagOf(body) });
    case method === "DELETE":
      s3.objects.delete(key);
      return ok("", {}, 204);
    case method === "GET" || method === "HEAD":
      return ofObject(s3.objects.get(key), method, headers.range, query, response, half);
    default:
      throw new Fault(405, "MethodNotAllowed");
  }
}

function ofObject(
  found: Stored | undefined,
  method: string,
  range: string | undefined,
  query: ReadonlyMap<string, string>,
  response: ServerResponse,
  half: boolean,
): unknown {
  if (found === undefined) throw new Fault(404, "NoSuchKey");
  const total = found.bytes.length;
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  const start = Number(from ?? 0);
  if (from !== undefined && start >= total) throw new Fault(416, "InvalidRange");
  const bytes = from === undefined ? found.bytes : found.bytes.subarray(start, Number(to) + 1);
  const overridden = ["content-disposition", "content-type"].flatMap((name) => {
    const value = query.get(`response-${name}`);
    return value === undefined ? [] : [[name, value]];
  });
  response.writeHead(from === undefined ? 200 : 206, {
    ...found.headers,
    ...Object.fromEntries(overridden),
    "content-length": bytes.length,
    "last-modified": new Date(found.at).toUTCString(),
    ...(from === undefined ? {} : { "content-range": `bytes ${start}-${start + bytes.length - 1}/${total}` }),
  });
  if (method === "HEAD") return response.end();
  if (!half) return response.end(bytes);
  return response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
}

type Ok = (text?: string, more?: Readonly<Record<string, string>>, status?: number) => unknown;

function ofBucket(
  s3: S3Server,
  uploads: ReadonlyMap<string, Upload>,
  method: string,
  query: ReadonlyMap<string, string>,
  body: Buffer,
  ok: Ok,
): unknown {
  if (query.has("lifecycle")) {
    if (method === "PUT") s3.lifecycle = String(body);
    else if (s3.lifecycle === undefined) throw new Fault(404, "NoSuchLifecycleConfiguration");
    return ok(method === "PUT" ? "" : s3.lifecycle);
  }
  if (query.has("versioning")) {
    return ok(`<VersioningConfiguration>${s3.versioning ? "<Status>Enabled</Status>" : ""}</VersioningConfiguration>`);
  }
  const prefix = query.get("prefix") ?? "";
  if (query.has("uploads")) {
    const found = [...uploads].filter(([, { key }]) => key.startsWith(prefix));
    const rows = found.map(
      ([id, { key, at }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(at).toISOString()}</Initiated></Upload>`,
    );
    return ok(
      `<ListMultipartUploadsResult>${rows.join("")}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`,
    );
  }
  if (query.get("list-type") !== "2") throw new Fault(400, "InvalidRequest");
  const after = query.get("continuation-token") ?? "";
  const keys = [...s3.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, s3.pageSize);
  const rows = page.map((key) => {
    const { bytes, at } = s3.objects.get(key) as Stored;
    return `<Contents><Key>${key}</Key><Size>${bytes.length}</Size><LastModified>${new Date(at).toISOString()}</LastModified></Contents>`;
  });
  const isMore = keys.length > page.length;
  const next = isMore ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
  return ok(`<ListBucketResult><IsTruncated>${isMore}</IsTruncated>${next}${rows.join("")}</ListBucketResult>`);
}

/** The settings of a store in its bucket. */
export const s3StorageOf = ({ bucket, url, account }: S3Server, changes: Partial<S3Storage> = {}): S3Storage => ({
  type: "s3",
  bucket,
  prefix: "",
  endpoint: url,
  region: account.region,
  access_key_id: account.accessKeyId,
  secret_access_key: account.secretAccessKey,
  sse: "none",
  sealed: true,
  ...changes,
});
