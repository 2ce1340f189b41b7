/** One connection to an IMAP server, by imapflow: bounded in time and bytes, and every failure named by what it means for the messages. */
import type { FetchMessageObject, ImapFlow, ListResponse } from "imapflow";
import type { Clock } from "../../model/ports.ts";
import { type Answers, openAnswers } from "./answers.ts";
import type { ImapSettings } from "./settings.ts";
import { ImapTrouble, troubleOf } from "./trouble.ts";

/** What is asked for in one piece of a message that is read alone, and the most that a batch's message may have. */
export const pieceBytes = 256 * 1024;
/** Of one literal, whatever the server announces: pieces are far smaller, and a batch holds none that its server calls larger. */
const maxLiteralBytes = 8 * 1024 * 1024;
/** A SEARCH answer of a million UIDs takes about that. */
const maxLineBytes = 8 * 1024 * 1024;
const maxTokens = 200_000;
/** A row of flags may come unasked for every message; more rows than this for each asked one are a flood. */
const rowsPerMessage = 20;

const maxFolders = 10_000;
const maxPathChars = 1_000;

export interface Mailbox {
  readonly path: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly exists: number;
  readonly modSeq: string | null;
  readonly mailboxId: string | null;
}

export interface MessageFacts {
  readonly uid: number;
  readonly size: number;
  readonly flags: readonly string[];
  /** Epoch ms, by the server's clock. */
  readonly internalDate: number | null;
  readonly gmMsgid: string | null;
  readonly gmThrid: string | null;
}

export interface Listed {
  readonly path: string;
  readonly delimiter: string;
  readonly specialUse: string | null;
  readonly selectable: boolean;
}

export interface ClientPorts {
  readonly clock: Clock;
}

export interface Login {
  readonly settings: ImapSettings;
  readonly auth: { readonly pass: string } | { readonly accessToken: string };
}

/** Rejects with ImapTrouble, which every method does. */
export async function connect({ settings, auth }: Login, { clock }: ClientPorts): Promise<Client> {
  const { host, tls, user, command_seconds: seconds } = settings;
  const port = settings.port ?? (tls === "implicit" ? 993 : 143);
  const ms = seconds * 1000;
  // Loaded by the first who connects: most commands look at the ledger alone.
  const imapflow = await import("imapflow");
  const flow = new imapflow.ImapFlow({
    host,
    port,
    secure: tls === "implicit",
    doSTARTTLS: tls === "starttls",
    auth: { user, ...auth },
    logger: false,
    disableAutoIdle: true,
    disableCompression: true,
    clientInfo: { name: "Mailwright" },
    maxLiteralSize: maxLiteralBytes,
    maxLineLength: maxLineBytes,
    maxResponseSize: 2 * maxLiteralBytes,
    maxResponseTokens: maxTokens,
    connectionTimeout: ms,
    greetingTimeout: ms,
    // Of silence; each answer has its own limit here, and a poll comes long before this.
    socketTimeout: Math.max(1_800_000, 2 * ms),
    ...(settings.ca === undefined ? {} : { tls: { ca: settings.ca } }),
  });
  const client = new Client(flow, clock, ms);
  await client.begin();
  return client;
}

export class Client {
  readonly #flow: ImapFlow;
  readonly #clock: Clock;
  readonly #answers: Answers;
  #lost: ImapTrouble | undefined;
  #news: (() => void) | undefined;
  #fresh = false;
  #open: { readonly path: string; readonly readOnly: boolean } | undefined;

