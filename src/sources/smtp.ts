/** The SMTP source: an MX that takes mail for the tenants' recipients and for nobody else. Carries Session's word by smtp-server. */
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { SMTPServer } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import type { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import type { Intake, RunningSource, Source, SourcePorts } from "../model/source.ts";
import { watchEveryMs } from "./smtp/deadlines.ts";
import { Admission } from "./smtp/limits.ts";
import { listen, serverOptions } from "./smtp/listen.ts";
import { watchCommandEnds } from "./smtp/newlines.ts";
import { type Reply, replies, replyText } from "./smtp/reply.ts";
import { Session } from "./smtp/session.ts";
import { type SmtpSettings, smtpSettings } from "./smtp/settings.ts";
import { type Certificate, keepCertificate, tlsOf } from "./smtp/tls.ts";

export const smtp: Source<SmtpSettings> = { name: "smtp", settings: smtpSettings, start };

/** What a connection needs to know of the world around it. */
interface House {
  readonly settings: SmtpSettings;
  readonly intake: Intake;
  readonly ports: SourcePorts;
  readonly admission: Admission;
  readonly stopping: AbortSignal;
}

/** Whether smtp-server still has the two private methods that a greeting of our own needs. */
export function canGreet(connection: object): boolean {
  const methods: readonly unknown[] = [
    Reflect.get(connection, "_setListeners"),
    Reflect.get(connection, "connectionReady"),
  ];
  return methods.every((method) => typeof method === "function");
}

/**
 * One connection: smtp-server's protocol machine under Session's rules. What it overrides is private there, so the version is pinned,
 * tsc fails when a method moves, and the tests hold every reply.
 */
class Conversation extends SMTPConnection {
  readonly #house: House;
  readonly #session: Session;
  /** The TCP socket; under TLS, `_socket` is another one. */
  readonly #tcp: Socket;
  readonly #gone: () => void;
  #endsBare: () => boolean = () => false;

  constructor(server: SMTPServer, tcp: Socket, known: SMTPConnectionOptions | null, house: House, gone: () => void) {
    super(server, tcp, known);
    this.#house = house;
    this.#tcp = tcp;
    this.#gone = gone;
    this.#session = new Session(this.remoteAddress, house.settings, house.intake, house.ports);
    if (this._parser) this.#govern(this._parser);
  }

  /** smtp-server waits a fixed 100 ms here, which holds senders that connect for every message to ten a second each. */
  override init(): void {
    if (canGreet(this)) this._setListeners(() => this.#greet());
    else super.init();
  }

  /** Called by the constructor too, before our fields exist, and again for the TLS session after STARTTLS. */
  override _createParser() {
    const parser = super._createParser();
    if (#house in this) this.#govern(parser);
    return parser;
  }

  override _onCommand(line: Buffer, callback: () => void = () => {}): void {
    if (this._upgrading)
      super._onCommand(line, callback); // plaintext behind STARTTLS, to be dropped unanswered
    else if (this.#house.stopping.aborted) this.say(replies.shuttingDown);
    else if (!this._ready) this.say(replies.earlyTalker);
    else this.#obey(line, callback);
  }

  /** smtp-server's own answers pass here too: every 4xx and 5xx is counted, and too many errors end the talk. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const instead = this.#session.answering(code);
    if (instead) {
      this.say(instead);
      return;
    }
    const explicit = typeof data === "string" ? /^[245]\.\d+\.\d+(?= )/.exec(data)?.[0] : undefined;
    if (code >= 400) {
      const status = explicit ?? this._getEnhancedStatusCode(code, context);
      this.#house.ports.metrics.count("smtp_rejections_total", { code: `${code} ${status}`.trim() });
    }
    super.send(code, data, explicit ? false : context);
  }

  say(reply: Reply): void {
    this.send(reply.code, replyText(reply));
  }

  override handler_MAIL(line: Buffer, callback: () => void): void {
    this.#session.introduce(this.hostNameAppearsAs || "", tlsOf(this._socket));
    this.#answer(this.#session.mail(line), callback, () => {
      this.session.envelope.mailFrom = { address: "", args: false };
    });
  }

  /** smtp-server only asks whether there is a recipient; who they are, Session knows. */
  override handler_RCPT(line: Buffer, callback: () => void): void {
    this.#answer(this.#session.rcpt(line), callback, () => {
      this.session.envelope.rcptTo = [{ address: "", args: false }];
    });
  }

  override _resetSession(): void {
    super._resetSession();
    this.#session.reset();
  }

  override _onClose(): void {
    super._onClose();
    this.#gone();
  }

  async receive(data: Readable, answered: (error: Error | null, text?: string) => void): Promise<void> {
    const { reply, flooding } = await this.#session.receive(data);
    if (flooding) {
      // Twice the limit and no end in sight: answered and closed now (RFC 5321 §7.8 lets a server defend itself so).
      this.say(reply);
      this.close();
      data.destroy();
    }
    this.#session.awaitCommand();
    if (reply.code === 250) answered(null, replyText(reply));
    else answered(Object.assign(new Error(replyText(reply)), { responseCode: reply.code }));
    if (this.#house.stopping.aborted && !this._closing) this.say(replies.shuttingDown);
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
    const refusal = this.#session.gate(line, this.#endsBare());
    if (refusal) {
      this.say(refusal);
      next();
      return;
    }
    this._unrecognizedCommands = 0; // Session counts them, with all other errors
    super._onCommand(line, next);
  }

  #govern(parser: SMTPStream): void {
    if (this.#house.settings.bare_newline === "refuse") this.#endsBare = watchCommandEnds(parser);
    parser.removeAllListeners("error");
    parser.on("error", () => this.say(replies.lineEndless));
  }

  #answer(pending: Promise<Reply>, callback: () => void, taken: () => void): void {
    void pending
      .catch((error: unknown) => {
        this.#house.ports.log.error({ error: asError(error) }, "smtp: command failed");
        return replies.storeFailed;
      })
      .then((reply) => {
        if (reply.code === 250) taken();
        this.say(reply);
        callback();
      });
  }
}

/** The listening side: who comes in, who has to leave. */
class Listener extends SMTPServer {
  readonly #house: House;
  readonly #conversations = new Map<string, Conversation>();
  #watching = false;

  constructor(house: House, certificate: Certificate | undefined) {
    super(serverOptions(house.settings, house.intake.maxBytes, certificate));
    this.#house = house;
    // Broken connections; what they interrupted is told by whoever was interrupted.
    this.on("error", (error) => house.ports.log.debug({ error }, "smtp: connection error"));
  }

  get conversations(): Iterable<Conversation> {
    return this.#conversations.values();
  }

  override connect(tcp: Socket, known: SMTPConnectionOptions | null = null): void {
    const { admission, ports } = this.#house;
    ports.metrics.count("smtp_connections_total");
    if (tcp.remoteAddress === undefined) return void tcp.destroy(); // gone already
    const place = admission.admit(tcp.remoteAddress);
    if (!place.ok) {
      ports.metrics.count("smtp_rejections_total", { code: `${place.reply.code} ${place.reply.status}` });
      this.#house.admission.turnAway(tcp, place.reply);
      return;
    }
    const conversation = new Conversation(this, tcp, known, this.#house, () => {
      place.release();
      this.#conversations.delete(conversation.id);
      ports.metrics.gauge("smtp_open_connections", admission.open);
    });
    ports.metrics.gauge("smtp_open_connections", admission.open);
    this.#conversations.set(conversation.id, conversation);
    this.connections.add(conversation);
    conversation.on("error", (error) => this._onError(error));
    conversation.init();
    if (!this.#watching) void this.#watch();
  }

  override onData(
    data: Readable,
    session: { id: string },
    answered: (error: Error | null, text?: string) => void,
  ): void {
    const conversation = this.#conversations.get(session.id);
    if (!conversation) return void data.resume(); // closed already, nobody to answer
    conversation.receive(data, answered).catch((error: unknown) => {
      this.#house.ports.log.error({ error: asError(error) }, "smtp: message not stored");
      answered(Object.assign(new Error(replyText(replies.storeFailed)), { responseCode: replies.storeFailed.code }));
    });
  }

  /** One loop looks at all connections, instead of three timers for each; it sleeps while there are none. */
  async #watch(): Promise<void> {
    const { ports, settings } = this.#house;
    this.#watching = true;
    while (this.#conversations.size > 0 && !this.#house.stopping.aborted) {
      await ports.clock.sleep(watchEveryMs(settings.limits), this.#house.stopping);
      const now = ports.clock.now();
      for (const conversation of this.#conversations.values()) conversation.judge(now);
    }
    this.#watching = false;
  }
}

/** Rejects with a sentence when the certificate or the port cannot be had. */
async function start(settings: SmtpSettings, intake: Intake, ports: SourcePorts): Promise<RunningSource> {
  const stopping = new AbortController();
  const admission = new Admission(settings.limits, ports.clock);
  const house: House = { settings, intake, ports, admission, stopping: stopping.signal };
  const kept = settings.tls && (await keepCertificate(settings.tls, { ...ports, signal: stopping.signal }));
  const listener = new Listener(house, kept?.certificate);
  kept?.onRenewed(({ cert, key }) => listener.updateSecureContext({ cert, key }));
  const address = await listen(listener.server, settings);
  ports.log.info({ ...address, starttls: kept !== undefined }, "smtp: listening");
  return {
    address,
    reload: async () => kept?.reload(),
    stop: async (graceMs) => {
      if (stopping.signal.aborted) return;
      const closed = new Promise<void>((resolve) => listener.server.close(() => resolve()));
      stopping.abort();
      for (const conversation of listener.conversations) conversation.retire();
      const early = new AbortController();
      await Promise.race([closed.then(() => early.abort()), ports.clock.sleep(graceMs, early.signal)]);
      for (const conversation of listener.conversations) conversation.expel();
      await closed;
    },
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
