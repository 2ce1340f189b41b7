/** PARSER: smtp-server's reader of command lines, with a way of our own for the bytes of messages. */
import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import { Unstuffing } from "./dots.ts";
import type { Reception } from "./reception.ts";

type Done = (error?: Error | null) => void;

/**
 * smtp-server hands a message on through a stream made for it, and looks at every byte of it. For a mail of 4 KiB that stream alone, with what
 * it takes to read it, cost as much as the rest of the transaction; so the bytes go straight to their Reception instead.
 */
export class Parser extends SMTPStream {
  #reception: Reception | undefined;
  #dots = new Unstuffing();
  #resume: (() => void) | undefined;

  /** From here on all bytes are the message's, up to its end. What comes behind waits for `resume`. */
  startMessage(reception: Reception): void {
    this._dataMode = true;
    this.#dots = new Unstuffing();
    this.#reception = reception;
  }

  /** The message was answered. */
  resume(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _feedDataStream(chunk: Buffer, done: Done): void {
    const reception = this.#reception;
    if (reception === undefined) throw new TypeError("the parser is in data mode, and no message was started");
    const { content, rest } = this.#dots.feed(chunk);
    reception.push(content);
    if (rest === undefined) {
      if (reception.full) reception.whenRoom(done);
      else done();
      return;
    }
    this._dataMode = false;
    this._remainder = "";
    this.#reception = undefined;
    this.#resume = () => this._write(rest, "buffer", done);
    reception.end();
  }
}
