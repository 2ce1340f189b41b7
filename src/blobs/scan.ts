/** Asks clamd about a file (INSTREAM in a session, clamd(8)). Only a full OK over all of the bytes is clean; whatever else happens is no verdict. */
import type { Scanner } from "../model/checking.ts";
import type { Scan, ScanStatus } from "../model/files.ts";
import type { Clock } from "../model/ports.ts";
import { type Address, ClamdFailed, type Conversation, connectClamd } from "./clamd.ts";

export interface ScannerOptions {
  /** A unix socket's path, or a host and port. */
  readonly at: Address;
  /** Of clamd on one file; what the source of the bytes takes is not counted. */
  readonly timeoutMs: number;
  /** Files at once: clamd's MaxThreads is 10 where nothing is configured. */
  readonly connections: number;
  readonly clock: Clock;
}

/** A connection for each file: nothing of one is left for the next, and a restarted clamd is found again at once. */
export function openScanner(options: ScannerOptions): Scanner {
  return new Clamd(options);
}

/** `ClamAV 1.4.6/27500/Sat Nov 28 09:00:00 2026`: the engine, and where it has the official base that base's version and day. */
export function versionOf(answer: string): { readonly engine: string; readonly signatures: string | null } | undefined {
  const [, engine, signatures] = /^(ClamAV [\w.+~-]{1,60})(?:\/(\d{1,12})(?:\/[\w :]{1,60})?)?$/.exec(answer) ?? [];
  return engine === undefined ? undefined : { engine, signatures: signatures ?? null };
}

const maxPieceBytes = 64 * 1024;

class Clamd implements Scanner {
  readonly #options: ScannerOptions;
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #open = new Set<() => void>();
  #closed = false;

  constructor(options: ScannerOptions) {
    this.#options = options;
    this.#free = Math.max(1, options.connections);
  }

  async scan(bytes: AsyncIterable<Uint8Array>): Promise<Scan> {
    const source = new Source(bytes);
    try {
      const { engine, signatures, answer } = await this.#session(async (clamd) => {
        const version = await clamd.ask("VERSION");
        const known = versionOf(version);
        if (known === undefined) throw new ClamdFailed(`it gave a version that is none: ${version}`);
        return { ...known, answer: await sendTo(clamd, source) };
      });
      const { status, detail } = verdictOf(answer);
      return { status, engine, signatures, at: this.#options.clock.now(), detail };
    } catch (error) {
      // The bytes could not be read: nothing is known of the scanner.
      if (source.failure !== undefined) throw source.failure.error;
      return unscanned(this.#options.clock.now(), reasonOf(error));
    } finally {
      source.end();
    }
  }

  async signatures(): Promise<string | null | undefined> {
    try {
      return await this.#session(async (clamd) => versionOf(await clamd.ask("VERSION"))?.signatures);
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cut of this.#open) cut();
    for (const next of this.#waiting.splice(0)) next();
  }

  async #session<T>(use: (clamd: Conversation) => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      if (this.#closed) throw new ClamdFailed("it was not asked, since the daemon stops");
      const clamd = connectClamd(this.#options.at, this.#options.timeoutMs);
      const cut = (): void => clamd.cut(new ClamdFailed("it was not waited for, since the daemon stops"));
      this.#open.add(cut);
      try {
        return await use(clamd);
      } finally {
        this.#open.delete(cut);
        clamd.end();
      }
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Whether an error is that of the source has to be known for certain. */
class Source {
  readonly #iterator: AsyncIterator<Uint8Array>;
  failure: { readonly error: unknown } | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  async next(): Promise<Uint8Array | undefined> {
    try {
      const next = await this.#iterator.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  /** Lets it close its file; one that hangs is not waited for. */
  end(): void {
    this.#iterator.return?.().catch(() => undefined);
  }
}

/** The answer; one that comes before all is sent is none about the whole file, except that something was found. */
async function sendTo(clamd: Conversation, source: Source): Promise<string> {
  const answer = clamd.begin("INSTREAM");
  for (;;) {
    const piece = await clamd.pausedFor(() => source.next());
    if (answer.early !== undefined) return early(answer.early);
    if (piece === undefined) break;
    for (let at = 0; at < piece.length; at += maxPieceBytes) {
      const part = piece.subarray(at, at + maxPieceBytes);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      const goesOn = (await clamd.write(length)) && (await clamd.write(part));
      if (answer.early !== undefined) return early(answer.early);
      if (!goesOn) return early(await answer.whole);
    }
  }
  await clamd.write(Buffer.alloc(4));
  return answer.whole;
}

function early(answer: string): string {
  if (answer.endsWith(" OK")) throw new ClamdFailed("it answered before it had the whole file");
  return answer;
}

function verdictOf(answer: string): { readonly status: ScanStatus; readonly detail: string | null } {
  if (answer === "stream: OK") return { status: "clean", detail: null };
  const found = /^stream: (.{1,300}) FOUND$/.exec(answer)?.[1];
  if (found !== undefined) return { status: "infected", detail: printable(found) };
  return { status: "unscanned", detail: printable(`it answered: ${answer}`) };
}

const unscanned = (at: number, detail: string): Scan => ({
  status: "unscanned",
  engine: null,
  signatures: null,
  at,
  detail: printable(detail),
});

function reasonOf(error: unknown): string {
  if (error instanceof ClamdFailed) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  // It hung up while it was written to; which of the two it is depends on what was on its way.
  if (code === "EPIPE" || code === "ECONNRESET") return "it closed the connection";
  return code === undefined ? String(error) : `it cannot be reached (${code})`;
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
