/** A small SMTP client that says exactly how far it came: what matters to a crash test is whether the 250 was read. */
import { connect, type Socket } from "node:net";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** CRLF line ends, dots not stuffed. */
  readonly data: string;
}

/** `acknowledged`: the 250 after the final dot was read. `unknown`: the connection broke before; the sender must send again. */
export type Sent =
  | { readonly kind: "acknowledged"; readonly reply: string }
  | { readonly kind: "refused"; readonly reply: string }
  | { readonly kind: "unknown" };

/** Sends one mail over a connection of its own. `onAcknowledged` runs in the very turn in which the 250 was read. */
export async function sendMail(port: number, mail: Mail, onAcknowledged: () => void = () => undefined): Promise<Sent> {
  const socket = connect(port, "127.0.0.1");
  const replies = readReplies(socket);
  try {
    const commands = [
      "",
      "EHLO client.test",
      `MAIL FROM:<${mail.from}>`,
      ...mail.to.map((to) => `RCPT TO:<${to}>`),
      "DATA",
    ];
    for (const command of commands) {
      if (command !== "") socket.write(`${command}\r\n`);
      const reply = await replies.next();
      if (reply === undefined) return { kind: "unknown" };
      if (!/^[23]/.test(reply)) return { kind: "refused", reply };
    }
    socket.write(`${mail.data.replaceAll(/^\./gm, "..")}\r\n.\r\n`);
    const reply = await replies.next();
    if (reply === undefined) return { kind: "unknown" };
    if (!reply.startsWith("250")) return { kind: "refused", reply };
    onAcknowledged();
    socket.end("QUIT\r\n");
    return { kind: "acknowledged", reply };
  } finally {
    socket.destroy();
  }
}

/** Whole replies in order; undefined once the connection is gone. */
function readReplies(socket: Socket): { next(): Promise<string | undefined> } {
  const whole: string[] = [];
  let waiting: ((reply: string | undefined) => void) | undefined;
  let text = "";
  let over = false;
  const give = () => {
    if (waiting === undefined || (whole.length === 0 && !over)) return;
    waiting(whole.shift());
    waiting = undefined;
  };
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.search(/^\d{3} .*\r\n/m); end >= 0; end = text.search(/^\d{3} .*\r\n/m)) {
      const close = text.indexOf("\r\n", end) + 2;
      whole.push(text.slice(end, close).trim());
      text = text.slice(close);
    }
    give();
  });
  const ended = () => {
    over = true;
    give();
  };
  socket.on("close", ended);
  socket.on("error", ended);
  return {
    next: () =>
      new Promise((resolve) => {
        waiting = resolve;
        give();
      }),
  };
}
