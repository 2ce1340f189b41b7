/** A peer that speaks SMTP byte by byte: nothing is escaped, completed or retried for the test. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";

export interface RawReply {
  readonly code: number;
  /** Enhanced status code, where there is one. */
  readonly status: string | undefined;
  /** Lines as received, without line ends. */
  readonly lines: readonly string[];
}

export class RawClient {
  #socket: Socket;
  #received = "";
  #wake: (() => void) | undefined;
  #ended = false;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** Resolves once the TCP connection stands; nothing is read or sent yet. */
  static async open(port: number, from = "127.0.0.1", allowHalfOpen = false): Promise<RawClient> {
    const socket = connect({ host: "127.0.0.1", port, localAddress: from, noDelay: true, allowHalfOpen });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** A client that has been greeted and has said EHLO. A half open one does not leave when it is told to. */
  static async greeted(port: number, from?: string, allowHalfOpen?: boolean): Promise<RawClient> {
    const client = await RawClient.open(port, from, allowHalfOpen);
    await client.reply();
    await client.command("EHLO client.test");
    return client;
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Cipher and protocol once STARTTLS has been through. */
  get tls(): TLSSocket {
    return this.#socket as TLSSocket;
  }

  /** Writes exactly these bytes (strings as latin1) and resolves when the kernel has them. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    await new Promise<void>((resolve) => this.#socket.write(data, () => resolve()));
  }

  /** The next whole reply. Rejects when the connection ends before it. */
  async reply(): Promise<RawReply> {
    for (;;) {
      const reply = this.#take();
      if (reply) return reply;
      if (this.#ended) throw new Error(`connection closed; unread: ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async command(line: string | Uint8Array): Promise<RawReply> {
    await this.send(typeof line === "string" ? `${line}\r\n` : Buffer.concat([line, Buffer.from("\r\n")]));
    return await this.reply();
  }

  /** MAIL, RCPT for each, DATA; ready to send the message. */
  async begin(...recipients: readonly string[]): Promise<void> {
    await this.command("MAIL FROM:<sender@elsewhere.test>");
    for (const recipient of recipients) await this.command(`RCPT TO:<${recipient}>`);
    const reply = await this.command("DATA");
    if (reply.code !== 354) throw new Error(`DATA answered ${reply.lines.join("|")}`);
  }

  /** A whole transaction; `message` goes out as it is, followed by the final dot. */
  async deliver(message: string | Uint8Array, ...recipients: readonly string[]): Promise<RawReply> {
    await this.begin(...recipients);
    await this.send(message);
    await this.send("\r\n.\r\n");
    return await this.reply();
  }

  /** STARTTLS and the handshake; `pipelined` goes out in plaintext in the same write as the command. */
  async startTls(pipelined = "", options: ConnectionOptions = {}): Promise<RawReply> {
    await this.send(`STARTTLS\r\n${pipelined}`);
    const reply = await this.reply();
    if (reply.code !== 220) return reply;
    this.#socket.removeAllListeners("data");
    const secure = connectTls({ ...options, socket: this.#socket, rejectUnauthorized: false, servername: "localhost" });
    await once(secure, "secureConnect");
    this.#socket = secure;
    this.#listen(secure);
    return reply;
  }

  /** Everything received and not yet taken as a reply. */
  get unread(): string {
    return this.#received;
  }

  /** Reads until the other side closes; what it said meanwhile. */
  async rest(): Promise<string> {
    await this.closed;
    return this.#received;
  }

  /** Leaves with a RST, as a crashed host does. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Leaves with a FIN. */
  leave(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#wake?.();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", ended);
    socket.on("close", ended);
    socket.on("error", ended);
  }

  #take(): RawReply | undefined {
    const whole = /^(?:\d{3}-[^\r\n]*\r\n)*(\d{3})(?: ([^\r\n]*))?\r\n/.exec(this.#received);
    if (!whole) return undefined;
    this.#received = this.#received.slice(whole[0].length);
    const status = /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(whole[2] ?? "")?.[0];
    return { code: Number(whole[1]), status, lines: whole[0].split("\r\n").slice(0, -1) };
  }
}
