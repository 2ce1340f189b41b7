/** What an answer of Google's storage means: that there is nothing, that it is worth another try, or that somebody has to mend something. */
import { Refused } from "../../model/outcome.ts";
import { networkCode, property, words } from "../words.ts";

export function codeOf(error: unknown): number | undefined {
  const code = Number(property(error, "code") ?? property(error, "status"));
  return Number.isInteger(code) ? code : undefined;
}

const isNoBucket = (error: unknown): boolean => /bucket does not exist/i.test(String(property(error, "message")));

export function isNoSuchObject(error: unknown): boolean {
  return codeOf(error) === 404 && !isNoBucket(error);
}

export function refusedOf(error: unknown, where: string): Error {
  if (error instanceof Refused) return error;
  const code = codeOf(error);
  const said = words(property(error, "message") ?? error);
  const cause = { cause: error };
  const connection = networkCode(error);
  const remedy = remedyOf(error, code, said);
  if (connection === undefined && remedy !== undefined)
    return new Refused(
      { kind: "blocked", reason: `${where} refuses (${code ?? "no answer"}: ${said}): ${remedy}` },
      cause,
    );
  // Everything that is done there can be done twice, so what nobody foresaw may be tried again.
  return new Refused(
    { kind: "retryable", reason: `${where} gave no good answer (${connection ?? code ?? "none"}: ${said})` },
    cause,
  );
}

function remedyOf(error: unknown, code: number | undefined, said: string): string | undefined {
  if (isNoBucket(error)) return "make the bucket, or mend `bucket`";
  if (code === 401 || /invalid_grant|Invalid Credentials|Could not load the default credentials/i.test(said))
    return "mend `key_file` or `credentials`, or give credentials where Google's library looks for them";
  if (property(error, "code") === "ENOENT") return "mend `key_file`: there is no such file";
  if (code === 403) return "let this account create, get, list and delete objects of the bucket";
  return undefined;
}
