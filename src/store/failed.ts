/** How the store says that it could not do what it was asked: one error, with a sentence, a code, and whether the change may be on disk all the same. */

/**
 * SQLite's own code (`SQLITE_BUSY`, `SQLITE_IOERR_WRITE`...), or one of ours:
 * `damaged`, `missing`, `foreign`, `newer`: the file cannot be the ledger this program should go on with.
 * `timeout`: no answer within the time the caller gave. `thread`: the worker thread ended. `closed`: after close.
 * `suspect`: an I/O error came before, and no write has been proven since. `locked`: another process has the data folder.
 * `misuse`: the caller broke the contract; a defect.
 */
export type StoreCode = string;

export interface StoreFailure {
  readonly message: string;
  readonly code: StoreCode;
  readonly mayBeDurable: boolean;
}

export class StoreFailed extends Error {
  override readonly name = "StoreFailed";
  readonly code: StoreCode;
  /** True when the change may be there after all: a commit that failed can still reach the disk. */
  readonly mayBeDurable: boolean;
  constructor({ message, code, mayBeDurable }: StoreFailure, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.mayBeDurable = mayBeDurable;
  }
}

export const refuse = (code: StoreCode, message: string): StoreFailed =>
  new StoreFailed({ code, message, mayBeDurable: false });

/** SQLite's extended code of a thrown value, if that is where it came from. */
export function sqliteCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" && thrown.code.startsWith("SQLITE_") ? thrown.code : undefined;
}

export const isDamage = (code: string | undefined): boolean =>
  code !== undefined && (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB");

/** After these nothing the connection believes can be trusted: it is closed, and opened again before the next batch. */
const fatal = ["IOERR", "FULL", "CORRUPT", "NOTADB", "CANTOPEN", "NOMEM", "PROTOCOL", "READONLY"];
export const isFatal = (code: string | undefined): boolean =>
  code !== undefined && fatal.some((name) => code === `SQLITE_${name}` || code.startsWith(`SQLITE_${name}_`));

export const recoverHint =
  "Stop the daemon, keep a copy of the file, and run `mailwright recover` to save what can be read.";

export function damaged(file: string, found: string, options?: ErrorOptions): StoreFailed {
  return new StoreFailed(
    { code: "damaged", message: `The ledger ${file} is damaged: ${found}. ${recoverHint}`, mayBeDurable: false },
    options,
  );
}

/** Any thrown value as a StoreFailed with a sentence. */
export function storeFailed(thrown: unknown, file: string, mayBeDurable: boolean): StoreFailed {
  if (thrown instanceof StoreFailed) return thrown;
  const code = sqliteCode(thrown);
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  if (isDamage(code)) return damaged(file, `${said} (${code})`, { cause: thrown });
  return new StoreFailed(
    { code: code ?? "misuse", message: sentence(code, said, file), mayBeDurable },
    { cause: thrown },
  );
}

function sentence(code: string | undefined, said: string, file: string): string {
  if (code === undefined) return `The ledger refused a call: ${said}.`;
  if (code.startsWith("SQLITE_BUSY"))
    return `The ledger ${file} is locked by another process (${code}); nothing was written.`;
  if (code === "SQLITE_FULL") return `The disk is full: the ledger ${file} cannot grow (${code}). Free some space.`;
  if (code.startsWith("SQLITE_IOERR"))
    return `The disk under the ledger ${file} failed: ${said} (${code}). Look at the system's log.`;
  if (code.startsWith("SQLITE_CANTOPEN"))
    return `The ledger ${file} cannot be opened: ${said} (${code}). Look at its owner and mode.`;
  if (code.startsWith("SQLITE_READONLY"))
    return `The ledger ${file} cannot be written: ${said} (${code}). Look at its owner and mode.`;
  return `The ledger ${file} failed: ${said} (${code}).`;
}
