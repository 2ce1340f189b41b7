/** Sends the bench's mails over SMTP on reused connections, each acknowledged before the next; exits when all are. */

import { once } from "node:events";
import { connect } from "node:net";
import { benchMails } from "./mail.ts";

const [port = "0", count = "1000", senders = "100", run = "load"] = process.argv.slice(2);
const connections = 16;
const mails = benchMails(Number(count), Number(senders), run);

async function worker(): Promise<void> {
  const socket = connect(Number(port), "127.0.0.1").setEncoding("utf8");
  let text = "";
  let wake: (() => void) | undefined;
  socket.on("data", (chunk: string) => {
    text += chunk;
    wake?.();
  });
  socket.on("close", () => wake?.());
  async function reply(): Promise<void> {
    for (;;) {
      const match = /^(\d)\d\d .*\r\n/m.exec(text);
      if (match !== null) {
        text = text.slice(match.index + match[0].length);
        if (match[1] !== "2" && match[1] !== "3") throw new Error(match[0]);
        return;
      }
      if (socket.destroyed) throw new Error("the server closed the connection");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  await reply();
  socket.write("EHLO load.test\r\n");
  await reply();
  for (const { from, data } of mails) {
    socket.write(`MAIL FROM:<${from}>\r\nRCPT TO:<sales@in.test>\r\nDATA\r\n`);
    for (let command = 0; command < 3; command++) await reply();
    socket.write(data);
    socket.write("\r\n.\r\n");
    await reply();
  }
  socket.end("QUIT\r\n");
  await once(socket, "close");
}

await Promise.all(Array.from({ length: connections }, worker));
process.exit(0);