  constructor(flow: ImapFlow, clock: Clock, ms: number) {
    this.#flow = flow;
    this.#clock = clock;
    this.#answers = openAnswers(clock, ms, (trouble) => this.#lose(trouble));
    // Told once, and to whoever waits for an answer too.
    flow.on("error", (error: Error) => this.#lose(troubleOf(error, "the connection")));
    flow.on("close", () => this.#lose(new ImapTrouble("connection", "the server closed the connection")));
    flow.on("exists", () => this.#tell());
    flow.on("expunge", () => this.#tell());
  }

  async begin(): Promise<void> {
    await this.#within(`the login at ${this.#flow.host}:${this.#flow.port}`, this.#flow.connect());
  }

  get lost(): ImapTrouble | undefined {
    return this.#lost;
  }

  can(capability: string): boolean {
    return this.#flow.capabilities.has(capability);
  }

  /** What stands before all folders of one's own but INBOX, mostly nothing. */
  get prefix(): string {
    return this.#flow.namespace?.prefix ?? "";
  }

  /** Whether a flag or keyword may be kept in the open folder (RFC 9051 §7.1, PERMANENTFLAGS). */
  keeps(flag: string): boolean {
    const mailbox = this.#flow.mailbox;
    if (mailbox === false || mailbox.permanentFlags === undefined) return true;
    const { permanentFlags } = mailbox;
    return permanentFlags.has(flag) || (permanentFlags.has("\\*") && !flag.startsWith("\\"));
  }

  async list(): Promise<readonly Listed[]> {
    const found = await this.#within("LIST", this.#flow.list());
    return found
      .filter(({ path }) => path.length <= maxPathChars)
      .slice(0, maxFolders)
      .map(listed);
  }

  /** Anew even where it is open: only that tells of a new UIDVALIDITY. */
  async open(path: string, readOnly: boolean): Promise<Mailbox> {
    this.#open = undefined;
    const opened = await this.#within("SELECT", this.#flow.mailboxOpen(path, { readOnly }));
    const { uidValidity, uidNext, exists, highestModseq, mailboxId } = opened;
    // RFC 9051 §2.3.1.1: a number of 32 bits that is not 0. imapflow gives undefined for what is none.
    if (typeof uidValidity !== "bigint" || uidValidity < 1n || uidValidity > 0xffff_ffffn)
      throw new ImapTrouble("protocol", "the server gives the folder no usable UIDVALIDITY");
    this.#open = { path, readOnly };
    return {
      path,
      uidValidity: Number(uidValidity),
      uidNext: uidNext ?? 0,
      exists: exists ?? 0,
      modSeq: highestModseq === undefined ? null : String(highestModseq),
      mailboxId: typeof mailboxId === "string" ? mailboxId.slice(0, 255) : null,
    };
  }

  /** The UIDs from here on, ascending, each once. */
  async uids(from: number): Promise<readonly number[]> {
    const found = await this.#within("SEARCH", this.#flow.search({ uid: `${from}:*` }, { uid: true }));
    if (!Array.isArray(found)) throw new ImapTrouble("refused", "the server refused SEARCH");
    // RFC 9051 §6.4.8: `n:*` names the last message even where its UID is below n.
    return [...new Set(found)].filter((uid) => uid >= from).sort((a, b) => a - b);
  }

  /** Those that the server took on that day or later, by its own clock (RFC 9051 §6.4.4, SINCE), ascending. */
  async uidsSince(day: number): Promise<readonly number[]> {
    const found = await this.#within("SEARCH", this.#flow.search({ since: new Date(day) }, { uid: true }));
    if (!Array.isArray(found)) throw new ImapTrouble("refused", "the server refused SEARCH");
    return [...new Set(found)].sort((a, b) => a - b);
  }

  /** Of those that the server has, in no order, each once; whatever else it says is left out. */
  async facts(uids: readonly number[]): Promise<ReadonlyMap<number, MessageFacts>> {
    const asked = new Set(uids);
    const found = new Map<number, MessageFacts>();
    const query = { uid: true, flags: true, size: true, internalDate: true, threadId: this.can("X-GM-EXT-1") };
    for await (const row of this.#rows(uids, query)) {
      if (asked.has(row.uid) && typeof row.size === "number" && !found.has(row.uid)) found.set(row.uid, factsOf(row));
    }
    return found;
  }

  /** The whole of small messages. What the server says unasked, twice or without a body is left out; far more bytes than asked for are a flood. */
  async *bodies(
    uids: readonly number[],
    mostBytes: number,
  ): AsyncGenerator<{ readonly uid: number; readonly bytes: Buffer }> {
    const left = new Set(uids);
    let bytes = 0;
    for await (const { uid, source } of this.#rows(uids, { uid: true, source: true })) {
      bytes += source?.length ?? 0;
      if (bytes > mostBytes) {
        this.close();
        throw new ImapTrouble("connection", "the server sends far more than it was asked for");
      }
      if (!Buffer.isBuffer(source) || !left.delete(uid)) continue;
      yield { uid, bytes: source };
    }
  }

  /**
   * One message of any size, piece by piece. It ends after as many bytes as are expected; else at the first empty piece, since a short one may
   * be a server's whim.
   */
  async *pieces(uid: number, expected: number): AsyncGenerator<Uint8Array> {
    let start = 0;
    let ended = false;
    do {
      const piece = await this.#piece(uid, start);
      if (piece.length === 0) return;
      start += piece.length;
      yield piece;
      ended = piece.length < pieceBytes && start === expected;
    } while (!ended);
  }

  async #piece(uid: number, start: number): Promise<Uint8Array> {
    const asked = { uid: true, source: { start, maxLength: pieceBytes } };
    const row = await this.#within("FETCH", this.#flow.fetchOne(String(uid), asked, { uid: true }));
    const source = row === false ? undefined : row.source;
    // `BODY[]<0> NIL` is no empty message, and nothing at all is none either.
    if (Buffer.isBuffer(source)) return source.subarray(0, pieceBytes);
    if (start > 0 && row !== false) return new Uint8Array();
    throw new ImapTrouble("refused", "the server gives no body for it");
  }

  /** Adds a flag, and says of which of them it now holds; undefined: the message is not there any more. */
  async addFlag(uids: readonly number[], flag: string): Promise<ReadonlyMap<number, boolean | undefined>> {
    const done = await this.#within("STORE", this.#flow.messageFlagsAdd(setOf(uids), [flag], { uid: true }));
    if (!done) throw new ImapTrouble("refused", "the server refused STORE");
    const facts = await this.facts(uids);
    const has = ({ flags }: MessageFacts): boolean => flags.some((one) => one.toLowerCase() === flag.toLowerCase());
    return new Map(
      uids.map((uid) => {
        const found = facts.get(uid);
        return [uid, found === undefined ? undefined : has(found)];
      }),
    );
  }

  /** Which of them are not in the open folder any more. */
  async move(uids: readonly number[], path: string): Promise<readonly number[]> {
    const moved = await this.#within("MOVE", this.#flow.messageMove(setOf(uids), path, { uid: true }));
    if (!moved) throw new ImapTrouble("refused", "the server refused MOVE");
    const left = await this.facts(uids);
    return uids.filter((uid) => !left.has(uid));
  }

  /** The server's next UID of a folder that is not open; undefined where it does not say. */
  async status(path: string): Promise<{ readonly uidValidity: number; readonly uidNext: number } | undefined> {
    const found = await this.#within("STATUS", this.#flow.status(path, { uidNext: true, uidValidity: true }));
    if (!found || found.uidNext === undefined || found.uidValidity === undefined) return undefined;
    return { uidValidity: Number(found.uidValidity), uidNext: found.uidNext };
  }

  async noop(): Promise<void> {
    await this.#within("NOOP", this.#flow.noop());
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Until something came or went in the open folder, the time is over, or the connection is. Whatever it says is to be looked up. */
  async wait(ms: number, idle: boolean, stop: AbortSignal): Promise<void> {
    if (this.#lost !== undefined || this.#fresh || stop.aborted) {
      this.#fresh = false;
      return;
    }
    const over = new AbortController();
    const told = new Promise<void>((resolve) => {
      this.#news = resolve;
    });
    const aborted = () => over.abort();
    stop.addEventListener("abort", aborted, { once: true });
    // Returns by itself where the connection drops; else the next command ends it.
    if (idle && this.can("IDLE")) this.#flow.idle().catch(() => undefined);
    await Promise.race([told, this.#clock.sleep(ms, over.signal)]);
    stop.removeEventListener("abort", aborted);
    over.abort();
    this.#news = undefined;
    this.#fresh = false;
  }

  isOpen(path: string, readOnly: boolean): boolean {
    return this.#open?.path === path && this.#open.readOnly === readOnly && this.#lost === undefined;
  }

  close(): void {
    this.#lose(new ImapTrouble("connection", "the connection was given up"));
  }

  #tell(): void {
    this.#fresh = true;
    this.#news?.();
  }

  #lose(trouble: ImapTrouble): void {
    if (this.#lost !== undefined) return;
    this.#lost = trouble;
    this.#answers.giveUp(trouble);
    this.#news?.();
    this.#flow.close();
  }

  /** Rows of one FETCH; a flood of them, or a silence, ends the connection. */
  async *#rows(uids: readonly number[], query: object): AsyncGenerator<FetchMessageObject> {
    const rows = this.#flow.fetch(setOf(uids), query, { uid: true });
    const most = uids.length * rowsPerMessage + 100;
    let seen = 0;
    let ended = false;
    try {
      for (;;) {
        const next = await this.#within("FETCH", rows.next());
        if (next.done === true) {
          ended = true;
          return;
        }
        seen += 1;
        if (seen > most) throw new ImapTrouble("connection", "the server answers one FETCH without end");
        yield next.value;
      }
    } finally {
      // What is still to come of this answer would be taken for that of the next command.
      if (!ended && this.#lost === undefined && seen > most) this.close();
      if (!ended) void rows.return(false).catch(() => undefined);
    }
  }

  /** The answer, or the reason why there is none. A server that says nothing has lost us. */
  async #within<T>(what: string, work: Promise<T>): Promise<T> {
    if (this.#lost !== undefined) {
      work.catch(() => undefined);
      throw this.#lost;
    }
    try {
      return await this.#answers.of(what, work);
    } catch (error) {
      const trouble = troubleOf(error, what);
      if (trouble.kind === "connection") this.#lose(trouble);
      throw trouble.kind === "connection" ? (this.#lost ?? trouble) : trouble;
    }
  }
}

function listed({ path, delimiter, specialUse, flags }: ListResponse): Listed {
  const has = (flag: string): boolean => [...flags].some((one) => one.toLowerCase() === flag);
  return {
    path,
    delimiter: delimiter || "/",
    // RFC 8457: a mark of its own kind, which imapflow does not count among the uses.
    specialUse: specialUse ?? (has("\\important") ? "\\Important" : null),
    selectable: !has("\\noselect") && !has("\\nonexistent"),
  };
}

function factsOf(row: FetchMessageObject): MessageFacts {
  const at = row.internalDate instanceof Date ? row.internalDate.getTime() : Number.NaN;
  return {
    uid: row.uid,
    size: row.size ?? 0,
    flags: [...(row.flags ?? [])].slice(0, 50).map((flag) => flag.slice(0, 100)),
    internalDate: Number.isFinite(at) ? at : null,
    gmMsgid: row.emailId?.slice(0, 64) ?? null,
    gmThrid: row.threadId?.slice(0, 64) ?? null,
  };
}

/** As `1,3:5`: neighbours in one range, for a list of a thousand numbers is too long a line for some servers. */
export function setOf(uids: readonly number[]): string {
  const parts: string[] = [];
  for (let index = 0; index < uids.length; index++) {
    const from = uids[index] ?? 0;
    let to = from;
    while (uids[index + 1] === to + 1) {
      to += 1;
      index += 1;
    }
    parts.push(from === to ? String(from) : `${from}:${to}`);
  }
  return parts.join(",");
}
