/** A small SMTP client over a plain socket: enough to hand over files exactly as they are, and to hear what the server says. */
import { connect, type Socket } from "node:net";
import { Failed } from "./exit.ts";

export interface SmtpSessionOptions {
  readonly host: string;
  readonly port: number;
  /** What EHLO says. */
  readonly clientName: string;
}

export interface SmtpEnvelope {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
}

export interface SmtpResult {
  readonly accepted: boolean;
  /** The last reply, its lines joined by a space. */
  readonly reply: string;
}

export interface SmtpSession {
  /** Rejects when the connection breaks; a refusal is a result. Recipients that are refused are left out when others are taken. */
  send(mail: { read(): AsyncIterable<Uint8Array> }, envelope: SmtpEnvelope): Promise<SmtpResult>;
  /** Says good-bye, and waits no longer for the answer than a moment: all mails have theirs by then. */
  quit(): Promise<void>;
  /** Without a word, where nobody knows what the server waits for. */
  drop(): void;
}

/** For the answer to QUIT. */
const goodbyeMs = 2_000;
const patienceMs = 60_000;
const longestReplyChars = 64 * 1024;

interface Reply {
  readonly code: number;
  readonly text: string;
}

export async function openSmtpSession({ host, port, clientName }: SmtpSessionOptions): Promise<SmtpSession> {
  const line = await openLine(host, port);
  const command = async (text: string): Promise<Reply> => {
    // RFC 5321 §4.1.1: a command is one line; what is put into one must not be able to begin another.
    if (/[\r\n\0]/.test(text)) throw new Failed("an address with a line end in it cannot be sent");
    await line.write(`${text}\r\n`);
    return await line.reply();
  };
  try {
    const greeting = await line.reply();
    if (greeting.code !== 220) throw new Failed(`${host}:${port} does not take mail: ${greeting.text}`);
    const hello = await command(`EHLO ${clientName}`);
    if (hello.code !== 250) throw new Failed(`${host}:${port} refused EHLO: ${hello.text}`);
    return {
      send: (mail, envelope) => transfer(mail, envelope, hello, line, command),
      async quit() {
        line.wait(goodbyeMs);
        await command("QUIT").catch(() => undefined);
        line.close();
      },
      drop: line.close,
    };
  } catch (error) {
    line.close();
    throw error;
  }
}

async function transfer(
  mail: { read(): AsyncIterable<Uint8Array> },
  { from, to }: SmtpEnvelope,
  hello: Reply,
  line: Line,
  command: (text: string) => Promise<Reply>,
): Promise<SmtpResult> {
  const refused = async ({ text }: Reply): Promise<SmtpResult> => {
    await command("RSET");
    return { accepted: false, reply: text };
  };
  const offers = (name: string) => new RegExp(`\\b${name}\\b`, "i").test(hello.text);
  // RFC 6531 §3.4: an address beyond ASCII needs SMTPUTF8.
  const international = [from, ...to].some((address) => /\P{ASCII}/u.test(address));
  const parameters = `${offers("8BITMIME") ? " BODY=8BITMIME" : ""}${international && offers("SMTPUTF8") ? " SMTPUTF8" : ""}`;
  const sender = await command(`MAIL FROM:<${from}>${parameters}`);
  if (sender.code !== 250) return await refused(sender);
  let taken = 0;
  let last = sender;
  for (const address of to) {
    last = await command(`RCPT TO:<${address}>`);
    if (last.code === 250 || last.code === 251) taken++;
  }
  if (taken === 0) return await refused(last);
  const data = await command("DATA");
  if (data.code !== 354) return await refused(data);
  for await (const chunk of dotStuffed(mail.read())) await line.write(chunk);
  const end = await line.reply();
  return { accepted: end.code === 250, reply: end.text };
}

/**
 * RFC 5321 §4.5.2: a line that begins with a dot gets one more, and a lone dot ends the mail. Bare line feeds become CRLF (§2.3.8), since
 * files on disk have them; nothing else is touched.
 */
export async function* dotStuffed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let previous = 0x0a;
  for await (const chunk of chunks) {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === 0x0a && previous !== 0x0d) out.push(0x0d);
      else if (byte === 0x2e && previous === 0x0a) out.push(0x2e);
      out.push(byte);
      previous = byte;
    }
    yield Uint8Array.from(out);
  }
  yield Buffer.from(previous === 0x0a ? ".\r\n" : "\r\n.\r\n");
}

interface Line {
  /** Resolves when the socket has room for more. */
  write(data: string | Uint8Array): Promise<void>;
  reply(): Promise<Reply>;
  /** From now on an answer has so long. */
  wait(ms: number): void;
  close(): void;
}

async function openLine(host: string, port: number): Promise<Line> {
  const socket = await dial(host, port);
  let unread = "";
  let broken: Error | undefined;
  let wake: () => void = () => undefined;
  socket.setEncoding("utf8");
  socket.setTimeout(patienceMs, () => socket.destroy(new Error(`no answer for ${patienceMs / 1000} s`)));
  socket.on("data", (text: string) => {
    unread += text;
    if (unread.length > longestReplyChars) socket.destroy(new Error("an endless reply"));
    wake();
  });
  socket.on("error", (error) => {
    broken = error;
  });
  socket.on("close", () => {
    broken ??= new Error("the server closed the connection");
    wake();
  });

  return {
    async write(data) {
      if (broken !== undefined) return;
      if (socket.write(data)) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off("drain", done).off("close", done);
          resolve();
        };
        socket.on("drain", done).on("close", done);
      });
    },
    async reply() {
      for (;;) {
        const whole = /^(?:(\d{3})-.*\r?\n)*(\d{3})(?: .*)?\r?\n/.exec(unread);
        if (whole !== null) {
          unread = unread.slice(whole[0].length);
          return { code: Number(whole[2]), text: whole[0].trim().replace(/\r?\n/g, " ") };
        }
        if (broken !== undefined)
          throw new Failed(`${host}:${port} broke off: ${broken.message}`, 1, { cause: broken });
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    wait: (ms) => void socket.setTimeout(ms),
    close: () => socket.destroy(),
  };
}

async function dial(host: string, port: number): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(patienceMs, () => socket.destroy(new Error("no answer")));
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new Failed(`nothing answers at ${host}:${port} (${error.code ?? error.message}); is the daemon running?`, 1, {
          cause: error,
        }),
      ),
    );
  });
}
