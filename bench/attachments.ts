/**
 * Memory of the real daemon while it keeps files: zero-length, 150 MiB, a thousand small ones, duplicate names, messages in messages, and 50
 * messages of 25 MiB at once. Prints, for each, what became of the files and the most memory of daemon and children over what they had at rest.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { bin, type Home, makeHome, startDaemon } from "../test/process/daemon.ts";
import { childrenOf } from "./cpu.ts";

const { values } = parseArgs({ options: { messages: { type: "string", default: "50" } } });
const mib = 1024 * 1024;
const boundary = "=_bench";

interface Part {
  readonly name: string;
  readonly bytes: number;
  readonly type?: string;
}

interface Case {
  readonly what: string;
  readonly messages: number;
  readonly parts: (message: number) => readonly Part[];
}

const cases: readonly Case[] = [
  { what: "one of no bytes", messages: 1, parts: () => [{ name: "empty.txt", bytes: 0 }] },
  {
    what: "a thousand of 2 KiB",
    messages: 1,
    parts: () => Array.from({ length: 1_000 }, (_, n) => part(`f${n}.txt`, 2_048)),
  },
  { what: "ten of one name", messages: 1, parts: () => Array.from({ length: 10 }, () => part("scan.txt", 5_000)) },
  {
    what: "messages in a message",
    messages: 1,
    parts: () => Array.from({ length: 5 }, () => ({ name: "mail.eml", bytes: 30_000, type: "message/rfc822" })),
  },
  { what: "one of 150 MiB", messages: 1, parts: () => [part("film.mp4", 150 * mib)] },
  {
    what: `${values.messages} messages of 25 MiB at once`,
    messages: Number(values.messages),
    parts: (n) => [part(`film${n}.mp4`, 25 * mib)],
  },
];

function part(name: string, bytes: number): Part {
  return { name, bytes };
}

/** Bytes that no two parts share, made as they are sent: this process must not be what is measured. */
function* contentOf({ bytes, type }: Part, seed: number): Generator<Buffer> {
  const head =
    type === "message/rfc822" ? "From: a@b.test\r\nSubject: inner\r\nMessage-ID: <i@b.test>\r\n\r\n" : `${seed} `;
  const block = Buffer.alloc(57 * 1_024, `${head}line of a file ${seed}\r\n`);
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
}

async function send(port: number, message: number, what: string, parts: readonly Part[]): Promise<void> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let text = "";
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  const reply = async (): Promise<void> => {
    while (!/^\d{3} .*\r\n/m.test(text)) await Promise.race([once(socket, "data"), once(socket, "close")]);
    const code = /^(\d{3}) .*\r\n/m.exec(text);
    if (code === null || !/^[23]/.test(code[1] ?? "")) throw new Error(`the daemon said ${text}`);
    text = "";
  };
  const put = async (bytes: string | Buffer): Promise<void> => {
    if (!socket.write(bytes)) await once(socket, "drain");
  };
  await reply();
  for (const command of ["EHLO bench.test", "MAIL FROM:<ada@client.test>", "RCPT TO:<deals@in.test>", "DATA"]) {
    socket.write(`${command}\r\n`);
    await reply();
  }
  const id = `${what.replaceAll(/\W/g, "-")}.${message}`;
  await put(
    `From: Ada <ada@client.test>\r\nTo: deals@in.test\r\nSubject: ${what}\r\nMessage-ID: <${id}@client.test>\r\nDate: Tue, 10 Mar 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n`,
  );
  for (const [index, one] of parts.entries()) {
    const isMessage = one.type === "message/rfc822";
    const encoding = isMessage ? "7bit" : "base64";
    await put(
      `--${boundary}\r\nContent-Type: ${one.type ?? "application/octet-stream"}; name="${one.name}"\r\nContent-Transfer-Encoding: ${encoding}\r\nContent-Disposition: attachment; filename="${one.name}"\r\n\r\n`,
    );
    for (const bytes of contentOf(one, message * 10_000 + index)) {
      await put(isMessage ? bytes : `${bytes.toString("base64").replaceAll(/(.{76})/g, "$1\r\n")}\r\n`);
    }
    await put("\r\n");
  }
  await put(`--${boundary}--\r\n.\r\n`);
  await reply();
  socket.end("QUIT\r\n");
}

/** Of a process and what it started, in bytes; pages that several share are counted once for each. */
function resident(pid: number): { daemon: number; children: number } {
  const of = (one: number): number => {
    try {
      return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  };
  return { daemon: of(pid), children: childrenOf(pid).reduce((sum, child) => sum + of(child), 0) };
}

interface Listed {
  readonly status: string;
  readonly size: number;
}

function filesOf(home: Home): Listed[] {
  const args = [bin, "attachments", "list", "--limit", "5000", "--json", "--config", home.config];
  const ran = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 256 * mib });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout) as Listed[];
}

const home = await makeHome([{ id: "crm", type: "local" }], {
  limits: { max_message_bytes: "250MiB", disk_reserve_bytes: 0, disk_reserve_percent: 0 },
});
const daemon = await startDaemon(home);
try {
  await daemon.parsing;
  const pid = daemon.process.pid ?? 0;
  // Parsers and ledger have seen mail before anything is measured.
  await send(daemon.smtpPort, 0, "warm up", [part("a.txt", 100_000)]);
  await sleep(5_000);
  const idle = resident(pid);
  process.stdout.write(`at rest: daemon ${shown(idle.daemon)}, children ${shown(idle.children)}\n`);
  let expected = 1;
  for (const { what, messages, parts } of cases) {
    const most = { daemon: 0, children: 0 };
    const watch = setInterval(() => {
      const now = resident(pid);
      most.daemon = Math.max(most.daemon, now.daemon);
      most.children = Math.max(most.children, now.children);
    }, 50);
    const started = performance.now();
    await Promise.all(Array.from({ length: messages }, (_, n) => send(daemon.smtpPort, n, what, parts(n))));
    const acknowledged = performance.now();
    expected += Array.from({ length: messages }, (_, n) => parts(n).length).reduce((sum, count) => sum + count, 0);
    let listed = filesOf(home);
    while (listed.length < expected || listed.some(({ status }) => status === "checking")) {
      await sleep(1_000);
      listed = filesOf(home);
    }
    clearInterval(watch);
    const tally = new Map<string, number>();
    for (const { status } of listed) tally.set(status, (tally.get(status) ?? 0) + 1);
    process.stdout.write(
      `${what}: 250 after ${seconds(acknowledged - started)}, all judged after ${seconds(performance.now() - started)}; daemon +${shown(most.daemon - idle.daemon)}, children +${shown(most.children - idle.children)}; files so far ${[...tally].map(([status, count]) => `${count} ${status}`).join(", ")}\n`,
    );
  }
} finally {
  await daemon.kill("SIGTERM");
  await home.remove();
}

function shown(bytes: number): string {
  return `${Math.round(bytes / mib)} MiB`;
}
function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
