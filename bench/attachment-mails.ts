/** The mails of bench/attachments.ts, written to a socket as they are made: the process that sends them must not be what takes the machine. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export const mib = 1024 * 1024;

/** film: what says of itself that it is one. text: lines. mail: a message with a file, and a message in it that has one too. */
export interface Part {
  readonly kind: "film" | "text" | "mail";
  readonly name: string;
  readonly bytes: number;
}

const boundary = "=_bench";
const lineBytes = 57;
const blockBytes = lineBytes * 1024;
/** Base64 of it is made once; what no two files may share is at their beginnings. */
const noise = randomBytes(blockBytes);
const noiseLines = lines(noise);

function lines(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll(/(.{76})/g, "$1\r\n");
}

/** ISO/IEC 14496-12 §4.3: the box that a film begins with. */
const filmHead = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypisom\0\0\x02\0isommp42", "latin1")]);

function* encoded({ kind, bytes }: Part, seed: number): Generator<string> {
  const first = Buffer.alloc(blockBytes, `line ${seed} of a file, and another\r\n`);
  if (kind === "film") {
    noise.copy(first);
    filmHead.copy(first);
    first.write(`${seed}`, 64);
  }
  for (let at = 0; at < bytes; at += blockBytes) {
    const block = at === 0 || kind === "text" ? first : noise;
    if (block === noise && bytes - at >= blockBytes) yield noiseLines;
    else yield `${lines(block.subarray(0, Math.min(blockBytes, bytes - at)))}\r\n`;
  }
}

/** `depth` messages, one in the other, each with a file beside it. */
function mailIn(depth: number, seed: number, bytes: number): string {
  const inner = `in${depth}`;
  const file = `--${inner}\r\nContent-Type: text/plain; name="note.txt"\r\nContent-Disposition: attachment; filename="note.txt"\r\n\r\n${"a note\r\n".repeat(Math.ceil(bytes / 8))}`;
  const more =
    depth === 0
      ? ""
      : `--${inner}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename="inner.eml"\r\n\r\n${mailIn(depth - 1, seed, bytes)}\r\n`;
  return `From: Bob <bob@client.test>\r\nTo: ada@client.test\r\nSubject: inner ${depth}\r\nMessage-ID: <in.${seed}.${depth}@client.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${inner}"\r\n\r\n--${inner}\r\nContent-Type: text/plain\r\n\r\nForwarded ${seed}.\r\n${file}${more}--${inner}--\r\n`;
}

function open(port: number) {
  const socket: Socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let text = "";
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  return {
    socket,
    /** The next reply, whole. */
    async reply(): Promise<string> {
      for (;;) {
        const whole = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text)?.[0];
        if (whole !== undefined) {
          text = text.slice(whole.length);
          return whole;
        }
        if (socket.destroyed) throw new Error(`the daemon hung up after ${JSON.stringify(text)}`);
        await Promise.race([once(socket, "data"), once(socket, "close")]);
      }
    },
    async put(bytes: string): Promise<void> {
      if (!socket.write(bytes, "latin1")) await once(socket, "drain");
    },
  };
}

/** Resolves with the daemon's last word: of the end of the data, or of the command that it refused. */
export async function send(port: number, message: number, what: string, parts: readonly Part[]): Promise<string> {
  const { socket, reply, put } = open(port);
  try {
    await reply();
    for (const command of ["EHLO bench.test", "MAIL FROM:<ada@client.test>", "RCPT TO:<deals@in.test>", "DATA"]) {
      await put(`${command}\r\n`);
      const said = await reply();
      if (!/^[23]/.test(said)) return said;
    }
    const id = `${what.replaceAll(/\W/g, "-")}.${message}`;
    await put(
      `From: Ada <ada@client.test>\r\nTo: deals@in.test\r\nSubject: ${what}\r\nMessage-ID: <${id}@client.test>\r\nDate: Tue, 10 Mar 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n`,
    );
    for (const [index, part] of parts.entries()) await sendPart(put, part, message * 10_000 + index);
    await put(`--${boundary}--\r\n.\r\n`);
    return await reply();
  } finally {
    socket.end("QUIT\r\n");
  }
}

const types = { film: "video/mp4", text: "text/plain", mail: "message/rfc822" } as const;

async function sendPart(put: (bytes: string) => Promise<void>, part: Part, seed: number): Promise<void> {
  const encoding = part.kind === "mail" ? "7bit" : "base64";
  await put(
    `--${boundary}\r\nContent-Type: ${types[part.kind]}; name="${part.name}"\r\nContent-Transfer-Encoding: ${encoding}\r\nContent-Disposition: attachment; filename="${part.name}"\r\n\r\n`,
  );
  if (part.kind === "mail") await put(mailIn(2, seed, part.bytes));
  else for (const piece of encoded(part, seed)) await put(piece);
  await put("\r\n");
}
