/** CONVERSATION: one connection, smtp-server's protocol machine under Session's rules. */
import type { Socket } from "node:net";
import type { SMTPServer } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import type { House } from "./house.ts";
import { maxLineBytes } from "./listen.ts";
import type { Speaker } from "./outbox.ts";
import { Parser } from "./parser.ts";
import { type Hearer, readInto, type Terms } from "./reading.ts";
import type { Reception } from "./reception.ts";
import { multiline, type Reply, replies, reply } from "./reply.ts";
import { Session, verbOf } from "./session.ts";
import { tlsOf } from "./tls.ts";

/**
 * One connection: smtp-server's protocol machine under Session's rules. What it overrides is private there, so the version is pinned,
 * tsc fails when a method moves, and the tests hold every reply.
 */
export class Conversation extends SMTPConnection implements Hearer, Speaker {
  readonly #house: House;
  readonly #session: Session;
  /** The TCP socket; under TLS, `_socket` is another one. */
  readonly #tcp: Socket;
  readonly #gone: () => void;
  /** Replies of this turn. */
  #said = "";
  declare _parser: Parser | false;

  constructor(server: SMTPServer, tcp: Socket, known: SMTPConnectionOptions | null, house: House, gone: () => void) {
    super(server, tcp, known);
    this.#house = house;
    this.#tcp = tcp;
    this.#gone = gone;
    this.#session = new Session(this.remoteAddress, house.settings, house.intake, house.ports);
  }

