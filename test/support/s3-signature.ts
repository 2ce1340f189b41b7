/** Checks AWS Signature Version 4, in headers and in the query, from Amazon's description of it; shares nothing with the library that signs. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export interface SignedRequest {
  readonly method: string;
  /** As it came: path and query, still encoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** The name that S3 gives to what is wrong; undefined when the signature is right. `now` in epoch ms. */
export function signatureError(request: SignedRequest, account: Account, now: number): string | undefined {
  const { query } = partsOf(request.url);
  if (query.has("X-Amz-Signature")) return presignedError(request, query, account, now);
  const header = request.headers.authorization;
  if (header === undefined) return "AccessDenied";
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(header);
  if (match === null) return "AuthorizationHeaderMalformed";
  const [, credential = "", signedHeaders = "", signature = ""] = match;
  const date = String(request.headers["x-amz-date"]);
  if (Math.abs(timeOf(date) - now) > 15 * 60_000) return "RequestTimeTooSkewed";
  // What is not signed can be changed on the way.
  for (const needed of ["host", "x-amz-date", "x-amz-content-sha256"])
    if (!signedHeaders.split(";").includes(needed)) return "AccessDenied";
  for (const name of Object.keys(request.headers))
    if (name.startsWith("x-amz-") && !signedHeaders.split(";").includes(name)) return "AccessDenied";
  const payload = String(request.headers["x-amz-content-sha256"]);
  return compare({ request, credential, signedHeaders, signature, date, payload, omit: undefined }, account);
}

function presignedError(
  request: SignedRequest,
  query: ReadonlyMap<string, string>,
  account: Account,
  now: number,
): string | undefined {
  const get = (name: string) => query.get(name) ?? "";
  if (get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256") return "AuthorizationQueryParametersError";
  const date = get("X-Amz-Date");
  const seconds = Number(get("X-Amz-Expires"));
  if (!(seconds > 0 && seconds <= 604_800)) return "AuthorizationQueryParametersError";
  if (now > timeOf(date) + seconds * 1_000) return "AccessDenied";
  return compare(
    {
      request,
      credential: get("X-Amz-Credential"),
      signedHeaders: get("X-Amz-SignedHeaders"),
      signature: get("X-Amz-Signature"),
      date,
      payload: "UNSIGNED-PAYLOAD",
      omit: "X-Amz-Signature",
    },
    account,
  );
}

interface Claim {
  readonly request: SignedRequest;
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly date: string;
  readonly payload: string;
  readonly omit: string | undefined;
}

function compare(claim: Claim, { accessKeyId, secretAccessKey, region }: Account): string | undefined {
  const [id, day = "", claimedRegion = "", service = "", end] = claim.credential.split("/");
  if (id !== accessKeyId) return "InvalidAccessKeyId";
  if (claimedRegion !== region) return "AuthorizationHeaderMalformed";
  if (service !== "s3" || end !== "aws4_request" || !claim.date.startsWith(day)) return "AuthorizationHeaderMalformed";
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", claim.date, scope, sha256(canonicalRequest(claim))].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (last, part) => createHmac("sha256", last).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const expected = createHmac("sha256", key).update(toSign).digest();
  const given = Buffer.from(claim.signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected) ? undefined : "SignatureDoesNotMatch";
}

function canonicalRequest({ request, signedHeaders, payload, omit }: Claim): string {
  const { path, query } = partsOf(request.url);
  const pairs = [...query]
    .filter(([name]) => name !== omit)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const headers = signedHeaders.split(";").map((name) => `${name}:${headerOf(request.headers, name)}\n`);
  return [request.method, path, pairs.sort().join("&"), headers.join(""), signedHeaders, payload].join("\n");
}

const headerOf = (headers: IncomingHttpHeaders, name: string): string =>
  String(headers[name] ?? "")
    .trim()
    .replace(/ +/g, " ");

export const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The path stays as it was sent: S3 does not normalise it. */
export function partsOf(url: string): { path: string; query: ReadonlyMap<string, string> } {
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  const pairs = at < 0 ? [] : url.slice(at + 1).split("&");
  const query = pairs.map((pair): [string, string] => {
    const equals = pair.indexOf("=");
    return equals < 0
      ? [decodeURIComponent(pair), ""]
      : [decodeURIComponent(pair.slice(0, equals)), decodeURIComponent(pair.slice(equals + 1))];
  });
  return { path, query: new Map(query) };
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** `20261129T001500Z` in epoch ms. */
function timeOf(date: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (match === null) return Number.NaN;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
