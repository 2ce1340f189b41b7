/** SESSION: what we demand of one SMTP peer and what we promise it, apart from the protocol machine that carries the words. */
import type { Envelope } from "../../model/envelope.ts";
import type { Log } from "../../model/ports.ts";
import type { Intake, Receipt, Refusal, SourcePorts } from "../../model/source.ts";
import { NotAccepted } from "../../model/source.ts";
import { type MailCommand, readMail, readRcpt } from "./address.ts";
import { Reception } from "./reception.ts";
import { queued, type Reply, replies, replyTo } from "./reply.ts";
import type { SmtpSettings } from "./settings.ts";

export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
}

interface Transaction extends MailCommand {
  readonly recipients: Map<string, { readonly address: string; readonly tenant: string }>;
  attempts: number;
}

/** Refused recipients on one connection before every further RCPT answer is delayed. */
const freeRefusals = 5;

export class Session {
  readonly #ip: string;
  readonly #settings: SmtpSettings;
  readonly #intake: Intake;
  readonly #ports: SourcePorts;
  readonly #log: Log;
  readonly #startedAt: number;
  /** Since when a command has been due; undefined while we owe the peer an answer. */
  #waitingSince: number | undefined;
  #lastByte: { bytes: number; at: number };
  #transaction: Transaction | undefined;
  #reception: Reception | undefined;
  #giveUpOnStore: (() => void) | undefined;
  #helo = "";
  #tls: TlsFacts | null = null;
  #commands = 0;
  #errors = 0;
  #refusedRecipients = 0;

  constructor(ip: string, settings: SmtpSettings, intake: Intake, ports: SourcePorts) {
    this.#ip = ip;
    this.#settings = settings;
    this.#intake = intake;
    this.#ports = ports;
    this.#log = ports.log;
    this.#startedAt = ports.clock.now();
    this.#lastByte = { bytes: 0, at: this.#startedAt };
  }

  /** True from DATA to its answer. */
  get receiving(): boolean {
    return this.#reception !== undefined;
  }

  /** What the peer said of itself, and what was found of its connection. */
  introduce(helo: string, tls: TlsFacts | null): void {
    this.#helo = helo;
    this.#tls = tls;
  }

  /** The peer may send its next command. */
  awaitCommand(): void {
    this.#waitingSince = this.#ports.clock.now();
  }

