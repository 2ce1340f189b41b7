/** What an answer of S3 means: that there is nothing, that it is worth another try, or that somebody has to mend something. */
import { Refused } from "../../model/outcome.ts";
import { LifecycleUnsupported } from "../lifecycle.ts";
import { networkCode, property, words } from "../words.ts";

function nameOf(error: unknown): string {
  return String(property(error, "name") ?? property(error, "Code") ?? "");
}

export function statusOf(error: unknown): number | undefined {
  const status = property(property(error, "$metadata"), "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

export function isCalled(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(nameOf(error));
}

/** The bucket is there and the object is not. A HEAD has no body that could say what is missing, so for it a 404 is taken for that. */
export function isNoSuchKey(error: unknown): boolean {
  return isCalled(error, "NoSuchKey", "NotFound") || (statusOf(error) === 404 && !isCalled(error, "NoSuchBucket"));
}

/** What to look at, by the name that S3 and its like give to the error. */
const remedies = new Map<string, string>([
  ["NoSuchBucket", "make the bucket, or mend `bucket`"],
  ["InvalidBucketName", "mend `bucket`"],
  ["PermanentRedirect", "mend `region` or `endpoint`"],
  ["AuthorizationHeaderMalformed", "mend `region`"],
  ["IllegalLocationConstraintException", "mend `region`"],
  ["InvalidAccessKeyId", "mend `access_key_id`"],
  ["SignatureDoesNotMatch", "mend `secret_access_key`"],
  ["InvalidToken", "mend `session_token`"],
  ["ExpiredToken", "give credentials that are not over"],
  ["RequestTimeTooSkewed", "set the clock of this machine"],
  [
    "CredentialsProviderError",
    "give `access_key_id` and `secret_access_key`, or credentials where AWS's library looks for them",
  ],
  ["AccessDenied", "let these credentials put, get, list and delete objects of the bucket"],
  ["AccountProblem", "look at the account"],
  ["NotImplemented", "this service does not know what was asked for: look at `sse` and `checksums`"],
  ["InvalidRequest", "look at `sse`, `kms_key_id` and `checksums`"],
]);

const passing = new Set([
  "TimeoutError",
  "AbortError",
  "RequestTimeout",
  "SlowDown",
  "ServiceUnavailable",
  "InternalError",
  "ThrottlingException",
  "OperationAborted",
]);

/** `where`: `the bucket acme-mail (s3:acme-mail)`. An error that is ours already stays as it is. */
export function refusedOf(error: unknown, where: string): Error {
  if (error instanceof Refused || error instanceof LifecycleUnsupported) return error;
  const name = nameOf(error);
  const status = statusOf(error);
  const connection = networkCode(error);
  const said = words(property(error, "message") ?? error);
  const cause = { cause: error };
  if (
    connection !== undefined ||
    passing.has(name) ||
    (status !== undefined && ((status >= 500 && status !== 501) || status === 429))
  ) {
    return new Refused(
      { kind: "retryable", reason: `${where} gave no good answer (${connection ?? words(name)}: ${said})` },
      cause,
    );
  }
  const remedy = remedies.get(name) ?? (status === 401 || status === 403 ? remedies.get("AccessDenied") : undefined);
  if (remedy !== undefined || name.startsWith("KMS") || status === 501) {
    const what = remedy ?? "look at `sse` and `kms_key_id`";
    return new Refused({ kind: "blocked", reason: `${where} refuses (${words(name)}: ${said}): ${what}` }, cause);
  }
  // Everything that is done there can be done twice, so what nobody foresaw may be tried again.
  return new Refused({ kind: "retryable", reason: `${where} failed (${words(name)}: ${said})` }, cause);
}
