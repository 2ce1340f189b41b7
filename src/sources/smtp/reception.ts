/** RECEPTION: the bytes of one DATA command, handed on as they come, counted, paced and judged, never gathered. */
import type { Readable } from "node:stream";
import type { Clock } from "../../model/ports.ts";
import { NewlineScan } from "./newlines.ts";
import { type Reply, replies } from "./reply.ts";

/** The peer went away, or was sent away, before the end of the message. */
export class MessageCutShort extends Error {
  override readonly name = "MessageCutShort";
}

/** We stopped reading on purpose; `reply` says why. Thrown into whoever consumes the bytes. */
export class MessageRefused extends Error {
  override readonly name = "MessageRefused";
  readonly reply: Reply;
  constructor(reply: Reply) {
    super(reply.text);
    this.reply = reply;
  }
}

export interface ReceptionRules {
  readonly maxBytes: number;
  readonly refuseBareNewlines: boolean;
  readonly clock: Clock;
}

export class Reception {
  readonly #rules: ReceptionRules;
  readonly #stream: Readable;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #newlines: NewlineScan;
  #refusal: Reply | undefined;
  #cutShort = false;
  #bytes = 0;
  #endedAt: number | undefined;
  /** Since when we have been waiting for the peer; undefined while our own side is the slow one. */
  #waitingSince: number | undefined;
  #window = { waitedMs: 0, bytes: 0 };

  constructor(stream: Readable, rules: ReceptionRules) {
    this.#rules = rules;
    this.#stream = stream;
    // Kept in hand and never returned: a consumer that stops early would otherwise destroy the stream, and smtp-server would
    // answer before the final dot.
    this.#source = stream[Symbol.asyncIterator]();
    this.#newlines = new NewlineScan(rules.refuseBareNewlines);
    stream.on("error", () => {}); // seen by the iterator; without a listener it would end the process
  }

  /** Bytes so far, dots unstuffed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the whole message was in; undefined before that, and for ever when it was cut short. */
  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** True when the peer is gone, or was sent away, before the end. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  /** Why the message will be refused, once that is known. */
  get refusal(): Reply | undefined {
    return this.#refusal;
  }

  /** More than twice the limit: not worth reading to the end. */
  get flooding(): boolean {
    return this.#bytes > 2 * this.#rules.maxBytes;
  }

  /** The message, once. Throws MessageRefused before the first byte over a limit, MessageCutShort when the peer is gone. */
  async *message(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#next(); chunk; chunk = await this.#next()) {
      this.#refusal ??= this.#judge(chunk);
      if (this.#refusal) throw new MessageRefused(this.#refusal);
      yield chunk;
    }
  }

  /** Reads what is left to nowhere, up to its end or until it is `flooding`, so that the answer comes after the dot. */
  async drain(): Promise<void> {
    while (this.#endedAt === undefined && !this.flooding) {
      if (!(await this.#next())) return;
    }
  }

  /**
   * Whether the peer kept below `bytesPerSecond` through a window of `windowMs`. Only time spent waiting for the peer
   * counts: a slow store of ours is not the sender's fault.
   */
  tooSlow(now: number, bytesPerSecond: number, windowMs: number): boolean {
    const waitedMs = this.#window.waitedMs + this.#waited(now);
    if (bytesPerSecond === 0 || waitedMs < windowMs) return false;
    const slow = this.#window.bytes * 1000 < bytesPerSecond * waitedMs;
    this.#window = { waitedMs: 0, bytes: 0 };
    if (this.#waitingSince !== undefined) this.#waitingSince = now;
    return slow;
  }

  /** True while it is the peer we are waiting for. */
  get waiting(): boolean {
    return this.#waitingSince !== undefined;
  }

  /** Ends it at once: whoever consumes the message gets MessageCutShort. */
  cut(why: string): void {
    this.#stream.destroy(new MessageCutShort(why));
  }

  async #next(): Promise<Uint8Array | undefined> {
    this.#waitingSince = this.#rules.clock.now();
    try {
      const { done, value } = await this.#source.next();
      const now = this.#rules.clock.now();
      this.#window.waitedMs += this.#waited(now);
      if (done) {
        this.#endedAt ??= now;
        return undefined;
      }
      this.#bytes += value.length;
      this.#window.bytes += value.length;
      return value;
    } catch (error) {
      this.#cutShort = true;
      if (error instanceof MessageCutShort) throw error;
      throw new MessageCutShort("the peer closed the connection before the end of the message", { cause: error });
    } finally {
      this.#waitingSince = undefined;
    }
  }

  #waited(now: number): number {
    return this.#waitingSince === undefined ? 0 : Math.max(0, now - this.#waitingSince);
  }

  #judge(chunk: Uint8Array): Reply | undefined {
    if (this.#bytes > this.#rules.maxBytes) return replies.tooLarge;
    return this.#newlines.feed(chunk);
  }
}
