/** PARSER: splits what a peer sends into command lines, and in data mode hands it to the message; one thing at a time, in order. */
import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import { keepableBytes } from "../../model/source.ts";
import { Unstuffing } from "./dots.ts";
import type { Terms } from "./reading.ts";
import type { Reception } from "./reception.ts";

const CR = 0x0d;
const LF = 0x0a;
const nothing: Buffer = Buffer.alloc(0);

/** Commands read from one chunk before everybody else has a turn. */
const commandsAtOnce = 100;

/**
 * smtp-server hands a message on through a stream made for it, and looks at every byte of it; it reads command lines by a regular expression over
 * a text of the whole chunk. For a mail of 4 KiB that cost as much as the rest of the transaction. So lines are searched for here, and bytes go
 * straight to their Reception. A socket gives its chunks to `take`; a TLS session is piped in, by smtp-server.
 */
export class Parser extends SMTPStream {
  /** A line is longer than any command; nothing more is read. */
  onendless: () => void = () => {};
  /** All that came has been read; more is welcome. */
  ondrained: () => void = () => {};
  #rest = nothing;
  #terms: Terms = "ours";
  #behind = false;
  #endedBare = false;
  /** An answer is due, or the message has no room, before anything more is read. */
  #waits: "no" | "answer" | "room" | "message" | "turn" = "no";
  #reading = false;
  #ended = false;
  #reception: Reception | undefined;
  #dots = new Unstuffing();
  #piped: (() => void) | undefined;
  readonly #answered = () => this.#goOn("answer");
  readonly #roomMade = () => this.#goOn("room");
  readonly #anotherTurn = () => this.#goOn("turn");

  /** Whether the line now being obeyed ended with a bare LF. */
  get endedBare(): boolean {
    return this.#endedBare;
  }

  /** Whether a large message is coming in. */
  get bulk(): boolean {
    return this._dataMode && this.#reception !== undefined && this.#reception.bytes >= keepableBytes;
  }

  /** False when the peer is ahead of us: no more is to be given before `ondrained`. */
  take(chunk: Buffer, terms: Terms = "ours"): boolean {
    if (this.isClosed) {
      giveBack(terms);
      return true;
    }
    this.#terms = terms;
    this.#rest = this.#rest.length === 0 ? chunk : this.#joined(chunk);
    this.#read();
    if (this.#rest.length > 0 && this.#terms !== "ours") this.#rest = Buffer.from(this.#rest);
    giveBack(this.#terms);
    this.#terms = "ours";
    this.#behind = this.#waits !== "no" && this.#rest.length > 0;
    return !this.#behind;
  }

  /** From here on all bytes are the message's, up to its end. What comes behind waits for `resume`. */
  startMessage(reception: Reception): void {
    this._dataMode = true;
    this.#dots = new Unstuffing();
    this.#reception = reception;
  }

  /** The message was answered. */
  resume(): void {
    this.#goOn("message");
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | "buffer", next: () => void): void {
    if (this.take(chunk)) next();
    else this.#piped = next;
  }

  /** The peer will send no more: what it left without a line end is its last command. */
  override _flushData(): void {
    this.#ended = true;
    this.#readLast();
  }

  #goOn(from: "answer" | "room" | "message" | "turn"): void {
    if (this.#waits !== from) return;
    this.#waits = "no";
    if (this.#reading) return;
    this.#read();
    if (!this.#behind || (this.#waits !== "no" && this.#rest.length > 0)) return;
    this.#behind = false;
    const piped = this.#piped;
    this.#piped = undefined;
    if (piped) piped();
    else this.ondrained();
  }

  #read(): void {
    this.#reading = true;
    try {
      for (let left = commandsAtOnce; this.#waits === "no" && this.#rest.length > 0 && !this.isClosed; ) {
        if (this._dataMode) this.#feed();
        else if (!this.#obeyLine(left--)) break;
      }
    } finally {
      this.#reading = false;
    }
    if (this.isClosed) this.#rest = nothing;
    if (this.#ended) this.#readLast();
  }

  /** False when there is no whole line, or this was the last for now. */
  #obeyLine(left: number): boolean {
    const bytes = this.#rest;
    const end = bytes.indexOf(LF);
    const bare = end <= 0 || bytes[end - 1] !== CR;
    if ((end < 0 ? bytes.length : bare ? end : end - 1) > this._maxCommandLength) {
      this.#rest = nothing;
      this.onendless();
      return false;
    }
    if (end < 0) return false;
    if (left === 0) {
      this.#waits = "turn";
      setImmediate(this.#anotherTurn);
      return false;
    }
    this.#rest = bytes.subarray(end + 1);
    this.#endedBare = bare;
    this.#waits = "answer";
    this.oncommand(bytes.subarray(0, bare ? end : end - 1), this.#answered);
    return true;
  }

  #feed(): void {
    const reception = this.#reception;
    if (reception === undefined) throw new TypeError("the parser is in data mode, and no message was started");
    const { content, rest } = this.#dots.feed(this.#rest);
    this.#rest = rest ?? nothing;
    this.#hand(content, reception);
    if (rest !== undefined) {
      this._dataMode = false;
      this.#reception = undefined;
      this.#waits = "message";
      reception.end();
    } else if (reception.full) {
      this.#waits = "room";
      reception.whenRoom(this.#roomMade);
    }
  }

  #hand(content: Buffer, reception: Reception): void {
    const terms = this.#terms;
    // A buffer that was chosen while a large message came in may bring the beginning of the next one, from a peer that waits for no answer; and
    // what begins in the first bytes of a message is kept by whoever takes it (model/source.ts).
    if (typeof terms === "function" && reception.bytes >= keepableBytes) {
      // What is left in the same buffer is copied before anybody can ask for the next chunk.
      this.#terms = "borrowed";
      reception.push(content, terms);
    } else reception.push(terms !== "ours" && content.length > 0 ? copyOf(content) : content);
  }

  #joined(chunk: Buffer): Buffer {
    const whole = Buffer.concat([this.#rest, chunk]);
    giveBack(this.#terms);
    this.#terms = "ours";
    return whole;
  }

  #readLast(): void {
    if (this.#waits !== "no" || this._dataMode || this.#rest.length === 0 || this.isClosed) return;
    const line = this.#rest;
    this.#rest = nothing;
    this.#endedBare = false;
    this.oncommand(line);
  }
}

function giveBack(terms: Terms): void {
  if (typeof terms === "function") terms();
}

/** Small mails share their memory with their neighbours: to allocate it outside of V8's heap costs more than to copy 4 KiB. */
const slabBytes = 32 * 1024;
let slab = nothing;

function copyOf(bytes: Buffer): Buffer {
  if (bytes.length > slabBytes / 4) return Buffer.from(bytes);
  if (slab.length < bytes.length) slab = Buffer.allocUnsafeSlow(slabBytes);
  const copy = slab.subarray(0, bytes.length);
  slab = slab.subarray(bytes.length);
  copy.set(bytes);
  return copy;
}
