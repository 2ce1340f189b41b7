/** RECEPTION: the bytes of one DATA command, handed on as they come, counted, paced and judged, never gathered. */
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

/** What may wait for the store; beyond, the peer does. A chunk is at most what a socket brings at once, so this is held to within one. */
const roomBytes = 64 * 1024;
/** A peer that sends byte by byte fills the room with buffers long before it is full of bytes. */
const roomChunks = 64;

type Next = IteratorResult<Uint8Array, undefined>;

interface Piece {
  readonly bytes: Uint8Array;
  readonly giveBack: (() => void) | undefined;
}

interface Reader {
  readonly resolve: (next: Next) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The parser pushes, the store pulls. Not a stream: one costs more than a small message does. Whatever the store does with it, the parser
 * may go on until the end has come, since the answer is due only then.
 */
export class Reception implements AsyncIterable<Uint8Array, undefined> {
  readonly #rules: ReceptionRules;
  readonly #newlines: NewlineScan;
  #queue: Piece[] = [];
  #queuedBytes = 0;
  #reader: Reader | undefined;
  /** Whoever lent the chunk that the reader has in hand. */
  #giveBack: (() => void) | undefined;
  #roomMade: (() => void) | undefined;
  #refusal: Reply | undefined;
  #failure: Error | undefined;
  #cutShort = false;
  #wholeRead = false;
  #bytes = 0;
  #endedAt: number | undefined;
  /** Nobody reads any more; `over` waits for the end. */
  #discarded: { readonly over: () => void } | undefined;
  /** Since when we have been waiting for the peer; undefined while our own side is the slow one. */
  #waitingSince: number | undefined;
  #window = { waitedMs: 0, bytes: 0 };

  constructor(rules: ReceptionRules) {
    this.#rules = rules;
    this.#newlines = new NewlineScan(rules.refuseBareNewlines);
  }

  /** Bytes so far, dots unstuffed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the final dot came; undefined before that, and for ever when the message was cut short. */
  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** True when the consumer has been given all of it. */
  get wholeRead(): boolean {
    return this.#wholeRead;
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

  /** The parser's side: the next bytes, which belong to us from now on, or until we give them back. */
  push(chunk: Uint8Array, giveBack?: () => void): void {
    if (chunk.length === 0 || this.#cutShort || !this.#counted(chunk)) {
      giveBack?.();
    } else if (this.#reader) {
      this.#giveBack = giveBack;
      this.#give({ done: false, value: chunk });
    } else {
      this.#queue.push({ bytes: chunk, giveBack });
      this.#queuedBytes += chunk.length;
    }
  }

  /** The parser's side: that was the whole message. */
  end(): void {
    if (this.#cutShort) return;
    this.#endedAt = this.#rules.clock.now();
    this.#discarded?.over();
    if (!this.#reader) return;
    this.#wholeRead = true;
    this.#give({ done: true, value: undefined });
  }

  /** True when the parser should wait, with `whenRoom`, before it pushes more. */
  get full(): boolean {
    return this.#queuedBytes >= roomBytes || this.#queue.length >= roomChunks;
  }

  whenRoom(made: () => void): void {
    this.#roomMade = made;
  }

  /**
   * The message, once; a chunk is good until the next is asked for. Throws MessageRefused before the first byte over a limit, MessageCutShort when
   * the peer is gone. There is no `return`: a consumer that stops early only stops.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => this.#next() };
  }

  /** Takes what is left to nowhere; resolves at its end or when it is `flooding` or cut, so that the answer comes after the dot. */
  discard(): Promise<void> {
    return new Promise((over) => {
      this.#discarded = { over };
      // A store that was given up on may read on later: it must not find the end where the rest was thrown away.
      this.#fail(new Error("the message was given up on before its end was read"));
      if (this.#endedAt !== undefined || this.#cutShort || this.flooding) over();
      else this.#waitingSince ??= this.#rules.clock.now();
    });
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

  /** Ends it at once: whoever consumes the message gets MessageCutShort. Nothing happens to a message that came whole. */
  cut(why: string): void {
    if (this.#endedAt !== undefined || this.#cutShort) return;
    this.#cutShort = true;
    this.#fail(new MessageCutShort(why));
    this.#discarded?.over();
  }

  /** False when nobody wants it any more. */
  #counted(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    this.#window.bytes += chunk.length;
    if (this.#refusal === undefined) this.#judge(chunk);
    if (this.flooding) this.#discarded?.over();
    return this.#failure === undefined && this.#discarded === undefined;
  }

  #next(): Promise<Next> {
    this.#giveBack?.();
    this.#giveBack = undefined;
    const piece = this.#queue.shift();
    if (piece !== undefined) {
      this.#giveBack = piece.giveBack;
      this.#queuedBytes -= piece.bytes.length;
      if (!this.full) this.#makeRoom();
      return Promise.resolve({ done: false, value: piece.bytes });
    }
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#endedAt !== undefined) {
      this.#wholeRead = true;
      return Promise.resolve({ done: true, value: undefined });
    }
    this.#waitingSince = this.#rules.clock.now();
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #give(next: Next): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#stopWaiting();
    reader?.resolve(next);
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    this.#empty();
    const reader = this.#reader;
    this.#reader = undefined;
    this.#stopWaiting();
    reader?.reject(this.#failure);
  }

  #empty(): void {
    for (const { giveBack } of this.#queue) giveBack?.();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#makeRoom();
  }

  #makeRoom(): void {
    const made = this.#roomMade;
    this.#roomMade = undefined;
    made?.();
  }

  #stopWaiting(): void {
    this.#window.waitedMs += this.#waited(this.#rules.clock.now());
    this.#waitingSince = undefined;
  }

  #waited(now: number): number {
    return this.#waitingSince === undefined ? 0 : Math.max(0, now - this.#waitingSince);
  }

  #judge(chunk: Uint8Array): void {
    this.#refusal = this.#bytes > this.#rules.maxBytes ? replies.tooLarge : this.#newlines.feed(chunk);
    if (this.#refusal) this.#fail(new MessageRefused(this.#refusal));
  }
}
