/** What went wrong on an IMAP connection, named by what it means: for the account, for the connection, or for one command. */

export type TroubleKind =
  /** The login was refused: trying again soon locks accounts out. */
  | "auth"
  /** The server says that there are too many connections, or to come back later. */
  | "limit"
  /** The connection is gone, or cannot be trusted any more. */
  | "connection"
  /** This command was refused; the connection lives. */
  | "refused"
  /** An answer that cannot be worked with; the connection lives. */
  | "protocol";

export class ImapTrouble extends Error {
  override readonly name = "ImapTrouble";
  readonly kind: TroubleKind;
  constructor(kind: TroubleKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The numbers that were counted mean other messages now, or none: whoever counted has to count anew. */
export class OtherNumbers extends ImapTrouble {
  constructor(folder: string) {
    super("protocol", `the messages of ${folder} have other numbers at the server now: the same command goes on`);
  }
}

/** The server said no to one thing; the connection lives, and other things may well go. */
export const isRefusal = (error: unknown): error is ImapTrouble =>
  error instanceof ImapTrouble && (error.kind === "refused" || error.kind === "protocol");

/** RFC 5530 §3: what a refused login may mean beside a wrong password. */
const passing = new Set(["UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "CONTACTADMIN"]);
/** Said in the words of Gmail, Dovecot, Courier and Exchange, which send no code. */
const tooMany =
  /too many|simultaneous|maximum number of connections|connection limit|rate limit|throttl|try again later/i;

interface FlowError {
  readonly code?: unknown;
  readonly authenticationFailed?: unknown;
  readonly serverResponseCode?: unknown;
  readonly responseStatus?: unknown;
  readonly responseText?: unknown;
  readonly oauthError?: unknown;
}

/** A server's words may hold addresses and anything else: they are cut, and never go into a log above debug. */
export function troubleOf(error: unknown, what: string): ImapTrouble {
  if (error instanceof ImapTrouble) return error;
  const { code, authenticationFailed, serverResponseCode, responseStatus, responseText } = (error ?? {}) as FlowError;
  const words = wordsOf(responseText);
  const says = words === "" ? "" : `: ${words}`;
  const named = typeof serverResponseCode === "string" ? serverResponseCode.toUpperCase() : "";
  if (authenticationFailed === true) {
    const isPassing = passing.has(named) || (named === "" && tooMany.test(words));
    return new ImapTrouble(isPassing ? "limit" : "auth", `the login was refused${says}`, { cause: error });
  }
  if (responseStatus === "NO" || responseStatus === "BAD") {
    const kind = named === "LIMIT" || tooMany.test(words) ? "limit" : "refused";
    return new ImapTrouble(kind, `the server refused ${what}${says}`, { cause: error });
  }
  if (code === "ETHROTTLE") return new ImapTrouble("limit", `the server asks for patience${says}`, { cause: error });
  const how = typeof code === "string" ? code : error instanceof Error ? error.message : String(error);
  return new ImapTrouble("connection", `the connection broke at ${what}: ${wordsOf(how)}`, { cause: error });
}

const longest = 300;

function wordsOf(text: unknown): string {
  if (typeof text !== "string") return "";
  return text
    .slice(0, longest)
    .replace(/[\p{Cc}\p{Cf}]/gu, " ")
    .trim();
}