  /** smtp-server waits a fixed 100 ms here, which holds senders that connect for every message to ten a second each. */
  override init(): void {
    this._setListeners(() => this.#greet());
  }

  /** Without a pipe: its listeners, and a stream's turn for each command, cost a fifth of what a short connection does. */
  override _setListeners(listening: () => void): void {
    const socket = this._socket;
    socket.on("close", () => this._onClose());
    socket.on("error", (error) => this._onError(error));
    if (!readInto(socket, this)) socket.on("data", (chunk: Buffer) => this.heard(chunk, "ours"));
    socket.on("end", () => {
      if (this._parser) this._parser._flushData();
    });
    if (this._parser) this._parser.ondrained = () => socket.resume();
    this._armTimeout();
    listening();
  }

  heard(bytes: Buffer, terms: Terms): void {
    if (this._parser) {
      if (!this._parser.take(bytes, terms)) this._socket.pause();
    } else if (typeof terms === "function") terms();
  }

  get bulk(): boolean {
    return this._parser !== false && this._parser.bulk;
  }

  /** Nobody's name is looked up, and smtp-server's own handlers, which would be told, are not used. */
  override connectionReady(): void {
    this._resetSession();
    this._ready = true;
    this._sendGreeting();
  }

  /** Called by the constructor too, before our fields exist, and again for the TLS session after STARTTLS. */
  override _createParser(): Parser {
    const parser = new Parser({ maxCommandLength: maxLineBytes });
    parser.oncommand = (line, callback) => this._onCommand(line, callback);
    parser.onendless = () => this.say(replies.lineEndless);
    return parser;
  }

  override _onCommand(line: Buffer, callback: () => void = () => {}): void {
    if (this._upgrading)
      super._onCommand(line, callback); // plaintext behind STARTTLS, to be dropped unanswered
    else if (this.#house.stopping.aborted) this.say(replies.shuttingDown);
    else if (!this._ready) this.say(replies.earlyTalker);
    else this.#obey(line, callback);
  }

  /** smtp-server's own answers. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (Array.isArray(data)) {
      this.#put(multiline(code, this._getEnhancedStatusCode(code, context), data));
      return;
    }
    const explicit = /^([245]\.\d+\.\d+) (.*)$/.exec(data ?? "");
    const status = explicit?.[1] ?? this._getEnhancedStatusCode(code, context);
    this.say(reply(code, status, explicit?.[2] ?? data ?? ""));
  }

  /** Every 4xx and 5xx is counted, and too many errors end the talk. */
  say(given: Reply): void {
    const { code, status, wire } = (given.code >= 400 && this.#session.answering(given.code)) || given;
    if (code >= 400) this.#house.ports.metrics.count("smtp_rejections_total", { code: `${code} ${status}`.trim() });
    this.#put(wire);
    if (code === 421) this.close();
  }

  /** What was said in this turn goes out in one piece. */
  release(): void {
    const said = this.#said;
    this.#said = "";
    if (said !== "" && this._socket.writable) this._socket.write(said);
  }

  /** TLS begins on the bare socket, below whatever is still held back. */
  override upgrade(callback: () => void, secureCallback?: () => void): void {
    this.release();
    this._socket.pause();
    super.upgrade(callback, secureCallback);
  }

  override close(): void {
    this.release();
    super.close();
  }

  override handler_MAIL(line: Buffer, callback: () => void): void {
    this.#session.introduce(this.hostNameAppearsAs || "", tlsOf(this._socket));
    this.#answer(this.#session.mail(line), callback);
  }

  override handler_RCPT(line: Buffer, callback: () => void): void {
    this.#answer(this.#session.rcpt(line), callback);
  }

  override handler_DATA(_line: Buffer, callback: () => void): void {
    const parser = this._parser;
    const reception = this.#session.begin();
    if (!reception || !parser) this.say(replies.recipientFirst);
    else {
      parser.startMessage(reception);
      this.say(replies.startMail);
      void this.#receive(reception, parser);
    }
    callback();
  }

  /**
   * The peer's last word (RFC 5321 §4.1.1.10): nothing is left to be heard from it. smtp-server would wait for it to hang up, and where it does
   * without reading the answer, as most bulk mailers do, for an error with a stack trace.
   */
  override handler_QUIT(_line: Buffer, callback: () => void): void {
    this.say(replies.bye);
    this.release();
    const socket = this._socket;
    // What the kernel has taken reaches the peer after a close too; a TLS session still has its last record to write.
    if (socket === this.#tcp && socket.writableLength === 0) socket.destroy();
    else socket.destroySoon();
    this.close();
    callback();
  }

  /** A peer that waits for our store is not idle; how long the store may take, Session knows. */
  override _onTimeout(): void {
    if (this.#session.receiving) this._armTimeout();
    else super._onTimeout();
  }

  /** smtp-server would write down for its handlers what we keep ourselves. */
  override _resetSession(): void {
    this.#session.reset();
  }

  override _onCloseEvent(): void {
    this._onClose();
  }

  override _onClose(): void {
    super._onClose();
    this.#session.cut("the peer closed the connection before the end of the message");
    this.#gone();
  }

  /** Ends the connection when its time is up. */
  judge(now: number): void {
    const { admission } = this.#house;
    const reply = this._closing ? undefined : this.#session.overdue(now, this.#tcp.bytesRead, admission.crowded);
    if (!reply) return;
    this.say(reply);
    this.#session.cut(reply.text);
  }

  /** Shutting down: whoever is not in the middle of something hears it now, the others after their answer. */
  retire(): void {
    if (!this.#session.receiving && !this._handlerPending) this.say(replies.shuttingDown);
  }

  /** The grace is over. */
  expel(): void {
    this.say(replies.shuttingDown);
    setImmediate(() => this.#tcp.destroy());
  }

  get #endsBare(): boolean {
    return this.#house.settings.bare_newline === "refuse" && this._parser !== false && this._parser.endedBare;
  }

  #greet(): void {
    const delayMs = this.#house.settings.greeting_delay_ms;
    if (delayMs === 0) {
      this.connectionReady();
      return;
    }
    void this.#house.ports.clock.sleep(delayMs, this.#house.stopping).then(() => {
      if (this._closing || this._closed || this.#house.stopping.aborted) return;
      // Half a command counts as well: no mailer sends a byte before it was greeted (RFC 5321 §3.1).
      if (this.#tcp.bytesRead > 0) this.say(replies.earlyTalker);
      else this.connectionReady();
    });
  }

  #obey(line: Buffer, callback: () => void): void {
    const next = () => {
      if (this.#house.stopping.aborted && !this.#session.receiving) {
        this.say(replies.shuttingDown);
        return;
      }
      this.#session.awaitCommand();
      callback();
    };
    const verb = verbOf(line);
    const refusal = this.#session.gate(line, verb, this.#endsBare);
    if (refusal) {
      this.say(refusal);
      next();
      return;
    }
    this._unrecognizedCommands = 0; // Session counts them, with all other errors
    if (this.hostNameAppearsAs && (verb === "MAIL" || verb === "RCPT" || verb === "DATA"))
      this.#transact(verb, line, next);
    else super._onCommand(line, next);
  }

  /** What smtp-server's dispatch does for these three, which are nearly all there is, without reading the line four times more for its log. */
  #transact(verb: "MAIL" | "RCPT" | "DATA", line: Buffer, next: () => void): void {
    const answered = () => {
      this._handlerPending = false;
      this._whenWritable(next);
    };
    this._handlerPending = true;
    if (verb === "MAIL") this.handler_MAIL(line, answered);
    else if (verb === "RCPT") this.handler_RCPT(line, answered);
    else this.handler_DATA(line, answered);
  }

  async #receive(reception: Reception, parser: Parser): Promise<void> {
    const { reply, flooding } = await this.#session.receive(reception).catch((error: unknown) => {
      this.#house.ports.log.error({ error: asError(error) }, "smtp: message not stored");
      return { reply: replies.storeFailed, flooding: false };
    });
    // Whoever has gone, or was sent away, hears nothing more, and no refusal is counted that nobody heard.
    if (!this._closing && !this._closed) this.say(reply);
    // Twice the limit and no end in sight: answered and closed now (RFC 5321 §7.8 lets a server defend itself so).
    if (flooding) this.close();
    this._resetSession();
    this.#session.awaitCommand();
    if (this.#house.stopping.aborted && !this._closing) this.say(replies.shuttingDown);
    parser.resume();
  }

  #put(wire: string): void {
    if (this._upgrading || !this._socket.writable) return;
    if (this.#said === "") this.#house.outbox.hold(this);
    this.#said += wire;
  }

  #answer(pending: Reply | Promise<Reply>, callback: () => void): void {
    if (!(pending instanceof Promise)) {
      this.say(pending);
      callback();
      return;
    }
    void pending
      .catch((error: unknown) => {
        this.#house.ports.log.error({ error: asError(error) }, "smtp: command failed");
        return replies.storeFailed;
      })
      .then((reply) => {
        this.say(reply);
        callback();
      });
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
