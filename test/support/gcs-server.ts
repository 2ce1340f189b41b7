/**
 * A small Google Cloud Storage on loopback, for tests: the JSON calls that the client makes, and downloads by V4 signed links, which it checks by
 * Google's description of them with the public half of a service account's key.
 */
import { createHash, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { partsOf } from "./s3-signature.ts";

interface Stored {
  readonly bytes: Buffer;
  readonly at: number;
}

interface Session {
  readonly name: string;
  bytes: Buffer;
}

export interface GcsServer {
  readonly url: string;
  readonly bucket: string;
  /** As a service account's key file has it. */
  readonly credentials: string;
  readonly objects: Map<string, Stored>;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly seen: string[];
  metadata: Record<string, unknown>;
  now: () => number;
  pageSize: number;
  /** `[status, message]` is answered in place of the work. */
  trouble: (line: string) => readonly [number, string] | undefined;
  stop(): Promise<void>;
}

export const serviceEmail = "mailwright@acme.iam.gserviceaccount.test";

export async function startGcs(): Promise<GcsServer> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const sessions = new Map<string, Session>();
  const server = createServer();
  const gcs: GcsServer = {
    url: "",
    bucket: "acme-mail",
    credentials: "",
    objects: new Map(),
    sessions,
    seen: [],
    metadata: {},
    now: () => Date.now(),
    pageSize: 1_000,
    trouble: () => undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", (request, response) => {
    void serve(gcs, sessions, publicKey, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = JSON.stringify({
    type: "service_account",
    client_email: serviceEmail,
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
  });
  return Object.assign(gcs, { url, credentials });
}

class Fault extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function serve(
  gcs: GcsServer,
  sessions: Map<string, Session>,
  key: KeyObject,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const line = `${request.method} ${request.url}`;
  gcs.seen.push(line);
  try {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const body = Buffer.concat(parts);
    const trouble = gcs.trouble(line);
    if (trouble !== undefined) throw new Fault(...trouble);
    const { path, query } = partsOf(request.url ?? "");
    if (query.has("X-Goog-Signature")) return signedDownload(gcs, key, request, response);
    // Tokens are asked of Google's own servers, which no test may do: so only links are checked here.
    if (!/^\/(upload\/)?storage\/v1\//.test(path)) throw new Fault(403, "AccessDenied");
    if (path.startsWith("/upload/")) return upload(gcs, sessions, { request, body, query, path }, response);
    json(gcs, { request, body, query, path }, response);
  } catch (error) {
    if (response.destroyed || response.headersSent) return;
    const { status, message } = error instanceof Fault ? error : new Fault(500, String(error));
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: status, message, errors: [{ message }] } }));
  }
}

interface Asked {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly query: ReadonlyMap<string, string>;
  readonly path: string;
}

const crcTable = Uint32Array.from({ length: 256 }, (_none, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  return sum;
});
const sums = new WeakMap<Buffer, string>();

function crc32c(bytes: Buffer): string {
  const known = sums.get(bytes);
  if (known !== undefined) return known;
  let sum = ~0;
  for (const byte of bytes) sum = (sum >>> 8) ^ (crcTable[(sum ^ byte) & 0xff] ?? 0);
  const result = Buffer.alloc(4);
  result.writeInt32BE(~sum);
  sums.set(bytes, result.toString("base64"));
  return result.toString("base64");
}

function store(gcs: GcsServer, name: string, bytes: Buffer): Record<string, unknown> {
  gcs.objects.set(name, { bytes, at: gcs.now() });
  return shown(gcs, name);
}

function shown(gcs: GcsServer, name: string): Record<string, unknown> {
  const { bytes, at } = found(gcs, name);
  const timeCreated = new Date(at).toISOString();
  return {
    name,
    bucket: gcs.bucket,
    size: String(bytes.length),
    timeCreated,
    updated: timeCreated,
    crc32c: crc32c(bytes),
  };
}

function found(gcs: GcsServer, name: string): Stored {
  const stored = gcs.objects.get(name);
  if (stored === undefined) throw new Fault(404, `No such object: ${gcs.bucket}/${name}`);
  return stored;
}

function reply(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function upload(
  gcs: GcsServer,
  sessions: Map<string, Session>,
  { request, body, query, path }: Asked,
  response: ServerResponse,
): void {
  checkBucket(gcs, path.split("/")[5]);
  const type = query.get("uploadType");
  if (type === "multipart") {
    const boundary = /boundary="?([^";]+)/.exec(request.headers["content-type"] ?? "")?.[1] ?? "";
    const text = body.toString("latin1");
    const from = text.indexOf("\r\n\r\n", text.indexOf(`--${boundary}`, 2)) + 4;
    const to = text.lastIndexOf(`\r\n--${boundary}--`);
    reply(response, store(gcs, query.get("name") ?? "", Buffer.from(text.slice(from, to), "latin1")));
    return;
  }
  const id = query.get("upload_id");
  if (id === undefined) {
    const made = `session-${sessions.size + 1}`;
    sessions.set(made, { name: query.get("name") ?? "", bytes: Buffer.alloc(0) });
    response.writeHead(200, { location: `${gcs.url}${path}?uploadType=resumable&upload_id=${made}` }).end();
    return;
  }
  const session = sessions.get(id);
  if (session === undefined) throw new Fault(404, "no such session");
  const range = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(request.headers["content-range"] ?? "");
  if (range === null) throw new Fault(400, "Content-Range is missing");
  const [, first, , total = "*"] = range;
  if (first !== undefined && Number(first) !== session.bytes.length)
    throw new Fault(400, "not where the last chunk ended");
  session.bytes = Buffer.concat([session.bytes, body]);
  if (total !== "*" && session.bytes.length === Number(total)) {
    sessions.delete(id);
    reply(response, store(gcs, session.name, session.bytes));
    return;
  }
  const held = session.bytes.length;
  response.writeHead(308, held === 0 ? {} : { range: `bytes=0-${held - 1}` }).end();
}

