/** What a store's owner may say in our sentences: bounded and printable, since it comes from outside. */

const most = 200;

export function words(text: unknown): string {
  const printable = String(text)
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, " ")
    .trim();
  return printable.length > most ? `${printable.slice(0, most)}…` : printable;
}

/** A property of whatever was thrown. */
export function property(thrown: unknown, name: string): unknown {
  return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, name) : undefined;
}

/** What Node says when a package that was asked for by its name is not there. */
export function isNotInstalled(error: unknown): boolean {
  const code = property(error, "code");
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}

const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ERR_STREAM_PREMATURE_CLOSE",
  "UND_ERR_SOCKET",
]);

/** The code of a failed connection, wherever in the chain of causes it is. */
export function networkCode(error: unknown): string | undefined {
  for (
    let at = error, depth = 0;
    at !== undefined && at !== null && depth < 5;
    at = property(at, "cause"), depth += 1
  ) {
    const code = String(property(at, "code"));
    if (networkCodes.has(code)) return code;
  }
  return undefined;
}