  /** Looks at a command line before anybody acts on it; a reply means that nobody will. `verb` is its first word. */
  gate(line: Uint8Array, verb: string, endsBare: boolean): Reply | undefined {
    this.#waitingSince = undefined;
    if (line.length > this.#settings.limits.command_bytes) return replies.lineTooLong;
    if (httpVerbs.has(verb)) return replies.httpRequest;
    // smtp-server notes LMTP's hello as this peer's, and then answers without an enhanced code.
    if (verb === "LHLO") return replies.unknownCommand;
    if (endsBare) return replies.bareNewlineCommand;
    if (mailVerbs.has(verb)) return undefined;
    this.#commands += 1;
    return this.#commands > this.#settings.limits.commands ? replies.tooManyCommands : undefined;
  }

  /** Counts an answer about to be given; a reply is to be given in its place. */
  answering(code: number): Reply | undefined {
    if (!errorCodes.has(code)) return undefined;
    this.#errors += 1;
    return this.#errors > this.#settings.limits.errors ? replies.tooManyErrors : undefined;
  }

  /** RSET, EHLO, STARTTLS and the end of a message forget the transaction. */
  reset(): void {
    this.#transaction = undefined;
  }

  /** At once where nothing has to be waited for: a promise for each command costs as much as reading it. */
  mail(line: Uint8Array): Reply | Promise<Reply> {
    if (this.#transaction) return replies.nestedMail;
    const read = readMail(line, this.#intake.maxBytes);
    if (!read.ok) return read.reply;
    const pressure = this.#intake.pressure(read.value.size);
    if (!(pressure instanceof Promise)) return this.#open(read.value, pressure);
    return pressure.then((found) => this.#open(read.value, found));
  }

  rcpt(line: Uint8Array): Reply | Promise<Reply> {
    const reply = this.#judgeRecipient(line);
    // Accepted and refused alike, so that timing tells nobody which addresses exist.
    const tarpitMs = this.#settings.limits.tarpit_ms;
    if (this.#refusedRecipients <= freeRefusals || tarpitMs === 0) return reply;
    return this.#ports.clock.sleep(tarpitMs).then(() => reply);
  }

  /** DATA: undefined where nobody is named who would get the message; otherwise what its bytes are to be pushed into. */
  begin(): Reception | undefined {
    if (!this.#transaction || this.#transaction.recipients.size === 0) return undefined;
    this.#reception = new Reception({
      maxBytes: this.#intake.maxBytes,
      refuseBareNewlines: this.#settings.bare_newline === "refuse",
      clock: this.#ports.clock,
    });
    return this.#reception;
  }

  /** Takes the message; the answer is due when the promise resolves, after the final dot (or earlier, with `flooding`). */
  async receive(reception: Reception): Promise<{ readonly reply: Reply; readonly flooding: boolean }> {
    const startedAt = this.#ports.clock.now();
    const answer = await this.#take(reception, this.#envelopes(startedAt));
    this.#reception = undefined;
    this.#ports.metrics.count("smtp_messages_total", { outcome: answer.outcome });
    this.#ports.metrics.observe("smtp_receive_seconds", (this.#ports.clock.now() - startedAt) / 1000);
    return { reply: answer.reply, flooding: reception.flooding };
  }

  /** Gives up on a message in flight. */
  cut(why: string): void {
    this.#reception?.cut(why);
  }

  /** The answer to a peer that has used up its time, judged at `now`; `bytesRead` is what its socket has brought so far. */
  overdue(now: number, bytesRead: number, crowded: boolean): Reply | undefined {
    const { limits } = this.#settings;
    if (bytesRead !== this.#lastByte.bytes) this.#lastByte = { bytes: bytesRead, at: now };
    const reception = this.#reception;
    if (reception?.endedAt !== undefined) {
      // The message is in and the peer waits for us (RFC 5321 §4.5.3.2.6 lets it wait ten minutes; we answer sooner).
      if (now - reception.endedAt >= limits.accept_seconds * 1000) this.#giveUpOnStore?.();
      return undefined;
    }
    if (now - this.#startedAt >= limits.session_seconds * 1000) return replies.sessionTooLong;
    if (reception?.tooSlow(now, limits.min_data_rate, limits.data_rate_seconds * 1000)) return replies.dataTooSlow;
    const due = this.#waitingSince;
    if (!reception && due !== undefined && now - due >= limits.command_seconds * 1000) return replies.commandTooSlow;
    const theirTurn = reception ? reception.waiting : true;
    const idleMs = (limits.idle_seconds * 1000) / (crowded ? 2 : 1);
    return theirTurn && now - this.#lastByte.at >= idleMs ? replies.idle : undefined;
  }

  #open(command: MailCommand, pressure: Refusal | undefined): Reply {
    if (pressure) return replyTo(new NotAccepted(pressure));
    this.#transaction = { ...command, recipients: new Map(), attempts: 0 };
    return replies.senderOk;
  }

  #judgeRecipient(line: Uint8Array): Reply {
    const transaction = this.#transaction;
    if (!transaction) return replies.mailFirst;
    transaction.attempts += 1;
    if (transaction.attempts > this.#settings.limits.recipients) return replies.tooManyRecipients;
    const read = readRcpt(line, transaction.smtputf8);
    if (!read.ok) {
      if (read.reply === replies.notOurs) this.#refusedRecipients += 1;
      return read.reply;
    }
    const answer = this.#ports.route(read.value);
    switch (answer.kind) {
      case "accepted":
        transaction.recipients.set(read.value, { address: read.value, tenant: answer.tenant });
        return replies.recipientOk;
      case "unknown_recipient":
        this.#refusedRecipients += 1;
        return replies.unknownRecipient;
      case "not_ours":
        this.#refusedRecipients += 1;
        return replies.notOurs;
      default:
        answer satisfies never;
        return replies.notOurs;
    }
  }

  /** One envelope per tenant, each with its own recipients only: tenants do not see each other. */
  #envelopes(receivedAt: number): readonly Envelope[] {
    const transaction = this.#transaction;
    if (!transaction) return [];
    const routes = new Map<string, string[]>();
    for (const { address, tenant } of transaction.recipients.values()) {
      const known = routes.get(tenant);
      if (known) known.push(address);
      else routes.set(tenant, [address]);
    }
    return Array.from(routes, ([tenant, addresses]) => ({
      kind: "smtp",
      tenant,
      routes: addresses,
      received_at: receivedAt,
      smtp: {
        remote_ip: this.#ip,
        helo: this.#helo,
        tls: this.#tls,
        mail_from: transaction.path,
        rcpt_to: addresses,
        smtputf8: transaction.smtputf8,
        ...(transaction.body && { body: transaction.body }),
      },
    }));
  }

  async #take(reception: Reception, envelopes: readonly Envelope[]): Promise<{ reply: Reply; outcome: string }> {
    try {
      const receipts = await this.#acceptInTime(reception, envelopes);
      if (!reception.wholeRead) throw new Error("the message was accepted before its end was read");
      this.#errors = 0;
      this.#commands = 0;
      for (const receipt of receipts) this.#logAccepted(receipt, reception);
      return { reply: queued(receipts), outcome: "accepted" };
    } catch (error) {
      const reply = reception.refusal ?? replyTo(error);
      // The answer comes after the final dot, so what is left has to be read first.
      await reception.discard();
      const outcome = outcomeOf(reception, error);
      this.#logRefused(error, outcome, reply);
      return { reply, outcome };
    }
  }

  async #acceptInTime(reception: Reception, envelopes: readonly Envelope[]): Promise<readonly Receipt[]> {
    const lateness = Promise.withResolvers<never>();
    const reason = `the store did not finish within ${this.#settings.limits.accept_seconds} s`;
    this.#giveUpOnStore = () => lateness.reject(new NotAccepted({ kind: "store_failed", reason }));
    try {
      return await Promise.race([this.#intake.accept(reception, envelopes), lateness.promise]);
    } finally {
      this.#giveUpOnStore = undefined;
    }
  }

  #logAccepted(receipt: Receipt, reception: Reception): void {
    const { eventId, tenant, outcome } = receipt;
    const tls = this.#tls;
    this.#log.info(
      {
        event_id: eventId,
        tenant,
        outcome,
        bytes: reception.bytes,
        tls: tls?.version ?? null,
        cipher: tls?.cipher ?? null,
      },
      "smtp: message accepted",
    );
  }

  #logRefused(error: unknown, outcome: string, reply: Reply): void {
    const fields = { outcome, reply: `${reply.code} ${reply.status}`, remote_ip: this.#ip };
    if (outcome === "failed") {
      this.#log.error({ outcome, error: error instanceof Error ? error : String(error) }, "smtp: message not stored");
    } else {
      this.#log.debug(fields, "smtp: message not taken");
    }
  }
}

/** `failed` is our fault, `refused` the message's or the hour's, `aborted` the peer's: it has heard no answer. */
function outcomeOf(reception: Reception, error: unknown): "aborted" | "refused" | "failed" {
  if (reception.cutShort) return "aborted";
  if (reception.refusal) return "refused";
  return error instanceof NotAccepted && error.refusal.kind !== "store_failed" ? "refused" : "failed";
}

/** Answers that tell of a broken or probing client. Refused recipients are not among them: mailing lists have stale ones. */
const errorCodes: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 553, 555]);
const httpVerbs: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "TRACE",
]);
/** Commands that carry mail; all others are counted. */
const mailVerbs: ReadonlySet<string> = new Set(["MAIL", "RCPT", "DATA", "QUIT"]);

/** The command's name in upper case; of an endless one, enough to know that it is none. */
export function verbOf(line: Buffer): string {
  const space = line.indexOf(0x20);
  return line.toString("latin1", 0, Math.min(space < 0 ? line.length : space, 16)).toUpperCase();
}