function checkBucket(gcs: GcsServer, name: string | undefined): void {
  if (name !== gcs.bucket) throw new Fault(404, "The specified bucket does not exist.");
}

function json(gcs: GcsServer, { request, body, query, path }: Asked, response: ServerResponse): unknown {
  const [, , , , bucket, o, encoded] = path.split("/");
  checkBucket(gcs, bucket);
  if (o === undefined) {
    if (request.method === "PATCH") gcs.metadata = { ...gcs.metadata, ...(JSON.parse(String(body)) as object) };
    return reply(response, { name: gcs.bucket, ...gcs.metadata });
  }
  if (encoded === undefined) return list(gcs, query, response);
  const name = decodeURIComponent(encoded);
  if (request.method === "DELETE") {
    found(gcs, name);
    gcs.objects.delete(name);
    return response.writeHead(204).end();
  }
  if (query.get("alt") !== "media") return reply(response, shown(gcs, name));
  return media(found(gcs, name), request.headers.range, response, {});
}

function list(gcs: GcsServer, query: ReadonlyMap<string, string>, response: ServerResponse): void {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("pageToken") ?? "";
  const names = [...gcs.objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  const page = names.slice(0, gcs.pageSize);
  const next = names.length > page.length ? { nextPageToken: page.at(-1) } : {};
  reply(response, { items: page.map((name) => shown(gcs, name)), ...next });
}

function media(
  { bytes }: Stored,
  range: string | undefined,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): void {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  const start = Number(from ?? 0);
  if (from !== undefined && start >= bytes.length) throw new Fault(416, "The requested range cannot be satisfied.");
  const part = from === undefined ? bytes : bytes.subarray(start, Number(to) + 1);
  response.writeHead(from === undefined ? 200 : 206, {
    "content-length": part.length,
    "x-goog-stored-content-encoding": "identity",
    "x-goog-hash": `crc32c=${crc32c(bytes)}`,
    ...(from === undefined ? {} : { "content-range": `bytes ${start}-${start + part.length - 1}/${bytes.length}` }),
    ...headers,
  });
  response.end(part);
}

function signedDownload(gcs: GcsServer, key: KeyObject, request: IncomingMessage, response: ServerResponse): void {
  // On an endpoint that is not Google's the library signs the host without its port.
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const wrong = v4Error(request.method ?? "", request.url ?? "", host, key, gcs.now());
  if (wrong !== undefined) throw new Fault(wrong === "ExpiredToken" ? 400 : 403, wrong);
  const { path, query } = partsOf(request.url ?? "");
  const [, bucket, ...rest] = path.split("/").map(decodeURIComponent);
  checkBucket(gcs, bucket);
  const headers = ["content-disposition", "content-type"].flatMap((name) => {
    const value = query.get(`response-${name}`);
    return value === undefined ? [] : [[name, value]];
  });
  media(found(gcs, rest.join("/")), request.headers.range, response, Object.fromEntries(headers));
}

/** What is wrong with a V4 signed link; undefined when it is right. Written from Google's description; the library that signs has no part in it. */
export function v4Error(method: string, url: string, host: string, key: KeyObject, now: number): string | undefined {
  const { path, query } = partsOf(url);
  const get = (name: string): string => query.get(name) ?? "";
  if (get("X-Goog-Algorithm") !== "GOOG4-RSA-SHA256") return "InvalidArgument";
  const date = get("X-Goog-Date");
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  const seconds = Number(get("X-Goog-Expires"));
  if (!(seconds > 0 && seconds <= 604_800)) return "InvalidArgument";
  if (!(now <= signedAt + seconds * 1_000)) return "ExpiredToken";
  const scope = `${date.slice(0, 8)}/auto/storage/goog4_request`;
  if (get("X-Goog-Credential") !== `${serviceEmail}/${scope}`) return "SignatureDoesNotMatch";
  if (get("X-Goog-SignedHeaders") !== "host") return "SignatureDoesNotMatch";
  const pairs = [...query].filter(([name]) => name !== "X-Goog-Signature");
  const canonicalQuery = pairs
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");
  const canonical = [method, path, canonicalQuery, `host:${host}\n`, "host", "UNSIGNED-PAYLOAD"].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["GOOG4-RSA-SHA256", date, scope, digest].join("\n");
  const isRight = verify("RSA-SHA256", Buffer.from(toSign), key, Buffer.from(get("X-Goog-Signature"), "hex"));
  return isRight ? undefined : "SignatureDoesNotMatch";
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
